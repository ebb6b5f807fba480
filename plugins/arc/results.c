/* results.c: what a sealer says that it found: the ARC-Authentication-Results
 * field. (RFC 8617 4.1.1, RFC 8601 2.2)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/arc/results.h"

#include <string.h>

#include "plugins/arc/comment.h"
#include "plugins/dkim/signature.h"

#define POSITION_DIGITS 2

const char *const dmarc_words[] = {
    "none", "pass", "fail", "temperror", "permerror", NULL,
};

const char *const spf_words[] = {
    "none",   "pass",      "fail",      "softfail", "neutral",
    "policy", "temperror", "permerror", NULL,
};

/* ---- tokens ------------------------------------------------------------- */

/* A single special, or a word (quoted strings without their quotes). Empty at
 * the end. */
typedef struct Reader {
    const char *at, *end;
    bool broken; /* a comment or a quoted string is not closed */
    Span token;
} Reader;

static bool
is_space(char octet)
{
    return octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n';
}

static void
skip_space(Reader *reader)
{
    reader->at = comment_skip(reader->at, reader->end);
    reader->broken |= reader->at < reader->end && *reader->at == '(';
}

static void
take_quoted(Reader *reader)
{
    const char *start = ++reader->at;
    while (reader->at < reader->end && *reader->at != '"')
        reader->at +=
            *reader->at == '\\' && reader->at + 1 < reader->end ? 2 : 1;
    reader->token = (Span){start, (size_t)(reader->at - start)};
    reader->broken |= reader->at == reader->end;
    if (!reader->broken)
        reader->at++;
}

static bool
is_special(char octet)
{
    return strchr("();=/\"", octet) != NULL; /* NUL is one, too */
}

/* False at the end. */
static bool
next(Reader *reader)
{
    skip_space(reader);
    const char *start = reader->at;
    reader->token = (Span){start, 0};
    if (reader->broken || start == reader->end)
        return false;
    if (*start == '"') {
        take_quoted(reader);
        return true;
    }
    do
        reader->at++;
    while (reader->at < reader->end && !is_special(*start)
           && !is_special(*reader->at) && !is_space(*reader->at));
    reader->token.length = (size_t)(reader->at - start);
    return true;
}

static bool
next_is(Reader *reader, const char *text)
{
    return next(reader) && span_is(reader->token, text);
}

static bool
span_matches(Span span, const char *text)
{
    return span.length == strlen(text)
           && g_ascii_strncasecmp(span.bytes, text, span.length) == 0;
}

/* ---- what it says ------------------------------------------------------- */

static int
find_word(Span word, const char *const *words)
{
    for (int i = 0; words[i] != NULL; i++)
        if (span_matches(word, words[i]))
            return i;
    return -1;
}

/* One of the results, after its method. */
typedef struct Statement {
    Span method, result;
    bool reverse_path, greeting; /* it is about smtp.mailfrom, smtp.helo */
} Statement;

typedef struct Saying {
    int word; /* -1: none */
    bool several;
} Saying;

static void
say(Saying *saying, int word)
{
    saying->several |= saying->word >= 0 && saying->word != word;
    saying->word = word;
}

static const char *
said(const Saying *saying, const char *const *words)
{
    return saying->word < 0 || saying->several ? NULL : words[saying->word];
}

/* method [ "/" version ] "=" result { property "=" value } */
static bool
read_statement(Reader *reader, Statement *statement)
{
    *statement = (Statement){.method = reader->token};
    if (!next(reader))
        return false;
    if (span_is(reader->token, "/") && (!next(reader) || !next(reader)))
        return false;
    if (!span_is(reader->token, "=") || !next(reader))
        return false;
    statement->result = reader->token;
    while (next(reader) && !span_is(reader->token, ";")) {
        statement->reverse_path |= span_matches(reader->token, "smtp.mailfrom");
        statement->greeting |= span_matches(reader->token, "smtp.helo");
    }
    return true;
}

/* Behind the authserv-id and its ";". */
static void
read_statements(Reader *reader, Results *results)
{
    Statement statement;
    Saying dmarc = {-1, false}, spf = {-1, false};
    int dkim = -1;
    while (next(reader) && read_statement(reader, &statement)) {
        Span word = statement.result;
        if (span_matches(statement.method, "dmarc"))
            say(&dmarc, find_word(word, dmarc_words));
        else if (span_matches(statement.method, "dkim"))
            dkim = MAX(dkim, find_word(word, result_words));
        else if (span_matches(statement.method, "spf")
                 && (statement.reverse_path || !statement.greeting))
            say(&spf, find_word(word, spf_words));
    }
    if (reader->broken || reader->at < reader->end)
        return;
    results->dmarc = said(&dmarc, dmarc_words);
    results->spf = said(&spf, spf_words);
    results->dkim = dkim < 0 ? NULL : result_words[dkim];
}

bool
results_read(Results *results, Span value, gint64 *instance)
{
    Reader reader = {value.bytes, value.bytes + value.length, false, {NULL, 0}};
    *results = (Results){NULL, NULL, NULL};
    if (!next_is(&reader, "i") || !next_is(&reader, "=") || !next(&reader)
        || reader.token.length > POSITION_DIGITS
        || !span_number(reader.token, G_MAXINT64, instance)
        || !next_is(&reader, ";"))
        return false;
    while (next(&reader) && !span_is(reader.token, ";"))
        continue;
    read_statements(&reader, results);
    return true;
}
