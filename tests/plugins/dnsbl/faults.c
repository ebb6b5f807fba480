/* faults.c: whatever fails while lists are asked, nobody is listed for it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dnsbl/dnsbl.h"

#include <filterd/harness.h>

#include <string.h>

static const int everything[] = {DNSBL_MAIL, DNSBL_HELO, DNSBL_NAME, DNSBL_FROM,
                                 DNSBL_DKIM};

static const ListZone zones[] = {
    {.name = "bl.example.net", .weight = 5},
    {.name = "good.example.net", .weight = -4},
    {.name = "clear.example.net", .weight = 1},
};
static const ListZone domain_zones[] = {
    {.name = "rhs.example.net",
     .weight = 3,
     .on = {everything, G_N_ELEMENTS(everything)},
     .test = "test"},
};
static const DnsblConfig config = {
    .zones = {zones, G_N_ELEMENTS(zones)},
    .domain_zones = {domain_zones, G_N_ELEMENTS(domain_zones)},
    .self_test = true};

/* RFC 5782 5, 7: what a list has for a self-test. */
#define SOUND(zone)                                     \
    "2.0.0.127." zone " 60 A 127.0.0.2\n"               \
    "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0" \
    ".0.0.0.0.0.0.0." zone " 60 A 127.0.0.2\n"

static const char records[] = SOUND("bl.example.net") SOUND("good.example.net")
    SOUND("clear.example.net") "test.rhs.example.net 60 A 127.0.0.2\n"
                               "9.100.51.198.bl.example.net 60 A 127.0.0.2\n"
                               "9.100.51.198.bl.example.net 60 TXT \"a bad "
                               "one\"\n"
                               "9.100.51.198.good.example.net 60 A 127.0.5.2\n"
                               "9.100.51.198.good.example.net 60 TXT "
                               "\"good.example\"\n"
                               "evil.example.rhs.example.net 60 A 127.0.0.2\n";

static void
prepare(Harness *harness, void *unused)
{
    (void)unused;
    harness_zone(harness, records);
    harness_set(harness, "client.ip", "198.51.100.9");
    harness_set(harness, "client.name", "host.evil.example");
    harness_set(harness, "client.fcrdns", "yes");
    harness_set(harness, "helo.name", "mail.evil.example");
    harness_set(harness, "mail.domain", "fine.example");
    harness_set(harness, "header.from.domain", "news.evil.example");
    harness_set(harness, "dkim.domains", "evil.example,fine.example");
}

static void
play(Harness *harness, void *unused)
{
    (void)unused;
    harness_advance(harness, 60000);
    harness_run(harness, FILTERD_CONNECT);
    harness_run(harness, FILTERD_HELO);
    harness_run(harness, FILTERD_MAIL);
    harness_run(harness, FILTERD_MESSAGE);
    harness_advance(harness, INT64_C(86400000));
}

static gboolean
is_subset(const char *now, const char *whole)
{
    g_auto(GStrv) few = g_strsplit(now, ",", -1);
    g_auto(GStrv) all = g_strsplit(whole, ",", -1);

    for (char **item = few; *item != NULL; item++)
        if (!g_strv_contains((const char *const *)all, *item))
            return FALSE;
    return TRUE;
}

/* A sum of the lists that did answer, and who did not. */
static bool
allows(const HarnessTrial *trial, const char *what, const char *whole,
       const char *now)
{
    (void)trial;
    if (g_str_has_suffix(what, "zones"))
        return is_subset(now, whole);
    if (g_str_has_suffix(what, "reason"))
        return g_str_has_prefix(now, "listed in ");
    if (g_str_has_suffix(what, "listed") || g_str_has_suffix(what, "allowed"))
        return strcmp(now, "no") == 0;
    return g_str_has_suffix(what, "score") || g_str_has_suffix(what, "failed")
           || g_str_has_suffix(what, "problem");
}

/* One list's silence takes its own weight away, and nobody else's. */
static void
judge(Harness *harness, const HarnessTrial *trial, void *unused)
{
    static const char *const sums[] = {"-",  "4", "3",  "0", "8",
                                       "-1", "1", "-4", "5", NULL};
    const char *score = harness_fact(harness, "score");

    (void)unused;
    (void)trial;
    if (!g_strv_contains(sums, score))
        g_test_fail_printf("a score of %s", score);
}

static void
test_no_lie(void)
{
    const HarnessScene scene = {.least = 100,
                                .prepare = prepare,
                                .play = play,
                                .judge = judge,
                                .allows = allows};

    harness_explore(&filterd_plugin, &config, &scene);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dnsbl/faults/nobody-is-listed-for-them", test_no_lie);
    return g_test_run();
}
