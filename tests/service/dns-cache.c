/* dns-cache.c: what is kept, for how long, and what goes first.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/dns-cache.h"

#include "filterd/base/clock.h"

#include <string.h>

#define LIMIT 10

static void
put(DnsCache *cache, const char *key, FilterdDnsStatus status, uint32_t ttl)
{
    g_autoptr(DnsAnswer) answer = dns_answer_new(status, ttl);
    dns_cache_put(cache, key, answer, FALSE);
}

/* -1: not there; else its TTL. */
static int
find(DnsCache *cache, const char *key)
{
    uint32_t ttl;
    g_autoptr(DnsAnswer) answer = dns_cache_find(cache, key, &ttl);
    return answer != NULL ? (int)ttl : -1;
}

static void
test_lifetimes(void)
{
    static const struct {
        FilterdDnsStatus status;
        uint32_t ttl;
        int kept; /* seconds; -1: not at all */
    } cases[] = {
        {FILTERD_DNS_ANSWER, 300, 300},
        {FILTERD_DNS_ANSWER, 1000000, DNS_TTL_LIMIT},
        {FILTERD_DNS_ANSWER, 0, -1},
        {FILTERD_DNS_NODATA, 10000, DNS_NEGATIVE_TTL_LIMIT},
        {FILTERD_DNS_NXDOMAIN, 10000, DNS_NEGATIVE_TTL_LIMIT},
        {FILTERD_DNS_SERVFAIL, 300, -1},
        {FILTERD_DNS_TIMEOUT, 300, -1},
        {FILTERD_DNS_BOGUS, 300, -1},
    };
    clock_stop(0);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        DnsCache *cache = dns_cache_new(0);
        put(cache, "key", cases[i].status, cases[i].ttl);
        g_assert_cmpint(find(cache, "key"), ==, cases[i].kept);
        if (cases[i].kept > 0) {
            clock_advance(((int64_t)cases[i].kept - 1) * 1000);
            g_assert_cmpint(find(cache, "key"), ==, 1);
            clock_advance(1000);
            g_assert_false(dns_cache_has(cache, "key"));
            g_assert_cmpint(find(cache, "key"), ==, -1);
            g_assert_cmpuint(dns_cache_size(cache), ==, 0);
        }
        dns_cache_free(cache);
    }
    clock_start();
}

static void
test_unclaimed(void)
{
    g_autoptr(DnsAnswer) answer = dns_answer_new(FILTERD_DNS_ANSWER, 0);
    DnsCache *cache = dns_cache_new(0);
    clock_stop(0);
    dns_cache_put(cache, "key", answer, TRUE);
    g_assert_true(dns_cache_has(cache, "key"));
    g_assert_cmpint(find(cache, "key"), ==, 0);
    g_assert_cmpint(find(cache, "key"), ==, -1);
    dns_cache_put(cache, "key", answer, TRUE);
    clock_advance(DNS_ONCE_MILLISECONDS);
    g_assert_cmpint(find(cache, "key"), ==, -1);
    dns_cache_free(cache);
    clock_start();
}

static void
test_unclaimed_failure(void)
{
    g_autoptr(DnsAnswer) answer = dns_answer_new(FILTERD_DNS_TIMEOUT, 0);
    DnsCache *cache = dns_cache_new(0);
    dns_cache_put(cache, "key", answer, TRUE);
    g_assert_true(dns_cache_has(cache, "key"));
    g_assert_cmpint(find(cache, "key"), ==, 0);
    g_assert_cmpint(find(cache, "key"), ==, -1);
    dns_cache_free(cache);
}

static void
test_entries(void)
{
    DnsCache *cache = dns_cache_new(LIMIT);
    for (int i = 0; i < LIMIT; i++) {
        g_autofree char *key = g_strdup_printf("key-%d", i);
        put(cache, key, FILTERD_DNS_NODATA, 300);
    }
    g_assert_cmpint(find(cache, "key-0"), ==, 300);
    put(cache, "another", FILTERD_DNS_NODATA, 300);
    g_assert_cmpuint(dns_cache_size(cache), ==, LIMIT);
    g_assert_cmpint(find(cache, "key-0"), ==, 300);
    g_assert_cmpint(find(cache, "key-1"), ==, -1);
    put(cache, "another", FILTERD_DNS_NODATA, 200);
    g_assert_cmpint(find(cache, "another"), ==, 200);
    g_assert_cmpuint(dns_cache_size(cache), ==, LIMIT);
    dns_cache_free(cache);
}

static void
test_octets(void)
{
    g_autofree char *text = g_strnfill(60000, 'x');
    DnsCache *cache = dns_cache_new(0);
    for (int i = 0; i < 1000; i++) {
        g_autofree char *key = g_strdup_printf("key-%d", i);
        g_auto(DnsDraft) draft;
        dns_draft_init(&draft, FILTERD_DNS_TXT);
        dns_draft_add_text(&draft, text, strlen(text));
        g_autoptr(DnsAnswer) answer = dns_draft_finish(&draft, 300);
        dns_cache_put(cache, key, answer, FALSE);
    }
    g_assert_cmpuint(dns_cache_size(cache), <, DNS_CACHE_OCTETS / 60000);
    g_assert_cmpuint(dns_cache_size(cache), >, DNS_CACHE_OCTETS / 61000);
    g_assert_cmpint(find(cache, "key-999"), ==, 300);
    dns_cache_free(cache);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/service/cache/answers-live-as-long-as-they-may",
                    test_lifetimes);
    g_test_add_func("/service/cache/an-unclaimed-ttl-zero-is-fetched-once",
                    test_unclaimed);
    g_test_add_func("/service/cache/an-unclaimed-failure-is-fetched-once",
                    test_unclaimed_failure);
    g_test_add_func("/service/cache/the-least-used-goes-first", test_entries);
    g_test_add_func("/service/cache/octets-are-bounded", test_octets);
    return g_test_run();
}
