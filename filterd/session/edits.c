/* edits.c: what is changed on the way through: rewrites, requests of plugins,
 * and our own fields.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/log.h"
#include "filterd/session/state.h"

/* ---- requests ----------------------------------------------------------- */

/* The core's rewrites, by the order of engine_core_actions. */
static const struct CoreRewrite {
    FilterdEditKind kind;
    gboolean named; /* the first argument is a field's name */
} core_rewrites[] = {
    {FILTERD_ADD_HEADER, TRUE},     {FILTERD_CHANGE_HEADER, TRUE},
    {FILTERD_REMOVE_HEADER, TRUE},  {FILTERD_SET_SENDER, FALSE},
    {FILTERD_ADD_RECIPIENT, FALSE}, {FILTERD_REMOVE_RECIPIENT, FALSE},
};

FilterdEditKind
session_rewrite_kind(const PolicyRule *rule)
{
    return core_rewrites[rule->action - engine_core_actions].kind;
}

static const char *
argument_text(const SessionRewrite *rewrite, unsigned index)
{
    const FilterdValue *value = &rewrite->arguments[index];
    if (index >= rewrite->length || value->type < FILTERD_TEXT
        || value->type > FILTERD_ADDRESS)
        return NULL;
    return value->text;
}

/* What is unknown is not written. */
static gboolean
arguments_known(const SessionRewrite *rewrite)
{
    for (unsigned i = 0; i < rewrite->length; i++)
        if (argument_text(rewrite, i) == NULL)
            return FALSE;
    return TRUE;
}

static void
request_core(Session *session, const SessionRewrite *rewrite)
{
    const struct CoreRewrite *row =
        &core_rewrites[rewrite->rule->action - engine_core_actions];
    FilterdEdit edit = {
        .kind = row->kind,
        .name = row->named ? argument_text(rewrite, 0) : NULL,
        .value = argument_text(rewrite, row->named ? 1 : 0),
    };
    if (arguments_known(rewrite))
        session_edit_add(session, FILTERD_MESSAGE, &edit);
}

const HostInstance *
session_edits_instance(const Session *session, const PolicyRule *rule)
{
    Host *host = session->engine->host;
    for (unsigned i = 0; i < host_instances(host); i++)
        if (host_instance(host, i)->use == rule->use)
            return host_instance(host, i);
    return NULL;
}

void
session_edits_failed(Session *session, const PolicyRule *rule, GError **error)
{
    LogLine line;
    if (*error == NULL)
        return;
    log_begin(&line, FILTERD_LOG_WARNING, "rewrite");
    log_text(&line, "session", session->id);
    log_text(&line, "instance", rule->use->name);
    log_text(&line, "edit", rule->action->name);
    log_text(&line, "text", (*error)->message);
    log_end(&line);
    g_clear_error(error);
}

/* FALSE: it failed, and nothing goes out without it. */
static gboolean
request(Session *session, const SessionRewrite *rewrite)
{
    GError *error = NULL;
    const PolicyRule *rule = rewrite->rule;
    if (rule->use == NULL) {
        request_core(session, rewrite);
        return TRUE;
    }
    if (visit_act(session->visit, session_edits_instance(session, rule),
                  rule->action, rewrite->arguments, &error))
        return TRUE;
    session_edits_failed(session, rule, &error);
    return (rule->action->flags & FILTERD_SIGNS) == 0;
}

gboolean
session_request_all(Session *session, SessionScope scope)
{
    gboolean fine = TRUE;
    const GPtrArray *rewrites = session->holds[scope].rewrites;
    for (unsigned i = 0; i < session_length(rewrites); i++)
        fine = request(session, g_ptr_array_index(rewrites, i)) && fine;
    return fine;
}

gboolean
session_has_actions(const Session *session)
{
    for (unsigned scope = 0; scope <= SESSION_OF_MESSAGE; scope++) {
        const GPtrArray *rewrites = session->holds[scope].rewrites;
        for (unsigned i = 0; i < session_length(rewrites); i++) {
            const SessionRewrite *rewrite = g_ptr_array_index(rewrites, i);
            if (rewrite->rule->use != NULL)
                return TRUE;
        }
    }
    return FALSE;
}

/* ---- carrying out ------------------------------------------------------- */

