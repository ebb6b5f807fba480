/* evaluate.c: the value and the truth of a tree, in Kleene's logic.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Left to right, no further than needed, without allocation. A comparison
 * whose left side is unknown does not ask for the right one.
 */
#include "policy/evaluate.h"

#include "filterd/base/ip.h"

static const FilterdValue unknown = {.type = FILTERD_UNKNOWN};
static const FilterdValue truths[] = {
    [POLICY_NO] = {.type = FILTERD_BOOL, .boolean = false},
    [POLICY_YES] = {.type = FILTERD_BOOL, .boolean = true},
    [POLICY_UNKNOWN] = {.type = FILTERD_UNKNOWN},
};

static PolicyTruth
truth_of(gboolean yes)
{
    return yes ? POLICY_YES : POLICY_NO;
}

static gboolean
is_textual(FilterdType type)
{
    return type == FILTERD_TEXT || type == FILTERD_WORD
           || type == FILTERD_DOMAIN || type == FILTERD_ADDRESS;
}

static gboolean
is_integer(FilterdType type)
{
    return type == FILTERD_INT || type == FILTERD_DURATION;
}

/* The check saw to it, but what a plugin puts into a list is its own. */
static gboolean
comparable(FilterdType a, FilterdType b)
{
    return a == b || (is_textual(a) && is_textual(b))
           || (is_integer(a) && is_integer(b));
}

const FilterdValue *
evaluate_value(const Evaluation *evaluation, const Node *node)
{
    const PolicyClient *client = evaluation->client;

    while (node->kind == NODE_LET)
        node = node->declaration->node;
    if (node->kind == NODE_FACT)
        return client->fact(client->data, node->fact, evaluation->shadow);
    if (node->kind == NODE_LITERAL)
        return &node->value;
    if (node->kind != NODE_ENTRY)
        return &truths[evaluate_truth(evaluation, node)];
    const FilterdValue *key = evaluate_value(evaluation, node->first);
    if (key == client->absent)
        return key;
    if (!comparable(key->type, node->declaration->type))
        return &unknown;
    const FilterdValue *found = lookup_find(node->declaration->lookup, key);
    return found != NULL ? found : &unknown;
}

/* Less than, equal to or greater than 0; texts without case. */
static int
compare(const FilterdValue *left, const FilterdValue *right)
{
    if (is_integer(left->type))
        return (left->integer > right->integer)
               - (left->integer < right->integer);
    if (left->type == FILTERD_BOOL)
        return left->boolean != right->boolean;
    if (left->type == FILTERD_IP)
        return !ip_equal(&left->ip, &right->ip);
    return g_ascii_strcasecmp(left->text, right->text);
}

gboolean
comparison_holds(Comparison comparison, int order)
{
    /* For less, equal, more. */
    static const gboolean answers[][3] = {
        [COMPARE_EQUAL] = {FALSE, TRUE, FALSE},
        [COMPARE_UNEQUAL] = {TRUE, FALSE, TRUE},
        [COMPARE_LESS] = {TRUE, FALSE, FALSE},
        [COMPARE_LESS_EQUAL] = {TRUE, TRUE, FALSE},
        [COMPARE_MORE] = {FALSE, FALSE, TRUE},
        [COMPARE_MORE_EQUAL] = {FALSE, TRUE, TRUE},
    };
    return answers[comparison][(order > 0) - (order < 0) + 1];
}

static PolicyTruth
truth_compare(const Evaluation *evaluation, const Node *node)
{
    /* A copy: the right side may wait, and its fact be written in its place. */
    FilterdValue left = *evaluate_value(evaluation, node->first);
    if (left.type == FILTERD_UNKNOWN)
        return POLICY_UNKNOWN;
    const FilterdValue *right = evaluate_value(evaluation, node->first->next);
    if (!comparable(left.type, right->type))
        return POLICY_UNKNOWN;
    return truth_of(comparison_holds(node->comparison, compare(&left, right)));
}

static PolicyTruth
truth_not(const Evaluation *evaluation, const Node *node)
{
    PolicyTruth truth = evaluate_truth(evaluation, node->first);

    if (truth == POLICY_UNKNOWN)
        return truth;
    return truth_of(truth == POLICY_NO);
}

/* The first child that is `ends` decides; else unknown if any is. */
static PolicyTruth
truth_chain(const Evaluation *evaluation, const Node *node, PolicyTruth ends)
{
    PolicyTruth result = truth_of(ends == POLICY_NO);

    for (const Node *child = node->first; child != NULL; child = child->next) {
        PolicyTruth truth = evaluate_truth(evaluation, child);

        if (truth == ends)
            return ends;
        if (truth == POLICY_UNKNOWN)
            result = POLICY_UNKNOWN;
    }
    return result;
}

static PolicyTruth
truth_and(const Evaluation *evaluation, const Node *node)
{
    return truth_chain(evaluation, node, POLICY_NO);
}

