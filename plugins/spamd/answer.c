/* answer.c: what spamd and rspamd answer.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/spamd/answer.h"

#include "plugins/spamd/json.h"

#include <math.h>
#include <string.h>

#define PROBLEM_LIMIT 200
#define SCORE_LIMIT 1e6

static const char *const action_names[] = {
    [NO_ACTION] = "no action",     [GREYLIST] = "greylist",
    [ADD_HEADER] = "add header",   [REWRITE_SUBJECT] = "rewrite subject",
    [SOFT_REJECT] = "soft reject", [QUARANTINE] = "quarantine",
    [DISCARD] = "discard",         [REJECT] = "reject",
};

/* ---- head and body ------------------------------------------------------ */

/* NULL: it has not come to its end. */
static const char *
find_body(const char *bytes, gsize length)
{
    const char *end = length > 0 ? memmem(bytes, length, "\r\n\r\n", 4) : NULL;

    return end != NULL ? end + 4 : NULL;
}

/* The value of a field, without blanks in front; caller frees. NULL: there is
 * none. */
static char *
find_field(const char *bytes, const char *body, const char *name)
{
    gsize length = strlen(name);
    const char *line = bytes, *end;

    while ((end = memmem(line, (gsize)(body - line), "\r\n", 2)) != NULL) {
        const char *value = line + length + 1;

        if (end >= value && line[length] == ':'
            && g_ascii_strncasecmp(line, name, length) == 0)
            return g_strstrip(g_strndup(value, (gsize)(end - value)));
        line = end + 2;
    }
    return NULL;
}

/* FALSE: it does not say. */
static gboolean
find_length(const char *bytes, const char *body, guint64 *length)
{
    g_autofree char *text = find_field(bytes, body, "Content-length");

    return text != NULL
           && g_ascii_string_to_unsigned(text, 10, 0, ANSWER_LIMIT, length,
                                         NULL);
}

gboolean
answer_is_complete(const char *bytes, gsize length)
{
    const char *body = find_body(bytes, length);
    guint64 told;

    return body != NULL && find_length(bytes, body, &told)
           && (guint64)(bytes + length - body) >= told;
}

/* ---- parts -------------------------------------------------------------- */

static char *
printable(const char *bytes, gsize length)
{
    char *text = g_strndup(length > 0 ? bytes : "", length);

    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isprint(bytes[i]))
            text[i] = '?';
    return text;
}

static Answer
no_answer(const char *what, const char *bytes, gsize length)
{
    const char *end = length > 0 ? memchr(bytes, '\r', length) : NULL;
    gsize line = end != NULL ? (gsize)(end - bytes) : length;
    g_autofree char *said = printable(bytes, MIN(line, PROBLEM_LIMIT));

    return (Answer){.action = ACTIONS,
                    .problem = g_strdup_printf("%s: “%s”", what, said)};
}

static void
add_symbol(Answer *answer, const char *bytes, gsize length)
{
    while (length > 0 && g_ascii_isspace(*bytes))
        bytes++, length--;
    while (length > 0 && g_ascii_isspace(bytes[length - 1]))
        length--;
    if (length > 0 && answer->symbols->len < ANSWER_SYMBOLS)
        g_ptr_array_add(
            answer->symbols,
            g_strdelimit(printable(bytes, MIN(length, ANSWER_SYMBOL)), ", ",
                         '?'));
}

/* The whole of what was announced, at least. */
static const char *
whole_body(const char *bytes, gsize length, gsize *body_length)
{
    const char *body = find_body(bytes, length);
    guint64 told;

    if (body == NULL)
        return NULL;
    *body_length = (gsize)(bytes + length - body);
    if (!find_length(bytes, body, &told))
        return body;
    if (told > *body_length)
        return NULL;
    *body_length = (gsize)told;
    return body;
}

static gboolean
starts(const char *bytes, gsize length, const char *text)
{
    return length >= strlen(text) && memcmp(bytes, text, strlen(text)) == 0;
}

/* ---- spamd -------------------------------------------------------------- */

