/* warn-value.c: values in conditions that are probably not meant.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/warn-value.h"

#include "filterd/base/ip.h"
#include "policy/pattern-odd.h"

#include <string.h>

static void
warn_host_bits(Compile *compile, const Node *literal)
{
    char network[IP_TEXT_SIZE];

    if (literal->type != FILTERD_IP || !ip_has_host_bits(literal->text))
        return;
    ip_format(&literal->value.ip, network);
    compile_warning(compile, &literal->place, network,
                    "`%s` has host bits: it means `%s`", literal->text,
                    network);
    policy_report_suggest(compile->report, network);
}

/* `*.example.com` as a pattern: (?i)\.example\.com$ */
static char *
pattern_of(const char *text)
{
    GString *pattern = g_string_new("(?i)");
    const char *at = text + strspn(text, "*");

    if (at == text)
        g_string_append_c(pattern, '^');
    for (; *at != '\0' && at[strspn(at, "*")] != '\0'; at++)
        if (*at == '*')
            g_string_append(pattern, ".*");
        else
            g_string_append_printf(
                pattern, strchr("\\^$.|?+()[]{}", *at) != NULL ? "\\%c" : "%c",
                *at);
    if (*at == '\0')
        g_string_append_c(pattern, '$');
    return g_string_free(pattern, FALSE);
}

static void
warn_star(Compile *compile, const Node *compare, const Node *literal,
          const Node *other)
{
    if (literal->kind != NODE_LITERAL || strchr(literal->text, '*') == NULL
        || (literal->type != FILTERD_TEXT && literal->type != FILTERD_ADDRESS))
        return;
    g_autofree char *pattern = pattern_of(literal->text);
    gboolean all = literal->text[strspn(literal->text, "*")] == '\0';
    const char *not = compare->comparison == COMPARE_UNEQUAL ? "not " : "";
    g_autofree char *hint =
        all ? g_strdup_printf("%sknown %s", not, other->text)
            : g_strdup_printf("%s%s matches \"%s\"", not, other->text, pattern);
    compile_warning(compile, &literal->place, hint,
                    "`*` is no wildcard: `%s` is only itself", literal->text);
}

static void
warn_pattern(Compile *compile, const Node *matches)
{
    PatternOddity oddity = pattern_oddity(matches->text);

    if (oddity == PATTERN_ALL)
        compile_warning(compile, &matches->place, NULL,
                        "the pattern `%s` matches everything", matches->text);
    if (oddity != PATTERN_SLASHES)
        return;
    g_autofree char *right = pattern_without_slashes(matches->text);
    g_autofree char *hint = g_strdup_printf("matches \"%s\"", right);
    compile_warning(compile, &matches->place, hint,
                    "the slashes belong to the pattern: `%s`", matches->text);
}

static void
warn_node(Compile *compile, const Node *node)
{
    if (node->kind == NODE_LITERAL)
        warn_host_bits(compile, node);
    if (node->kind == NODE_MATCHES)
        warn_pattern(compile, node);
    if (node->kind < NODE_NOT || node->kind == NODE_MATCHES)
        return;
    if (node->kind == NODE_COMPARE) {
        warn_star(compile, node, node->first, node->first->next);
        warn_star(compile, node, node->first->next, node->first);
    }
    for (const Node *child = node->first; child != NULL; child = child->next)
        warn_node(compile, child);
}

void
warn_values(Compile *compile)
{
    for (guint i = 0; i < compile->steps->len; i++) {
        const Step *step = &g_array_index(compile->steps, Step, i);
        const Node *node = step->rule != NULL ? step->rule->condition
                                              : step->declaration->node;

        if (node != NULL)
            warn_node(compile, node);
    }
}
