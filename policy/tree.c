/* tree.c: the memory of a compiled policy.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/tree.h"

#include "policy/runs.h"

typedef struct Walk {
    void (*visit)(const Node *fact, const Node *at, void *data);
    void *data;
} Walk;

static void
walk(const Walk *all, const Node *node, const Node *at)
{
    if (node->kind == NODE_FACT) {
        all->visit(node, at != NULL ? at : node, all->data);
        return;
    }
    if (node->kind == NODE_LET)
        walk(all, node->declaration->node, at != NULL ? at : node);
    for (const Node *child = node->first; child != NULL; child = child->next)
        walk(all, child, at);
}

void
node_each_fact(const Node *node,
               void (*visit)(const Node *fact, const Node *at, void *data),
               void *data)
{
    Walk all = {visit, data};

    if (node != NULL)
        walk(&all, node, NULL);
}

static void
test_free(gpointer data)
{
    Test *test = data;

    g_array_unref(test->givens);
    g_ptr_array_unref(test->expects);
    g_free(test);
}

static void
free_lookup(gpointer data)
{
    lookup_free(data);
}

static void
free_pattern(gpointer data)
{
    pattern_free(data);
}

static void
free_pattern_list(gpointer data)
{
    pattern_list_free(data);
}

PolicyRules *
policy_rules_new(void)
{
    PolicyRules *rules = g_new0(PolicyRules, 1);

    arena_init(&rules->arena);
    rules->all = g_ptr_array_new();
    for (int stage = 0; stage < FILTERD_STAGES; stage++)
        rules->stages[stage] = g_ptr_array_new();
    rules->tests = g_ptr_array_new_with_free_func(test_free);
    rules->runs = g_ptr_array_new();
    rules->lookups = g_ptr_array_new_with_free_func(free_lookup);
    rules->patterns = g_ptr_array_new_with_free_func(free_pattern);
    rules->pattern_lists = g_ptr_array_new_with_free_func(free_pattern_list);
    rules->facts = g_hash_table_new(g_str_hash, g_str_equal);
    rules->mentioned = g_hash_table_new(NULL, NULL);
    rules->groups = g_array_new(FALSE, FALSE, sizeof(GroupTerm));
    rules->declarations = g_ptr_array_new();
    return rules;
}

void
policy_rules_free(PolicyRules *rules)
{
    g_ptr_array_unref(rules->all);
    for (int stage = 0; stage < FILTERD_STAGES; stage++) {
        g_ptr_array_unref(rules->stages[stage]);
        g_clear_pointer(&rules->alike[stage], runs_free);
    }
    g_ptr_array_unref(rules->tests);
    g_ptr_array_unref(rules->runs);
    g_ptr_array_unref(rules->lookups);
    g_ptr_array_unref(rules->patterns);
    g_ptr_array_unref(rules->pattern_lists);
    g_hash_table_unref(rules->facts);
    g_hash_table_unref(rules->mentioned);
    g_array_unref(rules->groups);
    g_ptr_array_unref(rules->declarations);
    arena_clear(&rules->arena);
    g_free(rules);
}
