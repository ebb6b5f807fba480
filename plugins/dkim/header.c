/* header.c: the header section as it came, kept until its signatures are
 * known, and what DKIM wants to know of it (RFC 6376 5.3, 6.1).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dkim/header.h"

#include <string.h>

#include "plugins/dkim/name.h"

#define ORIGINS_LIMIT 16

const char *const header_singles[HEADER_SINGLES] = {
    "subject",      "date",
    "to",           "cc",
    "reply-to",     "sender",
    "message-id",   "mime-version",
    "content-type", "content-transfer-encoding",
};

static bool
has_name(const FilterdField *field, const char *name)
{
    return field->name_length == strlen(name)
           && g_ascii_strncasecmp(field->bytes, name, field->name_length) == 0;
}

/* A line that others take for the start of the body, or for no field: one
 * whose colon is on the next line, too. */
static bool
is_malformed(const FilterdField *field)
{
    if (field->name_length == 0 || field->value > field->length)
        return true;
    for (size_t i = 0; i < field->name_length; i++)
        if (field->bytes[i] < '!' || field->bytes[i] > '~'
            || field->bytes[i] == ':' || field->bytes[i] == ';')
            return true;
    return field->value > field->name_length
           && memchr(field->bytes + field->name_length, '\r',
                     field->value - field->name_length)
                  != NULL;
}

/* NUL ends the field for the library; VT and FF are white space to it. */
static bool
has_control(const FilterdField *field)
{
    return memchr(field->bytes, '\0', field->length) != NULL
           || memchr(field->bytes, '\v', field->length) != NULL
           || memchr(field->bytes, '\f', field->length) != NULL;
}

static bool
is_name_octet(char octet)
{
    return g_ascii_isalnum(octet) || octet == '.' || octet == '-'
           || octet == '_' || (guint8)octet > 0x7f;
}

static void
add_origins(Header *header, const FilterdField *field)
{
    const char *at = field->bytes, *end = at + field->length;
    if (header->origins == NULL)
        header->origins = g_ptr_array_new_with_free_func(g_free);
    while ((at = memchr(at, '@', (size_t)(end - at))) != NULL
           && header->origins->len < ORIGINS_LIMIT) {
        const char *start = ++at;
        while (at < end && is_name_octet(*at))
            at++;
        if (at == start)
            continue;
        char *origin = name_normalize((Span){start, (size_t)(at - start)});
        if (origin == NULL)
            origin = g_ascii_strdown(start, at - start);
        g_ptr_array_add(header->origins, origin);
    }
}

static const char *
check(const Header *header, const FilterdField *field)
{
    size_t used = header->bytes != NULL ? header->bytes->len : 0;
    if (field->length > HEADER_LIMIT - used)
        return "the header is too long";
    if (has_control(field))
        return "the header holds a control octet";
    if (is_malformed(field))
        return "the header holds a line that is no field";
    return NULL;
}

static void
keep(Header *header, const FilterdField *field)
{
    if (header->bytes == NULL) {
        header->bytes = g_byte_array_new();
        header->fields = g_array_new(FALSE, FALSE, sizeof(HeaderField));
    }
    HeaderField kept = {
        .offset = header->bytes->len,
        .length = field->length,
        .name_length = field->name_length,
        .value = field->value,
    };
    g_byte_array_append(header->bytes, (const guint8 *)field->bytes,
                        (guint)field->length);
    g_array_append_val(header->fields, kept);
}

bool
header_add(Header *header, const FilterdField *field, Span *value)
{
    const char *problem = check(header, field);
    bool signature =
        has_name(field, "dkim-signature") && field->value <= field->length;
    if (header->problem == NULL)
        header->problem = problem;
    if (has_name(field, "from")) {
        header->authors++;
        add_origins(header, field);
    }
    for (size_t i = 0; i < HEADER_SINGLES; i++)
        if (has_name(field, header_singles[i]))
            header->singles[i]++;
    if (header->problem == NULL)
        keep(header, field);
    if (signature)
        *value =
            (Span){field->bytes + field->value, field->length - field->value};
    return signature;
}

void
header_clear(Header *header)
{
    g_clear_pointer(&header->bytes, g_byte_array_unref);
    g_clear_pointer(&header->fields, g_array_unref);
    g_clear_pointer(&header->origins, g_ptr_array_unref);
}

static bool
is_within(const char *domain, const char *ancestor)
{
    size_t all = strlen(domain), end = strlen(ancestor);
    return all > end && domain[all - end - 1] == '.'
           && strcmp(domain + all - end, ancestor) == 0;
}

/* The last two labels. */
static const char *
tail(const char *domain)
{
    const char *dot = strrchr(domain, '.');
    while (dot != NULL && dot > domain && dot[-1] != '.')
        dot--;
    return dot != NULL ? dot : domain;
}

bool
header_is_origin(const Header *header, const char *domain)
{
    for (guint i = 0; header->origins != NULL && i < header->origins->len;
         i++) {
        const char *origin = header->origins->pdata[i];
        if (strcmp(origin, domain) == 0 || is_within(origin, domain)
            || is_within(domain, origin)
            || strcmp(tail(origin), tail(domain)) == 0)
            return true;
    }
    return false;
}
