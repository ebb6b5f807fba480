/* difference-rule.c: in what two rules, or lets, differ, in words.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/difference-rule.h"

#include "filterd/base/value.h"
#include "policy/written.h"

#include <string.h>

/* ---- to be compared ----------------------------------------------------- */

static void
append_named(GString *out, const Node *node)
{
    if (node->kind == NODE_FACT)
        g_string_append(out, node->fact->name);
    else if (node->kind == NODE_LET || node->kind == NODE_ENTRY
             || node->kind == NODE_NAMED)
        g_string_append(out, node->declaration->name);
    else if (node->kind == NODE_LITERAL)
        value_append(out, &node->value);
    else if (node->kind == NODE_COMPARE)
        g_string_append_printf(out, "%d", (int)node->comparison);
    else if (node->text != NULL)
        g_string_append(out, node->text);
}

/* To be compared, not to be read. What stands next to it does not count. */
static void
append_node(GString *out, const Node *node)
{
    gboolean deep = node->kind == NODE_ENTRY || node->kind >= NODE_NOT;

    g_string_append_printf(out, "(%d %d ", (int)node->kind, (int)node->type);
    append_named(out, node);
    for (const Node *child = deep ? node->first : NULL; child != NULL;
         child = child->next)
        append_node(out, child);
    g_string_append_c(out, ')');
}

char *
difference_rule_text(const Rule *rule)
{
    GString *out = g_string_new(NULL);

    policy_append_prefixes(out, &rule->public);
    g_string_append_printf(
        out, "%" G_GINT64_FORMAT " %d %s %" G_GINT64_FORMAT " ",
        rule->public.score, rule->code, rule->enhanced, rule->public.delay);
    if (rule->condition != NULL)
        append_node(out, rule->condition);
    if (rule->reply != NULL)
        append_node(out, rule->reply);
    for (unsigned i = 0; i < rule->argument_count; i++)
        append_node(out, rule->arguments[i].node);
    return g_string_free(out, FALSE);
}

/* ---- to be read --------------------------------------------------------- */

static void
append_mode(GString *out, const Rule *rule)
{
    policy_append_prefixes(out, &rule->public);
    g_string_truncate(out, out->len > 0 ? out->len - 1 : 0);
}

static void
append_score(GString *out, const Rule *rule)
{
    if (rule->public.kind == POLICY_SCORE)
        g_string_append_printf(out, "%" G_GINT64_FORMAT, rule->public.score);
}

static void
append_verdict(GString *out, const Rule *rule)
{
    g_string_append(out, policy_verdict_words[rule->public.kind]);
}

static void
append_name(GString *out, const Rule *rule)
{
    g_string_append(out, rule->public.name);
}

static void
append_stage(GString *out, const Rule *rule)
{
    g_string_append(out, policy_stage_words[rule->public.stage]);
}

static void
append_condition(GString *out, const Rule *rule)
{
    written_append_condition(out, rule->condition);
}

static const struct Part {
    const char *word;      /* before it */
    const char *otherwise; /* where it is not there */
    void (*append)(GString *out, const Rule *rule);
    gboolean body; /* it is more than whose rule it is */
} parts[] = {
    {"verdict ", "", append_verdict, FALSE},
    {"name ", "", append_name, FALSE},
    {"stage ", "", append_stage, FALSE},
    {"", "applied", append_mode, TRUE},
    {"", "", append_score, TRUE},
    {"", "", written_append_arguments, TRUE},
    {"if ", "always", append_condition, TRUE},
    {"reply ", "default", written_append_reply, TRUE},
};

static char *
write_part(const struct Part *part, const Rule *rule)
{
    GString *out = g_string_new(NULL);

    part->append(out, rule);
    return g_string_free(out, FALSE);
}

char *
difference_rule_body(const Rule *rule)
{
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *text = write_part(&parts[i], rule);

        if (parts[i].body && *text != '\0')
            g_string_append_printf(out, "%s%s%s", out->len > 0 ? " " : "",
                                   parts[i].word, text);
    }
    if (out->len <= DIFFERENCE_PART_LIMIT)
        return g_string_free(out, FALSE);
    char *end =
        g_utf8_find_prev_char(out->str, out->str + DIFFERENCE_PART_LIMIT);
    g_string_truncate(out, (gsize)(end - out->str));
    g_string_append(out, "…");
    return g_string_free(out, FALSE);
}

