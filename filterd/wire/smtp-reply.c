/* smtp-reply.c: what an SMTP client is told.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/clock.h"
#include "filterd/wire/smtp-state.h"

/* For a client that does not read what it asked for. */
#define FLUSH_TIMEOUT 10000

/* Nothing more is done for whoever cannot be answered. */
static void
send_reply(SmtpServer *server, const MailReply *reply, const char *suffix)
{
    g_autoptr(GString) text = g_string_new(NULL);
    mail_reply_append(text, reply, suffix);
    if (server->answers != NULL)
        smtp_keep_answer(server, text);
    else if (stream_write(server->stream, text->str, text->len) != STREAM_OK)
        server->closing = TRUE;
}

void
smtp_reply(SmtpServer *server, int code, const char *enhanced, const char *text)
{
    MailReply reply = {0};
    mail_reply_set(&reply, code, enhanced, text);
    send_reply(server, &reply, NULL);
    mail_reply_clear(&reply);
}

void
smtp_refuse(SmtpServer *server, const MailReply *reply)
{
    g_autofree char *suffix =
        g_strdup_printf("[%s]", session_id(server->session));
    send_reply(server, reply, suffix);
}

void
smtp_limit(SmtpServer *server, const char *rule, int code, const char *enhanced,
           const char *text)
{
    MailReply reply = {0};
    mail_reply_set(&reply, code, enhanced, text);
    session_refused(server->session, rule, &reply);
    smtp_refuse(server, &reply);
    mail_reply_clear(&reply);
}

void
smtp_close_with(SmtpServer *server, const char *rule, const char *enhanced,
                const char *text)
{
    server->closing = TRUE;
    smtp_limit(server, rule, 421, enhanced, text);
}

void
smtp_relay(SmtpServer *server, const MailReply *reply)
{
    send_reply(server, reply, NULL);
}

void
smtp_error(SmtpServer *server, int code, const char *enhanced, const char *text)
{
    server->errors++;
    visitors_note(server->address_seat, VISITOR_ERROR);
    smtp_reply(server, code, enhanced, text);
}

gboolean
smtp_follow(SmtpServer *server, SessionDecision decision)
{
    if (decision.verdict == SESSION_CONTINUE)
        return TRUE;
    server->closing |= decision.verdict == SESSION_DISCONNECT
                       || decision.verdict == SESSION_CANCELLED;
    if (decision.verdict == SESSION_CANCELLED)
        return FALSE;
    if (decision.verdict == SESSION_REJECT)
        server->errors++;
    smtp_delay(server, decision.delay);
    smtp_refuse(server, decision.reply);
    return FALSE;
}

void
smtp_flush(SmtpServer *server)
{
    stream_set_deadline(server->stream, clock_after(FLUSH_TIMEOUT));
    if (stream_flush(server->stream) != STREAM_OK)
        server->closing = TRUE;
}

void
smtp_note_pipelining(SmtpServer *server)
{
    if (stream_pending(server->stream))
        session_pipelined(server->session);
}
