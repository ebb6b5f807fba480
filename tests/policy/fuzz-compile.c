/* fuzz-compile.c: any text as a configuration, then judged, explained and
 * tested: a libFuzzer target.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Linked with fuzz-replay.c it is a test over a corpus.
 */
#include "policy/test.h"
#include "tests/policy/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A fact of its type, or unknown, by its index. */
static const FilterdValue *
invent(G_GNUC_UNUSED void *data, const PolicyFact *fact,
       G_GNUC_UNUSED gboolean shadow)
{
    static FilterdValue values[64], item;
    FilterdValue *value = &values[fact->index % G_N_ELEMENTS(values)];

    *value = (FilterdValue){.type = fact->row->type};
    item = filterd_text("item");
    if (fact->index % 5 == 4)
        value->type = FILTERD_UNKNOWN;
    else if (value->type == FILTERD_LIST)
        *value = filterd_list(&item, 1);
    else if (value->type == FILTERD_IP)
        value->ip.prefix = 128;
    else if (value->type >= FILTERD_TEXT && value->type <= FILTERD_ADDRESS)
        value->text =
            fact->row->words != NULL ? fact->row->words[0] : "some.example";
    return value;
}

static void
ignore(G_GNUC_UNUSED void *data, G_GNUC_UNUSED const PolicyRule *rule,
       G_GNUC_UNUSED PolicyMode mode)
{
}

static const PolicyClient client = {.fact = invent, .fired = ignore};

static void
explain(G_GNUC_UNUSED void *data, const PolicyRule *rule, PolicyTruth truth,
        PolicyMode mode)
{
    policy_judgement_free(policy_explain(rule, truth, mode, &client));
}

static void
run_tests(const PolicyConfig *config)
{
    for (unsigned i = 0; i < policy_test_count(config); i++)
        policy_test_free(policy_test_run(config, i));
}

static void
carry_out(const PolicyRule *rule)
{
    GStringChunk *memory = g_string_chunk_new(64);
    MailReply reply = {0};

    if (rule->kind == POLICY_REWRITE)
        policy_rule_arguments(rule, &client, memory);
    else
        policy_rule_reply(rule, &client, &reply);
    mail_reply_clear(&reply);
    g_string_chunk_free(memory);
}

static void
judge(const PolicyConfig *config)
{
    const PolicyClient explained = {
        .fact = invent, .fired = ignore, .judged = explain};
    const GPtrArray *rules = policy_rules(config);
    g_autoptr(GString) group = g_string_new(NULL);

    for (int stage = 0; stage < FILTERD_STAGES; stage++) {
        policy_judge(config, (FilterdStage)stage, &explained);
        g_ptr_array_unref(policy_certain_facts(config, (FilterdStage)stage));
    }
    policy_group(config, &client, group);
    for (guint i = 0; i < rules->len; i++)
        carry_out(g_ptr_array_index(rules, i));
    run_tests(config);
}

static void
compile(const char *text, const PolicyLoader *loader)
{
    PolicyReport report;

    policy_report_init(&report);
    PolicyConfig *config =
        policy_compile_text("fuzz.conf", text, loader, &report);
    g_free(policy_report_format(&report));
    if (config != NULL)
        judge(config);
    g_clear_pointer(&config, policy_config_free);
    policy_report_clear(&report);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    g_autofree char *text = g_strndup((const char *)bytes, size);

    world_file("self.conf", text);
    compile(text, &world_loader);
    compile(text, &world_skeleton);
    return 0;
}
