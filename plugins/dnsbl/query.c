/* query.c: names to ask for, codes that come back, texts that explain them.
 * (RFC 5782 2)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dnsbl/query.h"

#include <string.h>

#define V4(a, b, c, d, bits)                                     \
    {                                                            \
        .bytes = {[10] = 0xff, [11] = 0xff, (a), (b), (c), (d)}, \
        .prefix = 96 + (bits),                                   \
    }

static const FilterdIp mapped = V4(0, 0, 0, 0, 0);
static const FilterdIp global = {.bytes = {0x20}, .prefix = 3};

/* RFC 6890, without what is for documentation and benchmarks. */
static const FilterdIp special[] = {
    V4(0, 0, 0, 0, 8),      /* this network */
    V4(10, 0, 0, 0, 8),     /* private */
    V4(100, 64, 0, 0, 10),  /* shared, carrier-grade NAT */
    V4(127, 0, 0, 0, 8),    /* loopback */
    V4(169, 254, 0, 0, 16), /* link-local */
    V4(172, 16, 0, 0, 12),  /* private */
    V4(192, 0, 0, 0, 24),   /* protocol assignments */
    V4(192, 168, 0, 0, 16), /* private */
    V4(224, 0, 0, 0, 3),    /* multicast, reserved, broadcast */
};

static const FilterdIp loopback = V4(127, 0, 0, 0, 8);
static const FilterdIp errors[] = {
    V4(127, 0, 0, 1, 32),     /* "not listed", or a resolver that lies */
    V4(127, 255, 255, 0, 24), /* asked wrongly, or too often */
};

bool
query_contains(const FilterdIp *network, const FilterdIp *address)
{
    size_t whole = network->prefix / 8;
    int rest = 8 - network->prefix % 8;

    if (address->prefix < network->prefix
        || memcmp(network->bytes, address->bytes, whole) != 0)
        return false;
    return rest == 8
           || network->bytes[whole] >> rest == address->bytes[whole] >> rest;
}

bool
query_is_asked(const FilterdIp *client)
{
    if (!query_contains(&mapped, client))
        return query_contains(&global, client);
    for (gsize i = 0; i < G_N_ELEMENTS(special); i++)
        if (query_contains(&special[i], client))
            return false;
    return true;
}

char *
query_name(const FilterdIp *client, const char *zone)
{
    const uint8_t *bytes = client->bytes;
    g_autoptr(GString) name = g_string_sized_new(64 + strlen(zone));

    if (query_contains(&mapped, client))
        return g_strdup_printf("%u.%u.%u.%u.%s", bytes[15], bytes[14],
                               bytes[13], bytes[12], zone);
    for (int i = 15; i >= 0; i--)
        g_string_append_printf(name, "%x.%x.", bytes[i] & 15, bytes[i] >> 4);
    g_string_append(name, zone);
    return g_string_free(g_steal_pointer(&name), FALSE);
}

bool
query_code_is_error(const FilterdIp *code)
{
    if (!query_contains(&loopback, code))
        return true;
    for (gsize i = 0; i < G_N_ELEMENTS(errors); i++)
        if (query_contains(&errors[i], code))
            return true;
    return false;
}

static bool
code_counts(const DnsblZone *zone, const FilterdIp *code)
{
    const FilterdIp *answers = zone->answers.items;

    for (size_t i = 0; i < zone->answers.length; i++)
        if (query_contains(&answers[i], code))
            return true;
    return zone->answers.length == 0;
}

QueryResult
query_judge(const DnsblZone *zone, const FilterdDnsAnswer *answer)
{
    QueryResult result = QUERY_CLEAR;

    if (answer->status == FILTERD_DNS_NXDOMAIN
        || answer->status == FILTERD_DNS_NODATA)
        return QUERY_CLEAR;
    if (answer->status != FILTERD_DNS_ANSWER)
        return QUERY_NO_ANSWER;
    for (size_t i = 0; i < answer->length; i++) {
        if (query_code_is_error(&answer->records[i].ip))
            return QUERY_WRONG;
        if (code_counts(zone, &answer->records[i].ip))
            result = QUERY_LISTED;
    }
    return result;
}

/* ---- texts -------------------------------------------------------------- */

static char *
text_clean(const FilterdDnsRecord *record)
{
    GString *text = g_string_new_len(
        record->bytes, (gssize)MIN(record->length, QUERY_REASON_LIMIT));

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

char *
query_reason(const FilterdDnsAnswer *answer)
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
