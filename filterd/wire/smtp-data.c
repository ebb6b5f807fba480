/* smtp-data.c: DATA (RFC 5321 4.1.1.4).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/clock.h"
#include "filterd/wire/intake.h"
#include "filterd/wire/smtp-state.h"

/* ---- reading ------------------------------------------------------------ */

static StreamStatus
read_message(SmtpServer *server)
{
    gboolean ended = FALSE;
    stream_set_deadline(server->stream, server->pace.deadline);
    for (;;) {
        size_t length;
        const char *bytes = stream_peek(server->stream, &length);
        gsize taken = intake_feed(server->intake, bytes, length, &ended);
        stream_consume(server->stream, taken);
        server->pace.octets += taken;
        if (ended)
            return STREAM_OK;
        StreamStatus status = stream_flush(server->stream);
        if (status == STREAM_OK)
            status = smtp_fill_message(server, &server->pace);
        if (status != STREAM_OK)
            return status;
    }
}

static gboolean
sound(SmtpServer *server)
{
    const IntakeRefusal *refusal = intake_refusal(server->intake);
    if (refusal != NULL)
        smtp_limit(server, refusal->rule, refusal->code, refusal->enhanced,
                   refusal->text);
    return refusal == NULL;
}

void
smtp_give_up(SmtpServer *server, StreamStatus status)
{
    server->closing = TRUE;
    if (status == STREAM_TIMEOUT)
        smtp_limit(server, "-timeout", 421, "4.4.2",
                   "the message took too long");
}

/* ---- judging and passing on --------------------------------------------- */

/* A client that delivers mail may go on making mistakes. */
static void
pass_on(SmtpServer *server)
{
    MailReply reply = {0};
    smtp_backend_message(server, &reply);
    if (reply.code / 100 == 2)
        server->errors = server->junk = 0;
    smtp_relay(server, &reply);
    mail_reply_clear(&reply);
}

static void
judge(SmtpServer *server)
{
    SessionDecision decision = session_message(server->session);
    if (decision.verdict == SESSION_DISCARD)
        smtp_relay(server, decision.reply);
    else if (smtp_follow(server, decision))
        pass_on(server);
}

void
smtp_end_message(SmtpServer *server)
{
    if (sound(server))
        judge(server);
    smtp_transaction_end(server);
}

/* ---- the command -------------------------------------------------------- */

gboolean
smtp_has_recipients(const SmtpServer *server)
{
    return server->rcpt_commands->len > 0 || server->discarded > 0;
}

/* To make 7 bits of 8 is not ours (RFC 6152 3). */
void
smtp_begin_message(SmtpServer *server, unsigned flags)
{
    const SmtpExtensions *offered = backend_pool_known(server->service->pool);
    if (offered->known && !(offered->passed & SMTP_8BITMIME))
        flags |= DATA_SEVEN_BIT;
    server->intake = intake_new(server->session, server->settings,
                                smtp_size_limit(server), flags);
    server->pace = (SmtpPace){
        .deadline = clock_after(server->service->listen->data_timeout)};
}

static void
receive(SmtpServer *server)
{
    smtp_begin_message(server, 0);
    smtp_reply(server, 354, "", "end with CR LF . CR LF");
    StreamStatus status = read_message(server);
    if (status == STREAM_OK) {
        smtp_end_message(server);
    } else {
        smtp_give_up(server, status);
        smtp_transaction_end(server);
    }
}

void
smtp_data(SmtpServer *server, const char *arguments)
{
    smtp_note_pipelining(server);
    if (*arguments != '\0')
        smtp_error(server, 501, "5.5.4", "DATA has no argument");
    else if (!server->in_mail)
        smtp_error(server, 503, "5.5.1", "say MAIL first");
    else if (server->intake != NULL)
        smtp_error(server, 503, "5.5.1", "go on with BDAT");
    else if (!smtp_has_recipients(server))
        smtp_error(server, 554, "5.5.1", "no valid recipients");
    else if (smtp_follow(server, session_data(server->session)))
        receive(server);
    else
        smtp_transaction_end(server);
}
