/* view.c: rules that were judged, for people.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/view.h"

#include "filterd/base/text.h"
#include "filterd/base/value.h"

#include <string.h>
#include <unistd.h>

/* Octets of one value. */
#define VALUE_LIMIT 300
#define TRUTH_WIDTH 9

gboolean
view_colour(const char *when, gboolean *colour)
{
    const char *no = g_getenv("NO_COLOR"), *term = g_getenv("TERM");
    gboolean automatic = when == NULL || strcmp(when, "auto") == 0;

    *colour = !automatic && strcmp(when, "always") == 0;
    if (automatic)
        *colour = isatty(STDOUT_FILENO) && (no == NULL || *no == '\0')
                  && g_strcmp0(term, "dumb") != 0;
    return automatic || *colour || strcmp(when, "never") == 0;
}

void
view_paint(View *view, ViewStyle style, int width, const char *text)
{
    static const char *const codes[] = {
        [VIEW_HEADING] = "1",   [VIEW_GOOD] = "32", [VIEW_BAD] = "31",
        [VIEW_DOUBTFUL] = "33", [VIEW_FAINT] = "2",
    };

    if (view->colour)
        g_string_append_printf(view->out, "\033[%sm%s\033[0m", codes[style],
                               text);
    else
        g_string_append(view->out, text);
    g_string_append_printf(view->out, "%*s", MAX(width - (int)strlen(text), 0),
                           "");
}

void
view_lines(View *view, unsigned indent, const char *text)
{
    g_autoptr(GString) clean = g_string_new(NULL);
    size_t column = indent;

    text_append_clean(clean, text, strlen(text));
    g_auto(GStrv) words = g_strsplit(clean->str, " ", -1);
    g_string_append_printf(view->out, "%*s", (int)indent, "");
    for (unsigned i = 0; words[i] != NULL; i++) {
        size_t length = strlen(words[i]);

        if (i > 0 && column + 1 + length > VIEW_WIDTH) {
            column = indent + 2;
            g_string_append_printf(view->out, "\n%*s", (int)column, "");
        } else if (i > 0) {
            g_string_append_c(view->out, ' ');
            column++;
        }
        g_string_append(view->out, words[i]);
        column += length;
    }
    g_string_append_c(view->out, '\n');
}

void
view_append_value(GString *out, const FilterdValue *value)
{
    g_autoptr(GString) text = g_string_new(NULL);

    value_append(text, value);
    if (value->type == FILTERD_UNKNOWN)
        g_string_append(out, "unknown");
    else if (value->type == FILTERD_LIST && value->list.length == 0)
        g_string_append(out, "an empty list");
    else if (text->len == 0)
        g_string_append(out, "\"\"");
    else
        text_append_clean(out, text->str, VALUE_LIMIT);
}

/* Whether the text says all that there is to say. */
static gboolean
speaks_for_itself(const PolicyReason *reason)
{
    if (reason->seen->len != 1)
        return reason->seen->len == 0;
    const PolicySeen *seen = g_ptr_array_index(reason->seen, 0);
    const char *text = reason->text;
    if (g_str_has_prefix(text, "known ") && seen->value.type == FILTERD_UNKNOWN)
        text += strlen("known ");
    return strcmp(text, seen->fact->name) == 0;
}

/* bl.score >= 5: no, bl.score is 0 */
static void
show_reason(View *view, const PolicyReason *reason)
{
    g_autoptr(GString) line = g_string_new(NULL);

    g_string_append_printf(line, "%s: %s", reason->text,
                           policy_truth_words[reason->truth]);
    for (guint i = 0; !speaks_for_itself(reason) && i < reason->seen->len;
         i++) {
        const PolicySeen *seen = g_ptr_array_index(reason->seen, i);

        g_string_append_printf(line, ", %s is ", seen->fact->name);
        view_append_value(line, &seen->value);
    }
    view_lines(view, 4 + TRUTH_WIDTH + 2 * (1 + MIN(reason->depth, 10)),
               line->str);
}

void
view_judgement(View *view, const PolicyJudgement *judgement)
{
    static const ViewStyle styles[] = {
        [POLICY_NO] = VIEW_FAINT,
        [POLICY_YES] = VIEW_GOOD,
        [POLICY_UNKNOWN] = VIEW_DOUBTFUL,
    };
    const PolicyRule *rule = judgement->rule;
    gboolean expired = judgement->mode == POLICY_EXPIRED;

    g_string_append(view->out, "    ");
    view_paint(view, styles[judgement->truth], TRUTH_WIDTH,
               expired ? policy_mode_words[POLICY_EXPIRED]
                       : policy_truth_words[judgement->truth]);
    policy_append_prefixes(view->out, rule);
    g_string_append_printf(view->out, "%s ", policy_verdict_words[rule->kind]);
    if (rule->kind == POLICY_SCORE)
        g_string_append_printf(view->out, "%" G_GINT64_FORMAT " ", rule->score);
    g_string_append(view->out, rule->name);
    if (judgement->mode == POLICY_CANARY_OUT)
        g_string_append(view->out, " (out of the sample: as would)");
    else if (rule->canary > 0 && !expired)
        g_string_append(view->out, " (in the sample)");
    g_string_append_c(view->out, '\n');
    for (guint i = 0; i < judgement->reasons->len; i++)
        show_reason(view, g_ptr_array_index(judgement->reasons, i));
}

void
view_judgements(View *view, const GPtrArray *judgements)
{
    int stage = -1;

    for (guint i = 0; i < judgements->len; i++) {
        const PolicyJudgement *judgement = g_ptr_array_index(judgements, i);

        if ((int)judgement->rule->stage != stage) {
            stage = (int)judgement->rule->stage;
            g_string_append(view->out, "  at ");
            view_paint(view, VIEW_HEADING, 0, policy_stage_words[stage]);
            g_string_append_c(view->out, '\n');
        }
        view_judgement(view, judgement);
    }
}
