/* dnsbl.h: what an instance is told, what it publishes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/dnsbl/list.h"

#include <libpsl.h>

/* What a domain list is asked about; the index is the word's. */
typedef enum DnsblSource {
    DNSBL_MAIL,
    DNSBL_HELO,
    DNSBL_NAME,
    DNSBL_FROM,
    DNSBL_DKIM,
    DNSBL_SOURCES,
} DnsblSource;

typedef enum DnsblNeed {
    DNSBL_NEED_IP,
    DNSBL_NEED_NAME,
    DNSBL_NEED_CONFIRMED,
    DNSBL_NEED_HELO,
    DNSBL_NEED_MAIL,
    DNSBL_NEED_FROM,
    DNSBL_NEED_DKIM,
} DnsblNeed;

typedef enum DnsblFact {
    DNSBL_SCORE,
    DNSBL_LISTED,
    DNSBL_ALLOWED,
    DNSBL_ZONES,
    DNSBL_REASON,
    DNSBL_FAILED,
    DNSBL_PROBLEM,
    DNSBL_HELO_SCORE,
    DNSBL_HELO_ZONES,
    DNSBL_HELO_REASON,
    DNSBL_HELO_PROBLEM,
    DNSBL_MAIL_SCORE,
    DNSBL_MAIL_ZONES,
    DNSBL_MAIL_REASON,
    DNSBL_MAIL_PROBLEM,
    DNSBL_MESSAGE_SCORE,
    DNSBL_MESSAGE_ZONES,
    DNSBL_MESSAGE_REASON,
    DNSBL_MESSAGE_PROBLEM,
} DnsblFact;

typedef struct DnsblConfig {
    FilterdArray zones;        /* ListZone */
    FilterdArray domain_zones; /* ListZone */
    bool self_test;
} DnsblConfig;

typedef struct DnsblInstance {
    ListSet *addresses; /* lists that are asked about addresses */
    ListSet *domains;   /* and about domains */
    psl_ctx_t *psl;     /* NULL: no domain list wants it */
} DnsblInstance;
