/* harness.c: a plugin that was built with an earlier plugin.h does on the
 * harness what it did then.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <filterd/harness.h>

#include "tests/abi/probe.h"

#include <gmodule.h>

static const ProbeZone zones[] = {{"listed.example", 3}, {"clear.example", 5}};
static const ProbeConfig config = {
    .level = 1, .zones = {zones, G_N_ELEMENTS(zones)}, .patience = 5000};

static Harness *
probe_new(const char *path)
{
    GModule *module = g_module_open(path, G_MODULE_BIND_LOCAL);
    gpointer plugin = NULL;

    g_assert_nonnull(module);
    g_assert_true(g_module_symbol(module, "filterd_plugin", &plugin));
    g_module_make_resident(module);

    Harness *harness = harness_new(plugin, &config);

    harness_zone(harness, "listed.example 60 A 127.0.0.2");
    harness_set(harness, "client.ip", "192.0.2.1");
    harness_set(harness, "rcpt.to", "b@example.com");
    return harness;
}

static void
test_hooks(gconstpointer path)
{
    g_autoptr(Harness) harness = probe_new(path);

    harness_run(harness, FILTERD_CONNECT);
    g_assert_cmpstr(harness_fact(harness, "sum"), ==, "4");
    harness_run(harness, FILTERD_RCPT);
    harness_run(harness, FILTERD_RCPT);
    g_assert_cmpstr(harness_fact(harness, "seen"), ==, "2");
    harness_message(harness, "From: x\n\nhello\n", 3);
    g_assert_cmpstr(harness_fact(harness, "length"), ==, "11");
    g_assert_cmpstr(harness_authres(harness), ==, "x-probe=pass");
}

static void
test_actions(gconstpointer path)
{
    static const FilterdValue text[] = {{.type = FILTERD_TEXT, .text = "one"},
                                        {.type = FILTERD_UNKNOWN}};
    static const FilterdValue nothing[] = {{.type = FILTERD_UNKNOWN}};
    g_autoptr(Harness) harness = probe_new(path);

    harness_message(harness, "From: x\n\nhello\n", 0);
    g_assert_true(harness_act(harness, "mark", text));
    g_assert_true(harness_act(harness, "sign", nothing));
    g_assert_true(harness_sign(harness, "From: x\n\nhello\n", 0));
    g_assert_cmpstr(harness_edits(harness), ==,
                    "add-header X-Probe: one\nadd-header X-Signed: yes");
}

static void
test_fate(gconstpointer path)
{
    const FilterdOutcome outcome = {.size = sizeof outcome,
                                    .fate = FILTERD_ACCEPTED};
    g_autoptr(Harness) harness = probe_new(path);

    harness_message(harness, "From: x\n\nhello\n", 0);
    harness_done(harness, &outcome);
    g_assert_cmpint(harness_metric(harness, "messages accepted"), ==, 1);
}

static void
play(Harness *harness, void *unused)
{
    (void)unused;
    harness_run(harness, FILTERD_CONNECT);
}

/* The probe takes a failed question for a no: that is found out, too. */
static bool
allows(const HarnessTrial *trial, const char *what, const char *whole,
       const char *now)
{
    (void)trial;
    (void)what;
    (void)whole;
    (void)now;
    return true;
}

static void
test_faults(gconstpointer path)
{
    GModule *module = g_module_open(path, G_MODULE_BIND_LOCAL);
    gpointer plugin = NULL;
    const HarnessScene scene = {.play = play, .allows = allows, .least = 11};

    g_assert_true(g_module_symbol(module, "filterd_plugin", &plugin));
    harness_explore(plugin, &config, &scene);
    g_module_make_resident(module);
}

static void
add(const char *path, const char *what, GTestDataFunc test)
{
    g_autofree char *revision = g_path_get_basename(path);
    g_autofree char *name = g_strdup_printf("/abi/%s/%s", revision, what);

    g_test_add_data_func(name, path, test);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (int i = 1; i < argc; i++) {
        add(argv[i], "hooks", test_hooks);
        add(argv[i], "actions", test_actions);
        add(argv[i], "fate", test_fate);
        add(argv[i], "faults", test_faults);
    }
    return g_test_run();
}
