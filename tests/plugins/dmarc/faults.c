/* faults.c: whatever fails while DMARC waits, nobody is refused for it, and
 * nobody has passed. (RFC 9989)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/plugins/dmarc/case.h"

#include <string.h>

static const DmarcConfig on = {.reports = true, .contact = "a@mx.example.com"};
static const DmarcConfig older = {
    .mode = RFC7489, .reports = true, .contact = "a@mx.example.com"};

#define ZONE                                                   \
    TXT("example.com", "v=DMARC1; p=reject; np=reject; "       \
                       "rua=mailto:dmarc@reports.example.net") \
    "child.example.com 60 A 192.0.2.1\n"                       \
    "example.com._report._dmarc.reports.example.net 60 TXT "   \
    "\"v=DMARC1\"\n"

typedef struct Story {
    const char *name, *from, *spf, *spf_domain, *dkim;
    const DmarcConfig *config;
} Story;

static const Story stories[] = {
    {"of-a-fail", "child.example.com", "fail", "other.example", "", &on},
    {"of-a-pass", "a.child.example.com", "pass", "mail.example.com", "", &on},
    {"of-a-pass-by-dkim", "example.com", "fail", "other.example", "example.com",
     &on},
    {"of-nobody", "nobody.example.com", "none", NULL, "", &on},
    {"of-the-older-mode", "child.example.com", "fail", "other.example", "",
     &older},
};

static void
prepare(Harness *harness, void *data)
{
    const Story *story = data;
    gboolean signs = *story->dkim != '\0';

    harness_zone(harness, ZONE);
    harness_set(harness, "header.from.domain", story->from);
    harness_set(harness, "header.from.problem", "none");
    harness_set(harness, "client.ip", "192.0.2.1");
    harness_set(harness, "mail.domain", story->spf_domain);
    harness_set(harness, "spf.result", story->spf);
    harness_set(harness, "spf.domain", story->spf_domain);
    harness_set(harness, "dkim.result", signs ? "pass" : "none");
    harness_set(harness, "dkim.domains", story->dkim);
    harness_set(harness, "dkim.results",
                signs ? "pass:example.com:s1:rsa-sha256" : "");
}

static void
play(Harness *harness, void *data)
{
    const FilterdOutcome outcome = {.size = sizeof outcome,
                                    .fate = FILTERD_ACCEPTED};

    (void)data;
    harness_run(harness, FILTERD_MESSAGE);
    harness_done(harness, &outcome);
}

/* That From is as it should be, but of no domain, is permanent. Where nothing
 * is known, nobody is asked to do anything, and nothing has aligned so far. */
static bool
allows(const HarnessTrial *trial, const char *what, const char *whole,
       const char *now)
{
    (void)whole;
    if (strcmp(what, "problem") == 0)
        return true;
    if (strcmp(what, "disposition") == 0 || strcmp(what, "alignment") == 0)
        return strcmp(now, "none") == 0;
    return strcmp(trial->at, "lookup header.from.domain?") == 0
           && strstr(now, "permerror") != NULL;
}

static void
test_no_lie(gconstpointer data)
{
    const Story *story = data;
    const HarnessScene scene = {.least = 20,
                                .prepare = prepare,
                                .play = play,
                                .allows = allows,
                                .data = (void *)data};

    harness_explore(&filterd_plugin, story->config, &scene);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(stories); i++) {
        g_autofree char *path =
            g_strconcat("/dmarc/faults/", stories[i].name, NULL);

        g_test_add_data_func(path, &stories[i], test_no_lie);
    }
    return g_test_run();
}
