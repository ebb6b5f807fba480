/* dns-answer.h: an answer as it is kept: immutable, in one piece, counted.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

typedef struct DnsAnswer {
    FilterdDnsAnswer answer; /* first: the public face */
    unsigned references;
    gsize size; /* octets that it takes */
} DnsAnswer;

DnsAnswer *dns_answer_ref(DnsAnswer *answer);
void dns_answer_unref(DnsAnswer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DnsAnswer, dns_answer_unref)

/* "A", "PTR" …; "answer", "nxdomain" …, names that stay as they are. */
const char *dns_type_word(FilterdDnsType type);
const char *dns_status_word(FilterdDnsStatus status);
/* What was answered, for people; at most so many octets of records, then "…".
 */
void dns_answer_append(GString *out, FilterdDnsType type,
                       const FilterdDnsAnswer *answer, gsize limit);

/* Without records. */
DnsAnswer *dns_answer_new(FilterdDnsStatus status, uint32_t ttl);

#define DNS_RECORDS_LIMIT 1000

/* An answer in the making. What is beyond DNS_RECORDS_LIMIT is left out. */
typedef struct DnsDraft {
    FilterdDnsType type;
    GArray *records;
    GByteArray *octets;
} DnsDraft;

void dns_draft_init(DnsDraft *draft, FilterdDnsType type);
void dns_draft_clear(DnsDraft *draft);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DnsDraft, dns_draft_clear)

void dns_draft_add_ip(DnsDraft *draft, const FilterdIp *ip);
void dns_draft_add_name(DnsDraft *draft, uint16_t preference, const char *name);
void dns_draft_add_text(DnsDraft *draft, const void *bytes, gsize length);
/* ANSWER, or NODATA if nothing was added. */
DnsAnswer *dns_draft_finish(const DnsDraft *draft, uint32_t ttl);
