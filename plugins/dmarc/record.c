/* record.c: the parser of DMARC Policy Records (RFC 9989 4.7, 4.8).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dmarc/record.h"

#include <glib.h>
#include <string.h>

/* A piece of the record, not NUL-terminated. */
typedef struct Span {
    const char *bytes;
    size_t length;
} Span;

typedef struct Tag {
    const char *name;
    size_t offset;
    const char *const *words; /* the value is the index of one of them … */
    int (*parse)(Span value); /* … or what this says; -1 is a syntax error */
    int fallback;             /* without the tag */
    int invalid;              /* with a broken one */
} Tag;

const char *const dmarc_policy_words[] = {"none", "quarantine", "reject", NULL};
static const char *const mode_words[] = {"r", "s", NULL};
static const char *const test_words[] = {"n", "y", NULL};
static const char *const psd_words[] = {"u", "n", "y", NULL};

static bool
span_is(Span span, const char *word)
{
    return span.length == strlen(word)
           && g_ascii_strncasecmp(span.bytes, word, span.length) == 0;
}

static bool
is_space(char octet)
{
    return octet == ' ' || octet == '\t';
}

static Span
trim_end(Span span)
{
    while (span.length > 0 && is_space(span.bytes[span.length - 1]))
        span.length--;
    return span;
}

static Span
trim(Span span)
{
    while (span.length > 0 && is_space(span.bytes[0])) {
        span.bytes++;
        span.length--;
    }
    return trim_end(span);
}

/* Takes what stands before the next `separator` off `rest`, with it. */
static Span
take(Span *rest, char separator)
{
    const char *end = memchr(rest->bytes, separator, rest->length);
    Span piece = *rest;

    if (end == NULL) {
        *rest = (Span){rest->bytes + rest->length, 0};
        return piece;
    }
    piece.length = (size_t)(end - rest->bytes);
    *rest = (Span){end + 1, rest->length - piece.length - 1};
    return piece;
}

/* RFC 3986: the scheme with its colon; 0 where there is none. */
static size_t
scheme_length(Span uri)
{
    for (size_t i = 0; i < uri.length; i++) {
        char octet = uri.bytes[i];

        if (octet == ':')
            return i > 0 ? i + 1 : 0;
        if (!g_ascii_isalpha(octet)
            && (i == 0
                || (!g_ascii_isdigit(octet) && strchr("+-.", octet) == NULL)))
            return 0;
        if (octet == '\0')
            return 0;
    }
    return 0;
}

/* Without obs-dmarc-report-size: "!10m". */
static Span
cut_report_size(Span uri)
{
    size_t end = uri.length;

    if (end > 0 && memchr("kmgtKMGT", uri.bytes[end - 1], 8) != NULL)
        end--;
    size_t digits = end;
    while (digits > 0 && g_ascii_isdigit(uri.bytes[digits - 1]))
        digits--;
    if (digits < end && digits > 0 && uri.bytes[digits - 1] == '!')
        uri.length = digits - 1;
    return uri;
}

static bool
is_uri_text(Span text)
{
    static const char marks[] = "-._~:/?#[]@$&'()*+=";

    for (size_t i = 0; i < text.length; i++) {
        char octet = text.bytes[i];

        if (octet == '%') {
            if (i + 2 >= text.length || !g_ascii_isxdigit(text.bytes[i + 1])
                || !g_ascii_isxdigit(text.bytes[i + 2]))
                return false;
        } else if (!g_ascii_isalnum(octet)
                   && memchr(marks, octet, sizeof marks - 1) == NULL) {
            return false;
        }
    }
    return text.length > 0;
}

static bool
is_uri(Span uri)
{
    uri = cut_report_size(uri);
    size_t scheme = scheme_length(uri);
    Span rest = {uri.bytes + scheme, uri.length - scheme};

    if (scheme == 0 || !is_uri_text(rest))
        return false;
    if (!span_is((Span){uri.bytes, scheme}, "mailto:"))
        return true;
    const char *at = memchr(rest.bytes, '@', rest.length);
    return at != NULL && at > rest.bytes && at + 1 < rest.bytes + rest.length;
}

/* 1 if at least one address of the list is a URI. */
static int
parse_uris(Span value)
{
    for (unsigned i = 0; i < DMARC_URI_LIMIT && value.length > 0; i++) {
        if (is_uri(trim(take(&value, ','))))
            return 1;
    }
    return -1;
}

static int
parse_percent(Span value)
{
    int percent = 0;

    if (value.length == 0 || value.length > 3)
        return -1;
    for (size_t i = 0; i < value.length; i++) {
        if (!g_ascii_isdigit(value.bytes[i]))
            return -1;
        percent = percent * 10 + value.bytes[i] - '0';
    }
    return percent <= 100 ? percent : -1;
}

