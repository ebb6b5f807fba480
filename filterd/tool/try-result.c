/* try-result.c: what came of judging one message, its life, and as JSON.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/value.h"
#include "filterd/tool/try.h"

const char *const try_edit_words[] = {
    [FILTERD_ADD_HEADER] = "add-header",
    [FILTERD_CHANGE_HEADER] = "change-header",
    [FILTERD_REMOVE_HEADER] = "remove-header",
    [FILTERD_SET_SENDER] = "set-sender",
    [FILTERD_ADD_RECIPIENT] = "add-recipient",
    [FILTERD_REMOVE_RECIPIENT] = "remove-recipient",
    [FILTERD_REPLACE_BODY] = "replace-body",
    [FILTERD_QUARANTINE] = "quarantine",
};

/* ---- life --------------------------------------------------------------- */

void
try_verdict_clear(TryVerdict *verdict)
{
    g_free(verdict->rule);
    g_free(verdict->reply);
    *verdict = (TryVerdict){.stage = FILTERD_MESSAGE};
}

void
try_verdict_copy(TryVerdict *to, const TryVerdict *from)
{
    try_verdict_clear(to);
    *to = *from;
    to->rule = g_strdup(from->rule);
    to->reply = g_strdup(from->reply);
}

static void
recipient_free(void *data)
{
    TryRecipient *recipient = data;
    try_verdict_clear(&recipient->verdict);
    g_free(recipient->address);
    g_free(recipient);
}

static void
fact_free(void *data)
{
    TryFact *fact = data;
    value_clear(&fact->value);
    g_free(fact);
}

static void
rule_free(void *data)
{
    TryRule *rule = data;
    policy_judgement_free(rule->judgement);
    g_free(rule->recipient);
    g_free(rule);
}

static void
transaction_free(void *data)
{
    TryTransaction *transaction = data;
    g_ptr_array_unref(transaction->edits);
    g_free(transaction);
}

TryTransaction *
try_result_begin(TryResult *result)
{
    TryTransaction *transaction = g_new0(TryTransaction, 1);
    transaction->edits = g_ptr_array_new_with_free_func(session_edit_free);
    g_ptr_array_add(result->transactions, transaction);
    return transaction;
}

void
try_result_init(TryResult *result)
{
    *result = (TryResult){
        .recipients = g_ptr_array_new_with_free_func(recipient_free),
        .transactions = g_ptr_array_new_with_free_func(transaction_free),
        .facts = g_ptr_array_new_with_free_func(fact_free),
        .asked = g_ptr_array_new_with_free_func(fact_free),
        .rules = g_ptr_array_new_with_free_func(rule_free),
        .questions = g_ptr_array_new_with_free_func(try_question_free),
        .would = g_ptr_array_new(),
    };
}

void
try_result_clear(TryResult *result)
{
    g_ptr_array_unref(result->recipients);
    g_ptr_array_unref(result->transactions);
    g_ptr_array_unref(result->facts);
    g_ptr_array_unref(result->asked);
    g_ptr_array_unref(result->rules);
    g_ptr_array_unref(result->questions);
    g_ptr_array_unref(result->would);
}

const TryVerdict *
try_result_verdict(const TryResult *result)
{
    for (unsigned i = 0; i < result->recipients->len; i++) {
        const TryRecipient *recipient =
            g_ptr_array_index(result->recipients, i);
        if (recipient->goes)
            return &recipient->verdict;
    }
    const TryRecipient *first = g_ptr_array_index(result->recipients, 0);
    return &first->verdict;
}

const GPtrArray *
try_result_edits(const TryResult *result)
{
    const GPtrArray *transactions = result->transactions;
    for (guint i = 0; i < transactions->len; i++) {
        const TryTransaction *one = g_ptr_array_index(transactions, i);
        if (one->goes_on)
            return one->edits;
    }
    const TryTransaction *first = g_ptr_array_index(transactions, 0);
    return first->edits;
}

/* ---- JSON --------------------------------------------------------------- */

static void
append_verdict(GString *out, const TryVerdict *verdict)
{
    view_json_text(out, "verdict", policy_verdict_words[verdict->verdict]);
    g_string_append_c(out, ',');
    view_json_text(out, "rule", verdict->rule);
    g_string_append_c(out, ',');
    view_json_text(out, "stage", policy_stage_words[verdict->stage]);
    g_string_append_c(out, ',');
    view_json_text(out, "reply", verdict->reply);
}

static void
append_edit(GString *out, const void *element)
{
    const FilterdEdit *edit = element;
    g_string_append_c(out, '{');
    view_json_text(out, "edit", try_edit_words[edit->kind]);
    g_string_append_c(out, ',');
    view_json_text(out, "name", edit->name);
    g_string_append_c(out, ',');
    view_json_text(out, "value", edit->value);
    g_string_append_c(out, '}');
}

static void
append_recipient(GString *out, const void *element)
{
    const TryRecipient *recipient = element;
    const TryTransaction *transaction = recipient->transaction;
    g_string_append_c(out, '{');
    view_json_text(out, "to", recipient->address);
    g_string_append_c(out, ',');
    append_verdict(out, &recipient->verdict);
    g_string_append_printf(out, ",\"kept\":%s,\"edits\":[",
                           transaction != NULL && transaction->kept ? "true"
                                                                    : "false");
    if (transaction != NULL && transaction->goes_on)
        view_json_each(out, transaction->edits, append_edit);
    g_string_append(out, "]}");
}

static void
append_fact(GString *out, const void *element)
{
    const TryFact *fact = element;
    value_append_json_text(out, fact->fact->name);
    g_string_append_c(out, ':');
    value_append_json(out, &fact->value);
}

static void
append_would(GString *out, const void *element)
{
    const PolicyRule *rule = element;
    g_string_append_c(out, '{');
    view_json_text(out, "verdict", policy_verdict_words[rule->kind]);
    g_string_append_c(out, ',');
    view_json_text(out, "rule", rule->name);
    g_string_append_c(out, ',');
    view_json_text(out, "stage", policy_stage_words[rule->stage]);
    g_string_append_c(out, '}');
}

static void
append_rule(GString *out, const void *element)
{
    const TryRule *rule = element;
    view_json_judgement(out, rule->judgement);
}

static void
append_question(GString *out, const void *element)
{
    const TryQuestion *question = element;
    g_string_append_c(out, '{');
    view_json_text(out, "name", question->name);
    g_string_append_c(out, ',');
    view_json_text(out, "type", try_question_type(question));
    g_string_append_c(out, ',');
    view_json_text(out, "answer", question->answer);
    g_string_append_printf(out, ",\"ms\":%" G_GINT64_FORMAT "}",
                           question->waited);
}

char *
try_result_json(const TryResult *result)
{
    GString *out = g_string_new("{");
    append_verdict(out, try_result_verdict(result));
    g_string_append(out, ",\"recipients\":[");
    view_json_each(out, result->recipients, append_recipient);
    g_string_append(out, "],\"facts\":{");
    view_json_each(out, result->facts, append_fact);
    g_string_append(out, "},\"would\":[");
    view_json_each(out, result->would, append_would);
    g_string_append(out, "],\"edits\":[");
    view_json_each(out, try_result_edits(result), append_edit);
    g_string_append(out, "],\"rules\":[");
    view_json_each(out, result->rules, append_rule);
    g_string_append(out, "],\"dns\":[");
    view_json_each(out, result->questions, append_question);
    g_string_append(out, "]}\n");
    return g_string_free(out, FALSE);
}
