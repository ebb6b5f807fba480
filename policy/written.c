/* written.c: parts of a rule as they are written, more or less.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/written.h"

#include "filterd/base/value.h"

static void
append_literal(GString *out, const Node *node)
{
    FilterdType type = node->value.type;
    gboolean quoted = type == FILTERD_TEXT || type == FILTERD_DOMAIN
                      || type == FILTERD_ADDRESS;

    g_string_append_printf(out, quoted ? "\"%s\"" : "%s", node->text);
}

static void
append_operand(GString *out, const Node *node)
{
    if (node->kind == NODE_LITERAL) {
        append_literal(out, node);
    } else if (node->kind == NODE_QUOTED) {
        g_string_append_printf(out, "\"%s\"", node->text);
    } else if (node->kind == NODE_ENTRY) {
        g_string_append_printf(out, "%s[", node->declaration->name);
        append_operand(out, node->first);
        g_string_append_c(out, ']');
    } else {
        g_string_append(out, node->text);
    }
}

static void
append_negated(GString *out, const Node *node, gboolean negated)
{
    static const char *const signs[] = {"=", "!=", "<", "<=", ">", ">="};
    const Node *left = node->first;

    if (negated && node->kind != NODE_IN)
        g_string_append(out, "not ");
    if (node->kind == NODE_KNOWN)
        g_string_append(out, "known ");
    if (node->kind < NODE_NOT) {
        append_operand(out, node);
        return;
    }
    append_operand(out, left);
    if (node->kind == NODE_COMPARE)
        g_string_append_printf(out, " %s ", signs[node->comparison]);
    else if (node->kind == NODE_IN)
        g_string_append(out, negated ? " not in " : " in ");
    else if (node->kind == NODE_MATCHES)
        g_string_append_printf(out, " matches \"%s\"", node->text);
    if (left->next != NULL)
        append_operand(out, left->next);
}

void
written_append(GString *out, const Node *node)
{
    gboolean negated = FALSE;

    for (; node->kind == NODE_NOT; node = node->first)
        negated = !negated;
    append_negated(out, node, negated);
}

/* ---- conditions --------------------------------------------------------- */

static gboolean
is_chain(const Node *node)
{
    return node->kind == NODE_AND || node->kind == NODE_OR;
}

/* Below `and` and `not` an `or` wants parentheses, as a chain below `not`. */
static void
append_tree(GString *out, const Node *node, NodeKind outer)
{
    if (node->kind == NODE_NOT
        && (is_chain(node->first) || node->first->kind == NODE_NOT)) {
        g_string_append(out, "not ");
        append_tree(out, node->first, NODE_NOT);
        return;
    }
    if (!is_chain(node)) {
        written_append(out, node);
        return;
    }
    gboolean thesis =
        outer == NODE_NOT || (outer == NODE_AND && outer != node->kind);
    g_string_append(out, thesis ? "(" : "");
    for (const Node *child = node->first; child != NULL; child = child->next) {
        if (child != node->first)
            g_string_append(out, node->kind == NODE_AND ? " and " : " or ");
        append_tree(out, child, node->kind);
    }
    g_string_append(out, thesis ? ")" : "");
}

void
written_append_condition(GString *out, const Node *node)
{
    if (node != NULL)
        append_tree(out, node, NODE_OR);
}

/* ---- the rest of a rule ------------------------------------------------- */

void
written_append_reply(GString *out, const Rule *rule)
{
    if (rule->reply == NULL)
        return;
    if (rule->code != 0)
        g_string_append_printf(out, "%03d ", rule->code);
    if (*rule->enhanced != '\0')
        g_string_append_printf(out, "%s ", rule->enhanced);
    append_operand(out, rule->reply);
    if (rule->public.delay == 0)
        return;
    const FilterdValue delay = filterd_duration(rule->public.delay);
    g_string_append(out, " after ");
    value_append(out, &delay);
}

void
written_append_arguments(GString *out, const Rule *rule)
{
    if (rule->public.kind != POLICY_REWRITE)
        return;
    g_string_append_c(out, '(');
    for (unsigned i = 0; i < rule->argument_count; i++) {
        g_string_append(out, i > 0 ? ", " : "");
        append_operand(out, rule->arguments[i].node);
    }
    g_string_append_c(out, ')');
}
