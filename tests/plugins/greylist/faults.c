/* faults.c: whatever fails while greylisting waits, nobody is sent away for it
 * who was known, nor let in who was new.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/greylist/config.h"
#include "plugins/greylist/key.h"
#include <filterd/harness.h>

#include <string.h>

#define MINUTE INT64_C(60000)
#define DAY (1440 * MINUTE)

static const int all_keys[] = {RUNG_DOMAIN, RUNG_NAME, RUNG_NETWORK};

static const Config config = {.delay = 5 * MINUTE,
                              .window = 2 * DAY,
                              .lifetime = 36 * DAY,
                              .white_after = 1,
                              .white_lifetime = 36 * DAY,
                              .network_v4 = 24,
                              .network_v6 = 64,
                              .keys = {all_keys, G_N_ELEMENTS(all_keys)}};

static void
prepare(Harness *harness, void *spf)
{
    harness_set(harness, "client.ip", "198.51.100.9");
    harness_set(harness, "client.name", "mail.example.org");
    harness_set(harness, "client.fcrdns", "yes");
    harness_set(harness, "mail.from", "a@example.org");
    harness_set(harness, "mail.domain", "example.org");
    harness_set(harness, "rcpt.to", "b@example.com");
    harness_set(harness, "spf.result", spf);
    harness_set(harness, "spf.domain", "example.org");
    harness_set(harness, "dkim.domains", "example.org");
    harness_set(harness, "header.from.domain", "example.org");
}

static void
try(Harness *harness)
{
    harness_run(harness, FILTERD_MAIL);
    harness_run(harness, FILTERD_RCPT);
    harness_run(harness, FILTERD_MESSAGE);
}

/* A first try, or one that comes back. */
static void
play_first(Harness *harness, void *spf)
{
    (void)spf;
    try(harness);
}

static void
prepare_known(Harness *harness, void *spf)
{
    prepare(harness, spf);
    try(harness);
    harness_reset(harness);
    harness_advance(harness, 6 * MINUTE);
}

/* Of whom less is known, less is remembered, under a weaker key: there one may
 * be new, and new ones only. */
static bool
allows_less(const HarnessTrial *trial, const char *what, const char *whole,
            const char *now)
{
    static const char *const told[] = {"new", "5m", "0s", "0", "no", NULL};

    (void)whole;
    return trial->fault == HARNESS_UNKNOWN
           && (g_str_has_suffix(what, "key") || g_strv_contains(told, now));
}

static void
test_first(gconstpointer spf)
{
    const HarnessScene scene = {.least = 20,
                                .prepare = prepare,
                                .play = play_first,
                                .allows = allows_less,
                                .data = (void *)spf};

    harness_explore(&filterd_plugin, &config, &scene);
}

static void
test_known(gconstpointer spf)
{
    const HarnessScene scene = {.least = 20,
                                .prepare = prepare_known,
                                .play = play_first,
                                .allows = allows_less,
                                .data = (void *)spf};

    harness_explore(&filterd_plugin, &config, &scene);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/greylist/faults/of-a-first-try", "pass", test_first);
    g_test_add_data_func("/greylist/faults/of-a-first-try-without-spf", "none",
                         test_first);
    g_test_add_data_func("/greylist/faults/of-who-comes-back", "pass",
                         test_known);
    g_test_add_data_func("/greylist/faults/of-who-comes-back-without-spf",
                         "none", test_known);
    return g_test_run();
}