static PolicyTruth
truth_or(const Evaluation *evaluation, const Node *node)
{
    return truth_chain(evaluation, node, POLICY_YES);
}

static PolicyTruth
truth_known(const Evaluation *evaluation, const Node *node)
{
    const FilterdValue *value = evaluate_value(evaluation, node->first);

    if (value == evaluation->client->absent)
        return POLICY_UNKNOWN;
    return truth_of(value->type != FILTERD_UNKNOWN);
}

/* ---- in ---- */

static PolicyTruth
is_item(const FilterdList *list, const FilterdValue *value)
{
    PolicyTruth truth = POLICY_NO;

    for (gsize i = 0; i < list->length; i++) {
        const FilterdValue *item = &list->items[i];

        if (!comparable(item->type, value->type))
            truth = POLICY_UNKNOWN;
        else if (compare(item, value) == 0)
            return POLICY_YES;
    }
    return truth;
}

static PolicyTruth
truth_of_answer(PatternAnswer answer)
{
    static const PolicyTruth answers[] = {
        [PATTERN_NO] = POLICY_NO,
        [PATTERN_YES] = POLICY_YES,
        [PATTERN_GAVE_UP] = POLICY_UNKNOWN,
    };

    return answers[answer];
}

static PolicyTruth
is_named(const Declaration *list, const FilterdValue *value)
{
    if (!comparable(value->type, list->type))
        return POLICY_UNKNOWN;
    if (list->patterns != NULL)
        return truth_of_answer(pattern_list_match(list->patterns, value->text));
    return truth_of(lookup_find(list->lookup, value) != NULL);
}

/* Whether one value is in what stands right of `in`: a list of the file, a
 * fact that is a list, a network. */
static PolicyTruth
is_member(const Node *right, const FilterdValue *list,
          const FilterdValue *value)
{
    if (right->kind == NODE_NAMED)
        return is_named(right->declaration, value);
    if (list->type == FILTERD_LIST)
        return is_item(&list->list, value);
    if (value->type != FILTERD_IP)
        return POLICY_UNKNOWN;
    return truth_of(ip_contains(&list->ip, &value->ip));
}

/* A list is in it if one of its items is. */
static PolicyTruth
truth_in(const Evaluation *evaluation, const Node *node)
{
    const Node *right = node->first->next;
    const FilterdValue *list = &unknown;
    FilterdValue left = *evaluate_value(evaluation, node->first);
    PolicyTruth truth = POLICY_NO;

    if (left.type == FILTERD_UNKNOWN)
        return POLICY_UNKNOWN;
    if (right->kind != NODE_NAMED) {
        list = evaluate_value(evaluation, right);
        if (list->type == FILTERD_UNKNOWN)
            return POLICY_UNKNOWN;
    }
    if (left.type != FILTERD_LIST)
        return is_member(right, list, &left);
    for (gsize i = 0; i < left.list.length && truth != POLICY_YES; i++) {
        PolicyTruth one = is_member(right, list, &left.list.items[i]);

        if (one != POLICY_NO)
            truth = one;
    }
    return truth;
}

/* ---- matches ---- */

static PolicyTruth
match(const Pattern *pattern, const FilterdValue *value)
{
    if (!is_textual(value->type))
        return POLICY_UNKNOWN;
    return truth_of_answer(pattern_match(pattern, value->text));
}

static PolicyTruth
truth_matches(const Evaluation *evaluation, const Node *node)
{
    const FilterdValue *left = evaluate_value(evaluation, node->first);
    PolicyTruth truth = POLICY_NO;

    if (left->type != FILTERD_LIST)
        return match(node->pattern, left);
    for (gsize i = 0; i < left->list.length && truth != POLICY_YES; i++) {
        PolicyTruth one = match(node->pattern, &left->list.items[i]);

        if (one != POLICY_NO)
            truth = one;
    }
    return truth;
}

static PolicyTruth
truth_value(const Evaluation *evaluation, const Node *node)
{
    const FilterdValue *value = evaluate_value(evaluation, node);

    if (value->type != FILTERD_BOOL)
        return POLICY_UNKNOWN;
    return truth_of(value->boolean);
}

static PolicyTruth (*const table[])(const Evaluation *evaluation,
                                    const Node *node) = {
    [NODE_LITERAL] = truth_value,   [NODE_FACT] = truth_value,
    [NODE_LET] = truth_value,       [NODE_ENTRY] = truth_value,
    [NODE_NOT] = truth_not,         [NODE_AND] = truth_and,
    [NODE_OR] = truth_or,           [NODE_KNOWN] = truth_known,
    [NODE_COMPARE] = truth_compare, [NODE_IN] = truth_in,
    [NODE_MATCHES] = truth_matches,
};

PolicyTruth
evaluate_truth(const Evaluation *evaluation, const Node *node)
{
    return table[node->kind](evaluation, node);
}
