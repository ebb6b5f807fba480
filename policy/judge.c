/* judge.c: the rules of a stage, carried out: first match, Kleene's logic.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/judge.h"

#include "policy/evaluate.h"
#include "policy/prefix.h"
#include "policy/runs.h"
#include "policy/template.h"

static gboolean
is_cancelled(const PolicyClient *client)
{
    return client->cancelled != NULL && client->cancelled(client->data);
}

static PolicyTruth
judge_rule(const Rule *rule, const PolicyClient *client, PolicyMode mode)
{
    Evaluation evaluation = {client, mode != POLICY_APPLIED};
    PolicyTruth truth = POLICY_YES;

    if (mode == POLICY_EXPIRED)
        truth = POLICY_NO;
    else if (rule->condition != NULL)
        truth = evaluate_truth(&evaluation, rule->condition);
    if (client->judged != NULL)
        client->judged(client->data, &rule->public, truth, mode);
    return truth;
}

const PolicyRule *
policy_judge(const PolicyConfig *config, FilterdStage stage,
             const PolicyClient *client)
{
    const GPtrArray *rules = config->rules->stages[stage];
    RunsWalk walk = runs_walk(config->rules->alike[stage], client, rules->len);
    unsigned i;

    while (!is_cancelled(client) && runs_next(&walk, &i)) {
        const Rule *rule = g_ptr_array_index(rules, i);
        PolicyMode mode = prefix_mode(rule, client);

        if (judge_rule(rule, client, mode) != POLICY_YES
            || is_cancelled(client))
            continue;
        if (rule->public.kind < POLICY_REWRITE && mode == POLICY_APPLIED)
            return &rule->public;
        client->fired(client->data, &rule->public, mode);
    }
    return NULL;
}

PolicyTruth
policy_rule_truth(const PolicyRule *public, const PolicyClient *client)
{
    const Node *condition = ((const Rule *)public)->condition;
    Evaluation evaluation = {client, TRUE};

    return condition != NULL ? evaluate_truth(&evaluation, condition)
                             : POLICY_YES;
}

/* Nothing may come of what is asked for it. */
static gboolean
is_shadow(const Rule *rule, const PolicyClient *client)
{
    return prefix_mode(rule, client) != POLICY_APPLIED;
}

/* What a verdict answers where its rule does not say. */
typedef struct DefaultReply {
    int code;
    const char *enhanced;
    const char *text;
} DefaultReply;

static const DefaultReply *
default_reply(const PolicyRule *rule)
{
    static const DefaultReply reject = {550, "5.7.1",
                                        "refused by local policy"};
    static const DefaultReply reject_connect = {554, "5.7.1",
                                                "no service for you here"};
    static const DefaultReply tempfail = {
        451, "4.7.1", "refused for now by local policy, try again later"};
    static const DefaultReply close = {
        421, "4.7.0", "closing the connection, try again later"};

    if (rule->kind == POLICY_DISCONNECT)
        return &close;
    if (rule->stage == FILTERD_CONNECT)
        return rule->kind == POLICY_TEMPFAIL ? &close : &reject_connect;
    return rule->kind == POLICY_TEMPFAIL ? &tempfail : &reject;
}

int
policy_rule_codes(const PolicyRule *public, char enhanced[POLICY_ENHANCED])
{
    const Rule *rule = (const Rule *)public;
    const DefaultReply *otherwise = default_reply(public);

    g_strlcpy(enhanced, otherwise->enhanced, POLICY_ENHANCED);
    if (rule->code != 0)
        enhanced[0] = (char)('0' + rule->code / 100);
    if (*rule->enhanced != '\0')
        g_strlcpy(enhanced, rule->enhanced, POLICY_ENHANCED);
    return rule->code != 0 ? rule->code : otherwise->code;
}

