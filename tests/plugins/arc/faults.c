/* faults.c: whatever fails while ARC waits, no sealer is believed whose seal
 * was not seen to be right. (RFC 8617)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <string.h>

#include "tests/plugins/arc/fixture.h"

static const char *const trusted[] = {"one.example", "two.example",
                                      "three.example"};

typedef struct Story {
    char *text, *zone;
} Story;

static void
prepare(Harness *harness, void *data)
{
    const Story *story = data;
    harness_zone(harness, story->zone);
    harness_set(harness, "client.ip", "192.0.2.1");
}

static void
play(Harness *harness, void *data)
{
    const Story *story = data;
    harness_message(harness, story->text, 100);
}

/* "All errors, including DNS failures, become unrecoverable" (5.2.1): the fact
 * `temporary` tells them apart. */
static bool
allows(const HarnessTrial *trial, const char *what, const char *whole,
       const char *now)
{
    static const char *const ours[] = {"problem", "temporary", NULL};
    (void)whole;
    if (strcmp(what, "result") == 0)
        return strcmp(now, "fail") == 0;
    if (strcmp(trial->at, "lookup client.ip") == 0)
        return strcmp(now, "arc=pass header.oldest-pass=0") == 0;
    if (strcmp(what, "Authentication-Results") == 0)
        return g_str_has_prefix(now, "arc=fail (the key cannot be looked up");
    if (strcmp(what, "sealers") == 0)
        return *now == '\0';
    return g_strv_contains(ours, what);
}

static void
test_no_lie(void)
{
    Config config = fixture_config;
    Story story = {fixture_message("dkimpy-3"), fixture_zone()};
    const HarnessScene scene = {.least = 15,
                                .prepare = prepare,
                                .play = play,
                                .allows = allows,
                                .data = &story};
    config.trusted = (FilterdArray){trusted, G_N_ELEMENTS(trusted)};
    harness_explore(&filterd_plugin, &config, &scene);
    g_free(story.text);
    g_free(story.zone);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/arc/faults/no-seal-is-believed-unseen", test_no_lie);
    return g_test_run();
}
