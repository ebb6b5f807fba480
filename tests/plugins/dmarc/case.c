/* case.c: runs one message through the plugin.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/plugins/dmarc/case.h"

#include <string.h>

static void
set_spf(Harness *harness, const char *spf)
{
    g_auto(GStrv) words = g_strsplit(spf != NULL ? spf : "none", " ", 2);

    harness_set(harness, "spf.result", words[0]);
    harness_set(harness, "spf.domain", words[1]);
}

static void
set_dkim(Harness *harness, const char *dkim)
{
    g_auto(GStrv) signatures = g_strsplit(dkim != NULL ? dkim : "", ",", -1);
    g_autoptr(GString) domains = g_string_new(NULL);
    g_autoptr(GString) results = g_string_new(NULL);
    const char *best = signatures[0] != NULL ? "fail" : "none";

    for (unsigned i = 0; signatures[i] != NULL; i++) {
        const char *domain = strchr(signatures[i], ':') + 1;

        g_string_append_printf(results, "%s%s:s1:rsa-sha256", i > 0 ? "," : "",
                               signatures[i]);
        if (g_str_has_prefix(signatures[i], "temperror")
            && strcmp(best, "pass") != 0)
            best = "temperror";
        if (!g_str_has_prefix(signatures[i], "pass:"))
            continue;
        g_string_append_printf(domains, "%s%s", domains->len > 0 ? "," : "",
                               domain);
        best = "pass";
    }
    harness_set(harness, "dkim.result", best);
    harness_set(harness, "dkim.domains", domains->str);
    harness_set(harness, "dkim.results", results->str);
}

static char *
summary(Harness *harness)
{
    static const char *const names[] = {"result", "policy",       "disposition",
                                        "domain", "organization", "alignment"};
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        g_string_append_printf(text, "%s%s", i > 0 ? " " : "",
                               harness_fact(harness, names[i]));
    return g_string_free(text, FALSE);
}

Harness *
evaluate(const Case *test)
{
    const DmarcConfig config = {.mode = test->mode};
    Harness *harness = harness_new(
        &filterd_plugin, test->config != NULL ? test->config : &config);

    harness_zone(harness, test->zone);
    if (test->broken != NULL)
        harness_dns_status(harness, test->broken, 0, test->status);
    harness_set(harness, "header.from.domain", test->from);
    harness_set(harness, "header.from.problem", "none");
    harness_set(harness, "client.ip", "192.0.2.1");
    harness_set(harness, "mail.domain", "sender.example");
    set_spf(harness, test->spf);
    set_dkim(harness, test->dkim);
    harness_run(harness, FILTERD_MESSAGE);
    return harness;
}

static void
run_case(gconstpointer data)
{
    const Case *test = data;
    g_autoptr(Harness) harness = evaluate(test);
    g_autofree char *got = summary(harness);

    g_assert_cmpstr(got, ==, test->expected);
}

void
add_cases(const char *group, const Case *cases)
{
    for (; cases->name != NULL; cases++) {
        g_autofree char *path =
            g_strdup_printf("/dmarc/%s/%s", group, cases->name);

        g_test_add_data_func(path, cases, run_case);
    }
}
