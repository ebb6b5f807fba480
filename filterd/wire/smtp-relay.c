/* smtp-relay.c: the backend's side of a transaction.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The backend is spoken to when the first recipient has passed, and not before.
 * Whatever goes wrong with it is a 451 to the client; after DATA nothing is
 * said twice.
 */
#include "filterd/base/log.h"
#include "filterd/base/metrics.h"
#include "filterd/wire/smtp-state.h"

#include <string.h>

static void
drop(SmtpServer *server)
{
    if (server->client != NULL)
        backend_pool_drop(server->service->pool, server->client);
    server->client = NULL;
    server->client_in_mail = FALSE;
}

/* It has closed, or has said what nobody asked for. */
static void
drop_stale(SmtpServer *server)
{
    if (server->client != NULL && smtp_client_stale(server->client))
        drop(server);
}

void
smtp_backend_lost(SmtpServer *server, const GError *error)
{
    if (server->client != NULL)
        backend_pool_fault(server->service->pool, server->client);
    drop(server);
    metrics_add(METRIC_BACKEND_FAULTS, 1);
    log_event(FILTERD_LOG_WARNING, "backend", "%s [%s]",
              error != NULL ? error->message
                            : "backend: its answer is not the one expected",
              session_id(server->session));
}

/* There is no second connection on which a client has authenticated. */
static void
fault(SmtpServer *server, const GError *error, MailReply *reply)
{
    smtp_backend_lost(server, error);
    server->closing |= server->bound;
    mail_reply_set(reply, server->bound ? 421 : 451, "4.3.0",
                   "the mail server behind this one does not answer as it "
                   "should; try again later");
}

static gboolean
ok(const MailReply *reply)
{
    return reply->code / 100 == 2;
}

/* ---- the envelope ------------------------------------------------------- */

static gboolean
take(SmtpServer *server, gboolean fresh, GError **error)
{
    if (server->bound) {
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                            "backend: the connection is lost on which the "
                            "client had authenticated");
        return FALSE;
    }
    server->identity.name = session_client_name(server->session);
    server->client = backend_pool_take(server->service->pool, &server->identity,
                                       fresh, error);
    return server->client != NULL;
}

/* A connection on which somebody has authenticated is told once whose it is. */
static gboolean
is_anothers(const SmtpServer *server)
{
    int identity = smtp_client_backend(server->client)->identity;
    return server->bound && server->forward != NULL
           && identity != POLICY_IDENTITY_NONE
           && identity != POLICY_IDENTITY_XFORWARD;
}

/* What one backend offers another may have to do without. */
static gboolean
introduce(SmtpServer *server, GError **error)
{
    const SmtpExtensions *offered = smtp_client_extensions(server->client);
    const char *lack =
        (server->needs & ~offered->passed) != 0
            ? "backend: it does not offer what this mail needs"
        : is_anothers(server)
            ? "backend: it cannot be told of another client after AUTH"
            : NULL;
    if (lack != NULL) {
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_NOSYS, lack);
        return FALSE;
    }
    server->identity.name = session_client_name(server->session);
    server->identity.ident = session_id(server->session);
    return smtp_client_introduce(server->client, &server->identity, error);
}

/* MAIL and the first RCPT, on a connection that is ours or is taken now. The
 * reply is MAIL's where that was refused. */
static gboolean
say_mail_and_rcpt(SmtpServer *server, const char *rcpt_command,
                  MailReply *reply, GError **error)
{
    MailReply mail = {0};
    gboolean said =
        introduce(server, error)
        && smtp_client_commands(server->client, server->mail_command,
                                rcpt_command, &mail, reply, error);
    server->client_in_mail = said && ok(&mail);
    if (said && !ok(&mail))
        mail_reply_copy(reply, &mail);
    mail_reply_clear(&mail);
    return said;
}

/* An idle connection may have been closed just now: then a fresh one. */
static gboolean
begin(SmtpServer *server, const char *rcpt_command, MailReply *reply,
      GError **error)
{
    if (server->client == NULL && !take(server, FALSE, error))
        return FALSE;
    gboolean rested = smtp_client_rested(server->client);
    if (say_mail_and_rcpt(server, rcpt_command, reply, rested ? NULL : error))
        return TRUE;
    if (!rested)
        return FALSE;
    drop(server);
    return take(server, TRUE, error)
           && say_mail_and_rcpt(server, rcpt_command, reply, error);
}

/* ---- saying it again ---------------------------------------------------- */

