/* reason.c: why a list has somebody: its text, which is data. (RFC 5782 2.1)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dnsbl/list.h"

#include <string.h>

static char *
text_clean(const FilterdDnsRecord *record)
{
    GString *text = g_string_new_len(
        record->bytes, (gssize)MIN(record->length, LIST_REASON_LIMIT));

    for (gsize i = 0; i < text->len; i++)
        if (!g_ascii_isprint(text->str[i]))
            text->str[i] = ' ';
    return g_strstrip(g_string_free(text, FALSE));
}

/* Resolvers shuffle: the same answer has to give the same text. */
static int
record_compare(const FilterdDnsRecord *a, const FilterdDnsRecord *b)
{
    int order = memcmp(a->bytes, b->bytes, MIN(a->length, b->length));

    return order != 0 ? order
                      : (a->length > b->length) - (a->length < b->length);
}

/* NULL: it has none. */
static char *
answer_text(const FilterdDnsAnswer *answer)
{
    const FilterdDnsRecord *first = NULL;

    if (answer->status != FILTERD_DNS_ANSWER)
        return NULL;
    for (size_t i = 0; i < answer->length; i++)
        if (first == NULL || record_compare(&answer->records[i], first) < 0)
            first = &answer->records[i];
    if (first == NULL)
        return NULL;

    g_autofree char *text = text_clean(first);

    return *text == '\0' ? NULL : g_steal_pointer(&text);
}

char *
list_reason(FilterdCall *call, const ListFinding *finding)
{
    if (*finding->accuser == '\0')
        return NULL;

    char *text =
        answer_text(call->host->dns(call, finding->accuser, FILTERD_DNS_TXT));

    return text != NULL
               ? text
               : g_strdup_printf("listed in %s", finding->accuser_zone);
}
