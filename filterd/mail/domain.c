/* domain.c: host names and mail domains (RFC 5321 2.3.5, RFC 5890).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/mail/domain.h"

#include "filterd/base/ip.h"

#include <idn2.h>
#include <string.h>

#define LABEL_LIMIT 63
/* A U-label is shorter than its A-label, but an octet may become three. */
#define UNICODE_LIMIT (4 * MAIL_DOMAIN_LIMIT)

static gboolean
is_label_octet(char octet)
{
    return g_ascii_isalnum(octet) || octet == '-' || octet == '_';
}

static gboolean
label_valid(const char *label, gsize length)
{
    if (length == 0 || length > LABEL_LIMIT)
        return FALSE;
    for (gsize i = 0; i < length; i++)
        if (!is_label_octet(label[i]))
            return FALSE;
    return label[0] != '-' && label[length - 1] != '-';
}

gboolean
mail_domain_valid(const char *text)
{
    if (strlen(text) > MAIL_DOMAIN_LIMIT)
        return FALSE;
    for (;;) {
        const char *end = strchrnul(text, '.');
        if (!label_valid(text, end - text))
            return FALSE;
        if (*end == '\0')
            return TRUE;
        text = end + 1;
    }
}

static gboolean
is_ascii(const char *text, gsize length)
{
    for (gsize i = 0; i < length; i++)
        if ((guchar)text[i] > 127)
            return FALSE;
    return TRUE;
}

/* What is read in it, A-labels as U-labels; NULL where that is nothing. */
static char *
to_u_labels(const char *text)
{
    char *found = NULL;
    if (idn2_to_unicode_8z8z(text, &found, 0) != IDN2_OK)
        return NULL;
    char *result = g_strdup(found);
    idn2_free(found);
    return result;
}

/* Beyond case UTS 46 maps other dots to dots, wide letters to ASCII and some
 * octets to nothing: what is no U-label (RFC 5890 2.3.2.1) has another name for
 * whoever does not. */
static gboolean
is_unmapped(const char *text, const char *mapped)
{
    g_autofree char *lower = g_utf8_strdown(text, -1);
    g_autofree char *plain = g_utf8_normalize(lower, -1, G_NORMALIZE_NFC);
    g_autofree char *before = to_u_labels(plain);
    g_autofree char *after = to_u_labels(mapped);
    return before != NULL && g_strcmp0(before, after) == 0;
}

/* STD3 rules would refuse underscores: mail_domain_valid() is the judge. */
static char *
to_a_labels(const char *text, gsize length)
{
    g_autofree char *name = g_strndup(text, length);
    uint8_t *found = NULL;
    if (!g_utf8_validate(name, -1, NULL)
        || idn2_lookup_u8((const uint8_t *)name, &found,
                          IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL)
               != IDN2_OK)
        return NULL;
    g_autofree char *result = g_ascii_strdown((char *)found, -1);
    idn2_free(found);
    return is_unmapped(name, result) ? g_steal_pointer(&result) : NULL;
}

char *
mail_domain_normalize(const char *text, gssize length)
{
    gsize size = length < 0 ? strlen(text) : (gsize)length;
    if (size > 0 && text[size - 1] == '.')
        size--;
    if (size == 0 || size > UNICODE_LIMIT || memchr(text, '\0', size) != NULL)
        return NULL;
    g_autofree char *result = is_ascii(text, size)
                                  ? g_ascii_strdown(text, (gssize)size)
                                  : to_a_labels(text, size);
    if (result == NULL || !mail_domain_valid(result))
        return NULL;
    return g_steal_pointer(&result);
}

gboolean
mail_domain_literal_valid(const char *text, gsize length)
{
    static const char tag[] = "IPv6:";
    if (length < 3 || length > IP_TEXT_SIZE + sizeof tag || text[0] != '['
        || text[length - 1] != ']' || memchr(text, '\0', length) != NULL)
        return FALSE;
    g_autofree char *inner = g_strndup(text + 1, length - 2);
    gboolean six = g_ascii_strncasecmp(inner, tag, strlen(tag)) == 0;
    const char *address = inner + (six ? strlen(tag) : 0);
    FilterdIp ip;
    return (strchr(address, ':') != NULL) == six && ip_parse(address, &ip);
}
