/* smtp-reply.c: what an SMTP client is told.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/metrics.h"
#include "filterd/wire/smtp-state.h"

static void
send_reply(SmtpServer *server, const MailReply *reply, const char *suffix)
{
    g_autoptr(GString) text = g_string_new(NULL);
    mail_reply_append(text, reply, suffix);
    stream_write(server->stream, text->str, text->len);
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
smtp_relay(SmtpServer *server, const MailReply *reply)
{
    send_reply(server, reply, NULL);
}

static gboolean
errors_exceeded(SmtpServer *server)
{
    if (++server->errors < server->settings->max_errors)
        return FALSE;
    server->closing = TRUE;
    smtp_limit(server, "-errors", 421, "4.7.0", "too many errors");
    return TRUE;
}

void
smtp_error(SmtpServer *server, int code, const char *enhanced, const char *text)
{
    if (!errors_exceeded(server))
        smtp_reply(server, code, enhanced, text);
}

gboolean
smtp_follow(SmtpServer *server, SessionDecision decision)
{
    if (decision.verdict == SESSION_CONTINUE)
        return TRUE;
    if (decision.verdict == SESSION_CANCELLED) {
        server->closing = TRUE;
        return FALSE;
    }
    if (decision.verdict == SESSION_DISCONNECT)
        server->closing = TRUE;
    if (decision.verdict == SESSION_REJECT && errors_exceeded(server))
        return FALSE;
    smtp_refuse(server, decision.reply);
    return FALSE;
}
