/* difference-rules.c: what two compiled files do not have in common: rules.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/difference-rule.h"
#include "policy/difference.h"

/* ---- rules of one file -------------------------------------------------- */

typedef struct Known Known;
struct Known {
    const Rule *rule;
    char *name;     /* "reject spf at rcpt" */
    Known *partner; /* what it is in the other file; NULL */
    guint position; /* among those of its stage that stayed in it */
};

static void
known_free(void *data)
{
    Known *known = data;

    g_free(known->name);
    g_free(known);
}

/* Of several texts that are the same "the 2nd" is told by a number. */
static char *
number(GHashTable *counts, char *text)
{
    g_autofree char *own = text;
    unsigned count = GPOINTER_TO_UINT(g_hash_table_lookup(counts, own)) + 1;

    g_hash_table_insert(counts, g_strdup(own), GUINT_TO_POINTER(count));
    return count == 1 ? g_steal_pointer(&own)
                      : g_strdup_printf("%s, number %u", own, count);
}

static GHashTable *
counts_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static char *
rule_name(const Rule *rule)
{
    return g_strdup_printf(
        "%s %s at %s", policy_verdict_words[rule->public.kind],
        rule->public.name, policy_stage_words[rule->public.stage]);
}

/* Known, stage by stage. */
static GPtrArray *
know_rules(const PolicyConfig *config)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(known_free);
    g_autoptr(GHashTable) counts = counts_new();

    for (int stage = 0; stage < FILTERD_STAGES; stage++) {
        const GPtrArray *rules = config->rules->stages[stage];

        for (guint i = 0; i < rules->len; i++) {
            Known *known = g_new0(Known, 1);

            known->rule = rules->pdata[i];
            known->name = number(counts, rule_name(known->rule));
            g_ptr_array_add(all, known);
        }
    }
    return all;
}

/* ---- who is who --------------------------------------------------------- */

/* By what a rule of one file is one of the other, the first that holds. */
static const struct Likeness {
    gboolean kind, name, stage, text;
} likenesses[] = {
    {TRUE, TRUE, TRUE, TRUE},   {TRUE, TRUE, TRUE, FALSE},
    {FALSE, TRUE, TRUE, FALSE}, {TRUE, FALSE, TRUE, TRUE},
    {TRUE, TRUE, FALSE, FALSE},
};

static char *
key_of(const struct Likeness *by, const Rule *rule)
{
    g_autofree char *text = by->text ? difference_rule_text(rule) : NULL;

    return g_strdup_printf("%d %s %d %s", by->kind ? (int)rule->public.kind : 0,
                           by->name ? rule->public.name : "",
                           by->stage ? (int)rule->public.stage : 0,
                           text != NULL ? text : "");
}

/* By their keys those that have no partner yet. */
static GHashTable *
index_rules(const struct Likeness *by, const GPtrArray *all)
{
    g_autoptr(GHashTable) counts = counts_new();
    GHashTable *index =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < all->len; i++) {
        Known *known = g_ptr_array_index(all, i);

        if (known->partner == NULL)
            g_hash_table_insert(index, number(counts, key_of(by, known->rule)),
                                known);
    }
    return index;
}

static void
pair(const struct Likeness *by, const GPtrArray *old, const GPtrArray *new)
{
    g_autoptr(GHashTable) before = index_rules(by, old);
    g_autoptr(GHashTable) behind = index_rules(by, new);
    GHashTableIter each;
    void *key, *known;

    g_hash_table_iter_init(&each, before);
    while (g_hash_table_iter_next(&each, &key, &known)) {
        Known *one = known, *other = g_hash_table_lookup(behind, key);

        one->partner = other;
        if (other != NULL)
            other->partner = one;
    }
}

/* ---- their order -------------------------------------------------------- */

static gboolean
has_stayed(const Known *known, int stage)
{
    return known->partner != NULL && (int)known->rule->public.stage == stage
           && (int)known->partner->rule->public.stage == stage;
}

/* Known of one stage that both files have there. */
static GPtrArray *
find_stayed(const GPtrArray *all, int stage)
{
    GPtrArray *stayed = g_ptr_array_new();

    for (guint i = 0; i < all->len; i++) {
        Known *known = g_ptr_array_index(all, i);

        if (!has_stayed(known, stage))
            continue;
        known->position = stayed->len;
        g_ptr_array_add(stayed, known);
    }
    return stayed;
}

static guint
position_of(const GPtrArray *stayed, guint index)
{
    const Known *known = g_ptr_array_index(stayed, index);

    return known->partner->position;
}

/* Whether those from `first` on, `count` of them, stand one after the other
 * from `to` on in the other file. */
static gboolean
is_run(const GPtrArray *stayed, guint first, guint count, guint to)
{
    for (guint i = 0; i < count; i++)
        if (position_of(stayed, first + i) != to + i)
            return FALSE;
    return TRUE;
}

static void
add_move(GPtrArray *phrases, const Known *moved, const char *where,
         const Known *other)
{
    difference_add(phrases, "%s moved %s %s", moved->partner->name, where,
                   other->partner->name);
}

/* One rule that moved is named; else it is only that they did. */
static void
compare_order(GPtrArray *phrases, const GPtrArray *stayed, int stage)
{
    guint first = 0, last = stayed->len;

    while (first < last && position_of(stayed, first) == first)
        first++;
    while (last > first && position_of(stayed, last - 1) == last - 1)
        last--;
    if (first == last)
        return;
    last--;
    if (is_run(stayed, first + 1, last - first, first))
        add_move(phrases, stayed->pdata[first], "behind", stayed->pdata[last]);
    else if (is_run(stayed, first, last - first, first + 1))
        add_move(phrases, stayed->pdata[last], "before", stayed->pdata[first]);
    else
        difference_add(phrases, "rules at %s in another order",
                       policy_stage_words[stage]);
}

/* ---- what is said of them ----------------------------------------------- */

static void
add_whole(GPtrArray *phrases, const Known *known, const char *what)
{
    g_autofree char *body = difference_rule_body(known->rule);

    difference_add(phrases, "%s %s%s%s", known->name, what,
                   *body != '\0' ? ": " : "", body);
}

static void
compare_rules(GPtrArray *phrases, const GPtrArray *old, const GPtrArray *new)
{
    for (guint i = 0; i < old->len; i++) {
        const Known *known = g_ptr_array_index(old, i);

        if (known->partner == NULL) {
            add_whole(phrases, known, "removed");
            continue;
        }
        g_autofree char *how =
            difference_of_rules(known->rule, known->partner->rule);
        if (how != NULL)
            difference_add(phrases, "%s: %s", known->name, how);
    }
    for (guint i = 0; i < new->len; i++) {
        const Known *known = g_ptr_array_index(new, i);

        if (known->partner == NULL)
            add_whole(phrases, known, "added");
    }
}

void
difference_rules(GPtrArray *phrases, const PolicyConfig *old,
                 const PolicyConfig *new)
{
    g_autoptr(GPtrArray) before = know_rules(old);
    g_autoptr(GPtrArray) behind = know_rules(new);

    for (unsigned i = 0; i < G_N_ELEMENTS(likenesses); i++)
        pair(&likenesses[i], before, behind);
    compare_rules(phrases, before, behind);
    for (int stage = 0; stage < FILTERD_STAGES; stage++) {
        g_autoptr(GPtrArray) there = find_stayed(behind, stage);
        g_autoptr(GPtrArray) stayed = find_stayed(before, stage);

        compare_order(phrases, stayed, stage);
    }
}
