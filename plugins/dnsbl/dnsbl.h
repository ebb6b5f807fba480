/* dnsbl.h: the lists that an instance asks, as the configuration names them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

#define DNSBL_ZONE_LIMIT 64 /* `zone` options of an instance */

/* One `zone` option. A list may have several, with codes of their own. */
typedef struct DnsblZone {
    const char *name;
    FilterdArray answers; /* FilterdIp; none: every code that is no error */
    int64_t weight;       /* less than 0: a list of the good ones */
} DnsblZone;

typedef struct DnsblConfig {
    FilterdArray zones; /* DnsblZone */
    bool self_test;
} DnsblConfig;

typedef struct DnsblInstance {
    bool suspended[DNSBL_ZONE_LIMIT]; /* failed its self-test */
} DnsblInstance;

static inline const DnsblZone *
dnsbl_zone(const DnsblConfig *config, size_t index)
{
    return &((const DnsblZone *)config->zones.items)[index];
}