void
policy_rule_reply(const PolicyRule *public, const PolicyClient *client,
                  MailReply *reply)
{
    const Rule *rule = (const Rule *)public;
    const DefaultReply *otherwise = default_reply(public);
    g_autoptr(GString) text = g_string_new(NULL);
    char enhanced[POLICY_ENHANCED];
    int code = policy_rule_codes(public, enhanced);

    if (rule->text != NULL)
        template_append(text, rule->text, client, is_shadow(rule, client));
    else
        g_string_append(text, otherwise->text);
    mail_reply_set(reply, code, enhanced, text->str);
}

/* Room for so many values in `memory`, which knows no alignment. */
static FilterdValue *
allocate_values(GStringChunk *memory, unsigned count)
{
    gsize alignment = G_ALIGNOF(FilterdValue);
    gsize size = (count + 1) * sizeof(FilterdValue) + alignment;
    g_autofree char *zeros = g_malloc0(size);
    guintptr room =
        (guintptr)g_string_chunk_insert_len(memory, zeros, (gssize)size);

    return (FilterdValue *)((room + alignment - 1) / alignment * alignment);
}

static FilterdValue
argument_value(const Argument *argument, const Evaluation *evaluation,
               GStringChunk *memory)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (argument->template == NULL)
        return *evaluate_value(evaluation, argument->node);
    template_append(text, argument->template, evaluation->client,
                    evaluation->shadow);
    return filterd_string(
        argument->type,
        g_string_chunk_insert_len(memory, text->str, (gssize)text->len));
}

/* A value of a fact may go with the hook that published it. */
static void
keep_text(FilterdValue *value, GStringChunk *memory)
{
    if (value->type == FILTERD_TEXT || value->type == FILTERD_WORD
        || value->type == FILTERD_DOMAIN || value->type == FILTERD_ADDRESS)
        value->text = g_string_chunk_insert(memory, value->text);
}

const FilterdValue *
policy_rule_arguments(const PolicyRule *public, const PolicyClient *client,
                      GStringChunk *memory)
{
    const Rule *rule = (const Rule *)public;
    Evaluation evaluation = {client, is_shadow(rule, client)};
    FilterdValue *values = allocate_values(memory, rule->argument_count);

    for (unsigned i = 0; i < rule->argument_count; i++) {
        values[i] = argument_value(&rule->arguments[i], &evaluation, memory);
        keep_text(&values[i], memory);
    }
    return values;
}

static const FilterdValue *
note_question(void *data, G_GNUC_UNUSED const PolicyFact *fact,
              G_GNUC_UNUSED gboolean shadow)
{
    static const FilterdValue unknown = {.type = FILTERD_UNKNOWN};
    gboolean *asked = data;

    *asked = TRUE;
    return &unknown;
}

const FilterdValue *
policy_rule_constants(const PolicyRule *public, GStringChunk *memory)
{
    gboolean asked;
    const Rule *rule = (const Rule *)public;
    const PolicyClient client = {.data = &asked, .fact = note_question};
    Evaluation evaluation = {&client, FALSE};
    FilterdValue *values = allocate_values(memory, rule->argument_count);

    for (unsigned i = 0; i < rule->argument_count; i++) {
        asked = FALSE;
        values[i] = argument_value(&rule->arguments[i], &evaluation, memory);
        if (asked)
            values[i] = filterd_unknown();
        keep_text(&values[i], memory);
    }
    return values;
}

gboolean
policy_mentions(const PolicyConfig *config, const PolicyFact *fact)
{
    return g_hash_table_contains(config->rules->mentioned, fact);
}

static void
note_use(const Node *fact, G_GNUC_UNUSED const Node *at, void *data)
{
    const PolicyUse **use = data;

    if (*use != NULL && fact->fact->use == *use)
        *use = NULL;
}

gboolean
policy_rule_asks(const PolicyRule *rule, const PolicyUse *use)
{
    const Node *condition = ((const Rule *)rule)->condition;

    if (condition != NULL)
        node_each_fact(condition, note_use, &use);
    return use == NULL;
}

const GPtrArray *
policy_rules(const PolicyConfig *config)
{
    return config->rules->all;
}
