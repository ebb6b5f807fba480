/* warn.c: what is legal and probably not meant.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/warn.h"

#include "filterd/base/clock.h"
#include "policy/remark.h"
#include "policy/warn-value.h"

#include <string.h>

/* How long before its last day a rule is warned of. */
#define DAY INT64_C(86400000)
#define SOON (14 * DAY)

/* What a condition is whatever the facts say; UNKNOWN: it depends. */
static PolicyTruth
constant_truth(const Node *node)
{
    gboolean all = TRUE;

    if (node == NULL)
        return POLICY_YES;
    if (node->kind == NODE_LITERAL && node->type == FILTERD_BOOL)
        return node->value.boolean ? POLICY_YES : POLICY_NO;
    if (node->kind == NODE_LET)
        return constant_truth(node->declaration->node);
    if (node->kind == NODE_NOT) {
        PolicyTruth truth = constant_truth(node->first);
        return truth == POLICY_UNKNOWN ? truth : !truth;
    }
    if (node->kind != NODE_AND && node->kind != NODE_OR)
        return POLICY_UNKNOWN;
    PolicyTruth ends = node->kind == NODE_AND ? POLICY_NO : POLICY_YES;
    for (const Node *child = node->first; child != NULL; child = child->next) {
        PolicyTruth truth = constant_truth(child);

        if (truth == ends)
            return ends;
        all = all && truth != POLICY_UNKNOWN;
    }
    return all ? !ends : POLICY_UNKNOWN;
}

static gboolean
is_verdict(const Rule *rule)
{
    return rule->public.kind < POLICY_REWRITE && !rule->public.would;
}

/* Whatever the mail, and whatever the day. */
static gboolean
is_constant(const Rule *rule)
{
    return is_verdict(rule) && rule->public.canary == 0
           && !rule->public.limited;
}

/* ---- rules that never fire ---- */

/* The first of the stage that fires for everyone; NULL. */
static const Rule *
find_last(const GPtrArray *stage)
{
    for (guint i = 0; i < stage->len; i++) {
        const Rule *rule = g_ptr_array_index(stage, i);

        if (is_constant(rule) && constant_truth(rule->condition) == POLICY_YES)
            return rule;
    }
    return NULL;
}

static void
warn_behind(Compile *compile, const GPtrArray *stage, const Rule *last)
{
    for (guint i = 0; last != NULL && i + 1 < stage->len; i++) {
        const Rule *rule = g_ptr_array_index(stage, i + 1);

        if (g_ptr_array_index(stage, i) != last)
            continue;
        g_autofree char *line =
            compile_line(&last->public.place, &rule->public.place);
        g_autofree char *hint = g_strdup_printf(
            "`%s` in %s ends the stage for everyone", last->public.name, line);
        compile_warning(compile, &rule->public.place, hint,
                        "`%s` can never fire", rule->public.name);
    }
}

static void
warn_never(Compile *compile, const GPtrArray *stage, const Rule *last)
{
    for (guint i = 0; i < stage->len; i++) {
        const Rule *rule = g_ptr_array_index(stage, i);

        if (rule == last)
            break;
        if (constant_truth(rule->condition) == POLICY_NO)
            compile_warning(compile, &rule->public.place,
                            "its condition is always no", "`%s` can never fire",
                            rule->public.name);
    }
    warn_behind(compile, stage, last);
}

/* What a verdict does that leaves nothing for later stages; NULL: others do. */
static const char *const leaving[] = {
    [POLICY_ACCEPT] = "accepts",         [POLICY_REJECT] = "rejects",
    [POLICY_TEMPFAIL] = "tempfails",     [POLICY_DISCARD] = "discards",
    [POLICY_DISCONNECT] = "disconnects", [POLICY_SCORE] = NULL,
};

/* Of the stages behind that of `last`, whose rules nobody comes to. */
static void
warn_later(Compile *compile, const Rule *last)
{
    for (int stage = (int)last->public.stage + 1; stage < FILTERD_STAGES;
         stage++) {
        const GPtrArray *rules = compile->rules->stages[stage];

        if (rules->len == 0)
            continue;
        const Rule *first = g_ptr_array_index(rules, 0);
        g_autofree char *line =
            compile_line(&last->public.place, &first->public.place);
        g_autofree char *hint = g_strdup_printf(
            "`%s` in %s %s everyone at `%s` already", last->public.name, line,
            leaving[last->public.kind], policy_stage_words[last->public.stage]);
        compile_warning(compile, &first->public.place, hint,
                        "`%s` can never fire, nor any rule of a later stage "
                        "than `%s`",
                        first->public.name,
                        policy_stage_words[last->public.stage]);
        return;
    }
}

static void
warn_unreachable(Compile *compile)
{
    for (int stage = 0; stage < FILTERD_STAGES; stage++) {
        const GPtrArray *rules = compile->rules->stages[stage];
        const Rule *last = find_last(rules);

        warn_never(compile, rules, last);
        if (last == NULL || leaving[last->public.kind] == NULL)
            continue;
        warn_later(compile, last);
        return;
    }
}

