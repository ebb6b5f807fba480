/* faults.c: whatever fails while lists are asked about links, no message is
 * listed for it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/uribl/links.h"

#include <filterd/harness.h>

#include <string.h>

/* As plugins/uribl/uribl.c has it. */
typedef struct Config {
    FilterdArray zones;
    FilterdFile skip;
    int64_t domains, scan;
    bool self_test;
} Config;

static const ListZone zones[] = {
    {.name = "u.example.net", .weight = 2, .test = "test"},
    {.name = "v.example.net", .weight = 4, .test = "test"},
};
static const Config config = {
    .zones = {zones, 2}, .domains = 5, .scan = 100000, .self_test = true};

static void
prepare(Harness *harness, void *unused)
{
    (void)unused;
    harness_zone(harness, "test.u.example.net 60 A 127.0.0.2\n"
                          "test.v.example.net 60 A 127.0.0.2\n"
                          "evil.example.u.example.net 60 A 127.0.0.2\n"
                          "evil.example.u.example.net 60 TXT \"bad\"\n"
                          "worse.example.v.example.net 60 A 127.0.0.2\n");
}

static void
play(Harness *harness, void *unused)
{
    (void)unused;
    harness_advance(harness, 60000);
    harness_message(harness,
                    "Subject: x\n\nhttp://evil.example/ "
                    "http://worse.example/ http://fine.example/\n",
                    5);
}

/* A sum of the lists that did answer. */
static bool
allows(const HarnessTrial *trial, const char *what, const char *whole,
       const char *now)
{
    (void)trial;
    if (strcmp(what, "score") == 0)
        return strcmp(now, "0") == 0 || strcmp(now, "2") == 0
               || strcmp(now, "4") == 0;
    if (strcmp(what, "listed") == 0)
        return strcmp(now, "no") == 0;
    if (strcmp(what, "zones") == 0 || strcmp(what, "domains") == 0)
        return *now == '\0' || strstr(whole, now) != NULL;
    if (strcmp(what, "reason") == 0)
        return g_str_has_prefix(now, "listed in ");
    return strcmp(what, "problem") == 0;
}

static void
test_no_lie(void)
{
    const HarnessScene scene = {
        .least = 30, .prepare = prepare, .play = play, .allows = allows};

    harness_explore(&filterd_plugin, &config, &scene);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/uribl/faults/no-message-is-listed-for-them", test_no_lie);
    return g_test_run();
}
