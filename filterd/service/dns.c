/* dns.c: questions: local data, then the cache, then a flight. (RFC 1035)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/dns.h"

#include "filterd/base/fiber.h"
#include "filterd/base/metrics.h"
#include "filterd/service/dns-cache.h"
#include "filterd/service/dns-flight.h"
#include "filterd/service/dns-master.h"
#include "filterd/service/dns-name.h"
#include "filterd/service/dns-resolver.h"
#include "filterd/service/dns-zone.h"

#include <string.h>

static struct {
    DnsZone *zone;
    DnsCache *cache;
    DnsResolver *resolver; /* NULL: zones only */
    DnsFlights *flights;
    int64_t timeout;
} service;

static struct {
    DnsWatch told;
    void *data;
} watcher;

/* An answer with what was left of its TTL. */
typedef struct Found {
    FilterdDnsAnswer answer;
    DnsAnswer *source;
    int64_t waited;
    gboolean cached;
} Found;

/* What a budget keeps. */
typedef struct Kept {
    Found found;
    char key[];
} Kept;

GQuark
dns_error_quark(void)
{
    return g_quark_from_static_string("dns-error");
}

static gboolean
load_zones(const DnsConfig *config, GError **error)
{
    service.zone = dns_zone_new(config->zones_only);
    for (gsize i = 0; i < config->n_zones; i++)
        if (!dns_master_load(&config->zones[i], service.zone, error))
            return FALSE;
    return TRUE;
}

gboolean
dns_init(const DnsConfig *config, GError **error)
{
    g_assert(service.zone == NULL);
    service.timeout = config->timeout;
    service.cache = dns_cache_new(config->cache_entries);
    if (!load_zones(config, error)) {
        dns_clear();
        return FALSE;
    }
    if (config->zones_only)
        return TRUE;
    service.resolver = dns_resolver_new(config, error);
    if (service.resolver == NULL) {
        dns_clear();
        return FALSE;
    }
    service.flights =
        dns_flights_new(service.resolver, service.cache, config->timeout);
    return TRUE;
}

void
dns_clear(void)
{
    g_clear_pointer(&service.flights, dns_flights_free);
    g_clear_pointer(&service.resolver, dns_resolver_free);
    g_clear_pointer(&service.cache, dns_cache_free);
    g_clear_pointer(&service.zone, dns_zone_free);
}

static void
kept_free(gpointer data)
{
    Kept *kept = data;
    dns_answer_unref(kept->found.source);
    g_free(kept);
}

void
dns_budget_init(DnsBudget *budget, int64_t milliseconds)
{
    budget->left = milliseconds;
    budget->questions = 0;
    budget->answers = NULL;
    budget->order = NULL;
}

void
dns_budget_clear(DnsBudget *budget)
{
    g_clear_pointer(&budget->answers, g_hash_table_unref);
    g_clear_pointer(&budget->order, g_ptr_array_unref);
}

static Kept *
find_kept(const DnsBudget *budget, const char *key)
{
    return budget->answers != NULL ? g_hash_table_lookup(budget->answers, key)
                                   : NULL;
}

static void
add_kept(DnsBudget *budget, Kept *kept)
{
    if (budget->answers == NULL) {
        budget->answers =
            g_hash_table_new_full(dns_key_hash, g_str_equal, NULL, kept_free);
        budget->order = g_ptr_array_new();
    }
    g_hash_table_insert(budget->answers, kept->key, kept);
    g_ptr_array_add(budget->order, kept);
}

void
dns_budget_each(const DnsBudget *budget,
                gboolean (*func)(const DnsQuestion *question, void *data),
                void *data)
{
    for (unsigned i = 0; budget->order != NULL && i < budget->order->len; i++) {
        const Kept *kept = g_ptr_array_index(budget->order, i);
        const DnsQuestion question = {
            .name = dns_key_name(kept->key),
            .type = dns_key_type(kept->key),
            .answer = &kept->found.answer,
            .waited = kept->found.waited,
            .cached = kept->found.cached,
        };
        if (!func(&question, data))
            return;
    }
}