#define AT(field) offsetof(DmarcRecord, field)
static const Tag tags[] = {
    {"p", AT(p), dmarc_policy_words, NULL, DMARC_ABSENT, DMARC_INVALID},
    {"sp", AT(sp), dmarc_policy_words, NULL, DMARC_ABSENT, DMARC_INVALID},
    {"np", AT(np), dmarc_policy_words, NULL, DMARC_ABSENT, DMARC_INVALID},
    {"adkim", AT(adkim), mode_words, NULL, 0, 0},
    {"aspf", AT(aspf), mode_words, NULL, 0, 0},
    {"t", AT(testing), test_words, NULL, 0, 0},
    {"psd", AT(psd), psd_words, NULL, 0, 0},
    {"rua", AT(reports), NULL, parse_uris, 0, 0},
    {"pct", AT(percent), NULL, parse_percent, 100, 100},
};

static int *
field_of(const Tag *tag, DmarcRecord *record)
{
    return (int *)((char *)record + tag->offset);
}

static int
tag_value(const Tag *tag, Span value)
{
    if (tag->parse != NULL)
        return tag->parse(value);
    for (int i = 0; tag->words[i] != NULL; i++) {
        if (span_is(value, tag->words[i]))
            return i;
    }
    return -1;
}

/* RFC 6376 3.2 forbids a tag twice: two that differ are a broken one. */
static void
set_tag(const Tag *tag, Span text, DmarcRecord *record, unsigned *seen)
{
    unsigned bit = 1u << (tag - tags);
    int value = tag_value(tag, text);

    if (value < 0 || (*seen & bit && *field_of(tag, record) != value))
        value = tag->invalid;
    *field_of(tag, record) = value;
    *seen |= bit;
}

static bool
split_tag(Span piece, Span *name, Span *value)
{
    if (memchr(piece.bytes, '=', piece.length) == NULL)
        return false;
    *value = piece;
    *name = trim_end(take(value, '='));
    *value = trim(*value);
    return true;
}

/* dmarc-version: no white space before it, and the case of its value counts. */
static bool
is_version(Span piece)
{
    Span name, value;

    return split_tag(piece, &name, &value) && span_is(name, "v")
           && value.length == 6 && memcmp(value.bytes, "DMARC1", 6) == 0;
}

bool
dmarc_record_parse(const char *bytes, size_t length, DmarcRecord *record)
{
    Span rest = {bytes, length}, name, value;
    unsigned seen = 0;

    if (length == 0 || length > DMARC_RECORD_LIMIT
        || !is_version(take(&rest, ';')))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(tags); i++)
        *field_of(&tags[i], record) = tags[i].fallback;
    while (rest.length > 0) {
        if (!split_tag(trim(take(&rest, ';')), &name, &value))
            continue;
        for (size_t i = 0; i < G_N_ELEMENTS(tags); i++) {
            if (span_is(name, tags[i].name))
                set_tag(&tags[i], value, record, &seen);
        }
    }
    return true;
}

static void
add_uris(GString *list, Span value, unsigned limit)
{
    unsigned found = 0;

    for (unsigned i = 0;
         i < DMARC_URI_LIMIT && found < limit && value.length > 0; i++) {
        Span uri = trim(take(&value, ','));

        if (uri.length > DMARC_URI_LENGTH || !is_uri(uri))
            continue;
        if (found++ > 0)
            g_string_append_c(list, ',');
        g_string_append_len(list, uri.bytes, (gssize)uri.length);
    }
}

char *
dmarc_record_report_uris(const char *bytes, size_t length, unsigned limit)
{
    Span rest = {bytes, length}, name, value;
    g_autoptr(GString) list = g_string_new(NULL);

    while (rest.length > 0 && list->len == 0)
        if (split_tag(trim(take(&rest, ';')), &name, &value)
            && span_is(name, "rua"))
            add_uris(list, value, limit);
    return list->len > 0 ? g_string_free(g_steal_pointer(&list), FALSE) : NULL;
}

bool
dmarc_record_settle(DmarcRecord *record)
{
    if (record->p != DMARC_INVALID && record->sp != DMARC_INVALID
        && record->np != DMARC_INVALID) {
        if (record->p == DMARC_ABSENT)
            record->p = DMARC_NONE;
        return true;
    }
    if (!record->reports)
        return false;
    record->p = DMARC_NONE;
    record->sp = record->np = DMARC_ABSENT;
    return true;
}

void
dmarc_record_restrict(DmarcRecord *record)
{
    if (record->p == DMARC_ABSENT)
        record->p = DMARC_INVALID;
    record->np = DMARC_ABSENT;
    record->testing = 0;
    record->psd = DMARC_PSD_UNDECIDED;
}