static void
remove_recipient(Session *session, const char *address)
{
    for (unsigned i = session->envelope->len; i > 0; i--)
        if (g_ascii_strcasecmp(g_ptr_array_index(session->envelope, i - 1),
                               address)
            == 0)
            g_ptr_array_remove_index(session->envelope, i - 1);
}

static void
do_add_header(Session *session, const FilterdEdit *edit)
{
    mail_message_add_header(session->message, edit->name, edit->value);
}

static void
do_change_header(Session *session, const FilterdEdit *edit)
{
    mail_message_change_header(session->message, edit->name, edit->value);
}

static void
do_remove_header(Session *session, const FilterdEdit *edit)
{
    mail_message_remove_header(session->message, edit->name);
}

static void
do_set_sender(Session *session, const FilterdEdit *edit)
{
    g_free(session->sender_edit);
    session->sender_edit = g_strdup(edit->value);
}

static void
do_add_recipient(Session *session, const FilterdEdit *edit)
{
    remove_recipient(session, edit->value);
    g_ptr_array_add(session->envelope, g_strdup(edit->value));
}

static void
do_remove_recipient(Session *session, const FilterdEdit *edit)
{
    remove_recipient(session, edit->value);
}

static void
do_replace_body(Session *session, const FilterdEdit *edit)
{
    mail_message_replace_body(session->message, edit->value);
}

void
session_hold_back(Session *session, const char *reason)
{
    if (!session->advises
        && session->engine->config->settings.quarantine == 0) {
        mail_message_add_header(session->message, SESSION_QUARANTINE_FIELD,
                                reason);
        return;
    }
    g_free(session->hold_reason);
    session->hold_reason = g_strdup(reason);
}

static void
do_quarantine(Session *session, const FilterdEdit *edit)
{
    session_hold_back(session, edit->value);
}

/* In the order in which kinds are carried out. */
static const struct EditStep {
    FilterdEditKind kind;
    void (*carry_out)(Session *session, const FilterdEdit *edit);
} edit_steps[] = {
    {FILTERD_REMOVE_HEADER, do_remove_header},
    {FILTERD_CHANGE_HEADER, do_change_header},
    {FILTERD_ADD_HEADER, do_add_header},
    {FILTERD_REPLACE_BODY, do_replace_body},
    {FILTERD_SET_SENDER, do_set_sender},
    {FILTERD_REMOVE_RECIPIENT, do_remove_recipient},
    {FILTERD_ADD_RECIPIENT, do_add_recipient},
    {FILTERD_QUARANTINE, do_quarantine},
};

static void
carry_out(Session *session, const struct EditStep *step, const GPtrArray *edits)
{
    for (unsigned i = 0; i < session_length(edits); i++) {
        const FilterdEdit *edit = g_ptr_array_index(edits, i);
        if (edit->kind != step->kind)
            continue;
        step->carry_out(session, edit);
        if (session->observer.edited != NULL)
            session->observer.edited(session->observer.data, edit);
    }
}

static void
start_envelope(Session *session)
{
    for (unsigned i = 0; i < session->recipients->len; i++) {
        const SessionRecipient *recipient =
            g_ptr_array_index(session->recipients, i);
        if (session_recipient_goes(session, recipient))
            g_ptr_array_add(session->envelope,
                            g_strdup(recipient->address.text));
    }
}

/* A recipient's own became the message's when it was taken. What the rewrites
 * request is for the group at hand. */
gboolean
session_edits_apply(Session *session, const PolicyRule *quarantine)
{
    const SessionHold *hold = &session->holds[SESSION_OF_MESSAGE];
    unsigned before = session_length(hold->edits);
    start_envelope(session);
    gboolean fine = TRUE;
    for (unsigned scope = 0; scope <= SESSION_OF_MESSAGE; scope++)
        fine = session_request_all(session, scope) && fine;
    session_trace_remove(session);
    for (unsigned step = 0; step < G_N_ELEMENTS(edit_steps); step++)
        for (unsigned scope = 0; scope <= SESSION_OF_MESSAGE; scope++)
            carry_out(session, &edit_steps[step], session->holds[scope].edits);
    if (hold->edits != NULL)
        g_ptr_array_set_size(hold->edits, (int)before);
    if (quarantine != NULL)
        session_hold_back(session, quarantine->name);
    session_trace_add(session);
    return fine && session_sign(session);
}
