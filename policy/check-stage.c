/* check-stage.c: facts before their stage, and trees that are too large.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/check.h"

typedef struct Extent {
    unsigned size;
    unsigned depth;
} Extent;

static Extent
measure(const Node *node)
{
    Extent extent = {1, 1};

    if (node->kind == NODE_LET) {
        extent.size += node->declaration->size;
        extent.depth += node->declaration->depth;
    }
    for (const Node *child = node->first; child != NULL; child = child->next) {
        Extent one = measure(child);

        extent.size += one.size;
        extent.depth = MAX(extent.depth, one.depth + 1);
        if (extent.size > COMPILE_TREE_SIZE)
            break;
    }
    return extent;
}

gboolean
check_size(Compile *compile, const Node *node, unsigned *size, unsigned *depth)
{
    Extent extent = measure(node);

    *size = extent.size;
    *depth = extent.depth;
    if (extent.size <= COMPILE_TREE_SIZE && extent.depth <= COMPILE_TREE_DEPTH)
        return TRUE;
    compile_error(compile, &node->place, "move a part of it into a list",
                  "this condition is too large");
    return FALSE;
}

void
check_fact_stage(Compile *compile, const PolicyFact *fact,
                 const PolicyPlace *place, FilterdStage stage)
{
    g_hash_table_add(compile->rules->mentioned, (gpointer)fact);
    if (fact->row->since <= stage)
        return;
    g_autofree char *hint = g_strdup_printf(
        "it is known from `%s` on", policy_stage_words[fact->row->since]);
    compile_error(compile, place, hint, "`%s` is not known at `%s`", fact->name,
                  policy_stage_words[stage]);
}

typedef struct StageCheck {
    Compile *compile;
    FilterdStage stage;
} StageCheck;

static void
visit(const Node *fact, const Node *at, void *data)
{
    const StageCheck *check = data;

    check_fact_stage(check->compile, fact->fact, &at->place, check->stage);
}

void
check_stage(Compile *compile, const Node *node, FilterdStage stage)
{
    StageCheck check = {compile, stage};

    node_each_fact(node, visit, &check);
}
