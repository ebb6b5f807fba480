/* edits.c: what is changed on the way through: rewrites, requests of plugins,
 * trace and results fields.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/log.h"
#include "filterd/base/value.h"
#include "filterd/session/state.h"

#include <string.h>

#define QUARANTINE_FIELD "X-Filterd-Quarantine"

/* A plugin or a policy may not grow a message without end. */
#define EDIT_LIMIT 1000

void
session_rewrite_free(void *data)
{
    SessionRewrite *rewrite = data;
    for (unsigned i = 0; i < rewrite->length; i++)
        value_clear(&rewrite->arguments[i]);
    g_free(rewrite->arguments);
    g_free(rewrite);
}

void
session_edit_free(void *data)
{
    FilterdEdit *edit = data;
    g_free((char *)edit->name);
    g_free((char *)edit->value);
    g_free(edit);
}

/* ---- gathering ---------------------------------------------------------- */

static unsigned
argument_count(const FilterdAction *action)
{
    unsigned length = 0;
    while (action->arguments[length] != FILTERD_UNKNOWN)
        length++;
    return length;
}

static SessionScope
scope_of(FilterdStage stage)
{
    if (stage == FILTERD_CONNECT)
        return SESSION_OF_CONNECTION;
    return stage == FILTERD_HELO ? SESSION_OF_HELO : SESSION_OF_MESSAGE;
}

void
session_rewrite_add(Session *session, const PolicyRule *rule)
{
    PolicyClient client;
    GPtrArray *rewrites = session->rewrites[scope_of(rule->stage)];
    GStringChunk *memory = g_string_chunk_new(256);
    const FilterdValue *arguments = policy_rule_arguments(
        rule, session_policy_client(session, &client), memory);
    SessionRewrite *rewrite = g_new0(SessionRewrite, 1);
    rewrite->rule = rule;
    rewrite->length = argument_count(rule->action);
    rewrite->arguments = g_new0(FilterdValue, rewrite->length + 1);
    for (unsigned i = 0; i < rewrite->length; i++)
        rewrite->arguments[i] = value_copy(&arguments[i]);
    g_string_chunk_free(memory);
    if (rewrites->len < EDIT_LIMIT)
        g_ptr_array_add(rewrites, rewrite);
    else
        session_rewrite_free(rewrite);
}

void
session_edit_add(Session *session, const FilterdEdit *edit)
{
    if (session->edits->len >= EDIT_LIMIT)
        return;
    FilterdEdit *copy = g_new(FilterdEdit, 1);
    copy->kind = edit->kind;
    copy->name = g_strdup(edit->name);
    copy->value = g_strdup(edit->value);
    g_ptr_array_add(session->edits, copy);
}

/* The core's rewrites, by the order of engine_core_actions. */
static const struct CoreRewrite {
    FilterdEditKind kind;
    gboolean named; /* the first argument is a field's name */
} core_rewrites[] = {
    {FILTERD_ADD_HEADER, TRUE},     {FILTERD_CHANGE_HEADER, TRUE},
    {FILTERD_REMOVE_HEADER, TRUE},  {FILTERD_SET_SENDER, FALSE},
    {FILTERD_ADD_RECIPIENT, FALSE}, {FILTERD_REMOVE_RECIPIENT, FALSE},
};

static const char *
argument_text(const SessionRewrite *rewrite, unsigned index)
{
    if (index >= rewrite->length
        || rewrite->arguments[index].type == FILTERD_UNKNOWN)
        return NULL;
    return rewrite->arguments[index].text;
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
    if ((row->named ? edit.name : edit.value) != NULL)
        session_edit_add(session, &edit);
}

static const HostInstance *
instance_of(const Session *session, const PolicyUse *use)
{
    Host *host = session->engine->host;
    for (unsigned i = 0; i < host_instances(host); i++)
        if (host_instance(host, i)->use == use)
            return host_instance(host, i);
    return NULL;
}

static void
request(Session *session, const SessionRewrite *rewrite)
{
    g_autoptr(GError) error = NULL;
    const PolicyRule *rule = rewrite->rule;
    if (rule->use == NULL) {
        request_core(session, rewrite);
        return;
    }
    if (!visit_act(session->visit, instance_of(session, rule->use),
                   rule->action, rewrite->arguments, &error)
        && error != NULL)
        log_event(FILTERD_LOG_WARNING, "rewrite", "%s.%s: %s", rule->use->name,
                  rule->name, error->message);
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
    mail_message_add_header(session->message, edit->name,
                            edit->value != NULL ? edit->value : "");
}

