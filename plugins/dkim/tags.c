/* tags.c: the tag=value lists of DKIM-Signature fields and key records
 * (RFC 6376 3.2), strictly.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dkim/tags.h"

#include <string.h>

#define LABEL_LIMIT 63

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static Span
trim(const char *start, const char *end)
{
    while (start < end && is_space(*start))
        start++;
    while (end > start && is_space(end[-1]))
        end--;
    return (Span){start, (size_t)(end - start)};
}

static size_t
count(Span text, char octet)
{
    size_t found = 0;
    for (size_t i = 0; i < text.length; i++)
        found += text.bytes[i] == octet;
    return found;
}

/* CR and LF only as CRLF in front of white space: FWS, not obs-FWS. */
static bool
is_folded_well(Span text)
{
    const char *at = text.bytes, *end = at + text.length;
    size_t folds = 0;
    for (; (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++) {
        if (at == text.bytes || at[-1] != '\r' || at + 1 == end
            || (at[1] != ' ' && at[1] != '\t'))
            return false;
        folds++;
    }
    return count(text, '\r') == folds;
}

/* Without branches: compilers make vectors of it. */
static bool
is_printable(Span text, bool utf8)
{
    unsigned bad = 0;
    for (size_t i = 0; i < text.length; i++) {
        guint8 octet = (guint8)text.bytes[i];
        bad |=
            (octet < ' ') & (octet != '\t') & (octet != '\r') & (octet != '\n');
        bad |= (octet == 0x7f) | ((octet > 0x7f) & !utf8);
    }
    return bad == 0
           && (!utf8 || g_utf8_validate_len(text.bytes, text.length, NULL));
}

/* tag-name = ALPHA *ALNUMPUNC */
static bool
is_tag_name(Span name)
{
    if (name.length == 0 || !g_ascii_isalpha(name.bytes[0]))
        return false;
    for (size_t i = 1; i < name.length; i++)
        if (!g_ascii_isalnum(name.bytes[i]) && name.bytes[i] != '_')
            return false;
    return true;
}

static bool
has_tag(const Tags *tags, Span name)
{
    for (size_t i = 0; i < tags->length; i++)
        if (tags->items[i].name.length == name.length
            && memcmp(tags->items[i].name.bytes, name.bytes, name.length) == 0)
            return true;
    return false;
}

/* tag-spec = [FWS] tag-name [FWS] "=" [FWS] tag-value [FWS] */
static const char *
add_tag(Tags *tags, const char *start, const char *end)
{
    const char *equals = memchr(start, '=', (size_t)(end - start));
    if (equals == NULL)
        return "tag without a value";
    Tag tag = {trim(start, equals), trim(equals + 1, end)};
    if (!is_tag_name(tag.name))
        return "malformed tag name";
    if (has_tag(tags, tag.name))
        return "duplicate tag";
    if (tags->length == TAGS_LIMIT)
        return "too many tags";
    tags->items[tags->length++] = tag;
    return NULL;
}

static const char *
parse(Tags *tags, Span text)
{
    const char *at = text.bytes, *end = at + text.length;
    while (tags->length == 0 || trim(at, end).length > 0) {
        const char *stop = memchr(at, ';', (size_t)(end - at));
        const char *problem = add_tag(tags, at, stop != NULL ? stop : end);
        if (problem != NULL)
            return problem;
        if (stop == NULL)
            break;
        at = stop + 1;
    }
    return NULL;
}

static const char *
check_octets(Span text, bool utf8)
{
    if (!is_folded_well(trim(text.bytes, text.bytes + text.length)))
        return "malformed folding";
    if (is_printable(text, utf8))
        return NULL;
    return utf8 ? "octet that is neither printable ASCII nor UTF-8"
                : "octet that is not printable ASCII";
}

const char *
tags_parse(Tags *tags, Span text)
{
    const char *problem = check_octets(text, false);
    tags->length = 0;
    return problem != NULL ? problem : parse(tags, text);
}

const char *
tags_parse_utf8(Tags *tags, Span text)
{
    const char *problem = check_octets(text, true);
    tags->length = 0;
    return problem != NULL ? problem : parse(tags, text);
}

const Span *
tags_find(const Tags *tags, const char *name)
{
    for (size_t i = 0; i < tags->length; i++)
        if (span_is(tags->items[i].name, name))
            return &tags->items[i].value;
    return NULL;
}

bool
span_is(Span span, const char *text)
{
    return span.length == strlen(text)
           && memcmp(span.bytes, text, span.length) == 0;
}

Span
span_next(Span *rest)
{
    const char *start = rest->bytes, *end = start + rest->length;
    const char *colon = memchr(start, ':', rest->length);
    *rest = colon != NULL ? (Span){colon + 1, (size_t)(end - colon - 1)}
                          : (Span){NULL, 0};
    return trim(start, colon != NULL ? colon : end);
}

bool
span_lists(Span list, const char *item)
{
    while (list.bytes != NULL)
        if (span_is(span_next(&list), item))
            return true;
    return false;
}

static char *
squeeze(Span span)
{
    char *text = g_malloc(span.length + 1);
    size_t length = 0;
    for (size_t i = 0; i < span.length; i++) {
        text[length] = span.bytes[i];
        length += !is_space(span.bytes[i]);
    }
    text[length] = '\0';
    return text;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static bool
is_base64(const char *text)
{
    size_t digits = strspn(text, base64_digits);
    size_t padding = strspn(text + digits, "=");
    return text[digits + padding] == '\0' && digits > 0 && padding <= 2
           && (digits + padding) % 4 == 0;
}

char *
span_base64(Span span)
{
    g_autofree char *text = squeeze(span);
    return is_base64(text) ? g_steal_pointer(&text) : NULL;
}

guint8 *
span_decode(Span span, size_t *length)
{
    g_autofree char *text = span_base64(span);
    return text != NULL ? g_base64_decode(text, length) : NULL;
}

bool
span_number(Span span, gint64 high, gint64 *number)
{
    gint64 sum = 0;
    if (span.length == 0)
        return false;
    for (size_t i = 0; i < span.length; i++) {
        if (!g_ascii_isdigit(span.bytes[i]))
            return false;
        int digit = span.bytes[i] - '0';
        if (sum > (high - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *number = sum;
    return true;
}

static bool
is_label(const char *label, size_t length)
{
    if (length == 0 || length > LABEL_LIMIT || label[0] == '-'
        || label[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isalnum(label[i]) && label[i] != '-' && label[i] != '_')
            return false;
    return true;
}

bool
span_is_name(Span span)
{
    size_t start = 0;
    for (size_t i = 0; i <= span.length; i++) {
        if (i < span.length && span.bytes[i] != '.')
            continue;
        if (!is_label(span.bytes + start, i - start))
            return false;
        start = i + 1;
    }
    return span.length <= NAME_LIMIT;
}
