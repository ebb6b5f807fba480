/* server.c: a connection on which Postfix asks its policy service:
 * requests in, an action for each out.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Where we close Postfix asks again over another connection, and tells its
 * client 451 if it cannot.
 */
#include "filterd/wire/delegation/server.h"

#include "filterd/base/clock.h"
#include "filterd/base/log.h"
#include "filterd/base/metrics.h"
#include "filterd/base/stream.h"
#include "filterd/wire/delegation/judge.h"

#include <string.h>

/* Between two lines about what no policy client says. */
#define TELL_PAUSE 60000

static const MetricName counters[] = {
#define COUNTER(kind, action)                                             \
    [kind] = {"policy_requests_total", "action=\"" action "\"",           \
              "Requests of Postfix that were answered with that action.", \
              FALSE}
    COUNTER(DELEGATION_DUNNO, "dunno"),
    COUNTER(DELEGATION_REJECT, "reject"),
    COUNTER(DELEGATION_TEMPFAIL, "tempfail"),
    COUNTER(DELEGATION_DISCARD, "discard"),
    COUNTER(DELEGATION_HOLD, "hold"),
    COUNTER(DELEGATION_PREPEND, "prepend"),
    COUNTER(DELEGATION_WARN, "warn"),
#undef COUNTER
};

typedef struct Server {
    SmtpConnection *connection;
    DelegationDesk *desk;
    Stream *stream;
    GString *action; /* the answer at hand */
    int64_t began;   /* the request at hand; monotonic */
} Server;

static void
tell_garbage(const Server *server, const char *problem)
{
    static int64_t told;
    LogLine line;
    char ip[IP_TEXT_SIZE];
    if (!log_allow(&told, TELL_PAUSE))
        return;
    log_begin(&line, FILTERD_LOG_WARNING, "policy");
    log_text(&line, "client", ip_format(&server->connection->peer.ip, ip));
    log_text(&line, "text", problem);
    log_end(&line);
}

/* What makes a client wait, makes one smtpd of Postfix wait. */
static void
wait_before_reply(Server *server, int64_t delay)
{
    int64_t deadline = clock_after(delay);
    if (delay == 0)
        return;
    server->connection->waits = TRUE;
    while (!server->connection->service->draining
           && fiber_wait(deadline) == FIBER_WOKEN)
        continue;
    server->connection->waits = FALSE;
}

static gboolean
answer(Server *server, const DelegationRequest *request)
{
    DelegationAnswer found;
    g_string_assign(server->action, "action=");
    if (!delegation_judge(server->desk, &server->connection->peer.ip, request,
                          server->action, &found))
        return FALSE;
    g_string_append(server->action, "\n\n");
    if (*request->values[DELEGATION_STRESS] == '\0')
        wait_before_reply(server, found.delay);
    metrics_add_named(&counters[found.kind], 1);
    stream_set_deadline(server->stream, clock_after(DELEGATION_REQUEST_TIME));
    return stream_write(server->stream, server->action->str,
                        server->action->len)
               == STREAM_OK
           && stream_flush(server->stream) == STREAM_OK;
}

/* What is judged may wait, so the octets are not the stream's any more. */
static gboolean
take_request(Server *server, const char *bytes, gsize length)
{
    DelegationRequest request;
    g_autofree char *octets = g_memdup2(bytes, length);
    stream_consume(server->stream, length);
    const char *problem = delegation_request_parse(octets, length, &request);
    if (problem != NULL) {
        tell_garbage(server, problem);
        return FALSE;
    }
    server->connection->served = TRUE;
    server->began = clock_monotonic();
    return answer(server, &request);
}

/* Whoever drains ends the reading of idle connections. What came before that
 * can still be read, and is answered. */
static gboolean
wait_for_more(Server *server, gsize length)
{
    SmtpConnection *connection = server->connection;
    gboolean leaves = connection->service->expired
                      || (connection->service->draining && length == 0
                          && smtp_connection_may_end(connection)
                          && !stream_pending(server->stream));
    if (leaves)
        return FALSE;
    connection->idle = length == 0;
    if (length == 0)
        stream_idle(server->stream);
    stream_set_deadline(server->stream,
                        length == 0 ? clock_after(DELEGATION_IDLE_TIME)
                                    : server->began + DELEGATION_REQUEST_TIME);
    StreamStatus status = stream_fill(server->stream);
    connection->idle = FALSE;
    if (length == 0)
        server->began = clock_monotonic();
    return status == STREAM_OK;
}

static void
converse(Server *server)
{
    gboolean going = TRUE;
    while (going) {
        gsize length;
        const char *problem;
        const char *bytes = stream_peek(server->stream, &length);
        gsize request = delegation_request_length(bytes, length, &problem);
        if (problem != NULL)
            tell_garbage(server, problem);
        going = problem == NULL
                && (request > 0 ? take_request(server, bytes, request)
                                : wait_for_more(server, length));
    }
}

void
delegation_server_run(SmtpConnection *connection)
{
    Server server = {
        .connection = connection,
        .desk = connection->service->desk,
        .stream = stream_new(connection->fd),
        .action = g_string_new(NULL),
    };
    connection->began = clock_monotonic();
    if (!connection->refused)
        converse(&server);
    g_string_free(server.action, TRUE);
    stream_free(server.stream);
}
