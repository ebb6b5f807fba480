/* runs.c: many rules that ask the same: what is left out changes nothing.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/policy/world.h"

static const char *const subjects[] = {"mail.domain", "client.ip", "rcpt.local",
                                       "message.size"};
static const char *const constants[][3] = {
    {"\"a.example\"", "\"B.example\"", "\"c.example\""},
    {"192.0.2.1", "192.0.2.2", "2001:db8::1"},
    {"\"bob\"", "\"Alice\"", "\"\""},
    {"1", "1000", "2000"},
};
static const char *const values[][4] = {
    {"a.example", "b.example", "d.example", NULL},
    {"192.0.2.1", "2001:db8::1", "192.0.2.3", NULL},
    {"bob", "alice", "carol", NULL},
    {"1", "2000", "7", NULL},
};

#define PICK(random, array) \
    (array)[g_rand_int_range((random), 0, G_N_ELEMENTS(array))]

static void
append_rule(GString *text, GRand *random, int number, int subject)
{
    static const char *const prefixes[] = {"", "", "", "", "", "would "};
    static const char *const verdicts[] = {"reject", "accept", "score 1"};
    static const char *const tails[] = {"",
                                        "",
                                        " and client.fcrdns",
                                        " and not client.fcrdns",
                                        " or client.fcrdns",
                                        " and known auth.user"};
    const char *verdict = PICK(random, verdicts);
    g_string_append_printf(
        text, "%s%s r%d if %s %s %s%s\n",
        *verdict == 's' ? "" : PICK(random, prefixes), verdict, number,
        subjects[subject], g_rand_int_range(random, 0, 20) > 0 ? "=" : "!=",
        PICK(random, constants[subject]), PICK(random, tails));
}

/* Mostly of one subject for some time. */
static PolicyConfig *
make_policy(GRand *random)
{
    PolicyConfig *config;
    g_autoptr(GString) text = g_string_new("at message {\n");
    int subject = 0;
    for (int i = 0; i < 60; i++) {
        if (g_rand_int_range(random, 0, 15) == 0)
            subject = g_rand_int_range(random, 0, G_N_ELEMENTS(subjects));
        append_rule(text, random, i, subject);
    }
    g_string_append(text, "}\n");
    g_autofree char *notes = world_compile(text->str, &world_loader, &config);
    if (config == NULL)
        g_error("%s", notes);
    return config;
}

static char *
make_facts(GRand *random)
{
    static const char *const more[] = {"", "client.fcrdns=true",
                                       "client.fcrdns=false auth.user=bob"};
    GString *facts = g_string_new(PICK(random, more));
    for (guint i = 0; i < G_N_ELEMENTS(subjects); i++) {
        const char *value = PICK(random, values[i]);
        if (value != NULL)
            g_string_append_printf(facts, " %s=%s", subjects[i], value);
    }
    return g_string_free(facts, FALSE);
}

/* The verdict and what else fired. */
static char *
judge(const PolicyConfig *config, const char *facts, gboolean thorough)
{
    PolicyClient client = world_client;
    client.thorough = thorough;
    world_facts(config, facts);
    const PolicyRule *rule = policy_judge(config, FILTERD_MESSAGE, &client);
    g_autofree char *fired = world_fired();
    g_free(world_asked());
    return g_strdup_printf("%s after %s", rule != NULL ? rule->name : "-",
                           fired);
}

static void
same_verdicts(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(10);
    for (int i = 0; i < 300; i++) {
        PolicyConfig *config = make_policy(random);
        for (int j = 0; j < 20; j++) {
            g_autofree char *facts = make_facts(random);
            g_autofree char *all = judge(config, facts, TRUE);
            g_autofree char *some = judge(config, facts, FALSE);
            g_assert_cmpstr(some, ==, all);
        }
        policy_config_free(config);
    }
    world_facts(NULL, "");
}

static void
count(void *data, const PolicyRule *rule, PolicyTruth truth, PolicyMode mode)
{
    (void)rule;
    (void)truth;
    (void)mode;
    ++*(unsigned *)data;
}

static const FilterdValue *
give_address(void *data, const PolicyFact *fact, gboolean shadow)
{
    (void)data;
    (void)fact;
    (void)shadow;
    static const FilterdValue value = {.type = FILTERD_ADDRESS,
                                       .text = "u7000@example.org"};
    return &value;
}

/* Ten thousand rules, of which two can fire. */
static void
few_are_judged(void)
{
    PolicyConfig *config;
    unsigned judged = 0;
    const PolicyClient client = {
        .data = &judged, .fact = give_address, .judged = count};
    g_autoptr(GString) text = g_string_new("at mail {\n");
    for (int i = 0; i < 10000; i++)
        g_string_append_printf(
            text, "reject r%d if mail.from = \"u%d@example.org\"\n", i,
            i % 9000);
    g_string_append(text, "}\n");
    g_free(world_compile(text->str, &world_loader, &config));
    g_assert_nonnull(config);
    const PolicyRule *rule = policy_judge(config, FILTERD_MAIL, &client);
    g_assert_cmpstr(rule->name, ==, "r7000");
    g_assert_cmpuint(judged, ==, 1);
    policy_config_free(config);
}

static const FilterdValue absent = {.type = FILTERD_UNKNOWN};

static const FilterdValue *
give_absent(void *data, const PolicyFact *fact, gboolean shadow)
{
    (void)data;
    (void)fact;
    (void)shadow;
    return &absent;
}

/* Nobody can say of any of them that it does not fire. */
static void
absent_ones_are_judged(void)
{
    PolicyConfig *config;
    unsigned judged = 0;
    const PolicyClient client = {.data = &judged,
                                 .fact = give_absent,
                                 .judged = count,
                                 .absent = &absent};
    g_autoptr(GString) text = g_string_new("at mail {\n");
    for (int i = 0; i < 20; i++)
        g_string_append_printf(
            text, "reject r%d if mail.from = \"a%d@b.example\"\n", i, i);
    g_string_append(text, "}\n");
    g_free(world_compile(text->str, &world_loader, &config));
    g_assert_null(policy_judge(config, FILTERD_MAIL, &client));
    g_assert_cmpuint(judged, ==, 20);
    policy_config_free(config);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/policy/runs/leave-no-verdict-out", same_verdicts);
    g_test_add_func("/policy/runs/of-ten-thousand-few-are-judged",
                    few_are_judged);
    g_test_add_func("/policy/runs/what-is-absent-is-judged-in-turn",
                    absent_ones_are_judged);
    return g_test_run();
}
