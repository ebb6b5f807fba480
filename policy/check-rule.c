/* check-rule.c: names, replies and actions of rules.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/check.h"

#include "policy/literal.h"
#include "policy/prefix.h"
#include "policy/template.h"

#include <string.h>

static void
check_name(Compile *compile, const Rule *rule)
{
    const GPtrArray *stage = compile->rules->stages[rule->public.stage];

    for (guint i = 0; i < stage->len; i++) {
        const Rule *other = g_ptr_array_index(stage, i);

        if (other == rule)
            return;
        if (other->public.kind == POLICY_REWRITE
            || strcmp(other->public.name, rule->public.name) != 0)
            continue;
        g_autofree char *line =
            compile_line(&other->public.place, &rule->public.place);
        g_autofree char *hint = g_strdup_printf("it is in %s", line);
        compile_error(compile, &rule->public.place, hint,
                      "a rule `%s` is at `%s` already", rule->public.name,
                      policy_stage_words[rule->public.stage]);
        return;
    }
}

/* ---- replies ---- */

/* The first digits that a verdict may answer with. */
static const struct {
    const char *classes; /* NULL: it has no reply */
    const char *hint;
} replies[] = {
    [POLICY_ACCEPT] = {NULL, NULL},
    [POLICY_PASS] = {NULL, NULL},
    [POLICY_REJECT] = {"5", "a 5xx code; `tempfail` answers 4xx"},
    [POLICY_TEMPFAIL] = {"4", "a 4xx code; `reject` answers 5xx"},
    [POLICY_DISCARD] = {NULL, NULL},
    [POLICY_QUARANTINE] = {NULL, NULL},
    [POLICY_DISCONNECT] = {"45", "a 4xx or 5xx code, such as 421"},
    [POLICY_REWRITE] = {NULL, NULL},
    [POLICY_SCORE] = {NULL, NULL},
};

gboolean
check_may_answer(PolicyVerdict kind, char class)
{
    return replies[kind].classes != NULL
           && strchr(replies[kind].classes, class) != NULL;
}

static void
check_code(Compile *compile, const Rule *rule)
{
    PolicyVerdict kind = rule->public.kind;
    char class = (char)('0' + rule->code / 100);

    if (!check_may_answer(kind, class)) {
        compile_error(compile, &rule->code_place, replies[kind].hint,
                      "`%s` cannot answer %03d", policy_verdict_words[kind],
                      rule->code);
        return;
    }
    if (*rule->enhanced == '\0' || *rule->enhanced == class)
        return;
    g_autofree char *hint =
        g_strdup_printf("such as %c%s", class, rule->enhanced + 1);
    compile_error(compile, &rule->enhanced_place, hint,
                  "%s does not go with %d", rule->enhanced, rule->code);
}

gboolean
check_answers(Compile *compile, const Rule *rule)
{
    if (replies[rule->public.kind].classes == NULL) {
        compile_error(compile, &rule->reply_place,
                      "only reject, tempfail and disconnect have one",
                      "`%s` has no reply",
                      policy_verdict_words[rule->public.kind]);
        return FALSE;
    }
    if (rule->code != 0)
        check_code(compile, rule);
    return TRUE;
}

static void
check_reply(Compile *compile, Rule *rule)
{
    if (rule->reply == NULL || !check_answers(compile, rule))
        return;
    rule->text = template_parse(compile, rule->reply, rule->public.stage);
}

/* ---- actions ---- */

static unsigned
count_arguments(const FilterdAction *action)
{
    unsigned count = 0;

    while (action->arguments != NULL
           && action->arguments[count] != FILTERD_UNKNOWN)
        count++;
    return count;
}

/* Of the rows of one name the one that takes so many arguments, or the first.
 */
static const FilterdAction *
find_action(const FilterdAction *actions, const char *name, unsigned count)
{
    const FilterdAction *first = NULL;

    for (; actions != NULL && actions->name != NULL; actions++) {
        if (strcmp(actions->name, name) != 0)
            continue;
        if (count_arguments(actions) == count)
            return actions;
        if (first == NULL)
            first = actions;
    }
    return first;
}

static void
no_such_action(Compile *compile, const Rule *rule)
{
    const FilterdAction *core = compile->loader->core_actions;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    for (; core != NULL && core->name != NULL; core++)
        g_ptr_array_add(names, g_strdup(core->name));
    for (guint i = 0; i < compile->config->uses->len; i++) {
        const PolicyUse *use = g_ptr_array_index(compile->config->uses, i);
        const FilterdAction *own = use->plugin->actions;

        for (; own != NULL && own->name != NULL; own++)
            if (own == use->plugin->actions
                || strcmp(own[-1].name, own->name) != 0)
                g_ptr_array_add(names,
                                g_strdup_printf("%s.%s", use->name, own->name));
    }
    g_ptr_array_add(names, NULL);
    g_autofree char *plugin =
        g_strndup(rule->action, strcspn(rule->action, "."));
    g_autofree char *hint = g_strdup_printf("is `use %s` missing?", plugin);
    if (compile_is_plugin(compile, plugin)
        && !check_has_instance(compile, plugin, strlen(plugin)))
        compile_error(compile, &rule->public.place, hint, "no action `%s`",
                      rule->action);
    else
        compile_no_such(compile, &rule->public.place, "no action", rule->action,
                        (const char *const *)names->pdata);
}

