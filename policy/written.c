/* written.c: a sub-expression as it is written, more or less.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/written.h"

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
