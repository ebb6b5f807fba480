/* rules.c: verdicts in order, replies, rewrites, groups, certain facts.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/policy/world.h"

static const char *
judge(const PolicyConfig *config, FilterdStage stage, const char *facts)
{
    world_facts(config, facts);
    const PolicyRule *rule = policy_judge(config, stage, &world_client);
    return rule != NULL ? rule->name : NULL;
}

static void
test_first_match(void)
{
    PolicyConfig *config =
        world_config("at mail {\n"
                     "    score 3 odd if mail.size > 5\n"
                     "    would reject shadow if mail.size > 6\n"
                     "    rewrite add-header(\"X\", \"y\") if mail.size > 7\n"
                     "    pass first if mail.size > 8\n"
                     "    reject second if mail.size > 8\n"
                     "    tempfail last\n"
                     "}\n");

    g_assert_cmpstr(judge(config, FILTERD_MAIL, "mail.size=9"), ==, "first");
    g_autofree char *fired = world_fired();
    g_autofree char *asked = world_asked();
    g_assert_cmpstr(fired, ==, "odd shadow add-header");
    g_assert_cmpstr(asked, ==, "mail.size ~mail.size mail.size mail.size");
    g_assert_cmpstr(judge(config, FILTERD_MAIL, ""), ==, "last");
    g_assert_cmpstr(judge(config, FILTERD_RCPT, ""), ==, NULL);
    world_facts(NULL, "");
    policy_config_free(config);
}

static gboolean
is_cancelled(void *data)
{
    return --*(int *)data < 0;
}

static void
test_cancelled(void)
{
    PolicyConfig *config = world_config("at mail { reject all }\n");
    PolicyClient client = world_client;
    int turns = 1;

    world_facts(config, "");
    client.data = &turns;
    client.cancelled = is_cancelled;
    g_assert_null(policy_judge(config, FILTERD_MAIL, &client));
    world_facts(NULL, "");
    policy_config_free(config);
}

static void
note_truth(void *data, const PolicyRule *rule, PolicyTruth truth,
           G_GNUC_UNUSED PolicyMode mode)
{
    g_string_append_printf(data, "%s%c", rule->name, "nyu"[truth]);
}

static void
test_truths_are_told(void)
{
    PolicyConfig *config = world_config("at mail { pass a if client.tls\n"
                                        "pass b if client.fcrdns\n"
                                        "pass c }\n");
    g_autoptr(GString) told = g_string_new(NULL);
    PolicyClient client = world_client;

    world_facts(config, "client.tls=no");
    client.data = told;
    client.judged = note_truth;
    g_assert_nonnull(policy_judge(config, FILTERD_MAIL, &client));
    g_assert_cmpstr(told->str, ==, "anbucy");
    world_facts(NULL, "");
    policy_config_free(config);
}

static const struct {
    FilterdStage stage;
    const char *rule;
    const char *reply;
} replies[] = {
    {FILTERD_MAIL, "reject x", "550 5.7.1 refused by local policy"},
    {FILTERD_MAIL, "tempfail x",
     "451 4.7.1 refused for now by local policy, try again later"},
    {FILTERD_CONNECT, "reject x", "554 5.7.1 no service for you here"},
    {FILTERD_CONNECT, "tempfail x",
     "421 4.7.0 closing the connection, try again later"},
    {FILTERD_MAIL, "disconnect x",
     "421 4.7.0 closing the connection, try again later"},
    {FILTERD_MAIL, "disconnect x reply 554 \"go\"", "554 5.7.0 go"},
    {FILTERD_MAIL, "reject x reply \"no\"", "550 5.7.1 no"},
    {FILTERD_MAIL, "reject x reply 554 \"no\"", "554 5.7.1 no"},
    {FILTERD_MAIL, "reject x reply 554 5.5.0 \"no\"", "554 5.5.0 no"},
    {FILTERD_MAIL, "reject x reply \"{{{mail.domain}}} \\\"\\\\ {mail.size}\"",
     "550 5.7.1 {a.test} \"\\ -"},
    {FILTERD_MAIL, "reject x reply \"{client.ip} {mail.local} {bl.zones}\"",
     "550 5.7.1 192.0.2.1 evil??250?ok x,y"},
    {FILTERD_MAIL, "reject x reply \"{probe.wait} {client.tls}\"",
     "550 5.7.1 5m yes"},
};

static void
test_replies(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(replies); i++) {
        g_autofree char *text = g_strdup_printf(
            PLUGINS "at %s { %s }\n",
            replies[i].stage == FILTERD_MAIL ? "mail" : "connect",
            replies[i].rule);
        PolicyConfig *config = world_config(text);
        MailReply reply = {0};

        world_facts(config, "client.ip=192.0.2.1 mail.domain=a.test "
                            "mail.local=evil\r\n250\177ok bl.zones=x,y "
                            "probe.wait=300000 client.tls=yes");
        const PolicyRule *rule =
            policy_judge(config, replies[i].stage, &world_client);
        policy_rule_reply(rule, &world_client, &reply);
        g_autofree char *shown = mail_reply_format(&reply);
        g_assert_cmpstr(shown, ==, replies[i].reply);
        mail_reply_clear(&reply);
        world_facts(NULL, "");
        policy_config_free(config);
    }
}

static void
test_delays(void)
{
    static const struct {
        const char *rule;
        int64_t delay;
    } rows[] = {
        {"reject x", 0},
        {"reject x reply \"no\"", 0},
        {"reject x reply \"no\" after 5s", 5000},
        {"tempfail after if client.tls reply 451 \"no\" after 30s reject "
         "after2",
         30000},
        {"disconnect x reply 421 4.7.0 \"no\" after 250ms", 250},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text =
            g_strdup_printf(PLUGINS "at mail { %s }\n", rows[i].rule);
        PolicyConfig *config = world_config(text);
        const PolicyRule *rule = g_ptr_array_index(policy_rules(config), 0);

        g_assert_cmpint(rule->delay, ==, rows[i].delay);
        policy_config_free(config);
    }
}

static const FilterdValue *
arguments_of(const PolicyConfig *config, GStringChunk *memory)
{
    const GPtrArray *rules = policy_rules(config);

    return policy_rule_arguments(g_ptr_array_index(rules, 0), &world_client,
                                 memory);
}

static void
test_arguments(void)
{
    PolicyConfig *config = world_config(
        PLUGINS "at message {\n"
                "rewrite probe.act(-5, 5m, client.tls, client.ip, bl.zones)\n"
                "rewrite add-header(\"X-{mail.domain}\", mail.local)\n"
                "rewrite set-sender(\"bounce@{mail.domain}\")\n"
                "rewrite add-recipient(\"Joe@EXAMPLE.com\")\n"
                "}\n");
    GStringChunk *memory = g_string_chunk_new(16);
    const GPtrArray *rules = policy_rules(config);

    world_facts(config, "client.tls=yes client.ip=192.0.2.1 "
                        "mail.domain=a.test bl.zones=x,y");
    const FilterdValue *values = arguments_of(config, memory);
    g_assert_cmpint(values[0].integer, ==, -5);
    g_assert_cmpint(values[1].integer, ==, 300000);
    g_assert_true(values[2].boolean);
    g_assert_cmpint(values[3].type, ==, FILTERD_IP);
    g_assert_cmpuint(values[4].list.length, ==, 2);
    values = policy_rule_arguments(g_ptr_array_index(rules, 1), &world_client,
                                   memory);
    g_assert_cmpstr(values[0].text, ==, "X-a.test");
    g_assert_cmpint(values[1].type, ==, FILTERD_UNKNOWN);
    values = policy_rule_arguments(g_ptr_array_index(rules, 2), &world_client,
                                   memory);
    g_assert_cmpint(values[0].type, ==, FILTERD_ADDRESS);
    g_assert_cmpstr(values[0].text, ==, "bounce@a.test");
    values = policy_rule_arguments(g_ptr_array_index(rules, 3), &world_client,
                                   memory);
    g_assert_cmpstr(values[0].text, ==, "Joe@EXAMPLE.com");
    g_string_chunk_free(memory);
    world_facts(NULL, "");
    policy_config_free(config);
}

static char *
group_of(const PolicyConfig *config, const char *facts)
{
    g_autoptr(GString) group = g_string_new(NULL);

    world_facts(config, facts);
    policy_group(config, &world_client, group);
    return g_strdup(group->str);
}

#define TO(domain) "rcpt.domain=" domain

static void
test_groups(void)
{
    PolicyConfig *config = world_config(
        PLUGINS
        "list some of domain { a.test b.test }\n"
        "let bulky = mail.size > 5 and rcpt.domain in some\n"
        "at rcpt { reject z if rcpt.domain = \"z.test\" }\n"
        "at message {\n"
        "reject one if dkim.result = fail and not (rcpt.domain in some and "
        "rcpt.count > 5)\n"
        "reject two if bulky\n"
        "would reject three if rcpt.domain = mail.domain\n"
        "}\n");
    g_autofree char *a = group_of(config, TO("a.test") " rcpt.count=1");
    g_autofree char *b =
        group_of(config, TO("b.test") " rcpt.count=2 mail.domain=b.test");
    g_autofree char *c = group_of(config, TO("c.test") " rcpt.count=3");

    g_assert_cmpstr(a, ==, "yy?");
    g_assert_cmpstr(b, ==, "yyy");
    g_assert_cmpstr(c, ==, "yn?");
    g_autofree char *asked = world_asked();
    g_assert_cmpstr(asked, ==,
                    "rcpt.domain rcpt.domain ~rcpt.domain ~mail.domain");
    world_facts(NULL, "");
    policy_config_free(config);
}

/* What the message decides of the recipient is not known at rcpt. */
static void
test_groups_with_message(void)
{
    PolicyConfig *config = world_config(
        "at message { reject one if header.from.domain = rcpt.domain }\n");
    g_autofree char *a = group_of(config, TO("a.test"));
    g_autofree char *b = group_of(config, TO("b.test"));

    g_assert_cmpstr(a, ==, "a.test\n");
    g_assert_cmpstr(b, ==, "b.test\n");
    world_facts(NULL, "");
    policy_config_free(config);
}

