/* name.c: the domain names that a signature holds, in A-labels. (RFC 8616 5,
 * RFC 5891)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dkim/name.h"

#include <idn2.h>
#include <string.h>

/* A U-label is shorter than its A-label, but an octet may become three. */
#define UNICODE_LIMIT (4 * NAME_LIMIT)

bool
span_is_ascii(Span span)
{
    guint8 all = 0;
    for (size_t i = 0; i < span.length; i++)
        all |= (guint8)span.bytes[i];
    return all <= 0x7f;
}

static size_t
count_dots(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == '.';
    return count;
}

/* UTS 46 maps some ideographic stops to a dot: then one reader's name would be
 * another's host. span_is_name() judges the rest. */
static char *
to_a_labels(Span name)
{
    uint8_t *found = NULL;
    if (name.length > UNICODE_LIMIT
        || !g_utf8_validate_len(name.bytes, name.length, NULL))
        return NULL;
    g_autofree char *text = g_strndup(name.bytes, name.length);
    if (idn2_lookup_u8((const uint8_t *)text, &found,
                       IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL)
        != IDN2_OK)
        return NULL;
    char *result = count_dots((char *)found) == count_dots(text)
                       ? g_ascii_strdown((char *)found, -1)
                       : NULL;
    idn2_free(found);
    return result;
}

char *
name_normalize(Span name)
{
    if (span_is_ascii(name))
        return span_is_name(name)
                   ? g_ascii_strdown(name.bytes, (gssize)name.length)
                   : NULL;
    g_autofree char *text = to_a_labels(name);
    if (text == NULL || !span_is_name((Span){text, strlen(text)}))
        return NULL;
    return g_steal_pointer(&text);
}
