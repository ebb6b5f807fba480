/* domains.h: the domains of a stage that domain lists are asked about.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/dnsbl/dnsbl.h"
#include "plugins/dnsbl/name.h"

#define DOMAINS_LIMIT 10 /* of a stage; those behind are not asked about */

typedef struct Domains {
    const psl_ctx_t *psl;
    size_t length;
    DnsblSource sources[DOMAINS_LIMIT];
    char names[DOMAINS_LIMIT][NAME_SIZE];
} Domains;

/* Whether a list is asked about that at all: else it need not be found out. */
bool domains_wanted(const DnsblInstance *instance, DnsblSource source);
/* Adds it, or each of a list, unless it is unknown or no domain: an address
 * literal, a single label. */
void domains_add(Domains *domains, DnsblSource source,
                 const FilterdValue *value);
ListInquiry domains_inquiry(const DnsblInstance *instance, Domains *domains);
