/* dns-zone.h: local data: what zone files say, answered without asking anybody
 * (RFC 1034 4.3.2, RFC 4592, RFC 8020).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Below a SOA everything is known: what is not there does not exist, and
 * delegations are not followed. A name without a SOA above it is known by
 * itself. Names are in lower case, without a final dot.
 */
#pragma once

#include "filterd/service/dns-answer.h"
#include "filterd/service/dns-name.h"

typedef struct DnsZone DnsZone;

/* `only`: what is nowhere in it does not exist. */
DnsZone *dns_zone_new(gboolean only);
void dns_zone_free(DnsZone *zone);

/* A new reference; NULL: not for us to say. Then `key` is what to ask others:
 * where our own CNAMEs led to. */
DnsAnswer *dns_zone_find(DnsZone *zone, char key[DNS_KEY_SIZE]);

/* For the parser of files. The draft is the zone's, to be added to. */
DnsDraft *dns_zone_draft(DnsZone *zone, const char *owner, FilterdDnsType type,
                         uint32_t ttl);
void dns_zone_add_soa(DnsZone *zone, const char *owner, uint32_t negative_ttl);
void dns_zone_add_cname(DnsZone *zone, const char *owner, const char *target);
/* It has records that nobody here asks for. */
void dns_zone_add_name(DnsZone *zone, const char *owner);