/* Everything must be answered as before: with yes. */
static gboolean
say_again(SmtpServer *server, const char *mail_command,
          const GPtrArray *rcpt_commands, GError **error)
{
    MailReply reply = {0};
    gboolean fine =
        introduce(server, error)
        && smtp_client_command(server->client, mail_command, &reply, error)
        && ok(&reply);
    for (unsigned i = 0; fine && i < rcpt_commands->len; i++)
        fine = smtp_client_command(server->client,
                                   g_ptr_array_index(rcpt_commands, i), &reply,
                                   error)
               && ok(&reply);
    server->client_in_mail = fine;
    mail_reply_clear(&reply);
    return fine;
}

const char *
smtp_recipient_parameters(const SmtpServer *server, const char *recipient)
{
    g_autofree char *command = g_strdup_printf("RCPT TO:<%s>", recipient);
    gsize length = strlen(command);
    for (unsigned i = 0; i < server->rcpt_commands->len; i++) {
        const char *said = g_ptr_array_index(server->rcpt_commands, i);
        if (strncmp(said, command, length) == 0
            && (said[length] == ' ' || said[length] == '\0'))
            return said + length;
    }
    return "";
}

static char *
format_recipient(const SmtpServer *server, const char *recipient)
{
    return g_strdup_printf("RCPT TO:<%s>%s", recipient,
                           smtp_recipient_parameters(server, recipient));
}

static GPtrArray *
format_recipients(const SmtpServer *server, const GPtrArray *recipients)
{
    GPtrArray *commands = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; i < recipients->len; i++)
        g_ptr_array_add(commands, format_recipient(server, g_ptr_array_index(
                                                               recipients, i)));
    return commands;
}

/* The parameters behind the path stay. */
static char *
format_sender(const SmtpServer *server, const char *reverse_path)
{
    return g_strdup_printf("MAIL FROM:<%s>%s", reverse_path,
                           server->mail_parameters);
}

static gboolean
renew(SmtpServer *server, gboolean edited, const char *reverse_path,
      const GPtrArray *recipients, GError **error)
{
    MailReply reply = {0};
    g_autofree char *mail_command = format_sender(server, reverse_path);
    g_autoptr(GPtrArray) rcpt_commands = format_recipients(server, recipients);
    if (server->client != NULL && edited && server->client_in_mail
        && (!smtp_client_command(server->client, "RSET", &reply, NULL)
            || !ok(&reply)))
        drop(server);
    mail_reply_clear(&reply);
    if (server->client == NULL && !take(server, TRUE, error))
        return FALSE;
    return say_again(server, mail_command, rcpt_commands, error);
}

/* A backend that was lost has to hear of the earlier recipients first. */
static gboolean
go_on(SmtpServer *server, const char *rcpt_command, MailReply *reply,
      GError **error)
{
    if (!server->client_in_mail
        && ((server->client == NULL && !take(server, TRUE, error))
            || !say_again(server, server->mail_command, server->rcpt_commands,
                          error)))
        return FALSE;
    return smtp_client_command(server->client, rcpt_command, reply, error);
}

/* After MAIL was refused the connection is of use for the next. */
void
smtp_backend_rcpt(SmtpServer *server, const char *rcpt_command,
                  MailReply *reply)
{
    g_autoptr(GError) error = NULL;
    drop_stale(server);
    gboolean first = !server->client_in_mail && server->rcpt_commands->len == 0;
    gboolean said = first ? begin(server, rcpt_command, reply, &error)
                          : go_on(server, rcpt_command, reply, &error);
    if (!said || reply->code / 100 == 3)
        fault(server, error, reply);
}

gboolean
smtp_backend_ask(SmtpServer *server, const char *command, MailReply *reply)
{
    g_autoptr(GError) error = NULL;
    drop_stale(server);
    gboolean answered =
        (server->client != NULL || take(server, FALSE, &error))
        && smtp_client_command(server->client, command, reply, &error)
        && reply->code / 100 != 3;
    if (!answered)
        fault(server, error, reply);
    else if (!server->client_in_mail)
        smtp_backend_end(server);
    return answered;
}

/* ---- the message -------------------------------------------------------- */

static gboolean
is_answer(const MailReply *reply)
{
    return ok(reply) || reply->code >= 400;
}

/* A reply to each, or one that stands for all. */
static void
expect_replies(const SmtpServer *server, unsigned recipients,
               SmtpReplies *replies)
{
    gboolean each = smtp_client_backend(server->client)->wire == POLICY_LMTP;
    smtp_replies_clear(replies);
    replies->length = each ? recipients : 1;
    replies->items = g_new0(MailReply, replies->length);
}

/* BDAT needs no reply before the message, and its end is a count, not a line.
 */
static gboolean
by_chunk(const SmtpServer *server)
{
    return smtp_client_extensions(server->client)->chunking;
}