static void
test_one_group(void)
{
    PolicyConfig *config = world_config(
        "at message { reject one if header.from.problem != none }\n");
    g_autofree char *a = group_of(config, TO("a.test"));

    g_assert_cmpstr(a, ==, "");
    world_facts(NULL, "");
    policy_config_free(config);
}

static char *
certain(const PolicyConfig *config, FilterdStage stage)
{
    g_autoptr(GPtrArray) facts = policy_certain_facts(config, stage);
    GString *names = g_string_new(NULL);

    for (guint i = 0; i < facts->len; i++) {
        const PolicyFact *fact = g_ptr_array_index(facts, i);
        g_string_append_printf(names, "%s%s", i > 0 ? " " : "", fact->name);
    }
    return g_string_free(names, FALSE);
}

static void
test_certain_facts(void)
{
    PolicyConfig *config = world_config(
        PLUGINS "let listed = bl.score > 5 and client.tls\n"
                "at mail {\n"
                "    score 1 a if spf.result = fail and mail.size > 5\n"
                "    would reject b if not (listed or client.fcrdns)\n"
                "    reject c if known auth.user or mail.size > 5\n"
                "    reject d if mail.local = \"x\"\n"
                "}\n");
    g_autofree char *mail = certain(config, FILTERD_MAIL);
    g_autofree char *rcpt = certain(config, FILTERD_RCPT);

    g_assert_cmpstr(mail, ==, "spf.result bl.score auth.user");
    g_assert_cmpstr(rcpt, ==, "");
    policy_config_free(config);
}