/* Where it was waited for another fiber of the transaction may have had the
 * answer first: then that is the one. */
static const FilterdDnsAnswer *
keep(DnsBudget *budget, const char *key, const Found *found)
{
    gsize size = strlen(key) + 1;
    Kept *kept = found->cached ? NULL : find_kept(budget, key);
    if (kept != NULL)
        return &kept->found.answer;
    kept = g_malloc(sizeof *kept + size);
    kept->found = *found;
    memcpy(kept->key, key, size);
    dns_answer_ref(kept->found.source);
    add_kept(budget, kept);
    return &kept->found.answer;
}

/* Of the budget only what was waited is taken. */
static DnsAnswer *
wait_for(DnsBudget *budget, const char *key, int64_t *waited)
{
    if (service.flights == NULL)
        return dns_answer_new(FILTERD_DNS_NXDOMAIN, 0);
    if (budget->left <= 0)
        return dns_answer_new(FILTERD_DNS_TIMEOUT, 0);
    int64_t start = clock_monotonic();
    int64_t patience = MIN(service.timeout, budget->left);
    DnsAnswer *answer =
        dns_flights_wait(service.flights, key, clock_after(patience));
    *waited = clock_monotonic() - start;
    budget->left -= MIN(*waited, budget->left);
    return answer;
}

/* `key` becomes the one that local CNAMEs lead to. */
static DnsAnswer *
find_at_hand(char key[DNS_KEY_SIZE], uint32_t *ttl)
{
    DnsAnswer *answer = dns_zone_find(service.zone, key);
    if (answer != NULL) {
        *ttl = answer->answer.ttl;
        return answer;
    }
    answer = dns_cache_find(service.cache, key, ttl);
    if (answer != NULL)
        metrics_add(METRIC_DNS_CACHED, 1);
    return answer;
}

/* The caller's to unref: found->source. */
static void
find_answer(DnsBudget *budget, const char *key, Found *found)
{
    uint32_t ttl;
    char target[DNS_KEY_SIZE];
    memcpy(target, key, strlen(key) + 1);
    found->source = find_at_hand(target, &ttl);
    found->cached = found->source != NULL;
    if (!found->cached)
        found->source = wait_for(budget, target, &found->waited);
    found->answer = found->source->answer;
    if (found->cached)
        found->answer.ttl = ttl;
}

void
dns_watch(DnsWatch watch, void *data)
{
    watcher.told = watch;
    watcher.data = data;
}

const FilterdDnsAnswer *
dns_query(DnsBudget *budget, const char *name, FilterdDnsType type)
{
    static const FilterdDnsAnswer bad_name = {.status = FILTERD_DNS_BADNAME};
    static const FilterdDnsAnswer cancelled = {.status = FILTERD_DNS_CANCELLED};
    char key[DNS_KEY_SIZE];
    if (!dns_key_init(key, name, type))
        return &bad_name;
    const Kept *kept = find_kept(budget, key);
    if (kept != NULL)
        return &kept->found.answer;
    budget->questions++;
    metrics_add(METRIC_DNS_QUESTIONS, 1);
    Found found = {0};
    find_answer(budget, key, &found);
    g_autoptr(DnsAnswer) source = found.source;
    if (source->answer.status == FILTERD_DNS_CANCELLED)
        return &cancelled;
    if (watcher.told != NULL)
        watcher.told(watcher.data, name, type, &source->answer, found.waited);
    if (filterd_dns_failed(&source->answer))
        metrics_add(METRIC_DNS_FAILED, 1);
    return keep(budget, key, &found);
}

void
dns_prefetch(DnsBudget *budget, const char *name, FilterdDnsType type)
{
    char key[DNS_KEY_SIZE];
    if (service.flights == NULL || budget->left <= 0
        || !dns_key_init(key, name, type) || find_kept(budget, key) != NULL)
        return;
    g_autoptr(DnsAnswer) local = dns_zone_find(service.zone, key);
    if (local == NULL && !dns_cache_has(service.cache, key))
        dns_flights_start(service.flights, key);
}
