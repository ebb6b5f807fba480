/* faults.c: whatever fails while DKIM waits, no signature is believed that was
 * not seen to be right, and none is called wrong. (RFC 6376)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <string.h>

#include "tests/plugins/dkim/fixture.h"

typedef struct Story {
    const char *message;
    Config config;
    char *text, *zone;
} Story;

static void
prepare(Harness *harness, void *data)
{
    const Story *story = data;
    harness_zone(harness, story->zone);
    harness_set(harness, "header.from.domain", "example.org");
}

static void
play(Harness *harness, void *data)
{
    const Story *story = data;
    harness_run(harness, FILTERD_MAIL);
    harness_message(harness, story->text, 100);
}

/* A domain is in the list only if its signature passed, with or without the
 * fault. */
static bool
is_subset(const char *now, const char *whole)
{
    g_auto(GStrv) few = g_strsplit(now, ",", -1);
    g_auto(GStrv) all = g_strsplit(whole, ",", -1);
    for (char **item = few; *item != NULL; item++)
        if (!g_strv_contains((const char *const *)all, *item)
            && !g_str_has_prefix(*item, "temperror:"))
            return FALSE;
    return TRUE;
}

static bool
allows(const HarnessTrial *trial, const char *what, const char *whole,
       const char *now)
{
    (void)trial;
    if (strcmp(what, "domains") == 0 || strcmp(what, "results") == 0)
        return is_subset(now, whole);
    return strcmp(what, "problem") == 0;
}

static void
test_no_lie(gconstpointer message)
{
    Story story = {.message = message, .config = fixture_config};
    const HarnessScene scene = {.least = 4,
                                .prepare = prepare,
                                .play = play,
                                .allows = allows,
                                .data = &story};
    story.text = fixture_message(message);
    story.zone = fixture_zone();
    harness_explore(&filterd_plugin, &story.config, &scene);
    g_free(story.text);
    g_free(story.zone);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/dkim/faults/of-one-signature", "rsa-relaxed-relaxed",
                         test_no_lie);
    g_test_add_data_func("/dkim/faults/of-two-signatures", "two-domains",
                         test_no_lie);
    return g_test_run();
}
