/* dns.h: questions to the DNS, answered by libunbound on the loop.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One context a process. In front of it a cache of parsed answers; one flight
 * per question, however many ask. Waiting functions must be called in a fiber.
 */
#pragma once

#include <filterd/plugin.h>

#define DNS_ERROR (dns_error_quark())
GQuark dns_error_quark(void);

typedef enum DnsError {
    DNS_ERROR_INVALID, /* a file or an address that does not parse */
    DNS_ERROR_FAILED,
} DnsError;

typedef struct DnsConfig {
    gboolean recursive;         /* from the roots; else forward */
    const char *const *forward; /* "ADDRESS@PORT", NULL-terminated; NULL or
                                 * empty: what /etc/resolv.conf says */
    const FilterdFile *zones;   /* master files: local data */
    gsize n_zones;
    gboolean zones_only;        /* what they do not have does not exist */
    const FilterdFile *anchors; /* trust anchors: DS or DNSKEY lines */
    gsize n_anchors;
    int64_t timeout;     /* of one lookup, milliseconds */
    gsize cache_entries; /* 0: the default */
} DnsConfig;

/* Opens and finalizes the context on this stack, which must be a process's
 * own (libunbound's first question takes 200 KB). A zone file that does not
 * parse: an error with file and line. */
gboolean dns_init(const DnsConfig *config, GError **error);
void dns_clear(void);

/* What one transaction may use: DNS time in all, and the answers it got, so
 * that a question asked twice gets one answer, and they stay valid until
 * dns_budget_clear(). Zero bytes and dns_budget_init(). */
typedef struct DnsBudget {
    int64_t left;        /* milliseconds of waiting */
    unsigned questions;  /* asked so far, answered from the cache or not */
    GHashTable *answers; /* NULL: there are none */
    GPtrArray *order;    /* of them */
} DnsBudget;

void dns_budget_init(DnsBudget *budget, int64_t milliseconds);
void dns_budget_clear(DnsBudget *budget);

/* A question that the budget has an answer to; `cached`, or from local data. */
typedef struct DnsQuestion {
    const char *name;
    FilterdDnsType type;
    const FilterdDnsAnswer *answer;
    int64_t waited; /* milliseconds, of who asked first */
    gboolean cached;
} DnsQuestion;

/* All of them, in order, until `func` says FALSE. */
void dns_budget_each(const DnsBudget *budget,
                     gboolean (*func)(const DnsQuestion *question, void *data),
                     void *data);

/* Waits. See FilterdHost.dns for `name`. The answer lives as long as the
 * budget. Parallel waits count once each. */
const FilterdDnsAnswer *dns_query(DnsBudget *budget, const char *name,
                                  FilterdDnsType type);
/* Starts the question; its answer waits in the cache (one with TTL 0, or
 * a failure, for one asker). */
void dns_prefetch(DnsBudget *budget, const char *name, FilterdDnsType type);

/* For `filterctl try`: is told of each question that dns_query() answers and
 * the budget had no answer to, with the milliseconds that its asker waited. */
typedef void (*DnsWatch)(void *data, const char *name, FilterdDnsType type,
                         const FilterdDnsAnswer *answer, int64_t waited);
/* NULL: nobody. One at a time. */
void dns_watch(DnsWatch watch, void *data);

/* Parses a packet as it came (tests and fuzzing; the service itself uses it).
 * Only records on the CNAME chain of the question count. Caller frees with
 * dns_answer_free(). */
FilterdDnsAnswer *dns_answer_parse(const uint8_t *packet, gsize length,
                                   FilterdDnsType type);
void dns_answer_free(FilterdDnsAnswer *answer);
