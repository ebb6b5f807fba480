/* session.c: the life of a connection and of its transactions.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/session/session.h"

#include "filterd/base/metrics.h"
#include "filterd/session/state.h"

#include <string.h>

/* Bodies over this go to the spool. */
#define BODY_IN_MEMORY 262144

/* ---- life --------------------------------------------------------------- */

static const FilterdValue *
core_fact(void *data, unsigned index)
{
    return session_core_fact(data, index);
}

static void
plugin_edit(void *data, FilterdStage stage, const FilterdEdit *edit)
{
    session_edit_add(data, stage, edit);
}

static void
recipient_free(void *data)
{
    SessionRecipient *recipient = data;
    mail_address_clear(&recipient->address);
    g_free(recipient->group);
    g_clear_pointer(&recipient->looks, g_array_unref);
    g_free(recipient);
}

static void
name_session(Session *session)
{
    Engine *engine = session->engine;
    g_snprintf(session->id, sizeof session->id, "%s-%" G_GINT64_MODIFIER "x",
               engine->prefix, ++engine->sessions);
}

static void
set_peer(Session *session, const SessionPeer *peer)
{
    session->ip = peer->ip;
    session->port = peer->port;
    session->local_ip = peer->local_ip;
    session->local_port = peer->local_port;
    session->early_talker = peer->early_talker;
    session->client_sessions = peer->sessions;
    session->client_errors = peer->errors;
    session->client_unknown = peer->unknown_recipients;
    session->wire = peer->wire;
    session->answers_each = peer->answers_each;
    session->advises = peer->advises;
    session->envelopes = peer->envelopes;
    session->mta_name = g_strdup(peer->mta_name);
    session->mta_daemon = g_strdup(peer->mta_daemon);
    session->protocol = "SMTP";
    if (peer->name == NULL)
        return;
    session->reverse.name = g_strdup(peer->name);
    session->reverse.confirmed = filterd_bool(true);
    session->reverse.done = TRUE;
}

Session *
session_new(Engine *engine, const SessionPeer *peer)
{
    Session *session = g_new0(Session, 1);
    session->engine = engine;
    session->began = clock_monotonic();
    name_session(session);
    set_peer(session, peer);
    session->recipients = g_ptr_array_new_with_free_func(recipient_free);
    session->envelope = g_ptr_array_new_with_free_func(g_free);
    session->fields = g_ptr_array_new_with_free_func(g_free);
    VisitClient client = {session, session->id, core_fact, plugin_edit};
    session->visit = visit_new(engine->host, &client);
    return session;
}

static void
forget_tls(Session *session)
{
    g_free((char *)session->tls.version);
    g_free((char *)session->tls.cipher);
    g_free((char *)session->tls.fingerprint);
    g_free((char *)session->tls.subject);
}

void
session_free(Session *session)
{
    session_reset(session);
    visit_free(session->visit);
    for (unsigned i = 0; i < SESSION_SCOPES; i++)
        session_hold_clear(&session->holds[i]);
    g_ptr_array_unref(session->recipients);
    g_ptr_array_unref(session->envelope);
    g_ptr_array_unref(session->fields);
    g_free(session->group);
    for (unsigned i = 0; i < G_N_ELEMENTS(session->core); i++)
        g_free(session->core[i]);
    g_free(session->reverse.name);
    g_free(session->helo);
    forget_tls(session);
    g_free(session->auth_user);
    g_free(session->mta_name);
    g_free(session->mta_daemon);
    mail_reply_clear(&session->reply);
    g_free(session);
}

const char *
session_id(const Session *session)
{
    return session->id;
}

const char *
session_client_name(const Session *session)
{
    const SessionReverse *reverse = &session->reverse;
    gboolean confirmed = reverse->done
                         && reverse->confirmed.type == FILTERD_BOOL
                         && reverse->confirmed.boolean;
    return confirmed ? reverse->name : NULL;
}

void
session_observe(Session *session, const SessionObserver *observer)
{
    session->observer = *observer;
}

void
session_insist(Session *session)
{
    session->insists = TRUE;
}

static void
forget_message(Session *session)
{
    g_clear_pointer(&session->message, mail_message_free);
    mail_from_clear(&session->from);
    memset(&session->from, 0, sizeof session->from);
    g_clear_pointer(&session->message_id, g_free);
    g_clear_pointer(&session->sender_edit, g_free);
    g_clear_pointer(&session->hold_reason, g_free);
    g_clear_pointer(&session->queue_id, g_free);
    g_ptr_array_set_size(session->envelope, 0);
    g_ptr_array_set_size(session->fields, 0);
    session->hops = 0;
    session->partial = FALSE;
    session->final = NULL;
}