/* ACTION of the core, INSTANCE.ACTION of a plugin. */
static void
resolve_action(Compile *compile, Rule *rule)
{
    const char *name = rule->action;
    const char *dot = strchr(name, '.');

    rule->public.action =
        find_action(compile->loader->core_actions, name, rule->argument_count);
    for (guint i = 0; dot != NULL && i < compile->config->uses->len; i++) {
        const PolicyUse *use = g_ptr_array_index(compile->config->uses, i);

        if (strlen(use->name) != (gsize)(dot - name)
            || strncmp(use->name, name, (gsize)(dot - name)) != 0)
            continue;
        rule->public.use = use;
        rule->public.action =
            find_action(use->plugin->actions, dot + 1, rule->argument_count);
    }
    g_autofree char *instance = g_strndup(name, strcspn(name, "."));
    if (rule->public.action == NULL
        && !g_hash_table_contains(compile->lost, instance))
        no_such_action(compile, rule);
}

static gboolean
is_textual(FilterdType type)
{
    return type == FILTERD_TEXT || type == FILTERD_WORD
           || type == FILTERD_DOMAIN || type == FILTERD_ADDRESS;
}

static void
check_argument(Compile *compile, const Rule *rule, Argument *argument)
{
    Node stand_in = check_stand_in(argument->type);
    Node *node = argument->node;

    if (node->kind == NODE_QUOTED && is_textual(argument->type)
        && (argument->type == FILTERD_TEXT || strchr(node->text, '{'))) {
        argument->template = template_parse(compile, node, rule->public.stage);
        return;
    }
    check_operand(compile, node, &stand_in);
    check_stage(compile, node, rule->public.stage);
    if (node->kind == NODE_BAD || node->type == argument->type
        || (argument->type == FILTERD_TEXT && is_textual(node->type)))
        return;
    g_autofree char *hint = NULL;
    if (argument->type == FILTERD_TEXT)
        hint = g_strdup_printf("\"{%s}\"", node->text);
    compile_error(compile, &node->place, hint, "`%s` wants %s here, not %s",
                  rule->action, literal_phrase(argument->type),
                  literal_phrase(node->type));
}

static void
append_arguments(GString *text, const FilterdAction *action, const char *name)
{
    unsigned count = count_arguments(action);

    g_string_append_printf(text, "%s(", name);
    for (unsigned i = 0; i < count; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "",
                               literal_phrase(action->arguments[i]));
    g_string_append_c(text, ')');
}

/* It and the rows of its name that follow. */
static char *
describe_arguments(const FilterdAction *action, const char *name)
{
    GString *text = g_string_new(NULL);
    const char *row = action->name;

    for (; action->name != NULL && strcmp(action->name, row) == 0; action++) {
        if (text->len > 0)
            g_string_append(text, " or ");
        append_arguments(text, action, name);
    }
    return g_string_free(text, FALSE);
}

static void
wrong_count(Compile *compile, const Rule *rule)
{
    const FilterdAction *action = rule->public.action;
    g_autofree char *hint = describe_arguments(action, rule->action);

    if (action[1].name != NULL && strcmp(action[1].name, action->name) == 0)
        compile_error(compile, &rule->public.place, hint,
                      "`%s` takes no %u arguments", rule->action,
                      rule->argument_count);
    else
        compile_error(compile, &rule->public.place, hint,
                      "`%s` takes %u arguments, not %u", rule->action,
                      count_arguments(action), rule->argument_count);
}

static void
check_rewrite(Compile *compile, Rule *rule)
{
    resolve_action(compile, rule);
    const FilterdAction *action = rule->public.action;
    if (rule->public.stage < FILTERD_MAIL)
        compile_error(compile, &rule->head, "at `mail` or later",
                      "there is nothing to rewrite at `%s`",
                      policy_stage_words[rule->public.stage]);
    if (action == NULL)
        return;
    if (count_arguments(action) != rule->argument_count) {
        wrong_count(compile, rule);
        return;
    }
    for (unsigned i = 0; i < rule->argument_count; i++) {
        rule->arguments[i].type = action->arguments[i];
        check_argument(compile, rule, &rule->arguments[i]);
    }
    check_constants(compile, rule);
}

void
check_rule(Compile *compile, Rule *rule)
{
    unsigned size, depth;

    if (rule->public.kind == POLICY_REWRITE)
        check_rewrite(compile, rule);
    else
        check_name(compile, rule);
    if (rule->condition != NULL) {
        check_condition(compile, rule->condition);
        if (check_size(compile, rule->condition, &size, &depth))
            check_stage(compile, rule->condition, rule->public.stage);
    }
    check_reply(compile, rule);
    prefix_prepare(rule, compile->rules->facts);
}
