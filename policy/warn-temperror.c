/* warn-temperror.c: a passing DNS fault that is answered 5xx.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/warn.h"

#include "policy/evaluate.h"

#include <string.h>

/* ---- by name ------------------------------------------------------------ */

static gboolean
is_temperror(const Node *node)
{
    return node->kind == NODE_LITERAL && node->type == FILTERD_WORD
           && strcmp(node->value.text, "temperror") == 0;
}

/* The comparison with `temperror` that lets the rule fire; NULL. */
static const Node *
find_temperror(const Node *node)
{
    if (node->kind == NODE_LET)
        return find_temperror(node->declaration->node);
    if (node->kind == NODE_COMPARE && node->comparison == COMPARE_EQUAL)
        for (const Node *side = node->first; side != NULL; side = side->next)
            if (is_temperror(side))
                return node;
    if (node->kind != NODE_AND && node->kind != NODE_OR)
        return NULL;
    for (const Node *child = node->first; child != NULL; child = child->next) {
        const Node *found = find_temperror(child);

        if (found != NULL)
            return found;
    }
    return NULL;
}

/* ---- by `!=` ------------------------------------------------------------ */

static gboolean
has_temperror(const FilterdFact *row)
{
    return row->type == FILTERD_WORD && row->words != NULL
           && g_strv_contains(row->words, "temperror");
}

typedef struct Facts {
    unsigned faulty; /* those that may be temperror */
    unsigned other;
} Facts;

static void
count_fact(const Node *fact, G_GNUC_UNUSED const Node *at, void *data)
{
    Facts *facts = data;

    if (has_temperror(fact->fact->row))
        facts->faulty++;
    else
        facts->other++;
}

static const FilterdValue *
give(void *data, G_GNUC_UNUSED const PolicyFact *fact,
     G_GNUC_UNUSED gboolean shadow)
{
    return data;
}

/* Whether it is yes when all that it asks for is temperror, and it asks for
 * nothing else. */
static gboolean
is_left(const Node *condition)
{
    FilterdValue fault = filterd_word("temperror");
    const PolicyClient client = {.data = &fault, .fact = give};
    const Evaluation evaluation = {&client, FALSE};
    Facts facts = {0};

    node_each_fact(condition, count_fact, &facts);
    return facts.faulty > 0 && facts.other == 0
           && evaluate_truth(&evaluation, condition) == POLICY_YES;
}

void
warn_temperror(Compile *compile, const Rule *rule)
{
    if (rule->public.kind >= POLICY_REWRITE || rule->public.would
        || rule->condition == NULL
        || (rule->public.kind != POLICY_REJECT && rule->code < 500))
        return;
    if (find_temperror(rule->condition) != NULL)
        compile_warning(compile, &rule->public.place,
                        "use `tempfail`: it will be asked again",
                        "`%s` refuses for good what a passing DNS fault made "
                        "temperror",
                        rule->public.name);
    else if (is_left(rule->condition))
        compile_warning(compile, &rule->public.place,
                        "add `and … != temperror`, and `tempfail` those",
                        "`%s` refuses for good what a passing DNS fault made "
                        "temperror, too",
                        rule->public.name);
}
