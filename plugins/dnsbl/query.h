/* query.h: what a list is asked, and what its answer means (RFC 5782).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/dnsbl/dnsbl.h"

#define QUERY_REASON_LIMIT 200 /* octets of a list's text */
/* "f.f.…" of an IPv6 address is 64 octets, of the 253 that a name may have. */
#define QUERY_ZONE_LIMIT 189

typedef enum QueryResult {
    QUERY_CLEAR,     /* not listed, or with codes that do not count */
    QUERY_LISTED,    /* with a code that counts */
    QUERY_NO_ANSWER, /* nobody knows */
    QUERY_WRONG,     /* an answer that a list does not give */
} QueryResult;

/* Private, loopback, link-local and such addresses are on no public list. The
 * ranges for documentation and benchmarks are as good as public. */
bool query_is_asked(const FilterdIp *client);
/* "9.100.51.198.bl.example.net"; caller frees. */
char *query_name(const FilterdIp *client, const char *zone);

/* Whether that code is an error whatever the zone says of it: outside of
 * 127.0.0.0/8, 127.0.0.1, 127.255.255.0/24. */
bool query_code_is_error(const FilterdIp *code);
bool query_contains(const FilterdIp *network, const FilterdIp *address);
/* One record that is an error spoils the whole answer. */
QueryResult query_judge(const DnsblZone *zone, const FilterdDnsAnswer *answer);

/* The text of a list, fit for a reply: printable ASCII in one line, cut. NULL:
 * it has none. Caller frees. */
char *query_reason(const FilterdDnsAnswer *answer);