static void
test_mentions(void)
{
    PolicyConfig *config =
        world_config(PLUGINS "at mail {\n"
                             "    rewrite add-header(\"X\", \"{spf.domain}\")\n"
                             "    rewrite add-header(\"X\", mail.local)\n"
                             "    reject a if bl.listed reply \"{bl.reason}\"\n"
                             "}\n");
    static const struct {
        const char *name;
        gboolean mentioned;
    } facts[] = {
        {"bl.listed", TRUE},  {"bl.reason", TRUE},   {"spf.domain", TRUE},
        {"mail.local", TRUE}, {"spf.result", FALSE}, {"bl.score", FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(facts); i++)
        g_assert_cmpint(
            policy_mentions(config, policy_fact_find(config, facts[i].name)),
            ==, facts[i].mentioned);
    g_assert_null(policy_fact_find(config, "bl.nonsense"));
    policy_config_free(config);
}

static void
test_rules(void)
{
    PolicyConfig *config = world_config(
        PLUGINS "at rcpt { would reject a if rcpt.count > 5 }\n"
                "at mail { score -3 b if client.tls }\n"
                "at rcpt { rewrite probe.act(1, 1s, yes, ::1, bl.zones) }\n");
    const GPtrArray *rules = policy_rules(config);
    const PolicyRule *a = g_ptr_array_index(rules, 0);
    const PolicyRule *b = g_ptr_array_index(rules, 1);
    const PolicyRule *act = g_ptr_array_index(rules, 2);

    g_assert_cmpuint(rules->len, ==, 3);
    g_assert_true(a->would);
    g_assert_cmpint(a->stage, ==, FILTERD_RCPT);
    g_assert_cmpint(a->place.line, ==, 2);
    g_assert_cmpint(b->kind, ==, POLICY_SCORE);
    g_assert_cmpint(b->score, ==, -3);
    g_assert_cmpuint(act->index, ==, 2);
    g_assert_cmpstr(act->use->name, ==, "probe");
    g_assert_cmpstr(act->action->name, ==, "act");
    g_assert_cmpstr(act->name, ==, "probe.act");
    policy_config_free(config);
}

static void
test_large_list(void)
{
    g_autoptr(GString) text = g_string_new("# many\n");

    for (int i = 0; i < 200000; i++)
        g_string_append_printf(text, "10.%d.%d.%d/32\n", i >> 16 & 255,
                               i >> 8 & 255, i & 255);
    world_file("many", text->str);
    PolicyConfig *config =
        world_config("list many of ip from \"many\"\n"
                     "at connect { reject x if client.ip in many }\n");
    g_assert_cmpstr(judge(config, FILTERD_CONNECT, "client.ip=10.3.13.63"), ==,
                    "x");
    g_assert_cmpstr(judge(config, FILTERD_CONNECT, "client.ip=10.3.13.64"), ==,
                    NULL);
    world_facts(NULL, "");
    world_clear();
    policy_config_free(config);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/policy/rules/first-match-ends-the-stage",
                    test_first_match);
    g_test_add_func("/policy/rules/no-verdict-when-cancelled", test_cancelled);
    g_test_add_func("/policy/rules/each-truth-is-told", test_truths_are_told);
    g_test_add_func("/policy/rules/replies-and-their-defaults", test_replies);
    g_test_add_func("/policy/rules/replies-that-come-late", test_delays);
    g_test_add_func("/policy/rules/arguments-of-rewrites", test_arguments);
    g_test_add_func("/policy/rules/recipients-are-told-apart", test_groups);
    g_test_add_func("/policy/rules/recipients-against-the-message",
                    test_groups_with_message);
    g_test_add_func("/policy/rules/one-group-without-recipient-facts",
                    test_one_group);
    g_test_add_func("/policy/rules/certain-facts-come-first",
                    test_certain_facts);
    g_test_add_func("/policy/rules/facts-that-are-mentioned", test_mentions);
    g_test_add_func("/policy/rules/are-in-file-order", test_rules);
    g_test_add_func("/policy/rules/large-lists-are-found-in", test_large_list);
    return g_test_run();
}