/* Words round what changed that are shown. */
#define CONTEXT 2

/* ---- from what to what -------------------------------------------------- */

/* How many words both begin with, or (`back`) end with. */
static guint
count_common(char **one, char **other, guint limit, gboolean back)
{
    guint ends[] = {g_strv_length(one), g_strv_length(other)};
    guint count = 0;

    while (count < limit
           && strcmp(one[back ? ends[0] - 1 - count : count],
                     other[back ? ends[1] - 1 - count : count])
                  == 0)
        count++;
    return count;
}

/* All but so many words at either end. */
static char *
cut(char **words, guint head, guint tail)
{
    guint length = g_strv_length(words);
    GString *out = g_string_new(head > 0 ? "…" : "");

    for (guint i = head; i + tail < length; i++)
        g_string_append_printf(out, "%s%s", out->len > 0 ? " " : "", words[i]);
    g_string_append(out, tail > 0 ? " …" : "");
    return g_string_free(out, FALSE);
}

/* What both have before and behind is left out, but for CONTEXT.
 */
static void
shorten(char **old, char **new)
{
    g_auto(GStrv) before = g_strsplit(*old, " ", -1);
    g_auto(GStrv) behind = g_strsplit(*new, " ", -1);
    guint limit = MIN(g_strv_length(before), g_strv_length(behind));
    guint head = count_common(before, behind, limit, FALSE);
    guint tail = count_common(before, behind, limit - head, TRUE);

    g_free(*old);
    g_free(*new);
    head -= MIN(head, CONTEXT);
    tail -= MIN(tail, CONTEXT);
    *old = cut(before, head, tail);
    *new = cut(behind, head, tail);
}

static gboolean
is_long(const char *one, const char *other)
{
    return strlen(one) > DIFFERENCE_PART_LIMIT
           || strlen(other) > DIFFERENCE_PART_LIMIT;
}

/* Takes both texts. */
static void
append_change(GString *out, const struct Part *part, char *old, char *new)
{
    g_autofree char *before = old;
    g_autofree char *behind = new;

    if (strcmp(before, behind) == 0)
        return;
    if (is_long(before, behind))
        shorten(&before, &behind);
    g_string_append(out, out->len > 0 ? ", " : "");
    if (is_long(before, behind))
        g_string_append_printf(out, "%schanged", part->word);
    else
        g_string_append_printf(out, "%s%s -> %s%s",
                               *before != '\0' ? part->word : "",
                               *before != '\0' ? before : part->otherwise,
                               *before == '\0' ? part->word : "",
                               *behind != '\0' ? behind : part->otherwise);
}

static char *
finish(GString *out)
{
    if (out->len == 0)
        g_string_append(out, "changed");
    return g_string_free(out, FALSE);
}

char *
difference_of_rules(const Rule *old, const Rule *new)
{
    g_autofree char *before = difference_rule_text(old);
    g_autofree char *behind = difference_rule_text(new);

    if (old->public.kind == new->public.kind
        && old->public.stage
               == new->public.stage &&strcmp(old->public.name, new->public.name)
               == 0
        && strcmp(before, behind) == 0)
        return NULL;
    GString *out = g_string_new(NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++)
        append_change(out, &parts[i], write_part(&parts[i], old),
                      write_part(&parts[i], new));
    return finish(out);
}

static char *
let_text(const Node *node, void (*append)(GString *out, const Node *node))
{
    GString *out = g_string_new(NULL);

    append(out, node);
    return g_string_free(out, FALSE);
}

char *
difference_of_lets(const Node *old, const Node *new)
{
    static const struct Part part = {"", "", NULL, TRUE};
    g_autofree char *before = let_text(old, append_node);
    g_autofree char *behind = let_text(new, append_node);

    if (strcmp(before, behind) == 0)
        return NULL;
    GString *out = g_string_new(NULL);
    append_change(out, &part, let_text(old, written_append_condition),
                  let_text(new, written_append_condition));
    return finish(out);
}
