/* warn-effect.c: `would` rules that rest on what nobody asks for.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A hook that writes does not run for a `would` rule alone: its facts are
 * unknown unless an applied rule has asked for one of them.
 */
#include "policy/warn.h"

#include <string.h>

/* ---- who asks ----------------------------------------------------------- */

typedef struct Asked {
    const PolicyUse *use;
    gboolean found;
} Asked;

static void
note_use(const Node *fact, G_GNUC_UNUSED const Node *at, void *data)
{
    Asked *asked = data;

    asked->found = asked->found || fact->fact->use == asked->use;
}

static void
look_in_text(Asked *asked, const Template *text)
{
    for (unsigned i = 0; text != NULL && i < text->length; i++) {
        const PolicyFact *fact = text->parts[i].fact;
        asked->found =
            asked->found || (fact != NULL && fact->use == asked->use);
    }
}

static gboolean
rule_asks(const Rule *rule, const PolicyUse *use)
{
    Asked asked = {.use = use};

    node_each_fact(rule->condition, note_use, &asked);
    look_in_text(&asked, rule->text);
    for (unsigned i = 0; i < rule->argument_count; i++) {
        node_each_fact(rule->arguments[i].node, note_use, &asked);
        look_in_text(&asked, rule->arguments[i].template);
    }
    return asked.found;
}

static gboolean
is_of(const char *fact, const PolicyUse *use)
{
    gsize length = strlen(use->name);

    return fact != NULL && strncmp(fact, use->name, length) == 0
           && fact[length] == '.';
}

/* Whether the hooks of another may ask for its facts. */
static gboolean
plugin_asks(const Compile *compile, const PolicyUse *use)
{
    for (guint i = 0; i < compile->config->uses->len; i++) {
        const PolicyUse *other = g_ptr_array_index(compile->config->uses, i);
        const FilterdNeed *need = other->plugin->needs;
        const FilterdFact *asked = other->asked;

        for (; need != NULL && need->fact != NULL; need++)
            if (is_of(need->fact, use))
                return TRUE;
        for (; asked != NULL && asked->name != NULL; asked++)
            if (is_of(asked->name, use))
                return TRUE;
    }
    return FALSE;
}

typedef struct Search {
    const Compile *compile;
    const Rule *rule;
    const Node *found; /* where a fact is named that nobody asks for; NULL */
    const PolicyFact *fact;
} Search;

/* Up to its stage; a part of the mail is enough. */
static gboolean
is_unasked(const Search *search, const PolicyFact *fact)
{
    const GPtrArray *all = search->compile->rules->all;

    if (fact->use == NULL || (fact->row->flags & FILTERD_EFFECT) == 0)
        return FALSE;
    for (guint i = 0; i < all->len; i++) {
        const Rule *rule = g_ptr_array_index(all, i);

        if (!rule->public.would
            && rule->public.stage <= search->rule->public.stage
            && rule_asks(rule, fact->use))
            return FALSE;
    }
    return !plugin_asks(search->compile, fact->use);
}

/* ---- what the rule is then ---------------------------------------------- */

static gboolean
is_unknown(const Search *search, const Node *side)
{
    while (side->kind == NODE_LET || side->kind == NODE_ENTRY)
        side = side->kind == NODE_LET ? side->declaration->node : side->first;
    return side->kind == NODE_FACT && is_unasked(search, side->fact);
}

/* Whether what is asked for can make it that truth. */
static gboolean
may_be(const Search *search, const Node *node, gboolean truth)
{
    gboolean all = (node->kind == NODE_AND) == truth;

    if (node->kind == NODE_LET)
        return may_be(search, node->declaration->node, truth);
    if (node->kind == NODE_NOT)
        return may_be(search, node->first, !truth);
    if (node->kind == NODE_FACT)
        return !is_unknown(search, node);
    if (node->kind == NODE_KNOWN && !truth)
        return TRUE;
    for (const Node *child = node->first; child != NULL; child = child->next)
        if (node->kind != NODE_AND && node->kind != NODE_OR) {
            if (is_unknown(search, child))
                return FALSE;
        } else if (may_be(search, child, truth) != all) {
            return !all;
        }
    return (node->kind != NODE_AND && node->kind != NODE_OR) || all;
}

static void
find_unasked(const Node *fact, const Node *at, void *data)
{
    Search *search = data;

    if (search->found != NULL || !is_unasked(search, fact->fact))
        return;
    search->found = at;
    search->fact = fact->fact;
}

void
warn_effect(Compile *compile, const Rule *rule)
{
    Search search = {.compile = compile, .rule = rule};

    if (!rule->public.would || rule->condition == NULL
        || may_be(&search, rule->condition, TRUE))
        return;
    node_each_fact(rule->condition, find_unasked, &search);
    if (search.found != NULL)
        compile_warning(compile, &search.found->place,
                        "it would be remembered; `canary 1%` asks for it, as "
                        "does any rule that is applied",
                        "`%s` is not asked for a `would` rule: nothing will "
                        "be logged",
                        search.fact->name);
}
