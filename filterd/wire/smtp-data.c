/* smtp-data.c: DATA (RFC 5321 4.1.1.4).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/clock.h"
#include "filterd/wire/data-parser.h"
#include "filterd/wire/smtp-state.h"

/* ---- reading ------------------------------------------------------------ */

static void
take_header(void *data, const char *bytes, gsize length)
{
    SmtpServer *server = data;
    FilterdField field;
    gsize taken, fields = 0;
    while ((taken = mail_field_next(bytes, length, &field)) > 0) {
        if (++fields > MAIL_FIELD_LIMIT) {
            server->fields_exceeded = TRUE;
            break;
        }
        session_field(server->session, &field);
        bytes += taken;
        length -= taken;
    }
    session_header_end(server->session);
}

static gboolean
take_body(void *data, const char *bytes, gsize length)
{
    SmtpServer *server = data;
    return session_body(server->session, bytes, length);
}

static StreamStatus
read_message(SmtpServer *server, DataParser *parser)
{
    gboolean ended = FALSE;
    stream_set_deadline(server->stream,
                        clock_after(server->service->listen->data_timeout));
    for (;;) {
        size_t length;
        const char *bytes = stream_peek(server->stream, &length);
        gsize taken = data_parser_feed(parser, bytes, length, &ended);
        stream_consume(server->stream, taken);
        if (ended)
            return STREAM_OK;
        StreamStatus status = stream_flush(server->stream);
        if (status == STREAM_OK)
            status = stream_fill(server->stream);
        if (status != STREAM_OK)
            return status;
    }
}

/* ---- refusing ----------------------------------------------------------- */

static const struct Refusal {
    const char *rule;
    int code;
    const char *enhanced;
    const char *text;
} refusals[] = {
    [DATA_BARE_NEWLINE] = {"-newline", 550, "5.6.11",
                           "the message has a bare CR, a bare LF or a NUL"},
    [DATA_HEADER_LARGE] = {"-header", 552, "5.3.4",
                           "the header is larger than is taken here"},
    [DATA_TOO_LARGE] = {"-size", 552, "5.3.4",
                        "the message is larger than is taken here"},
    [DATA_NOT_KEPT] = {"-spool", 452, "4.3.1",
                       "there is no room for the message now"},
};

static gboolean
sound(SmtpServer *server, const DataParser *parser)
{
    DataProblem problem = data_parser_problem(parser);
    if (problem == DATA_OK && server->fields_exceeded)
        problem = DATA_HEADER_LARGE;
    if (problem == DATA_OK)
        return TRUE;
    const struct Refusal *refusal = &refusals[problem];
    smtp_limit(server, refusal->rule, refusal->code, refusal->enhanced,
               refusal->text);
    return FALSE;
}

/* The connection broke, or was too slow, before the final dot. */
static void
give_up(SmtpServer *server, StreamStatus status)
{
    server->closing = TRUE;
    if (status == STREAM_TIMEOUT)
        smtp_limit(server, "-timeout", 421, "4.4.2",
                   "the message took too long");
}

/* ---- judging and passing on --------------------------------------------- */

static void
pass_on(SmtpServer *server)
{
    MailReply reply = {0};
    smtp_backend_message(server, &reply);
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

static void
receive(SmtpServer *server)
{
    const DataClient client = {server, take_header, take_body};
    gboolean normalize = server->settings->line_endings == 1;
    g_autoptr(DataParser) parser =
        data_parser_new(&client, smtp_size_limit(server), normalize);
    smtp_reply(server, 354, "", "end with CR LF . CR LF");
    StreamStatus status = read_message(server, parser);
    if (status != STREAM_OK)
        give_up(server, status);
    else if (sound(server, parser))
        judge(server);
    smtp_transaction_end(server);
}

void
smtp_data(SmtpServer *server, const char *arguments)
{
    if (*arguments != '\0')
        smtp_error(server, 501, "5.5.4", "DATA has no argument");
    else if (!server->in_mail)
        smtp_error(server, 503, "5.5.1", "say MAIL first");
    else if (server->rcpt_commands->len == 0 && server->discarded == 0)
        smtp_error(server, 554, "5.5.1", "no valid recipients");
    else if (smtp_follow(server, session_data(server->session)))
        receive(server);
    else
        smtp_transaction_end(server);
}
