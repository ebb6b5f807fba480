/* dns-master.h: zone files (RFC 1035 5, RFC 2308 4).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * $ORIGIN and $TTL; class IN; A, AAAA, CNAME, MX, PTR, SOA and TXT are kept, of
 * other types only that the name exists. Without $ORIGIN names are relative to
 * the root.
 */
#pragma once

#include "filterd/service/dns-zone.h"

/* An error says FILE:LINE and what is wrong; the zone then holds a part. */
gboolean dns_master_load(const FilterdFile *file, DnsZone *zone,
                         GError **error);