/* Behind one that is no answer nobody can tell whose the next ones are. */
static gboolean
send_message(SmtpServer *server, SmtpReplies *replies, GError **error)
{
    MailMessage *message = session_outgoing(server->session);
    server->client_in_mail = FALSE;
    if (!(by_chunk(server) ? smtp_client_send_chunk : smtp_client_send)(
            server->client, message, replies->items, replies->length, error))
        return FALSE;
    unsigned answers = 0;
    while (answers < replies->length && is_answer(&replies->items[answers]))
        answers++;
    for (unsigned i = answers; i < replies->length; i++)
        mail_reply_clear(&replies->items[i]);
    return answers == replies->length;
}

/* A backend that refuses DATA says no to the message. */
static gboolean
say_data(SmtpServer *server, unsigned recipients, SmtpReplies *replies,
         GError **error)
{
    MailReply *reply = &replies->items[0];
    if (!by_chunk(server)
        && !smtp_client_command(server->client, "DATA", reply, error))
        return FALSE;
    if (!by_chunk(server) && reply->code != 354)
        return reply->code >= 400;
    expect_replies(server, recipients, replies);
    return send_message(server, replies, error);
}

/* Whether the backend has heard what the message's envelope is now: a group of
 * the recipients, edits applied. */
static gboolean
envelope_stands(SmtpServer *server, unsigned *length, GError **error)
{
    const char *reverse_path;
    const GPtrArray *recipients;
    gboolean edited =
        session_envelope(server->session, &reverse_path, &recipients)
        || recipients->len != server->rcpt_commands->len;
    *length = recipients->len;
    if (recipients->len == 0) {
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                            "no recipient is left after the edits");
        return FALSE;
    }
    drop_stale(server);
    if (!edited && server->client_in_mail)
        return TRUE;
    return renew(server, edited, reverse_path, recipients, error);
}

/* Those that have been answered stand: their mail is not sent again. */
static void
fail_others(SmtpServer *server, const GError *error, SmtpReplies *replies)
{
    MailReply reply = {0};
    fault(server, error, &reply);
    for (unsigned i = 0; i < replies->length; i++)
        if (!is_answer(&replies->items[i]) || replies->length == 1)
            mail_reply_copy(&replies->items[i], &reply);
    replies->fault = TRUE;
    mail_reply_clear(&reply);
}

void
smtp_replies_clear(SmtpReplies *replies)
{
    for (unsigned i = 0; i < replies->length; i++)
        mail_reply_clear(&replies->items[i]);
    g_clear_pointer(&replies->items, g_free);
    replies->length = 0;
}

void
smtp_backend_message(SmtpServer *server, SmtpReplies *replies)
{
    unsigned recipients;
    g_autoptr(GError) error = NULL;
    *replies = (SmtpReplies){g_new0(MailReply, 1), 1, FALSE};
    if (!envelope_stands(server, &recipients, &error)
        || !say_data(server, recipients, replies, &error))
        fail_others(server, error, replies);
}

/* ---- afterwards --------------------------------------------------------- */

/* The client need not wait for this: it gets its replies first. */
static void
say_rset(SmtpServer *server)
{
    MailReply reply = {0};
    smtp_flush(server);
    if (!smtp_client_command(server->client, "RSET", &reply, NULL)
        || !ok(&reply))
        drop(server);
    server->client_in_mail = FALSE;
    mail_reply_clear(&reply);
}

void
smtp_backend_end(SmtpServer *server)
{
    if (server->client_in_mail)
        say_rset(server);
    if (server->client == NULL)
        return;
    if (backend_pool_shares(server->service->pool, server->client))
        smtp_backend_release(server);
    else
        smtp_client_rest(server->client);
}

/* Whoever is slow keeps the backend from nobody: the envelope is said again. */
void
smtp_backend_lend(SmtpServer *server)
{
    if (server->bound)
        return;
    if (server->client_in_mail)
        say_rset(server);
    if (server->client != NULL
        && !backend_pool_shares(server->service->pool, server->client))
        drop(server);
    smtp_backend_release(server);
}

/* One that was idle might be closed at any time: only where AUTH has failed on
 * it, and was answered, it is used again. */
gboolean
smtp_backend_bind(SmtpServer *server, GError **error)
{
    drop_stale(server);
    if (server->client != NULL && !smtp_client_bound(server->client))
        smtp_backend_release(server);
    if (server->client == NULL && !take(server, TRUE, error))
        return FALSE;
    smtp_client_bind(server->client);
    return TRUE;
}

void
smtp_backend_release(SmtpServer *server)
{
    if (server->bound)
        return;
    if (server->client != NULL)
        backend_pool_give(server->service->pool, server->client);
    server->client = NULL;
}