void
session_reset(Session *session)
{
    if (!session->in_transaction)
        return;
    session_outcome_tell(session);
    visit_end_message(session->visit, !session->judged);
    forget_message(session);
    session_hold_forget(&session->holds[SESSION_OF_MESSAGE]);
    session_hold_forget(&session->holds[SESSION_OF_RECIPIENT]);
    mail_address_clear(&session->reverse_path);
    mail_address_clear(&session->recipient);
    g_ptr_array_set_size(session->recipients, 0);
    g_clear_pointer(&session->group, g_free);
    session->declared_size = session->told_size = 0;
    session->turn = 0;
    session->reached = MIN(session->reached, FILTERD_HELO);
    session->in_transaction = session->judged = FALSE;
}

/* ---- the envelope ------------------------------------------------------- */

SessionDecision
session_connect(Session *session)
{
    metrics_add(METRIC_CONNECTIONS, 1);
    SessionDecision decision = session_judge(session, FILTERD_CONNECT);
    session_go_on(session, FILTERD_CONNECT, decision);
    return decision;
}

void
session_queued(Session *session, const char *id)
{
    g_free(session->queue_id);
    session->queue_id = g_strdup(id);
}

void
session_pipelined(Session *session)
{
    session->pipelined = TRUE;
}

SessionDecision
session_helo(Session *session, const char *name, const char *protocol)
{
    session_reset(session);
    visit_forget_helo(session->visit);
    session_hold_forget(&session->holds[SESSION_OF_HELO]);
    g_free(session->helo);
    session->helo = g_strdup(name);
    session->protocol = protocol;
    SessionDecision decision = session_judge(session, FILTERD_HELO);
    session_go_on(session, FILTERD_HELO, decision);
    return decision;
}

void
session_secured(Session *session, const SessionTls *tls)
{
    session_reset(session);
    visit_forget_helo(session->visit);
    session_hold_forget(&session->holds[SESSION_OF_HELO]);
    g_clear_pointer(&session->helo, g_free);
    g_clear_pointer(&session->auth_user, g_free);
    forget_tls(session);
    session->pipelined = FALSE;
    session->secured = TRUE;
    session->tls = (SessionTls){
        .version = g_strdup(tls->version),
        .cipher = g_strdup(tls->cipher),
        .fingerprint = g_strdup(tls->fingerprint),
        .subject = g_strdup(tls->subject),
        .verified = tls->verified,
    };
}

void
session_authenticated(Session *session, const char *user)
{
    g_free(session->auth_user);
    session->auth_user = g_strdup(user);
}

SessionDecision
session_mail(Session *session, const MailAddress *path, gsize size)
{
    session_reset(session);
    session->began = clock_monotonic();
    session->in_transaction = TRUE;
    session->transaction++;
    session->declared_size = size;
    mail_address_copy(&session->reverse_path, path);
    visit_begin_message(session->visit);
    SessionDecision decision = session_judge(session, FILTERD_MAIL);
    session_go_on(session, FILTERD_MAIL, decision);
    if (decision.verdict != SESSION_CONTINUE && !session->insists)
        session_reset(session);
    return decision;
}

static void
take_recipient(Session *session, gboolean discarded)
{
    SessionRecipient *recipient = g_new0(SessionRecipient, 1);
    mail_address_copy(&recipient->address, &session->recipient);
    recipient->rule = session_recipient_rule(session);
    recipient->discarded = discarded;
    recipient->score = session->holds[SESSION_OF_RECIPIENT].score;
    recipient->group = g_strdup(discarded ? "" : session->group);
    if (session->engine->recorder != NULL)
        recipient->looks =
            session_looks_copy(&session->holds[SESSION_OF_RECIPIENT]);
    g_ptr_array_add(session->recipients, recipient);
    if (!discarded)
        session_hold_recipient(session);
    else if (session->envelopes)
        session_log_recipient(session, TRUE);
}

