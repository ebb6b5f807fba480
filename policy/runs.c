/* runs.c: rules one after the other that each ask first whether the same fact
 * is a constant.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/runs.h"

#include "policy/evaluate.h"
#include "policy/lookup.h"

/* Below that a look at each is as cheap. */
#define LENGTH_LEAST 8

#define NONE G_MAXUINT

typedef struct Run {
    const PolicyFact *fact;
    unsigned from, to;
    Lookup *first; /* by constant: the first rule that asks for it */
} Run;

struct Runs {
    GArray *all;    /* Run */
    unsigned *next; /* by rule: the next one with its constant, or NONE */
};

static FilterdType
key_type(FilterdType type)
{
    if (type == FILTERD_INT || type == FILTERD_IP)
        return type;
    if (type == FILTERD_DURATION)
        return FILTERD_INT;
    return type == FILTERD_TEXT || type == FILTERD_WORD
                   || type == FILTERD_DOMAIN || type == FILTERD_ADDRESS
               ? FILTERD_TEXT
               : FILTERD_UNKNOWN;
}

/* As all that compares equal to it. */
static FilterdValue
key_of(const FilterdValue *value)
{
    FilterdValue key = *value;
    key.type = key_type(value->type);
    return key;
}

/* ---- at compile time ---------------------------------------------------- */

/* `FACT = CONSTANT`, alone or before an `and`; NULL: it begins otherwise. One
 * that is not always applied, or has an effect, is asked for with care. */
static const Node *
opening(const Rule *rule)
{
    const Node *node = rule->condition;
    if (node != NULL && node->kind == NODE_AND)
        node = node->first;
    if (node == NULL || rule->public.would || rule->public.limited
        || rule->public.canary != 0 || node->kind != NODE_COMPARE
        || node->comparison != COMPARE_EQUAL || node->first->kind != NODE_FACT
        || node->first->next->kind != NODE_LITERAL)
        return NULL;
    const PolicyFact *fact = node->first->fact;
    const FilterdValue *constant = &node->first->next->value;
    return (fact->row->flags & FILTERD_EFFECT) == 0
                   && key_type(constant->type) != FILTERD_UNKNOWN
                   && key_type(constant->type) == key_type(fact->row->type)
               ? node
               : NULL;
}

static const PolicyFact *
asked_first(const GPtrArray *rules, unsigned index)
{
    const Node *node =
        index < rules->len ? opening(g_ptr_array_index(rules, index)) : NULL;
    return node != NULL ? node->first->fact : NULL;
}

static unsigned
run_end(const GPtrArray *rules, unsigned from)
{
    const PolicyFact *fact = asked_first(rules, from);
    unsigned to = from;
    while (fact != NULL && asked_first(rules, to) == fact)
        to++;
    return to;
}

/* Each goes behind the last one before it that asks for the same constant. */
static void
add_run(Runs *runs, const GPtrArray *rules, unsigned from, unsigned to)
{
    const PolicyFact *fact = asked_first(rules, from);
    Run run = {fact, from, to, lookup_new(key_type(fact->row->type))};
    unsigned *tails = g_new(unsigned, to - from);
    for (unsigned i = from; i < to; i++) {
        const Node *node = opening(g_ptr_array_index(rules, i));
        const FilterdValue key = key_of(&node->first->next->value);
        const FilterdValue index = {.type = FILTERD_INT, .integer = i};
        runs->next[i] = NONE;
        if (!lookup_add(run.first, &key, &index)) {
            unsigned head = (unsigned)lookup_find(run.first, &key)->integer;
            runs->next[tails[head - from]] = i;
            tails[head - from] = i;
        } else {
            tails[i - from] = i;
        }
    }
    g_free(tails);
    g_array_append_val(runs->all, run);
}

Runs *
runs_new(const GPtrArray *rules)
{
    Runs *runs = g_new0(Runs, 1);
    runs->all = g_array_new(FALSE, FALSE, sizeof(Run));
    runs->next = g_new(unsigned, rules->len + 1);
    for (unsigned from = 0; from < rules->len;) {
        unsigned to = run_end(rules, from);
        if (to - from >= LENGTH_LEAST)
            add_run(runs, rules, from, to);
        from = MAX(to, from + 1);
    }
    if (runs->all->len == 0)
        g_clear_pointer(&runs, runs_free);
    return runs;
}

void
runs_free(Runs *runs)
{
    for (guint i = 0; i < runs->all->len; i++)
        lookup_free(g_array_index(runs->all, Run, i).first);
    g_array_unref(runs->all);
    g_free(runs->next);
    g_free(runs);
}

/* ---- at run time -------------------------------------------------------- */

RunsWalk
runs_walk(const Runs *runs, const PolicyClient *client, unsigned rules)
{
    return (RunsWalk){
        .runs = client->thorough ? NULL : runs, .client = client, .end = rules};
}

static const Run *
run_ahead(const RunsWalk *walk)
{
    return walk->runs != NULL && walk->run < walk->runs->all->len
               ? &g_array_index(walk->runs->all, Run, walk->run)
               : NULL;
}

/* The first rule of the run that the fact's value leaves, or its end. */
static unsigned
first_left(const Run *run, const FilterdValue *value)
{
    if (key_type(value->type) != key_type(run->fact->row->type))
        return run->to;
    const FilterdValue key = key_of(value);
    const FilterdValue *found = lookup_find(run->first, &key);
    return found != NULL ? (unsigned)found->integer : run->to;
}

/* FALSE: what is absent makes each of them absent, so they are judged in turn.
 */
static gboolean
enter(RunsWalk *walk, const Run *run)
{
    const PolicyClient *client = walk->client;
    const FilterdValue *value = client->fact(client->data, run->fact, FALSE);
    if (value == client->absent)
        return FALSE;
    walk->at = first_left(run, value);
    return TRUE;
}

/* Into a run that begins here, and out of one that is over. */
static void
settle(RunsWalk *walk)
{
    const Run *run;
    while ((run = run_ahead(walk)) != NULL
           && (walk->within || walk->at == run->from)) {
        if (!walk->within && !enter(walk, run)) {
            walk->run++;
            return;
        }
        walk->within = walk->at != run->to;
        if (walk->within)
            return;
        walk->run++;
    }
}

gboolean
runs_next(RunsWalk *walk, unsigned *index)
{
    settle(walk);
    if (walk->at >= walk->end)
        return FALSE;
    *index = walk->at;
    unsigned next = walk->within ? walk->runs->next[walk->at] : walk->at + 1;
    walk->at = next != NONE ? next : run_ahead(walk)->to;
    return TRUE;
}
