/* warn-score.c: comparisons of the score whose outcome the points of the rules
 * before them settle.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A rule adds to the score once, or not at all: what rests on recipients is
 * counted for each of them by itself, and a stage that is judged again begins
 * with what there was before it.
 */
#include "policy/warn.h"

#include "policy/evaluate.h"
#include "policy/written.h"

#include <string.h>

/* What it can be. */
typedef struct Range {
    int64_t least, most;
} Range;

typedef struct Look {
    Compile *compile;
    const Rule *rule; /* that compares */
    Range range;      /* at it */
} Look;

/* ---- what it can be ----------------------------------------------------- */

static void
widen(Range *range, const Rule *rule)
{
    range->least += MIN(rule->public.score, 0);
    range->most += MAX(rule->public.score, 0);
}

/* For whoever comes to a rule behind it in its stage. */
static void
pass(Range *range, const Rule *rule)
{
    if (rule->condition != NULL || rule->public.limited) {
        widen(range, rule);
        return;
    }
    range->least += rule->public.score;
    range->most += rule->public.score;
}

/* ---- what a comparison comes to ----------------------------------------- */

static gboolean
is_score(const Node *node)
{
    return node->kind == NODE_FACT && node->fact->use == NULL
           && strcmp(node->fact->name, "score") == 0;
}

static const Node *
find_number(const Node *node)
{
    while (node->kind == NODE_LET)
        node = node->declaration->node;
    return node->kind == NODE_LITERAL && node->type == FILTERD_INT ? node
                                                                   : NULL;
}

static gboolean
holds(Comparison comparison, int64_t left, int64_t right)
{
    return comparison_holds(comparison, (left > right) - (left < right));
}

/* UNKNOWN: it depends. */
static PolicyTruth
settle(Comparison comparison, const Range *range, int64_t number)
{
    gboolean order = comparison > COMPARE_UNEQUAL;
    gboolean least = holds(comparison, range->least, number);
    gboolean most = holds(comparison, range->most, number);
    gboolean within = range->least < number && number < range->most;

    if (least != most || (!order && within))
        return POLICY_UNKNOWN;
    return least ? POLICY_YES : POLICY_NO;
}

/* A comparison of the score with a number, as if that stood on its right. */
typedef struct Reading {
    Comparison comparison;
    int64_t number;
    const PolicyPlace *place; /* of the number */
} Reading;

/* FALSE: it is another. */
static gboolean
read_comparison(const Node *node, Reading *reading)
{
    static const Comparison turned[] = {
        COMPARE_EQUAL,      COMPARE_UNEQUAL, COMPARE_MORE,
        COMPARE_MORE_EQUAL, COMPARE_LESS,    COMPARE_LESS_EQUAL,
    };
    gboolean first = is_score(node->first);
    const Node *score = first ? node->first : node->first->next;
    const Node *other = first ? node->first->next : node->first;
    const Node *number = find_number(other);

    if (number == NULL || !is_score(score))
        return FALSE;
    *reading = (Reading){first ? node->comparison : turned[node->comparison],
                         number->value.integer, &other->place};
    return TRUE;
}

/* ---- what is said of it ------------------------------------------------- */

/* The first rule behind it that adds to the score; NULL. */
static const Rule *
find_later(const Look *look)
{
    const PolicyRules *rules = look->compile->rules;
    gboolean behind = FALSE;

    for (int stage = look->rule->public.stage; stage < FILTERD_STAGES; stage++)
        for (guint i = 0; i < rules->stages[stage]->len; i++) {
            const Rule *rule = g_ptr_array_index(rules->stages[stage], i);

            if (behind && rule->public.kind == POLICY_SCORE)
                return rule;
            behind = behind || rule == look->rule;
        }
    return NULL;
}

static char *
find_hint(const Look *look, const PolicyPlace *place, PolicyTruth truth)
{
    const Rule *later = find_later(look);

    if (later == NULL)
        return g_strdup(truth == POLICY_YES
                            ? "leave it out"
                            : "give other points before it, or ask for another "
                              "number");
    g_autofree char *line = compile_line(&later->public.place, place);
    return g_strdup_printf("only what is before it counts: `%s` is in %s",
                           later->public.name, line);
}

static void
warn_settled(const Look *look, const Node *node, const PolicyPlace *place,
             PolicyTruth truth)
{
    g_autoptr(GString) written = g_string_new(NULL);
    g_autofree char *hint = find_hint(look, place, truth);
    const char *word = truth == POLICY_YES ? "always" : "never";

    written_append(written, node);
    if (look->range.least == look->range.most)
        compile_warning(look->compile, place, hint,
                        "`%s` is %s yes: it is %" G_GINT64_FORMAT " here",
                        written->str, word, look->range.least);
    else
        compile_warning(look->compile, place, hint,
                        "`%s` is %s yes: it is from %" G_GINT64_FORMAT
                        " to %" G_GINT64_FORMAT " here",
                        written->str, word, look->range.least,
                        look->range.most);
}

/* Whether there are any points is no odd question where nobody gives some yet.
 * `place` is that of the let that leads to it, or NULL. */
static void
look_at_comparison(const Look *look, const Node *node, const PolicyPlace *place)
{
    Reading reading;

    if (!read_comparison(node, &reading) || reading.number == 0)
        return;
    PolicyTruth truth =
        settle(reading.comparison, &look->range, reading.number);
    if (truth != POLICY_UNKNOWN)
        warn_settled(look, node, place != NULL ? place : reading.place, truth);
}

static void
look_at(const Look *look, const Node *node, const PolicyPlace *place)
{
    if (node->kind == NODE_LET)
        look_at(look, node->declaration->node,
                place != NULL ? place : &node->place);
    else if (node->kind == NODE_COMPARE)
        look_at_comparison(look, node, place);
    else if (node->kind == NODE_NOT || node->kind == NODE_AND
             || node->kind == NODE_OR)
        for (const Node *child = node->first; child != NULL;
             child = child->next)
            look_at(look, child, place);
}

/* ---- the rules ---------------------------------------------------------- */

/* `before` it, and then behind: who left the stage before its end passed none
 * of those behind. */
static void
warn_stage(Compile *compile, const GPtrArray *stage, Range *before)
{
    Look look = {.compile = compile, .range = *before};

    for (guint i = 0; i < stage->len; i++) {
        look.rule = g_ptr_array_index(stage, i);
        if (look.rule->condition != NULL)
            look_at(&look, look.rule->condition, NULL);
        if (look.rule->public.kind != POLICY_SCORE)
            continue;
        pass(&look.range, look.rule);
        widen(before, look.rule);
    }
}

void
warn_score(Compile *compile)
{
    Range range = {0};

    for (int stage = 0; stage < FILTERD_STAGES; stage++)
        warn_stage(compile, compile->rules->stages[stage], &range);
}