/* ---- nothing at all ---- */

static void
warn_blank(Compile *compile)
{
    if (compile->blank == NULL)
        return;
    const PolicyPlace place = {
        .file = compile->blank->name, .line = 1, .column = 1, .length = 1};
    compile_warning(compile, &place,
                    "nothing listens and nothing is judged by it",
                    "there is no statement in this file");
}

/* ---- days that pass ---- */

static void
warn_until(Compile *compile, const Rule *rule)
{
    const PolicyRule *public = &rule->public;
    int64_t left = public->until - clock_real();

    if (!public->limited || left > SOON)
        return;
    g_autofree char *day = policy_rule_day(public);
    if (left <= 0)
        compile_warning(compile, &rule->until_place,
                        "take the rule out, or give it a later day",
                        "`%s` expired: after %s it is as if it were not there",
                        public->name, day);
    else
        compile_warning(
            compile, &rule->until_place,
            "give it a later day, or leave `until` out, if it shall stay",
            "`%s` acts until %s, %" G_GINT64_FORMAT " day%s from now",
            public->name, day, left / DAY, left / DAY == 1 ? "" : "s");
}

/* ---- what nobody uses ---- */

static void
warn_unused(Compile *compile)
{
    static const char *const kinds[] = {"list", "map", "let"};
    static const char *const before[] = {"… in ", "", "… if "};
    static const char *const behind[] = {"", "[…]", ""};

    for (guint i = 0; i < compile->rules->declarations->len; i++) {
        const Declaration *declaration =
            g_ptr_array_index(compile->rules->declarations, i);

        if (declaration->used)
            continue;
        DeclarationKind kind = declaration->kind;
        g_autofree char *hint =
            g_strconcat("ask `", before[kind], declaration->name, behind[kind],
                        "`, or leave it out", NULL);
        compile_warning(compile, &declaration->place, hint,
                        "the %s `%s` is not used", kinds[declaration->kind],
                        declaration->name);
    }
}

/* ---- DMARC alone ---- */

typedef struct Evidence {
    unsigned dmarc;
    unsigned other;
} Evidence;

static void
weigh(const Node *fact, G_GNUC_UNUSED const Node *at, void *data)
{
    Evidence *evidence = data;
    const PolicyUse *use = fact->fact->use;

    if (use != NULL && strcmp(use->plugin->name, "dmarc") == 0)
        evidence->dmarc++;
    else
        evidence->other++;
}

static void
warn_dmarc(Compile *compile, const Rule *rule)
{
    Evidence evidence = {0};

    if (!is_verdict(rule) || rule->public.kind != POLICY_REJECT)
        return;
    node_each_fact(rule->condition, weigh, &evidence);
    if (evidence.dmarc > 0 && evidence.other == 0)
        compile_warning(compile, &rule->public.place,
                        "RFC 9989 7.4: ask for other evidence too, such as "
                        "`and spf.result = fail`",
                        "`%s` rejects on DMARC alone", rule->public.name);
}

/* ---- DMARC without what it rests on ---- */

static gboolean
is_used(const Compile *compile, const char *plugin)
{
    const GPtrArray *uses = compile->config->uses;

    for (guint i = 0; i < uses->len; i++) {
        const PolicyUse *use = g_ptr_array_index(uses, i);
        if (strcmp(use->plugin->name, plugin) == 0)
            return TRUE;
    }
    return g_hash_table_contains(compile->lost, plugin);
}

/* What is not asked may hide a pass. */
static void
warn_evidence(Compile *compile, const PolicyUse *use)
{
    static const char *const methods[] = {"spf", "dkim"};

    if (strcmp(use->plugin->name, "dmarc") != 0)
        return;
    for (unsigned i = 0; i < G_N_ELEMENTS(methods); i++) {
        g_autofree char *hint = g_strdup_printf("use %s", methods[i]);
        if (!is_used(compile, methods[i]))
            compile_warning(compile, &use->place, hint,
                            "`%s` never says fail without `%s`: what does not "
                            "pass is temperror",
                            use->name, methods[i]);
    }
}

void
warn_all(Compile *compile)
{
    const GPtrArray *all = compile->rules->all;

    warn_wires(compile);
    warn_relay(compile);
    for (guint i = 0; i < compile->config->uses->len; i++)
        warn_evidence(compile, g_ptr_array_index(compile->config->uses, i));
    warn_blank(compile);
    warn_unreachable(compile);
    warn_pairs(compile);
    warn_score(compile);
    for (guint i = 0; i < all->len; i++) {
        warn_until(compile, g_ptr_array_index(all, i));
        warn_temperror(compile, g_ptr_array_index(all, i));
        warn_effect(compile, g_ptr_array_index(all, i));
        warn_dmarc(compile, g_ptr_array_index(all, i));
        warn_reply(compile, g_ptr_array_index(all, i));
    }
    warn_unused(compile);
    warn_values(compile);
    remark_tell(compile);
}