SessionDecision
session_rcpt(Session *session, const MailAddress *path)
{
    mail_address_clear(&session->recipient);
    mail_address_copy(&session->recipient, path);
    session_hold_forget(&session->holds[SESSION_OF_RECIPIENT]);
    visit_begin_recipient(session->visit, session->recipients->len);
    SessionDecision decision = session_judge(session, FILTERD_RCPT);
    gboolean discarded = decision.verdict == SESSION_DISCARD;
    if (!discarded && decision.verdict != SESSION_CONTINUE)
        return decision;
    if (!session_alone(session, discarded))
        return session_split(session);
    if (discarded) {
        take_recipient(session, TRUE);
        return decision;
    }
    session_group_find(session);
    if (fiber_cancelled())
        return (SessionDecision){.verdict = SESSION_CANCELLED};
    return session_group_joined(session) ? decision : session_split(session);
}

void
session_rcpt_answered(Session *session, gboolean taken,
                      const MailReply *backend)
{
    const SessionDecision go_on = {SESSION_CONTINUE, NULL};
    if (taken) {
        take_recipient(session, FALSE);
        if (session->envelopes)
            session_log_recipient(session, FALSE);
        session_go_on(session, FILTERD_RCPT, go_on);
        return;
    }
    gboolean now = backend->code < 500;
    const SessionEntry entry = {.event = now ? "tempfailed" : "rejected",
                                .verdict =
                                    now ? POLICY_TEMPFAIL : POLICY_REJECT,
                                .rule = "-backend",
                                .stage = "rcpt",
                                .recipient = session->recipient.text,
                                .reply = backend};
    metrics_add(now ? METRIC_TEMPFAILED : METRIC_REJECTED, 1);
    session_log(session, &entry);
}

/* Whoever is accepted, or discarded, is out of the policy. Where recipients
 * could be told different things that waits for the end of the message. */
SessionDecision
session_data(Session *session)
{
    SessionDecision decision = {SESSION_CONTINUE, NULL};
    if (session_divided(session) || session_turn_to_face(session) == NULL
        || session_accepted(session))
        return decision;
    decision = session_judge(session, FILTERD_DATA);
    session_go_on(session, FILTERD_DATA, decision);
    return decision;
}

/* ---- the message -------------------------------------------------------- */

void
session_binary(Session *session, gboolean binary)
{
    session->binary = binary;
}

static void
start_message(Session *session)
{
    session->message = mail_message_new(BODY_IN_MEMORY, session->engine->spool);
    mail_message_set_binary(session->message, session->binary);
    visit_set_message(session->visit, session->message,
                      !session_accepted(session));
}

void
session_field(Session *session, const FilterdField *field)
{
    if (session->message == NULL)
        start_message(session);
    mail_message_add_field(session->message, field);
    mail_from_add(&session->from, field);
    if (mail_field_is(field, "Received"))
        session->hops++;
    if (session->message_id == NULL && mail_field_is(field, "Message-ID"))
        session->message_id = mail_field_unfold(field);
    visit_field(session->visit, field);
}

void
session_header_end(Session *session)
{
    if (session->message == NULL)
        start_message(session);
    mail_from_end(&session->from);
}

gboolean
session_body(Session *session, const char *bytes, gsize length)
{
    if (!mail_message_add_body(session->message, bytes, length, NULL))
        return FALSE;
    visit_body(session->visit, bytes, length);
    return TRUE;
}

gboolean
session_wants_body(const Session *session)
{
    return !session_accepted(session) || session_has_actions(session);
}

void
session_partial(Session *session)
{
    session->partial = TRUE;
}

MailMessage *
session_outgoing(Session *session)
{
    return session->message;
}

/* Whether any text of `edited` is not, in order, a recipient as received. */
static gboolean
recipients_differ(const Session *session)
{
    unsigned next = 0;
    for (unsigned i = 0; i < session->recipients->len; i++) {
        const SessionRecipient *recipient =
            g_ptr_array_index(session->recipients, i);
        if (!session_recipient_goes(session, recipient))
            continue;
        if (next >= session->envelope->len
            || strcmp(g_ptr_array_index(session->envelope, next),
                      recipient->address.text)
                   != 0)
            return TRUE;
        next++;
    }
    return next != session->envelope->len;
}

gboolean
session_envelope(Session *session, const char **reverse_path,
                 const GPtrArray **recipients)
{
    *reverse_path = session->sender_edit != NULL ? session->sender_edit
                                                 : session->reverse_path.text;
    *recipients = session->envelope;
    return strcmp(*reverse_path, session->reverse_path.text) != 0
           || recipients_differ(session);
}
