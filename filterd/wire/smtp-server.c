/* smtp-server.c: an SMTP client's connection, from its greeting to QUIT
 * (RFC 5321), or an LMTP client's (RFC 2033).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/smtp-server.h"

#include "filterd/base/clock.h"
#include "filterd/base/log.h"
#include "filterd/wire/proxy-protocol.h"
#include "filterd/wire/smtp-state.h"

#include <string.h>

/* A load balancer speaks at once. */
#define PROXY_TIMEOUT 10000

/* ---- lines -------------------------------------------------------------- */

/* What is wrong with a line; `length` is without its LF. */
static const char *
line_problem(const char *line, gsize length)
{
    if (length == 0 || line[length - 1] != '\r')
        return "lines end with CR LF";
    for (gsize i = 0; i < length - 1; i++)
        if ((guchar)line[i] < ' ' && line[i] != '\t')
            return "a command is one line of text";
    return NULL;
}

static void
take_line(SmtpServer *server, const char *bytes, gsize length)
{
    const char *problem = line_problem(bytes, length);
    gboolean chunk = smtp_bdat_announced(bytes, length);
    gboolean secret = smtp_auth_announced(bytes, length);
    g_autofree char *line =
        problem == NULL ? g_strndup(bytes, length - 1) : NULL;
    stream_consume(server->stream, length + 1);
    if (problem != NULL && chunk)
        smtp_bdat_refuse(server, problem);
    else if (problem != NULL)
        smtp_error(server, 500, "5.5.2", problem);
    else
        smtp_carry_out(server, line);
    if (line != NULL && secret)
        explicit_bzero(line, length - 1);
}

void
smtp_ended(SmtpServer *server, StreamStatus status)
{
    server->closing = TRUE;
    if (status == STREAM_TIMEOUT)
        smtp_close_with(server, "-timeout", "4.4.2", "you were silent");
}

/* Where a line is too long its rest is read and forgotten. */
static void
skip_line(SmtpServer *server)
{
    for (;;) {
        size_t length;
        const char *bytes = stream_peek(server->stream, &length);
        const char *lf = length > 0 ? memchr(bytes, '\n', length) : NULL;
        stream_consume(server->stream,
                       lf != NULL ? (size_t)(lf + 1 - bytes) : length);
        if (lf != NULL)
            break;
        StreamStatus status = smtp_fill(server);
        if (status != STREAM_OK) {
            smtp_ended(server, status);
            return;
        }
    }
    smtp_error(server, 500, "5.5.2", "the line is too long");
}

/* An initial response may be long. */
static gsize
line_limit(const SmtpServer *server, const char *line, gsize length)
{
    return smtp_auth_allowed(server) && smtp_auth_announced(line, length)
               ? SMTP_AUTH_LIMIT
               : SMTP_LINE_LIMIT;
}

/* TRUE: a line was there and has been carried out. */
static gboolean
take_command(SmtpServer *server)
{
    size_t length;
    const char *bytes = stream_peek(server->stream, &length);
    gsize limit = line_limit(server, bytes, length);
    const char *lf = memchr(bytes, '\n', MIN(length, limit));
    if (lf == NULL && length < limit)
        return FALSE;
    if (server->errors >= server->settings->max_errors)
        smtp_close_with(server, "-errors", "4.7.0", "too many errors");
    else if (lf == NULL && smtp_bdat_announced(bytes, length))
        smtp_bdat_refuse(server, "the line is too long");
    else if (lf == NULL)
        skip_line(server);
    else
        take_line(server, bytes, (gsize)(lf - bytes));
    return TRUE;
}

gboolean
smtp_connection_may_end(const SmtpConnection *connection)
{
    return connection->served
           || clock_monotonic() >= connection->began + SMTP_FIRST_GRACE;
}

/* Whether we may close here, because this worker goes. */
static gboolean
leave_for_good(SmtpServer *server)
{
    const SmtpService *service = server->service;
    if (!service->expired
        && (!service->draining || server->in_mail
            || !smtp_connection_may_end(server->connection)))
        return FALSE;
    server->closing = TRUE;
    smtp_reply(server, 421, "4.3.2", "closing for maintenance");
    return TRUE;
}

/* An acceptor that drains ends the reading of those that are idle, which TLS
 * takes for an error. */
static void
wait_for_more(SmtpServer *server)
{
    StreamStatus status = stream_flush(server->stream);
    if (status == STREAM_OK && leave_for_good(server))
        return;
    server->connection->idle = !server->in_mail;
    stream_idle(server->stream);
    if (status == STREAM_OK)
        status = smtp_fill(server);
    server->connection->idle = FALSE;
    gboolean closed = status == STREAM_EOF || status == STREAM_ERROR;
    if (status != STREAM_OK && !(closed && leave_for_good(server)))
        smtp_ended(server, status);
}

static void
converse(SmtpServer *server)
{
    while (!server->closing) {
        server->began = clock_monotonic();
        stream_set_deadline(server->stream, smtp_deadline(server));
        while (!server->closing && !leave_for_good(server)
               && !take_command(server))
            wait_for_more(server);
    }
}

/* ---- the connection ----------------------------------------------------- */

/* Some clients cannot wait for the greeting; most of those are no clients. */
static StreamStatus
listen_for_talk(SmtpServer *server, gboolean *early)
{
    int64_t delay = server->service->listen->greeting_delay;
    StreamStatus status = STREAM_TIMEOUT;
    if (delay > 0) {
        stream_set_deadline(server->stream, clock_after(delay));
        status = stream_fill(server->stream);
    }
    *early = status == STREAM_OK || stream_pending(server->stream);
    return status == STREAM_TIMEOUT ? STREAM_OK : status;
}

