/* test.c: the policy's own tests, run: rules alone, without plugins or DNS.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/test.h"

#include "filterd/base/value.h"
#include "filterd/mail/address.h"
#include "policy/test-state.h"

#include <string.h>

typedef struct Run {
    const PolicyConfig *config;
    const Test *test;
    PolicyTest *result;
    PolicyClient client;
    GStringChunk *memory;
    GHashTable *facts; /* FilterdValue by PolicyFact */
    FilterdValue score;
    GPtrArray *fired; /* TestFired */
} Run;

/* ---- facts -------------------------------------------------------------- */

static FilterdValue *
find_fact(const Run *run, const char *name)
{
    const PolicyFact *fact = policy_fact_find(run->config, name);

    return fact != NULL ? g_hash_table_lookup(run->facts, fact) : NULL;
}

/* Unless it is given. */
static void
follow(Run *run, const char *name, FilterdType type, const char *text)
{
    const PolicyFact *fact = policy_fact_find(run->config, name);

    if (fact == NULL || g_hash_table_contains(run->facts, fact) || text == NULL
        || *text == '\0')
        return;
    const FilterdValue part = filterd_string(type, text);
    FilterdValue *value = g_new(FilterdValue, 1);
    *value = value_copy(&part);
    g_hash_table_insert(run->facts, (gpointer)fact, value);
}

static void
follow_addresses(Run *run)
{
    static const struct {
        const char *whole, *domain, *local; /* local NULL: no such fact */
    } rows[] = {
        {"mail.from", "mail.domain", "mail.local"},
        {"rcpt.to", "rcpt.domain", "rcpt.local"},
        {"header.from.address", "header.from.domain", NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        const FilterdValue *whole = find_fact(run, rows[i].whole);
        MailAddress address = {0};

        if (whole == NULL || whole->type == FILTERD_UNKNOWN
            || !mail_address_take(whole->text, MAIL_FORWARD_PATH, &address))
            continue;
        follow(run, rows[i].domain, FILTERD_DOMAIN, address.domain);
        if (rows[i].local != NULL)
            follow(run, rows[i].local, FILTERD_TEXT, address.local);
        mail_address_clear(&address);
    }
}

static FilterdValue
list_of(const TestGiven *given)
{
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(FilterdValue));

    for (const Node *node = given->value; node != NULL; node = node->next)
        g_array_append_val(items, node->value);
    const FilterdValue list =
        filterd_list((const FilterdValue *)items->data, items->len);
    return value_copy(&list);
}

static void
give(Run *run, const TestGiven *given)
{
    FilterdValue *value = g_new(FilterdValue, 1);
    gboolean unknown =
        given->value != NULL && given->value->value.type == FILTERD_UNKNOWN;

    if (given->fact->type == FILTERD_LIST && !unknown)
        *value = list_of(given);
    else
        *value = value_copy(&given->value->value);
    g_hash_table_replace(run->facts, (gpointer)given->fact->fact, value);
}

static void
give_all(Run *run, const Test *test)
{
    const GArray *givens = test->givens;

    for (guint i = 0; i < givens->len; i++) {
        const TestGiven *given = &g_array_index(givens, TestGiven, i);

        if (!given->settled)
            give(run, given);
    }
}

static const FilterdValue *
ask(void *data, const PolicyFact *fact, G_GNUC_UNUSED gboolean shadow)
{
    static const FilterdValue unknown = {.type = FILTERD_UNKNOWN};
    const Run *run = data;
    const FilterdValue *value = g_hash_table_lookup(run->facts, fact);

    if (fact->use == NULL && strcmp(fact->name, "score") == 0)
        return &run->score;
    return value != NULL ? value : &unknown;
}

/* ---- rules -------------------------------------------------------------- */

static void
fired_free(void *data)
{
    TestFired *fired = data;

    mail_reply_clear(&fired->reply);
    g_ptr_array_unref(fired->arguments);
    g_free(fired);
}

static gboolean
answers(const PolicyRule *rule)
{
    return rule->kind == POLICY_REJECT || rule->kind == POLICY_TEMPFAIL
           || rule->kind == POLICY_DISCONNECT;
}

static void
keep_arguments(const Run *run, TestFired *fired)
{
    const FilterdValue *values =
        policy_rule_arguments(fired->rule, &run->client, run->memory);

    for (unsigned i = 0; i < ((const Rule *)fired->rule)->argument_count; i++) {
        GString *text = g_string_new(NULL);

        value_append(text, &values[i]);
        g_ptr_array_add(fired->arguments, g_string_free(text, FALSE));
    }
}

