/* explain.c: why a rule's condition is what it is, for people and tools.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/explain.h"

#include "filterd/base/value.h"
#include "policy/evaluate.h"
#include "policy/written.h"

#include <string.h>

const char *const policy_truth_words[] = {"no", "yes", "unknown", NULL};

typedef struct Explaining {
    const PolicyClient *client;
    gboolean shadow;
    unsigned depth;
    GPtrArray *reasons;
    GPtrArray *seen; /* of the reason at hand */
} Explaining;

/* ---- life --------------------------------------------------------------- */

static void
seen_free(void *data)
{
    PolicySeen *seen = data;

    value_clear(&seen->value);
    g_free(seen);
}

static void
reason_free(void *data)
{
    PolicyReason *reason = data;

    g_free(reason->text);
    g_ptr_array_unref(reason->seen);
    g_free(reason);
}

void
policy_judgement_free(void *data)
{
    PolicyJudgement *judgement = data;

    g_ptr_array_unref(judgement->reasons);
    g_free(judgement);
}

/* ---- what it rests on --------------------------------------------------- */

static const FilterdValue *
look(void *data, const PolicyFact *fact, gboolean shadow)
{
    const Explaining *all = data;
    const FilterdValue *value =
        all->client->fact(all->client->data, fact, shadow);

    for (guint i = 0; i < all->seen->len; i++) {
        const PolicySeen *other = g_ptr_array_index(all->seen, i);

        if (other->fact == fact)
            return value;
    }
    PolicySeen *seen = g_new(PolicySeen, 1);
    *seen = (PolicySeen){fact, value_copy(value)};
    g_ptr_array_add(all->seen, seen);
    return value;
}

static PolicyTruth
truth_of(Explaining *all, const Node *node)
{
    const PolicyClient client = {
        .data = all, .fact = look, .absent = all->client->absent};
    Evaluation evaluation = {&client, all->shadow};

    return evaluate_truth(&evaluation, node);
}

/* What is at hand as seen; from now on others are. */
static GPtrArray *
take_seen(Explaining *all)
{
    GPtrArray *seen = all->seen;

    all->seen = g_ptr_array_new_with_free_func(seen_free);
    return seen;
}

static void
add_reason(Explaining *all, GString *text, PolicyTruth truth)
{
    PolicyReason *reason = g_new0(PolicyReason, 1);

    reason->depth = all->depth;
    reason->text = g_string_free(text, FALSE);
    reason->truth = truth;
    reason->seen = take_seen(all);
    g_ptr_array_add(all->reasons, reason);
}

static void explain(Explaining *all, const Node *node);

static void
explain_leaf(Explaining *all, const Node *node)
{
    GString *text = g_string_new(NULL);

    written_append(text, node);
    g_ptr_array_set_size(all->seen, 0);
    PolicyTruth truth = truth_of(all, node);
    add_reason(all, text, truth);
}

static void
explain_let(Explaining *all, const Node *node)
{
    PolicyTruth truth = truth_of(all, node);

    g_ptr_array_set_size(all->seen, 0);
    add_reason(all, g_string_new(node->declaration->name), truth);
    all->depth++;
    explain(all, node->declaration->node);
    all->depth--;
}

/* Where one child decides, that one; else those that are as the whole is. */
static void
explain_chain(Explaining *all, const Node *node)
{
    PolicyTruth truth = truth_of(all, node);
    PolicyTruth ends = node->kind == NODE_AND ? POLICY_NO : POLICY_YES;

    for (const Node *child = node->first; child != NULL; child = child->next) {
        if (truth_of(all, child) != truth)
            continue;
        explain(all, child);
        if (truth == ends)
            return;
    }
}

static void
explain(Explaining *all, const Node *node)
{
    if (node->kind == NODE_AND || node->kind == NODE_OR)
        explain_chain(all, node);
    else if (node->kind == NODE_NOT)
        explain(all, node->first);
    else if (node->kind == NODE_LET)
        explain_let(all, node);
    else
        explain_leaf(all, node);
}

PolicyJudgement *
policy_explain(const PolicyRule *rule, PolicyTruth truth, PolicyMode mode,
               const PolicyClient *client)
{
    const Node *condition = ((const Rule *)rule)->condition;
    PolicyJudgement *judgement = g_new0(PolicyJudgement, 1);
    Explaining all = {.client = client, .shadow = mode != POLICY_APPLIED};

    judgement->rule = rule;
    judgement->truth = truth;
    judgement->mode = mode;
    judgement->reasons = g_ptr_array_new_with_free_func(reason_free);
    all.reasons = judgement->reasons;
    all.seen = g_ptr_array_new_with_free_func(seen_free);
    if (condition != NULL && mode != POLICY_EXPIRED)
        explain(&all, condition);
    g_ptr_array_unref(all.seen);
    return judgement;
}