/* Whoever may send a PROXY header must. */
static gboolean
read_proxy(SmtpServer *server, Endpoint *peer, Endpoint *local)
{
    if (!ip_within(&server->service->listen->proxy_from, &peer->ip))
        return TRUE;
    ProxyHeader header = {0};
    stream_set_deadline(server->stream, clock_after(PROXY_TIMEOUT));
    ProxyStatus status = proxy_read(server->stream, &header);
    char ip[IP_TEXT_SIZE];
    if (status == PROXY_INVALID)
        log_event(FILTERD_LOG_WARNING, "proxy",
                  "%s is listed in proxy-from and sent no PROXY header",
                  ip_format(&peer->ip, ip));
    if (status == PROXY_OK) {
        *peer = header.source;
        *local = header.destination;
        server->proxy_tls = header.tls;
    }
    return status == PROXY_OK || status == PROXY_LOCAL;
}

/* Where TLS comes before everything. */
static gboolean
begin_tls(SmtpServer *server)
{
    if (server->service->listen->tls != POLICY_TLS_IMPLICIT)
        return TRUE;
    return server->service->tls != NULL && smtp_handshake(server);
}

static void
local_endpoint(int fd, Endpoint *local)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0
        || !endpoint_from_sockaddr((struct sockaddr *)&address, size, local))
        *local = (Endpoint){0};
    g_clear_pointer(&local->path, g_free);
}

/* RFC 5321 4.3.1 knows 554 and 421 only, whatever the rule says. */
static void
refuse_greeting(SmtpServer *server, const MailReply *reply)
{
    MailReply greeting = {0};
    int code = reply->code / 100 == 5 ? 554 : 421;
    mail_reply_set(&greeting, code, reply->enhanced, reply->text);
    smtp_refuse(server, &greeting);
    mail_reply_clear(&greeting);
}

static gboolean
greet(SmtpServer *server)
{
    SessionDecision decision = session_connect(server->session);
    const char *name = engine_hostname(server->service->engine);
    g_autofree char *text =
        g_strconcat(name, smtp_is_local(server) ? " LMTP" : " ESMTP", NULL);
    if (decision.verdict == SESSION_CONTINUE) {
        smtp_reply(server, 220, "", text);
        return TRUE;
    }
    server->shut = decision.verdict == SESSION_REJECT;
    server->closing = !server->shut;
    smtp_delay(server, decision.delay);
    if (decision.verdict != SESSION_CANCELLED)
        refuse_greeting(server, decision.reply);
    return server->shut;
}

static void
open_session(SmtpServer *server, const SessionPeer *peer)
{
    server->identity = (SmtpIdentity){
        .ip = peer->ip,
        .port = peer->port,
        .local_ip = peer->local_ip,
        .local_port = peer->local_port,
    };
    SessionPeer who = *peer;
    who.sessions = server->visitor.sessions;
    who.errors = server->visitor.recent[VISITOR_ERROR];
    who.unknown_recipients = server->visitor.recent[VISITOR_UNKNOWN];
    who.wire = smtp_is_local(server) ? "lmtp" : "smtp";
    who.answers_each = smtp_is_local(server);
    server->session = session_new(server->service->engine, &who);
    server->rcpt_commands = g_ptr_array_new_with_free_func(g_free);
    if (smtp_is_secured(server))
        smtp_tell_secured(server);
}

static void
close_session(SmtpServer *server)
{
    smtp_transaction_end(server);
    smtp_auth_forget(server);
    smtp_backend_release(server);
    session_free(server->session);
    g_ptr_array_unref(server->rcpt_commands);
    g_clear_pointer(&server->helo, g_free);
    g_clear_pointer(&server->told_helo, g_free);
}

void
smtp_begin_again(SmtpServer *server, const SessionPeer *peer)
{
    if (!smtp_admit(server, &peer->ip)) {
        server->closing = TRUE;
        return;
    }
    close_session(server);
    server->greeted = FALSE;
    server->errors = server->junk = 0;
    open_session(server, peer);
    greet(server);
}

static void
serve(SmtpServer *server)
{
    gboolean early = FALSE;
    Endpoint peer = server->connection->peer, local;
    local_endpoint(server->connection->fd, &local);
    if (!read_proxy(server, &peer, &local) || !smtp_admit(server, &peer.ip)
        || !begin_tls(server) || listen_for_talk(server, &early) != STREAM_OK)
        return;
    const SessionPeer who = {
        .ip = peer.ip,
        .port = peer.port,
        .local_ip = local.ip,
        .local_port = local.port,
        .early_talker = early,
    };
    server->origin = peer.ip;
    open_session(server, &who);
    if (greet(server))
        converse(server);
    smtp_flush(server);
    close_session(server);
}

static void
turn_away(SmtpServer *server)
{
    smtp_reply(server, 421, "4.3.2", "too many sessions; try again later");
    smtp_flush(server);
}

void
smtp_server_run(SmtpConnection *connection)
{
    SmtpServer server = {
        .connection = connection,
        .service = connection->service,
        .settings = &engine_config(connection->service->engine)->settings,
        .stream = stream_new(connection->fd),
    };
    connection->began = clock_monotonic();
    if (connection->refused)
        turn_away(&server);
    else
        serve(&server);
    smtp_part(&server);
    proxy_tls_clear(&server.proxy_tls);
    stream_free(server.stream);
}