static void
on_judged(void *data, const PolicyRule *rule, PolicyTruth truth,
          PolicyMode mode)
{
    Run *run = data;

    g_ptr_array_add(run->result->judgements,
                    policy_explain(rule, truth, mode, &run->client));
    if (truth != POLICY_YES)
        return;
    TestFired *fired = g_new0(TestFired, 1);
    fired->rule = rule;
    fired->mode = mode;
    fired->arguments = g_ptr_array_new_with_free_func(g_free);
    if (answers(rule))
        policy_rule_reply(rule, &run->client, &fired->reply);
    if (rule->kind == POLICY_REWRITE)
        keep_arguments(run, fired);
    g_ptr_array_add(run->fired, fired);
}

static void
on_fired(void *data, const PolicyRule *rule, PolicyMode mode)
{
    Run *run = data;

    if (rule->kind == POLICY_SCORE && mode == POLICY_APPLIED)
        run->score.integer += rule->score;
}

static int64_t
get_now(void *data)
{
    const Run *run = data;
    const Test *test = run->test;

    if (test->now == G_MININT64 && test->whole != NULL)
        test = test->whole;
    return test->now;
}

/* The mail is in every sample, unless the test says otherwise. */
static PolicySample
sample_of(const Test *test)
{
    if (test->sample == POLICY_SAMPLE_OWN && test->whole != NULL)
        test = test->whole;
    return test->sample == POLICY_SAMPLE_OWN ? POLICY_SAMPLE_IN : test->sample;
}

/* ---- the way through the stages ----------------------------------------- */

/* A quarantine holds unless a later stage refuses. */
static gboolean
decide(Run *run, const PolicyRule *rule)
{
    PolicyTest *result = run->result;
    gboolean ends = rule->kind != POLICY_QUARANTINE;

    if (rule->kind == POLICY_PASS)
        return FALSE;
    if (rule->kind == POLICY_ACCEPT && result->rule != NULL)
        return TRUE;
    result->rule = rule;
    if (answers(rule)) {
        const TestFired *last =
            g_ptr_array_index(run->fired, run->fired->len - 1);

        result->reply = mail_reply_format(&last->reply);
    }
    return ends;
}

static void
pass_stages(Run *run)
{
    for (int stage = 0; stage < FILTERD_STAGES; stage++) {
        run->result->stage = (FilterdStage)stage;
        const PolicyRule *rule =
            policy_judge(run->config, (FilterdStage)stage, &run->client);
        if (rule != NULL && decide(run, rule))
            return;
    }
}

static void
free_value(void *value)
{
    value_clear(value);
    g_free(value);
}

static PolicyTest *
result_new(const Test *test)
{
    PolicyTest *result = g_new0(PolicyTest, 1);

    result->name = test->name;
    result->place = &test->place;
    result->judgements = g_ptr_array_new_with_free_func(policy_judgement_free);
    result->unmet = g_ptr_array_new_with_free_func(test_unmet_free);
    return result;
}

PolicyTest *
policy_test_run(const PolicyConfig *config, unsigned index)
{
    const Test *test = g_ptr_array_index(config->rules->runs, index);
    Run run = {
        .config = config,
        .test = test,
        .result = result_new(test),
        .memory = g_string_chunk_new(1024),
        .facts = g_hash_table_new_full(NULL, NULL, NULL, free_value),
        .score = filterd_int(0),
        .fired = g_ptr_array_new_with_free_func(fired_free),
    };

    run.client = (PolicyClient){.data = &run,
                                .fact = ask,
                                .fired = on_fired,
                                .judged = on_judged,
                                .thorough = TRUE,
                                .now = get_now,
                                .sample = sample_of(test)};
    if (test->whole != NULL)
        give_all(&run, test->whole);
    give_all(&run, test);
    const FilterdValue *score = find_fact(&run, "score");
    if (score != NULL)
        run.score = *score;
    follow_addresses(&run);
    pass_stages(&run);
    run.result->score = run.score.integer;
    if (test->whole != NULL)
        test_expect(test->whole, run.fired, run.result);
    test_expect(test, run.fired, run.result);
    g_ptr_array_unref(run.fired);
    g_hash_table_unref(run.facts);
    g_string_chunk_free(run.memory);
    return run.result;
}

void
policy_test_free(PolicyTest *test)
{
    g_ptr_array_unref(test->judgements);
    g_ptr_array_unref(test->unmet);
    g_free(test->reply);
    g_free(test);
}

unsigned
policy_test_count(const PolicyConfig *config)
{
    return config->rules->runs->len;
}

const char *
policy_test_name(const PolicyConfig *config, unsigned index)
{
    const Test *test = g_ptr_array_index(config->rules->runs, index);

    return test->name;
}
