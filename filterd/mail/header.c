/* header.c: the header section, field by field (RFC 5322 2.2, 3.6).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/mail/header.h"

#include "filterd/base/text.h"

#include <string.h>

const char *const mail_from_problem_words[] = {
    "none", "missing", "repeated", "multiple", "malformed", NULL};

static gboolean
is_space(char octet)
{
    return octet == ' ' || octet == '\t';
}

/* The octets of the first field without its CRLF, folded lines included. */
static gsize
field_length(const char *bytes, gsize length)
{
    const char *end = bytes + length, *next = bytes, *lf;
    while ((lf = memchr(next, '\n', end - next)) != NULL) {
        next = lf + 1;
        if (lf > bytes && lf[-1] == '\r' && (next == end || !is_space(*next)))
            return lf - 1 - bytes;
    }
    return length;
}

/* ftext (RFC 5322 2.2): visible ASCII but the colon. */
static gsize
name_span(const char *bytes, gsize length)
{
    gsize span = 0;
    while (span < length && g_ascii_isgraph(bytes[span]) && bytes[span] != ':')
        span++;
    return span;
}

static gsize
skip_folding(const char *bytes, gsize length, gsize from)
{
    for (;;) {
        if (from < length && is_space(bytes[from]))
            from++;
        else if (from + 2 < length && memcmp(bytes + from, "\r\n", 2) == 0)
            from += 2;
        else
            return from;
    }
}

gsize
mail_field_next(const char *bytes, gsize length, FilterdField *field)
{
    if (length == 0 || (length >= 2 && memcmp(bytes, "\r\n", 2) == 0))
        return 0;
    gsize size = field_length(bytes, length);
    gsize span = name_span(bytes, size);
    gsize colon = skip_folding(bytes, size, span);
    *field = (FilterdField){.bytes = bytes, .length = size};
    if (span > 0 && colon < size && bytes[colon] == ':') {
        field->name_length = span;
        field->value = colon + 1;
    }
    return MIN(size + 2, length);
}

gboolean
mail_field_name_valid(const char *name)
{
    gsize length = strlen(name);
    return length > 0 && name_span(name, length) == length;
}

gboolean
mail_field_is(const FilterdField *field, const char *name)
{
    return text_equal_nocase(field->bytes, field->name_length, name);
}

gboolean
mail_field_resembles(const FilterdField *field, const char *name)
{
    for (gsize i = 0; i < field->length; i++) {
        char octet = field->bytes[i];
        if (octet == ':')
            return *name == '\0';
        if (!g_ascii_isgraph(octet))
            continue;
        if (g_ascii_tolower(octet) != g_ascii_tolower(*name))
            return FALSE;
        name++;
    }
    return FALSE;
}

/* A CRLF here is part of folding: white space follows it. */
static gboolean
is_fold(const FilterdField *field, gsize at)
{
    return at + 2 < field->length && memcmp(field->bytes + at, "\r\n", 2) == 0
           && is_space(field->bytes[at + 2]);
}

char *
mail_field_unfold(const FilterdField *field)
{
    g_autoptr(GString) value = g_string_sized_new(field->length);
    for (gsize i = field->value; i < field->length; i++) {
        char octet = field->bytes[i];
        if (is_fold(field, i))
            i++;
        else
            g_string_append_c(value, g_ascii_iscntrl(octet) ? ' ' : octet);
    }
    return g_strdup(g_strstrip(value->str));
}

/* The domain that all have, or NULL. */
static const char *
shared_domain(const GPtrArray *addresses)
{
    const char *domain = NULL;
    for (guint i = 0; i < addresses->len; i++) {
        const char *other = strrchr(addresses->pdata[i], '@') + 1;
        if (domain != NULL && strcmp(domain, other) != 0)
            return NULL;
        domain = other;
    }
    return domain;
}

static MailFromProblem
parse_from(MailFrom *from, const FilterdField *field)
{
    g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(g_free);
    const char *colon = memchr(field->bytes, ':', field->length);
    const char *value = colon + 1;
    if (!mail_mailbox_list_parse(value, field->bytes + field->length - value,
                                 addresses))
        return MAIL_FROM_MALFORMED;
    const char *domain = shared_domain(addresses);
    gboolean literal = domain != NULL && domain[0] == '[';
    if (!literal)
        from->domain = g_strdup(domain);
    if (addresses->len > 1)
        return MAIL_FROM_MULTIPLE;
    from->address = g_strdup(addresses->pdata[0]);
    return literal ? MAIL_FROM_MALFORMED : MAIL_FROM_OK;
}

void
mail_from_add(MailFrom *from, const FilterdField *field)
{
    if (!mail_field_resembles(field, "from")) {
        if (field->name_length == 0 && from->problem != MAIL_FROM_REPEATED)
            from->problem = MAIL_FROM_MALFORMED;
        return;
    }
    if (++from->seen > 1) {
        from->problem = MAIL_FROM_REPEATED;
        g_clear_pointer(&from->address, g_free);
        g_clear_pointer(&from->domain, g_free);
        return;
    }
    MailFromProblem problem = parse_from(from, field);
    gboolean plain = field->name_length == strlen("from")
                     && field->value == field->name_length + 1;
    if (!plain)
        problem = MAIL_FROM_MALFORMED;
    if (from->problem == MAIL_FROM_OK)
        from->problem = problem;
}

void
mail_from_end(MailFrom *from)
{
    if (from->seen == 0 && from->problem == MAIL_FROM_OK)
        from->problem = MAIL_FROM_MISSING;
}

void
mail_from_clear(MailFrom *from)
{
    g_free(from->address);
    g_free(from->domain);
    *from = (MailFrom){0};
}
