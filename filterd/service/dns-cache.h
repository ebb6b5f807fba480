/* dns-cache.h: the answers of this process, the least recently used go first.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/service/dns-answer.h"

#define DNS_CACHE_ENTRIES 20000
#define DNS_CACHE_OCTETS (32 * 1024 * 1024)
#define DNS_TTL_LIMIT 86400
#define DNS_NEGATIVE_TTL_LIMIT 3600
/* How long an answer with TTL 0, or a failure, that nobody waited for may be
 * fetched, once: whoever asked ahead for ten names that do not answer waits as
 * long as for one. */
#define DNS_ONCE_MILLISECONDS 10000

typedef struct DnsCache DnsCache;

/* 0: DNS_CACHE_ENTRIES. */
DnsCache *dns_cache_new(gsize entries);
void dns_cache_free(DnsCache *cache);

/* A new reference, or NULL; `ttl` is what is left of it. */
DnsAnswer *dns_cache_find(DnsCache *cache, const char *key, uint32_t *ttl);

/* Takes nothing out. */
gboolean dns_cache_has(const DnsCache *cache, const char *key);

/* Neither failures nor TTL 0 are kept unless `unclaimed`. */
void dns_cache_put(DnsCache *cache, const char *key, DnsAnswer *answer,
                   gboolean unclaimed);
gsize dns_cache_size(const DnsCache *cache);
