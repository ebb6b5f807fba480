/* difference-rules.c: what two compiled files do not have in common: rules,
 * lists, maps and lets.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/value.h"
#include "policy/difference.h"
#include "policy/tree.h"

#include <string.h>

/* ---- a rule as a text ---------------------------------------------------- */

static void
append_named(GString *out, const Node *node)
{
    if (node->kind == NODE_FACT)
        g_string_append(out, node->fact->name);
    else if (node->kind == NODE_LET || node->kind == NODE_ENTRY
             || node->kind == NODE_NAMED)
        g_string_append(out, node->declaration->name);
    else if (node->kind == NODE_LITERAL)
        value_append(out, &node->value);
    else if (node->kind == NODE_COMPARE)
        g_string_append_printf(out, "%d", (int)node->comparison);
    else if (node->text != NULL)
        g_string_append(out, node->text);
}

/* To be compared, not to be read. What stands next to it does not count. */
static void
append_node(GString *out, const Node *node)
{
    gboolean deep = node->kind == NODE_ENTRY || node->kind >= NODE_NOT;

    g_string_append_printf(out, "(%d %d ", (int)node->kind, (int)node->type);
    append_named(out, node);
    for (const Node *child = deep ? node->first : NULL; child != NULL;
         child = child->next)
        append_node(out, child);
    g_string_append_c(out, ')');
}

static char *
rule_text(const Rule *rule)
{
    GString *out = g_string_new(NULL);

    policy_append_prefixes(out, &rule->public);
    g_string_append_printf(
        out, "%" G_GINT64_FORMAT " %d %s %" G_GINT64_FORMAT " ",
        rule->public.score, rule->code, rule->enhanced, rule->public.delay);
    if (rule->condition != NULL)
        append_node(out, rule->condition);
    if (rule->reply != NULL)
        append_node(out, rule->reply);
    for (unsigned i = 0; i < rule->argument_count; i++)
        append_node(out, rule->arguments[i].node);
    return g_string_free(out, FALSE);
}

/* "reject spf-fail at rcpt"; rewrites may have one name: "the 2nd" is told by a
 * number. */
static char *
rule_name(const Rule *rule, GHashTable *names)
{
    const char *word = policy_verdict_words[rule->public.kind];
    g_autofree char *name =
        g_strdup_printf("%s %s at %s", word, rule->public.name,
                        policy_stage_words[rule->public.stage]);
    unsigned count = GPOINTER_TO_UINT(g_hash_table_lookup(names, name)) + 1;

    g_hash_table_insert(names, g_strdup(name), GUINT_TO_POINTER(count));
    return count == 1 ? g_steal_pointer(&name)
                      : g_strdup_printf("%s, number %u", name, count);
}

/* ---- rules --------------------------------------------------------------- */

/* Their texts by their names; `order` has the names. */
static GHashTable *
index_rules(const GPtrArray *rules, GPtrArray *order)
{
    g_autoptr(GHashTable) names =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GHashTable *texts =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    for (guint i = 0; i < rules->len; i++) {
        const Rule *rule = g_ptr_array_index(rules, i);
        char *name = rule_name(rule, names);

        g_ptr_array_add(order, name);
        g_hash_table_insert(texts, name, rule_text(rule));
    }
    return texts;
}

/* Whether those that both have stand in another order. */
static gboolean
is_moved(const GPtrArray *old, const GPtrArray *new, GHashTable *in_old,
         GHashTable *in_new)
{
    guint at = 0;

    for (guint i = 0; i < old->len; i++) {
        if (!g_hash_table_contains(in_new, old->pdata[i]))
            continue;
        while (at < new->len && !g_hash_table_contains(in_old, new->pdata[at]))
            at++;
        if (at == new->len || strcmp(old->pdata[i], new->pdata[at++]) != 0)
            return TRUE;
    }
    return FALSE;
}

