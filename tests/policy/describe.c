/* describe.c: plugins whose tables rest on their options.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/policy/world.h"

#include <string.h>

static const WorldCase cases[] = {
    {"use named as a { fact x fact y }\n"
     "use named as b { fact z }\n"
     "at mail { reject one if a.x and a.y and b.z }\n",
     ""},
    {"use named as a { fact x }\n"
     "use named as b { fact z }\n"
     "at mail { reject one if a.z }\n",
     "3:25: no fact `a.z` | there is a.x\n"},
    {"use named as a { fact x }\n"
     "at connect { reject one if a.x }\n",
     "2:28: `a.x` is not known at `connect` | it is known from `mail` "
     "on\n"},
    /* The error is where the option is; facts that nobody knows then are no
     * errors more. */
    {"use named as a {\n"
     "    fact x\n"
     "    value 5m 6m\n"
     "    value 7m many\n"
     "}\n"
     "at mail { reject one if a.x or a.y }\n",
     "4:5: `a`: `many` is not a duration | such as 500ms, 10s, 5m, 2h or "
     "7d\n"},
    {"use named as a { fact broken }\n"
     "at mail { reject one if a.broken }\n",
     "1:5: `a`: a broken table\n"},
    /* It knows what stands above it. */
    {"use dkim as signed\n"
     "use named as a { fact x after client.ip signed.domains }\n"
     "use named as b { fact y after dkim.domains a.x }\n"
     "at mail { reject one if a.x reject two if b.y }\n",
     "4:25: `a.x` is not known at `mail` | it is known from `message` on\n"
     "4:43: `b.y` is not known at `mail` | it is known from `message` on\n"},
    {"use named as a { fact x after client.ip b.y }\n"
     "use named as b { fact y }\n",
     "1:25: `a`: there is no `b.y` | look above\n"},
    {"use dkim\n"
     "use named as a { fact x after dkim.domans }\n",
     "2:25: `a`: there is no `dkim.domans`; did you mean `dkim.domains`?\n"},
    {"use nothing as n\n"
     "use named as a { fact x after n.fact }\n",
     "1:5: cannot load the plugin `nothing`: no such plugin\n"},
};

static void
errors(void)
{
    world_check(cases, G_N_ELEMENTS(cases));
}

static void
options_first(void)
{
    PolicyConfig *config;
    g_autofree char *notes =
        world_compile("use named as a { value many unknown-option }\n"
                      "at mail { reject one if a.y }\n",
                      &world_loader, &config);

    g_assert_null(config);
    g_assert_cmpstr(notes, ==,
                    "1:18: `a`: `many` is not a duration | such as 500ms, "
                    "10s, 5m, 2h or 7d\n");
}

/* Each has its own, and the plugin's table is what it was. */
static void
tables_of_their_own(void)
{
    g_autoptr(PolicyConfig) config =
        world_config("use named as a { fact x }\n"
                     "use named as b { fact x fact y }\n");
    const PolicyUse *a = config->uses->pdata[0], *b = config->uses->pdata[1];

    g_assert_true(a->plugin != b->plugin);
    g_assert_cmpstr(a->plugin->facts[0].doc, ==, "a");
    g_assert_cmpstr(b->plugin->facts[1].name, ==, "y");
    g_assert_cmpstr(b->plugin->name, ==, "named");
    g_assert_true(policy_fact_find(config, "b.y")->row == &b->plugin->facts[1]);
    g_assert_true(policy_fact_find(config, "b.y")->use == b);
}

/* For where it has to be told again. */
static void
what_was_asked(void)
{
    g_autoptr(PolicyConfig) config = world_config(
        "use dkim as signed\n"
        "use named as a { fact x }\n"
        "use named as b { fact x after dkim.domains client.ip }\n");
    const PolicyUse *a = config->uses->pdata[1], *b = config->uses->pdata[2];

    g_assert_null(a->asked);
    g_assert_cmpstr(b->asked[0].name, ==, "dkim.domains");
    g_assert_cmpint(b->asked[0].type, ==, FILTERD_LIST);
    g_assert_cmpint(b->asked[0].since, ==, FILTERD_MESSAGE);
    g_assert_cmpstr(b->asked[1].name, ==, "client.ip");
    g_assert_null(b->asked[2].name);
}

/* What the text of a need leaves open fits any fact; the instance may write
 * into its config. */
static void
config_is_its_own(void)
{
    g_autoptr(PolicyConfig) config = world_config("use named { fact x }\n");
    const PolicyUse *use = config->uses->pdata[0];
    const struct {
        FilterdArray facts, values;
        const FilterdFact *made;
    } *own = use->config;

    g_assert_true(own->made == use->plugin->facts);
    g_assert_cmpint(use->plugin->needs[0].type, ==, FILTERD_UNKNOWN);
}

/* The master loads no plugin, so nothing is described there. */
static void
skeleton(void)
{
    PolicyConfig *config;
    g_autofree char *notes =
        world_compile("use named { value many }\n", &world_skeleton, &config);

    g_assert_cmpstr(notes, ==, "");
    policy_config_free(config);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/policy/describe/errors-are-where-the-option-is", errors);
    g_test_add_func("/policy/describe/after-all-options", options_first);
    g_test_add_func("/policy/describe/tables-of-their-own",
                    tables_of_their_own);
    g_test_add_func("/policy/describe/what-it-writes-into-its-config",
                    config_is_its_own);
    g_test_add_func("/policy/describe/what-was-asked-is-kept", what_was_asked);
    g_test_add_func("/policy/describe/not-in-a-skeleton", skeleton);
    return g_test_run();
}
