/* dns-words.c: the words of a zone file, an entry at a time. (RFC 1035 5.1)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/dns-words.h"

#include "filterd/base/text.h"
#include "filterd/service/dns.h"

#include <string.h>

void
dns_words_init(DnsWords *words, const FilterdFile *file, GError **error)
{
    *words = (DnsWords){.file = file,
                        .at = file->bytes,
                        .end = file->bytes + file->length,
                        .line = 1,
                        .error = error};
    words->words = g_array_new(FALSE, FALSE, sizeof(DnsWord));
}

void
dns_words_clear(DnsWords *words)
{
    g_clear_pointer(&words->words, g_array_unref);
}

static gboolean
fail_at(DnsWords *words, unsigned line, const char *message)
{
    g_set_error(words->error, DNS_ERROR, DNS_ERROR_INVALID, "%s:%u: %s",
                words->file->path, line, message);
    return FALSE;
}

gboolean
dns_words_fail(DnsWords *words, const char *message)
{
    gsize last = words->next > 0 ? words->next - 1 : 0;
    return fail_at(words, g_array_index(words->words, DnsWord, last).line,
                   message);
}

static gboolean
push_word(DnsWords *words, const char *start, const char *end, gboolean quoted)
{
    DnsWord word = {.start = start,
                    .length = (gsize)(end - start),
                    .line = words->line,
                    .quoted = quoted};
    if (memchr(start, '\0', word.length) != NULL)
        return fail_at(words, words->line, "a NUL octet");
    g_array_append_val(words->words, word);
    return TRUE;
}

static const char *
skip_escape(const DnsWords *words, const char *c)
{
    return *c == '\\' && c + 1 < words->end && c[1] != '\n' ? c + 2 : c + 1;
}

static gboolean
read_quoted(DnsWords *words)
{
    const char *start = ++words->at;
    const char *c = start;
    while (c < words->end && *c != '"' && *c != '\n')
        c = skip_escape(words, c);
    if (c >= words->end || *c != '"')
        return fail_at(words, words->line, "the quote is not closed");
    words->at = c + 1;
    return push_word(words, start, c, TRUE);
}

static gboolean
read_word(DnsWords *words)
{
    const char *c = words->at;
    while (c < words->end && memchr(" \t\r\n;()\"", *c, 8) == NULL)
        c = skip_escape(words, c);
    const char *start = words->at;
    words->at = c;
    return push_word(words, start, c, FALSE);
}

static void
skip_comment(DnsWords *words)
{
    while (words->at < words->end && *words->at != '\n')
        words->at++;
}

/* One that is neither blank nor the end of a line. */
static gboolean
read_one(DnsWords *words, unsigned *depth)
{
    switch (*words->at) {
    case ';':
        skip_comment(words);
        return TRUE;
    case '(':
        ++*depth;
        words->at++;
        return TRUE;
    case ')':
        if (*depth == 0)
            return fail_at(words, words->line, "')' without '('");
        --*depth;
        words->at++;
        return TRUE;
    case '"':
        return read_quoted(words);
    default:
        return read_word(words);
    }
}

static gboolean
read_line(DnsWords *words, unsigned *depth)
{
    while (words->at < words->end && (*words->at != '\n' || *depth > 0)) {
        if (*words->at == '\n')
            words->line++;
        if (memchr(" \t\r\n", *words->at, 4) != NULL)
            words->at++;
        else if (!read_one(words, depth))
            return FALSE;
    }
    return TRUE;
}

gboolean
dns_words_read(DnsWords *words)
{
    unsigned depth = 0;
    unsigned opened = words->line;
    g_array_set_size(words->words, 0);
    words->next = 0;
    words->indented = memchr(" \t", *words->at, 2) != NULL;
    if (!read_line(words, &depth))
        return FALSE;
    if (depth > 0)
        return fail_at(words, opened, "'(' is not closed");
    if (words->at < words->end)
        words->at++;
    words->line++;
    return TRUE;
}

gboolean
dns_words_ended(const DnsWords *words)
{
    return words->at >= words->end;
}

const DnsWord *
dns_words_peek(const DnsWords *words)
{
    if (words->next >= words->words->len)
        return NULL;
    return &g_array_index(words->words, DnsWord, words->next);
}

const DnsWord *
dns_words_next(DnsWords *words)
{
    const DnsWord *word = dns_words_peek(words);
    if (word != NULL)
        words->next++;
    return word;
}

gboolean
dns_words_next_is(DnsWords *words, const char *text)
{
    const DnsWord *word = dns_words_peek(words);
    if (word == NULL || word->quoted
        || !text_equal_nocase(word->start, word->length, text))
        return FALSE;
    words->next++;
    return TRUE;
}

int
dns_word_octet(const char **at, const char *end, gboolean *escaped)
{
    *escaped = **at == '\\';
    if (!*escaped)
        return (uint8_t) * (*at)++;
    const char *c = *at + 1;
    if (c >= end)
        return -1;
    *at = c + 1;
    if (!g_ascii_isdigit(*c))
        return (uint8_t)*c;
    if (end - c < 3 || !g_ascii_isdigit(c[1]) || !g_ascii_isdigit(c[2]))
        return -1;
    *at = c + 3;
    int octet = (c[0] - '0') * 100 + (c[1] - '0') * 10 + (c[2] - '0');
    return octet <= 255 ? octet : -1;
}

gboolean
dns_words_number(DnsWords *words, int64_t limit, int64_t *number)
{
    const DnsWord *word = dns_words_next(words);
    if (word == NULL)
        return dns_words_fail(words, "a number is missing");
    g_autofree char *text = g_strndup(word->start, word->length);
    if (!text_parse_int(text, 0, limit, number))
        return dns_words_fail(words, "not a number, or too large");
    return TRUE;
}

static int64_t
unit_seconds(char unit)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    for (gsize i = 0; i < G_N_ELEMENTS(units); i++)
        if (units[i].unit == g_ascii_tolower(unit))
            return units[i].seconds;
    return 0;
}

gboolean
dns_words_seconds(DnsWords *words, uint32_t *seconds)
{
    const DnsWord *word = dns_words_next(words);
    if (word == NULL)
        return dns_words_fail(words, "a time is missing");
    int64_t sum = 0;
    int64_t number = 0;
    gboolean digits = FALSE;
    for (gsize i = 0; i < word->length; i++) {
        char c = word->start[i];
        int64_t unit = unit_seconds(c);
        if (g_ascii_isdigit(c))
            number = number * 10 + (c - '0');
        else if (!digits || unit == 0)
            return dns_words_fail(words, "not a time in seconds");
        else
            sum += number * unit;
        digits = g_ascii_isdigit(c);
        number = digits ? number : 0;
        if (number > INT32_MAX || sum + number > INT32_MAX)
            return dns_words_fail(words, "a time over 68 years");
    }
    *seconds = (uint32_t)(sum + number);
    return TRUE;
}