static void
compare_stage(GPtrArray *phrases, const GPtrArray *old, const GPtrArray *new,
              FilterdStage stage)
{
    g_autoptr(GPtrArray) before = g_ptr_array_new();
    g_autoptr(GPtrArray) behind = g_ptr_array_new();
    g_autoptr(GHashTable) in_old = index_rules(old, before);
    g_autoptr(GHashTable) in_new = index_rules(new, behind);

    for (guint i = 0; i < before->len; i++) {
        const char *name = before->pdata[i];
        const char *text = g_hash_table_lookup(in_new, name);

        if (text == NULL)
            difference_add(phrases, "%s removed", name);
        else if (strcmp(text, g_hash_table_lookup(in_old, name)) != 0)
            difference_add(phrases, "%s changed", name);
    }
    for (guint i = 0; i < behind->len; i++)
        if (!g_hash_table_contains(in_old, behind->pdata[i]))
            difference_add(phrases, "%s added", (char *)behind->pdata[i]);
    if (is_moved(before, behind, in_old, in_new))
        difference_add(phrases, "rules at %s in another order",
                       policy_stage_words[stage]);
}

/* ---- declarations -------------------------------------------------------- */

static const char *const words[] = {
    [DECLARATION_LIST] = "list",
    [DECLARATION_MAP] = "map",
    [DECLARATION_LET] = "let",
};

static const Declaration *
find_declaration(const PolicyConfig *config, const Declaration *like)
{
    const GPtrArray *all = config->rules->declarations;

    for (guint i = 0; i < all->len; i++) {
        const Declaration *one = all->pdata[i];

        if (one->kind == like->kind && strcmp(one->name, like->name) == 0)
            return one;
    }
    return NULL;
}

static void
compare_lookups(GPtrArray *phrases, const Declaration *old,
                const Declaration *new)
{
    g_autoptr(GString) counts = g_string_new(NULL);
    const unsigned numbers[] = {
        lookup_lacks(old->lookup, new->lookup),
        lookup_lacks(new->lookup, old->lookup),
        lookup_differs(old->lookup, new->lookup),
    };
    static const char *const signs[] = {" +", " -", " ~"};

    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (numbers[i] > 0)
            g_string_append_printf(counts, "%s%u", signs[i], numbers[i]);
    if (counts->len > 0)
        difference_add(phrases, "%s %s%s", words[new->kind], new->name,
                       counts->str);
}

static void
compare_declarations(GPtrArray *phrases, const Declaration *old,
                     const Declaration *new)
{
    gboolean other_kind = (old->patterns != NULL) != (new->patterns != NULL);

    if (old->type != new->type || old->gives != new->gives || other_kind) {
        difference_add(phrases, "%s %s changed", words[new->kind], new->name);
    } else if (new->kind != DECLARATION_LET) {
        compare_lookups(phrases, old, new);
    } else {
        g_autoptr(GString) before = g_string_new(NULL);
        g_autoptr(GString) behind = g_string_new(NULL);

        append_node(before, old->node);
        append_node(behind, new->node);
        if (!g_string_equal(before, behind))
            difference_add(phrases, "let %s changed", new->name);
    }
}

static void
difference_declarations(GPtrArray *phrases, const PolicyConfig *old,
                        const PolicyConfig *new)
{
    const GPtrArray *before = old->rules->declarations;
    const GPtrArray *behind = new->rules->declarations;

    for (guint i = 0; i < before->len; i++) {
        const Declaration *one = before->pdata[i];
        const Declaration *other = find_declaration(new, one);

        if (other == NULL)
            difference_add(phrases, "%s %s removed", words[one->kind],
                           one->name);
        else
            compare_declarations(phrases, one, other);
    }
    for (guint i = 0; i < behind->len; i++) {
        const Declaration *one = behind->pdata[i];

        if (find_declaration(old, one) == NULL)
            difference_add(phrases, "%s %s added", words[one->kind], one->name);
    }
}

void
difference_rules(GPtrArray *phrases, const PolicyConfig *old,
                 const PolicyConfig *new)
{
    for (int stage = 0; stage < FILTERD_STAGES; stage++)
        compare_stage(phrases, old->rules->stages[stage],
                      new->rules->stages[stage], (FilterdStage)stage);
    difference_declarations(phrases, old, new);
}