static void
do_change_header(Session *session, const FilterdEdit *edit)
{
    mail_message_change_header(session->message, edit->name,
                               edit->value != NULL ? edit->value : "");
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

static void
do_quarantine(Session *session, const FilterdEdit *edit)
{
    mail_message_add_header(session->message, QUARANTINE_FIELD, edit->value);
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

/* A folded value goes on with white space, whoever wrote it. */
static gboolean
edit_valid(const FilterdEdit *edit)
{
    const char *name = edit->name;
    for (const char *p = name; p != NULL && *p != '\0'; p++)
        if (*p <= ' ' || *p > '~' || *p == ':')
            return FALSE;
    if (name != NULL && *name == '\0')
        return FALSE;
    for (const char *p = edit->value; p != NULL && *p != '\0'; p++) {
        if (edit->kind == FILTERD_REPLACE_BODY)
            break;
        if (*p == '\r' || (*p == '\n' && p[1] != ' ' && p[1] != '\t'))
            return FALSE;
    }
    return TRUE;
}

static void
carry_out_all(Session *session)
{
    for (unsigned step = 0; step < G_N_ELEMENTS(edit_steps); step++)
        for (unsigned i = 0; i < session->edits->len; i++) {
            const FilterdEdit *edit = g_ptr_array_index(session->edits, i);
            if (edit->kind != edit_steps[step].kind || !edit_valid(edit))
                continue;
            edit_steps[step].carry_out(session, edit);
            if (session->observer.edited != NULL)
                session->observer.edited(session->observer.data, edit);
        }
}

/* ---- our own fields ----------------------------------------------------- */

/* Fields that only we may have written. */
static void
remove_forged(Session *session)
{
    MailMessage *message = session->message;
    const char *id = session->engine->authserv_id;
    for (guint i = mail_message_fields(message); i > 0; i--) {
        const FilterdField *field = mail_message_field(message, i - 1);
        if (mail_authres_forged(field, id)
            || mail_field_is(field, QUARANTINE_FIELD))
            mail_message_remove_field(message, i - 1);
    }
}

/* RFC 5321 4.4: `for` would tell the others, so only where there is one. */
static void
add_received(Session *session)
{
    char ip[IP_TEXT_SIZE];
    const char *literal = ip_is_v4(&session->ip) ? "" : "IPv6:";
    const char *name = session_client_name(session);
    g_autofree char *date = clock_format_mail(clock_real());
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_printf(text, "from %s (%s [%s%s])\n by %s (filterd) with %s id %s",
                    session->helo != NULL ? session->helo : "unknown",
                    name != NULL ? name : "unknown", literal,
                    ip_format(&session->ip, ip), session->engine->hostname,
                    session->protocol, session->id);
    if (session->envelope->len == 1)
        g_string_append_printf(
            text, "\n for <%s>",
            (const char *)g_ptr_array_index(session->envelope, 0));
    g_string_append_printf(text, ";\n %s", date);
    mail_message_add_header(session->message, "Received", text->str);
}

static void
add_results(Session *session)
{
    if (!session->engine->config->settings.authentication_results)
        return;
    MailAuthres authres;
    mail_authres_init(&authres, session->engine->authserv_id);
    visit_authres(session->visit, &authres, !session_accepted(session));
    g_autofree char *value = mail_authres_end(&authres);
    mail_message_add_header(session->message, "Authentication-Results", value);
}

static void
start_envelope(Session *session)
{
    for (unsigned i = 0; i < session->recipients->len; i++) {
        const SessionRecipient *recipient =
            g_ptr_array_index(session->recipients, i);
        if (session_recipient_goes(recipient))
            g_ptr_array_add(session->envelope,
                            g_strdup(recipient->address.text));
    }
}

void
session_edits_apply(Session *session, const PolicyRule *quarantine)
{
    start_envelope(session);
    for (unsigned scope = 0; scope < SESSION_SCOPES; scope++)
        for (unsigned i = 0; i < session->rewrites[scope]->len; i++)
            request(session, g_ptr_array_index(session->rewrites[scope], i));
    remove_forged(session);
    carry_out_all(session);
    if (quarantine != NULL)
        mail_message_add_header(session->message, QUARANTINE_FIELD,
                                quarantine->name);
    add_received(session);
    add_results(session);
}
