/* group.c: what tells recipients of one transaction apart, and what a stage
 * asks for whatever happens.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/group.h"

#include "filterd/base/clock.h"
#include "filterd/base/value.h"
#include "policy/evaluate.h"
#include "policy/prefix.h"

/* What a tree rests on. */
typedef struct Ground {
    gboolean recipient;
    gboolean other; /* known when the recipient is judged */
    gboolean later;
} Ground;

static void
note_fact(const Node *fact, G_GNUC_UNUSED const Node *at, void *data)
{
    Ground *ground = data;
    FilterdStage since = fact->fact->row->since;

    if (since == FILTERD_RCPT)
        ground->recipient = TRUE;
    else if (since > FILTERD_RCPT)
        ground->later = TRUE;
    else
        ground->other = TRUE;
}

typedef struct Gathering {
    PolicyRules *rules;
    const Rule *rule;
} Gathering;

static void
add_term(const Gathering *gathering, const Node *node, gboolean raw)
{
    GroupTerm term = {node, gathering->rule, raw};

    g_array_append_val(gathering->rules->groups, term);
}

static void
add_raw(const Node *fact, G_GNUC_UNUSED const Node *at, void *data)
{
    if (fact->fact->row->since == FILTERD_RCPT)
        add_term(data, fact, TRUE);
}

/* The greatest sub-expressions that rest on the recipient alone. One relation
 * between recipient and sender is as good; one between recipient and message
 * cannot be answered yet: there the recipient's fact itself counts. */
static void
gather(const Gathering *gathering, const Node *node)
{
    Ground ground = {0};
    gboolean inner = node->kind == NODE_AND || node->kind == NODE_OR
                     || node->kind == NODE_NOT;

    node_each_fact(node, note_fact, &ground);
    if (!ground.recipient)
        return;
    if (node->kind == NODE_LET && (ground.other || ground.later)) {
        gather(gathering, node->declaration->node);
    } else if (inner && (ground.other || ground.later)) {
        for (const Node *child = node->first; child; child = child->next)
            gather(gathering, child);
    } else if (ground.later) {
        node_each_fact(node, add_raw, (void *)gathering);
    } else {
        add_term(gathering, node, FALSE);
    }
}

static void
prepare_stage(PolicyRules *rules, const GPtrArray *stage)
{
    for (guint i = 0; i < stage->len; i++) {
        const Rule *rule = g_ptr_array_index(stage, i);
        Gathering gathering = {rules, rule};

        if (rule->condition != NULL)
            gather(&gathering, rule->condition);
    }
}

void
group_prepare(PolicyRules *rules)
{
    prepare_stage(rules, rules->stages[FILTERD_DATA]);
    prepare_stage(rules, rules->stages[FILTERD_MESSAGE]);
}

void
policy_group(const PolicyConfig *config, const PolicyClient *client,
             GString *group)
{
    static const char letters[] = {
        [POLICY_NO] = 'n', [POLICY_YES] = 'y', [POLICY_UNKNOWN] = '?'};
    const GArray *terms = config->rules->groups;

    for (guint i = 0; i < terms->len; i++) {
        const GroupTerm *term = &g_array_index(terms, GroupTerm, i);
        PolicyMode mode = prefix_mode(term->rule, client);
        Evaluation evaluation = {client, mode != POLICY_APPLIED};

        if (mode == POLICY_EXPIRED)
            continue;
        if (term->raw) {
            value_append(group, evaluate_value(&evaluation, term->node));
            g_string_append_c(group, '\n');
        } else {
            g_string_append_c(group,
                              letters[evaluate_truth(&evaluation, term->node)]);
        }
    }
}

static void
add_fact(GPtrArray *facts, const PolicyFact *fact)
{
    if (!g_ptr_array_find(facts, fact, NULL))
        g_ptr_array_add(facts, (gpointer)fact);
}

/* ---- what is said of it ------------------------------------------------- */

typedef struct Dividing {
    GPtrArray *facts;
    const PolicyFact *score; /* NULL: it is the same for all recipients */
} Dividing;

static void
add_dividing(const Node *fact, G_GNUC_UNUSED const Node *at, void *data)
{
    const Dividing *dividing = data;

    if (fact->fact->row->since == FILTERD_RCPT || fact->fact == dividing->score)
        add_fact(dividing->facts, fact->fact);
}

/* The fact, if rules at rcpt make some of it; NULL. */
static const PolicyFact *
find_score(const PolicyConfig *config)
{
    const GPtrArray *rules = config->rules->stages[FILTERD_RCPT];

    for (guint i = 0; i < rules->len; i++) {
        const Rule *rule = g_ptr_array_index(rules, i);

        if (rule->public.kind == POLICY_SCORE && !rule->public.would)
            return policy_fact_find(config, "score");
    }
    return NULL;
}

static void
division_free(void *data)
{
    PolicyDivision *division = data;

    g_ptr_array_unref(division->facts);
    g_free(division);
}

GPtrArray *
policy_divisions(const PolicyConfig *config)
{
    GPtrArray *divisions = g_ptr_array_new_with_free_func(division_free);
    const GPtrArray *all = config->rules->all;
    const PolicyFact *score = find_score(config);

    for (guint i = 0; i < all->len; i++) {
        const Rule *rule = g_ptr_array_index(all, i);
        g_autoptr(GPtrArray) facts = g_ptr_array_new();
        Dividing dividing = {facts, score};

        if (rule->public.stage < FILTERD_DATA || rule->condition == NULL)
            continue;
        node_each_fact(rule->condition, add_dividing, &dividing);
        if (facts->len == 0)
            continue;
        PolicyDivision *division = g_new0(PolicyDivision, 1);
        division->rule = &rule->public;
        division->facts = g_steal_pointer(&facts);
        g_ptr_array_add(divisions, division);
    }
    return divisions;
}

/* ---- what a stage asks for ---------------------------------------------- */

/* The first that a tree asks for: what else it asks depends on the answer. */
static void
add_certain(GPtrArray *facts, const Node *node)
{
    while (node != NULL && node->kind != NODE_FACT)
        node = node->kind == NODE_LET ? node->declaration->node : node->first;
    if (node != NULL)
        add_fact(facts, node->fact);
}

GPtrArray *
policy_certain_facts(const PolicyConfig *config, FilterdStage stage)
{
    const GPtrArray *rules = config->rules->stages[stage];
    GPtrArray *facts = g_ptr_array_new();

    for (guint i = 0; i < rules->len; i++) {
        const Rule *rule = g_ptr_array_index(rules, i);

        if (rule->public.limited && clock_real() >= rule->public.until)
            continue;
        if (rule->condition != NULL)
            add_certain(facts, rule->condition);
        if (rule->public.kind < POLICY_REWRITE && !rule->public.would)
            break;
    }
    return facts;
}
