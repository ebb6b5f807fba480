/* unseen.c: what an MTA is told that shows us the envelope of a message, and
 * keeps the message itself.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/metrics.h"
#include "filterd/session/state.h"

#include <string.h>

void
session_told_size(Session *session, gsize size)
{
    session->told_size = size;
}

void
session_log_recipient(Session *session, gboolean discarded)
{
    const PolicyRule *rule = session_recipient_rule(session);
    if (rule == NULL)
        rule = session_settled(session);
    const SessionEntry entry = {
        .event = discarded ? "discarded" : "passed",
        .verdict = discarded ? POLICY_DISCARD : POLICY_PASS,
        .rule = rule != NULL ? rule->name : session_quarantined(session),
        .stage = "rcpt",
        .recipient = session->recipient.text,
    };
    if (discarded)
        metrics_add(METRIC_DISCARDED, 1);
    session_log(session, &entry);
}

/* ---- fields ------------------------------------------------------------- */

static void
drop(const Session *session, const char *edit)
{
    session_edit_dropped(session, edit, NULL, NULL,
                         "not done: here only fields can be added");
}

/* What needs the message, or to change it, is not for us. */
static void
drop_others(Session *session, GPtrArray *rewrites)
{
    for (unsigned i = session_length(rewrites); i > 0; i--) {
        const SessionRewrite *rewrite = g_ptr_array_index(rewrites, i - 1);
        if ((rewrite->rule->action->flags & FILTERD_SIGNS) == 0)
            continue;
        drop(session, rewrite->rule->action->name);
        g_ptr_array_remove_index(rewrites, i - 1);
    }
}

static void
request_fields(Session *session)
{
    for (unsigned scope = 0; scope <= SESSION_OF_MESSAGE; scope++) {
        GPtrArray *rewrites = session->holds[scope].rewrites;
        drop_others(session, rewrites);
        session_request_all(session, scope);
        if (rewrites != NULL)
            g_ptr_array_set_size(rewrites, 0);
    }
}

/* A field in one line: folding is the MTA's. */
static char *
format_field(const FilterdEdit *edit)
{
    GString *field = g_string_new(edit->name);
    g_string_append(field, ": ");
    for (const char *at = edit->value; *at != '\0'; at++)
        g_string_append_c(field, g_ascii_iscntrl(*at) ? ' ' : *at);
    return g_string_free(field, FALSE);
}

/* NULL: it is no field, or has been given: several recipients want the same. */
static char *
carry_out(Session *session, const FilterdEdit *edit)
{
    if (edit->kind == FILTERD_QUARANTINE) {
        session_hold_back(session, edit->value);
        return NULL;
    }
    if (edit->kind != FILTERD_ADD_HEADER) {
        drop(session, session_edit_word(edit));
        return NULL;
    }
    g_autofree char *field = format_field(edit);
    if (g_ptr_array_find_with_equal_func(session->fields, field, g_str_equal,
                                         NULL))
        return NULL;
    g_ptr_array_add(session->fields, g_strdup(field));
    return g_steal_pointer(&field);
}

static char *
take_field(Session *session, GPtrArray *edits)
{
    char *field = NULL;
    while (session_length(edits) > 0 && field == NULL) {
        FilterdEdit *edit = g_ptr_array_steal_index(edits, 0);
        field = carry_out(session, edit);
        session_edit_free(edit);
    }
    return field;
}

char *
session_next_field(Session *session)
{
    char *field = NULL;
    request_fields(session);
    for (unsigned scope = 0; scope <= SESSION_OF_MESSAGE && field == NULL;
         scope++)
        field = take_field(session, session->holds[scope].edits);
    return field;
}
