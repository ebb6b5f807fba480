/* dns-cache.c: the answers of this process, the least recently used go first.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/dns-cache.h"

#include "filterd/base/clock.h"
#include "filterd/service/dns-name.h"

typedef struct Entry {
    GList link; /* in cache->used */
    char *key;
    DnsAnswer *answer;
    int64_t expires;
    gboolean once;
} Entry;

struct DnsCache {
    GHashTable *entries;
    GQueue used; /* the latest at its head */
    gsize limit;
    gsize octets;
};

static gsize
entry_octets(const Entry *entry)
{
    return sizeof *entry + DNS_KEY_SIZE + entry->answer->size;
}

static void
entry_free(gpointer data)
{
    Entry *entry = data;
    dns_answer_unref(entry->answer);
    g_free(entry->key);
    g_free(entry);
}

static void
cache_remove(DnsCache *cache, Entry *entry)
{
    g_queue_unlink(&cache->used, &entry->link);
    cache->octets -= entry_octets(entry);
    g_hash_table_remove(cache->entries, entry->key);
}

static void
make_room(DnsCache *cache)
{
    while (cache->used.length > cache->limit
           || cache->octets > DNS_CACHE_OCTETS)
        cache_remove(cache, cache->used.tail->data);
}

DnsCache *
dns_cache_new(gsize entries)
{
    DnsCache *cache = g_new0(DnsCache, 1);
    cache->entries =
        g_hash_table_new_full(dns_key_hash, g_str_equal, NULL, entry_free);
    g_queue_init(&cache->used);
    cache->limit = entries != 0 ? entries : DNS_CACHE_ENTRIES;
    return cache;
}

void
dns_cache_free(DnsCache *cache)
{
    if (cache == NULL)
        return;
    g_hash_table_unref(cache->entries);
    g_free(cache);
}

DnsAnswer *
dns_cache_find(DnsCache *cache, const char *key, uint32_t *ttl)
{
    Entry *entry = g_hash_table_lookup(cache->entries, key);
    if (entry == NULL)
        return NULL;
    int64_t left = entry->expires - clock_monotonic();
    if (left <= 0) {
        cache_remove(cache, entry);
        return NULL;
    }
    DnsAnswer *answer = dns_answer_ref(entry->answer);
    *ttl = entry->once ? 0 : (uint32_t)((left + 999) / 1000);
    if (entry->once) {
        cache_remove(cache, entry);
    } else {
        g_queue_unlink(&cache->used, &entry->link);
        g_queue_push_head_link(&cache->used, &entry->link);
    }
    return answer;
}

gboolean
dns_cache_has(const DnsCache *cache, const char *key)
{
    const Entry *entry = g_hash_table_lookup(cache->entries, key);
    return entry != NULL && entry->expires > clock_monotonic();
}

/* Milliseconds. */
static int64_t
lifetime(const FilterdDnsAnswer *answer, gboolean unclaimed)
{
    if (answer->status > FILTERD_DNS_NXDOMAIN || answer->ttl == 0)
        return unclaimed ? DNS_ONCE_MILLISECONDS : 0;
    uint32_t limit = answer->status == FILTERD_DNS_ANSWER
                         ? DNS_TTL_LIMIT
                         : DNS_NEGATIVE_TTL_LIMIT;
    return (int64_t)MIN(answer->ttl, limit) * 1000;
}

void
dns_cache_put(DnsCache *cache, const char *key, DnsAnswer *answer,
              gboolean unclaimed)
{
    int64_t milliseconds = lifetime(&answer->answer, unclaimed);
    if (milliseconds == 0)
        return;
    Entry *old = g_hash_table_lookup(cache->entries, key);
    if (old != NULL)
        cache_remove(cache, old);
    Entry *entry = g_new0(Entry, 1);
    entry->key = g_strdup(key);
    entry->answer = dns_answer_ref(answer);
    entry->expires = clock_after(milliseconds);
    entry->once =
        answer->answer.ttl == 0 || answer->answer.status > FILTERD_DNS_NXDOMAIN;
    entry->link.data = entry;
    g_hash_table_insert(cache->entries, entry->key, entry);
    g_queue_push_head_link(&cache->used, &entry->link);
    cache->octets += entry_octets(entry);
    make_room(cache);
}

gsize
dns_cache_size(const DnsCache *cache)
{
    return g_hash_table_size(cache->entries);
}