/* "True ; 15.2 / 5.0" */
static gboolean
read_verdict(const char *text, Answer *answer)
{
    const char *score = strchr(text, ';');
    char *end;

    answer->spam = g_ascii_strncasecmp(text, "true", 4) == 0;
    if (score == NULL
        || (!answer->spam && g_ascii_strncasecmp(text, "false", 5) != 0))
        return FALSE;
    answer->score = g_ascii_strtod(score + 1, &end);
    return end != score + 1 && fabs(answer->score) <= SCORE_LIMIT;
}

static void
read_symbols(const char *bytes, gsize length, Answer *answer)
{
    const char *end = bytes + length;

    while (bytes < end) {
        const char *comma = memchr(bytes, ',', (gsize)(end - bytes));
        const char *stop = comma != NULL ? comma : end;

        add_symbol(answer, bytes, (gsize)(stop - bytes));
        bytes = stop + 1;
    }
}

Answer
answer_parse_spamd(const char *bytes, gsize length)
{
    g_auto(Answer) answer = {.action = ACTIONS};
    g_autofree char *verdict = NULL;
    gsize body_length;
    const char *body = whole_body(bytes, length, &body_length);

    if (body == NULL || !starts(bytes, length, "SPAMD/")
        || memmem(bytes, (gsize)(body - bytes), " 0 EX_OK", 8) == NULL)
        return no_answer("no answer of spamd", bytes, length);
    verdict = find_field(bytes, body, "Spam");
    if (verdict == NULL || !read_verdict(verdict, &answer))
        return no_answer("spamd tells no score", bytes, length);
    answer.symbols = g_ptr_array_new_with_free_func(g_free);
    read_symbols(body, body_length, &answer);

    Answer whole = answer;

    answer = (Answer){.action = ACTIONS};
    return whole;
}

/* ---- rspamd ------------------------------------------------------------- */

typedef struct Reading {
    Answer *answer;
    gboolean scored;
    GString *error;
} Reading;

static gboolean
read_symbol(Json *json, const char *name, void *data)
{
    add_symbol(data, name, strlen(name));
    return json_skip(json);
}

static gboolean
read_action(Json *json, Answer *answer)
{
    g_autoptr(GString) name = g_string_new(NULL);

    if (!json_string(json, name))
        return FALSE;
    for (answer->action = NO_ACTION; answer->action < ACTIONS; answer->action++)
        if (strcmp(name->str, action_names[answer->action]) == 0)
            break;
    return TRUE;
}

static gboolean
read_member(Json *json, const char *name, void *data)
{
    Reading *reading = data;

    if (strcmp(name, "symbols") == 0)
        return json_object(json, read_symbol, reading->answer);
    if (strcmp(name, "action") == 0)
        return read_action(json, reading->answer);
    if (strcmp(name, "error") == 0)
        return json_string(json, reading->error);
    if (strcmp(name, "score") != 0)
        return json_skip(json);
    reading->scored = json_number(json, &reading->answer->score)
                      && fabs(reading->answer->score) <= SCORE_LIMIT;
    return reading->scored;
}

/* What it would have done to a message that it takes for spam. */
static gboolean
is_spam(AnswerAction action)
{
    return action != NO_ACTION && action != GREYLIST && action != SOFT_REJECT
           && action != ACTIONS;
}

Answer
answer_parse_rspamd(const char *bytes, gsize length)
{
    g_auto(Answer) answer = {.action = ACTIONS};
    g_autoptr(GString) error = g_string_new(NULL);
    Reading reading = {&answer, FALSE, error};
    gsize body_length;
    const char *body = whole_body(bytes, length, &body_length);

    if (body == NULL || !starts(bytes, length, "HTTP/1."))
        return no_answer("no answer of rspamd", bytes, length);
    Json json = {body, body + body_length, 0};

    answer.symbols = g_ptr_array_new_with_free_func(g_free);
    if (!json_object(&json, read_member, &reading) || !reading.scored)
        return error->len > 0
                   ? no_answer("rspamd says", error->str, error->len)
                   : no_answer("rspamd tells no score", bytes, length);
    answer.spam = is_spam(answer.action);

    Answer whole = answer;

    answer = (Answer){.action = ACTIONS};
    return whole;
}

void
answer_clear(Answer *answer)
{
    g_clear_pointer(&answer->symbols, g_ptr_array_unref);
    g_clear_pointer(&answer->problem, g_free);
}
