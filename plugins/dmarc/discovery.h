/* discovery.h: where a domain's DMARC record is and to which organization the
 * domain belongs (RFC 9989 4.10; RFC 7489 3.2, 6.6.3).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/dmarc/record.h"

#include <filterd/plugin.h>
#include <libpsl.h>

#define DMARC_QUERY_LIMIT 8 /* of one tree walk */

typedef enum DmarcStatus {
    DMARC_FOUND,
    DMARC_MISSING,   /* no record applies */
    DMARC_FAILED,    /* the DNS did, for now */
    DMARC_CANCELLED, /* the session ends */
} DmarcStatus;

/* Names point into the domain that was asked for. */
typedef struct DmarcDiscovery {
    DmarcStatus status;
    DmarcRecord record;          /* FOUND, else undefined */
    const FilterdDnsRecord *txt; /* its text; NULL unless FOUND */
    const char *domain;          /* where it was found */
    const char *organization;    /* NULL: a query failed */
    const char *failed;          /* the domain whose query failed */
    const char *several;         /* a domain whose records were discarded */
    bool exists; /* the domain itself does, as far as seen here */
} DmarcDiscovery;

/* Letters, digits, hyphens and underscores in labels of 1 to 63, lower case;
 * what is not that goes into no query and no comparison. */
bool dmarc_domain_valid(const char *domain);
/* `domain` is `ancestor` or below it. */
bool dmarc_domain_within(const char *domain, const char *ancestor);

/* Both take a valid domain. With `psl` the way of RFC 7489, with NULL the tree
 * walk. discover waits; prefetch asks ahead for all that discover would ask. */
void dmarc_prefetch(FilterdCall *call, const psl_ctx_t *psl,
                    const char *domain);
void dmarc_discover(FilterdCall *call, const psl_ctx_t *psl, const char *domain,
                    DmarcDiscovery *discovery);

/* The same for the organization alone, which the list knows without a query:
 * FOUND, FAILED or CANCELLED. find asks ahead by itself. */
void dmarc_prefetch_organization(FilterdCall *call, const psl_ctx_t *psl,
                                 const char *domain);
DmarcStatus dmarc_find_organization(FilterdCall *call, const psl_ctx_t *psl,
                                    const char *domain,
                                    const char **organization);

/* FOUND or MISSING, as the name's existence; FAILED, CANCELLED. Waits. */
DmarcStatus dmarc_domain_exists(FilterdCall *call, const char *domain);
