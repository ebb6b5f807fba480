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

void
smtp_give_up(SmtpServer *server, StreamStatus status)
{
    server->closing = TRUE;
    if (status == STREAM_TIMEOUT)
        smtp_limit(server, "-timeout", 421, "4.4.2",
                   "the message took too long");
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
    if (smtp_is_binary(server))
        flags |= DATA_BINARY;
    else if (offered->known && !(offered->passed & SMTP_8BITMIME))
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
    else if (server->intake != NULL || smtp_is_binary(server))
        smtp_error(server, 503, "5.5.1", "go on with BDAT");
    else if (!smtp_has_recipients(server))
        smtp_error(server, smtp_is_local(server) ? 503 : 554, "5.5.1",
                   "no valid recipients");
    else if (smtp_follow(server, session_data(server->session)))
        receive(server);
    else
        smtp_transaction_end(server);
}
