/* try-view.c: what came of judging one message, for people.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/try.h"

static void
show_heading(View *view, const char *text)
{
    view_paint(view, VIEW_HEADING, 0, text);
    g_string_append_c(view->out, '\n');
}

/* ---- rules -------------------------------------------------------------- */

static gboolean
goes_with(const TryRule *rule, const TryRule *last)
{
    return last != NULL && rule->transaction == last->transaction
           && rule->judgement->rule->stage == last->judgement->rule->stage
           && g_strcmp0(rule->recipient, last->recipient) == 0;
}

static void
show_stage(View *view, const TryRule *rule)
{
    g_autoptr(GString) line = g_string_new("at ");

    g_string_append(line, policy_stage_words[rule->judgement->rule->stage]);
    if (rule->recipient != NULL)
        g_string_append_printf(line, ", %s", rule->recipient);
    if (rule->transaction > 0)
        g_string_append_printf(line, ", transaction %u", rule->transaction + 1);
    view_lines(view, 2, line->str);
}

static void
show_rules(View *view, const GPtrArray *rules)
{
    const TryRule *last = NULL;

    for (guint i = 0; i < rules->len; i++) {
        const TryRule *rule = g_ptr_array_index(rules, i);

        if (last == NULL)
            show_heading(view, "Rules");
        if (!goes_with(rule, last))
            show_stage(view, rule);
        view_judgement(view, rule->judgement);
        last = rule;
    }
}

/* ---- facts, questions, edits -------------------------------------------- */

static void
show_facts(View *view, const GPtrArray *facts)
{
    for (guint i = 0; i < facts->len; i++) {
        const TryFact *fact = g_ptr_array_index(facts, i);
        g_autoptr(GString) line = g_string_new(NULL);

        if (i == 0)
            show_heading(view, "Facts");
        g_string_append_printf(line, "%s = ", fact->fact->name);
        view_append_value(line, &fact->value);
        view_lines(view, 2, line->str);
    }
}

static void
show_questions(View *view, const GPtrArray *questions)
{
    for (guint i = 0; i < questions->len; i++) {
        const TryQuestion *question = g_ptr_array_index(questions, i);
        g_autofree char *line = g_strdup_printf(
            "%s %s: %s, %" G_GINT64_FORMAT " ms", question->name,
            try_question_type(question), question->answer, question->waited);

        if (i == 0)
            show_heading(view, "DNS");
        view_lines(view, 2, line);
    }
}

static void
show_edit(View *view, unsigned indent, const FilterdEdit *edit)
{
    g_autoptr(GString) line = g_string_new(try_edit_words[edit->kind]);

    if (edit->name != NULL)
        g_string_append_printf(line, " %s", edit->name);
    if (edit->value != NULL)
        g_string_append_printf(line, ": %s", edit->value);
    view_lines(view, indent, line->str);
}

/* "for a@example.com, b@example.com" */
static void
show_recipients(View *view, const GPtrArray *recipients,
                const TryTransaction *transaction)
{
    g_autoptr(GString) line = g_string_new(NULL);

    for (guint i = 0; i < recipients->len; i++) {
        const TryRecipient *recipient = g_ptr_array_index(recipients, i);

        if (recipient->transaction == transaction)
            g_string_append_printf(line, "%s%s", line->len > 0 ? ", " : "for ",
                                   recipient->address);
    }
    view_lines(view, 2, line->str);
}

static void
show_edits(View *view, const TryResult *result)
{
    const GPtrArray *transactions = result->transactions;
    unsigned indent = transactions->len > 1 ? 4 : 2;
    gboolean headed = FALSE;

    for (guint i = 0; i < transactions->len; i++) {
        const TryTransaction *one = g_ptr_array_index(transactions, i);

        if (one->edits->len > 0 && !headed)
            show_heading(view, "Edits");
        headed = headed || one->edits->len > 0;
        if (one->edits->len > 0 && transactions->len > 1)
            show_recipients(view, result->recipients, one);
        for (guint k = 0; k < one->edits->len; k++)
            show_edit(view, indent, g_ptr_array_index(one->edits, k));
    }
}

/* ---- the verdict -------------------------------------------------------- */

static ViewStyle
style_of(PolicyVerdict verdict)
{
    if (verdict == POLICY_ACCEPT)
        return VIEW_GOOD;
    return verdict == POLICY_QUARANTINE ? VIEW_DOUBTFUL : VIEW_BAD;
}

/* Of a recipient, or (NULL) of the message. */
static void
show_verdict(View *view, const char *recipient, const TryVerdict *verdict)
{
    g_string_append(view->out, "  ");
    if (recipient != NULL)
        g_string_append_printf(view->out, "%s: ", recipient);
    view_paint(view, style_of(verdict->verdict), 0,
               policy_verdict_words[verdict->verdict]);
    if (verdict->rule != NULL)
        g_string_append_printf(view->out, " %s", verdict->rule);
    g_string_append_printf(view->out, " at %s\n",
                           policy_stage_words[verdict->stage]);
    if (verdict->reply != NULL)
        view_lines(view, 4, verdict->reply);
}

/* What became of it where a verdict does not say so. */
static void
show_recipient(View *view, const TryRecipient *recipient, gboolean named)
{
    const TryTransaction *transaction = recipient->transaction;

    show_verdict(view, named ? recipient->address : NULL, &recipient->verdict);
    if (transaction != NULL && transaction->kept)
        view_lines(view, 4, "kept in quarantine, not delivered");
}

/* Of recipients in several transactions there is nothing that holds for all. */
static void
show_verdicts(View *view, const TryResult *result)
{
    const GPtrArray *recipients = result->recipients;
    gboolean several = recipients->len > 1;

    show_heading(view, "Verdict");
    for (guint i = 0; i < recipients->len; i++)
        show_recipient(view, g_ptr_array_index(recipients, i), several);
    if (several && result->transactions->len == 1)
        show_verdict(view, "the message", try_result_verdict(result));
}

void
try_view(View *view, const TryResult *result)
{
    show_rules(view, result->rules);
    show_facts(view, result->facts->len > 0 ? result->facts : result->asked);
    show_questions(view, result->questions);
    show_edits(view, result);
    show_verdicts(view, result);
}
