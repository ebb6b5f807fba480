/* redis-link.c: connects, enters, sends what waits and hands out replies.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/redis-link.h"

#include "filterd/base/stream.h"
#include "filterd/base/text.h"
#include "filterd/service/store-request.h"

#include <string.h>

/* Octets of what a server says that are told. */
#define TOLD_LIMIT 120

struct RedisLink {
    RedisServer *server;
    Fiber *driver;
    Stream *stream; /* NULL: not connected */
    RedisParser *parser;
    GQueue waiting, sent; /* RedisRequest, a reference each */
    gsize octets;         /* of those that wait */
};

static gboolean
fail(const RedisLink *link, GError **error, const char *what)
{
    g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED, "%s: %s",
                link->server->name, what);
    return FALSE;
}

static gboolean
check(const RedisLink *link, StreamStatus status, GError **error)
{
    return status == STREAM_OK || fail(link, error, stream_status_text(status));
}

static void
close_stream(RedisLink *link)
{
    g_clear_pointer(&link->stream, stream_free);
    g_clear_pointer(&link->parser, redis_parser_free);
}

/* The next reply; NULL with an error. */
static RedisReply *
read_reply(RedisLink *link, GError **error)
{
    GError *problem = NULL;
    RedisReply *reply = redis_parser_next(link->parser, &problem);
    while (reply == NULL && problem == NULL) {
        gsize length;
        if (!check(link, stream_fill(link->stream), error))
            return NULL;
        const char *bytes = stream_peek(link->stream, &length);
        redis_parser_feed(link->parser, bytes, length);
        stream_consume(link->stream, length);
        reply = redis_parser_next(link->parser, &problem);
    }
    if (problem != NULL)
        g_propagate_prefixed_error(error, problem, "%s: ", link->server->name);
    return reply;
}

/* ---- entering ----------------------------------------------------------- */

char *
redis_link_describe(const RedisLogin *login, const char *command,
                    const RedisReply *reply)
{
    const char *password = login->password;
    g_autoptr(GString) text = g_string_new(NULL);
    text_append_clean(text, reply->text,
                      MIN(strcspn(reply->text, "`'\""), TOLD_LIMIT));
    if (password != NULL && strstr(reply->text, password) != NULL)
        g_string_assign(text, "an error");
    return g_strdup_printf("%s is answered by %s", command, text->str);
}

static gboolean
greeted(RedisLink *link, const char *command, GError **error)
{
    g_autoptr(RedisReply) reply = read_reply(link, error);
    if (reply == NULL)
        return FALSE;
    if (reply->kind == REDIS_STATUS)
        return TRUE;
    g_autofree char *what =
        reply->kind == REDIS_ERROR
            ? redis_link_describe(link->server->login, command, reply)
            : g_strdup_printf("%s is answered by nonsense", command);
    return fail(link, error, what);
}

/* One way there and back. PING because a connection that was taken is not yet
 * a server that answers. */
static gboolean
enter(RedisLink *link, GError **error)
{
    const RedisLogin *login = link->server->login;
    g_autoptr(RedisRequest) request = redis_request_new();
    const char *words[4] = {"AUTH", login->user, login->password};
    const char *alone[3] = {"AUTH", login->password};
    const char *names[REDIS_COMMANDS_LIMIT];
    gboolean ok = TRUE;
    if (login->password != NULL) {
        names[request->count] = "AUTH";
        redis_request_add(request, login->user != NULL ? words : alone, 0, 0);
    }
    if (login->database > 0) {
        g_autofree char *number =
            g_strdup_printf("%" G_GINT64_FORMAT, login->database);
        names[request->count] = "SELECT";
        redis_request_add(request,
                          (const char *const[]){"SELECT", number, NULL}, 0, 0);
    }
    names[request->count] = "PING";
    redis_request_add(request, (const char *const[]){"PING", NULL}, 0, 0);
    for (unsigned i = 0; i < request->count; i++)
        stream_write(link->stream, request->commands[i], request->lengths[i]);
    ok = check(link, stream_flush(link->stream), error);
    for (unsigned i = 0; ok && i < request->count; i++)
        ok = greeted(link, names[i], error);
    return ok;
}

static gboolean
open_stream(RedisLink *link, GError **error)
{
    RedisServer *server = link->server;
    int64_t deadline = clock_after(server->login->timeout);
    link->stream = stream_connect(&server->endpoint, NULL, deadline, error);
    if (link->stream == NULL)
        return FALSE;
    link->parser = redis_parser_new();
    stream_set_deadline(link->stream, deadline);
    if (server->secure && server->tls == NULL)
        return fail(link, error, "TLS is not available");
    if (server->secure
        && stream_secure(link->stream, server->tls, error) != STREAM_OK) {
        g_prefix_error(error, "%s: ", server->name);
        return FALSE;
    }
    return enter(link, error);
}

/* A server closes what was idle for long. What it says unasked would be taken
 * for the reply to something. */
static gboolean
make_ready(RedisLink *link, GError **error)
{
    if (link->stream != NULL && !stream_quiet(link->stream))
        close_stream(link);
    return link->stream != NULL || open_stream(link, error);
}

/* ---- asking ------------------------------------------------------------- */

static void
write_request(RedisLink *link, const RedisRequest *request)
{
    static const char asking[] = "*1\r\n$6\r\nASKING\r\n";
    for (unsigned i = 0; i < request->count; i++) {
        if (request->asking)
            stream_write(link->stream, asking, strlen(asking));
        stream_write(link->stream, request->commands[i], request->lengths[i]);
    }
}

static RedisRequest *
pop_waiting(RedisLink *link)
{
    RedisRequest *request = g_queue_pop_head(&link->waiting);
    if (request != NULL)
        link->octets -= redis_request_size(request);
    return request;
}

/* Those that nobody waits for any more are not asked. */
static gboolean
send_waiting(RedisLink *link, GError **error)
{
    RedisRequest *request;
    stream_set_deadline(link->stream,
                        clock_after(link->server->login->timeout));
    while ((request = pop_waiting(link)) != NULL) {
        if (request->waiter == NULL) {
            redis_request_unref(request);
            continue;
        }
        request->sent = clock_monotonic();
        g_queue_push_tail(&link->sent, request);
        write_request(link, request);
    }
    return check(link, stream_flush(link->stream), error);
}

/* Whether there is more than this reply, though nothing else was asked: it is
 * not certain then whose it is. */
static gboolean
is_surplus(const RedisLink *link, const RedisRequest *request)
{
    return link->sent.length == 1 && redis_request_is_last(request)
           && !redis_parser_empty(link->parser);
}

static gboolean
take_reply(RedisLink *link, GError **error)
{
    RedisRequest *request = g_queue_peek_head(&link->sent);
    int64_t timeout = link->server->login->timeout;
    stream_set_deadline(link->stream, request->sent + timeout);
    RedisReply *reply = read_reply(link, error);
    if (reply == NULL)
        return FALSE;
    if (is_surplus(link, request)) {
        redis_reply_free(reply);
        return fail(link, error, "it says more than it was asked");
    }
    if (!redis_request_take(request, reply))
        return fail(link, error, "it answers something else");
    if (request->done) {
        g_queue_pop_head(&link->sent);
        redis_request_unref(request);
        redis_circuit_work(&link->server->circuit);
    }
    return TRUE;
}

/* What gathers meanwhile goes out as soon as there was an answer. */
static gboolean
exchange(RedisLink *link, GError **error)
{
    gboolean ok = TRUE;
    while (ok
           && (!g_queue_is_empty(&link->waiting)
               || !g_queue_is_empty(&link->sent))) {
        if (!g_queue_is_empty(&link->waiting))
            ok = send_waiting(link, error);
        if (ok && !g_queue_is_empty(&link->sent))
            ok = take_reply(link, error);
    }
    return ok;
}

static void
break_off(RedisLink *link, const GError *error)
{
    RedisRequest *request;
    close_stream(link);
    while ((request = g_queue_pop_head(&link->sent)) != NULL
           || (request = pop_waiting(link)) != NULL) {
        redis_request_fail(request, error);
        redis_request_unref(request);
    }
}

static void
drive(void *data)
{
    RedisLink *link = data;
    while (!fiber_cancelled()) {
        g_autoptr(GError) error = NULL;
        if (g_queue_is_empty(&link->waiting)) {
            fiber_wait(CLOCK_NEVER);
            continue;
        }
        if (make_ready(link, &error) && exchange(link, &error))
            continue;
        if (!fiber_cancelled())
            redis_circuit_fail(&link->server->circuit, error->message);
        break_off(link, error);
    }
}

/* ---- the connection ----------------------------------------------------- */

RedisLink *
redis_link_new(RedisServer *server)
{
    RedisLink *link = g_new0(RedisLink, 1);
    link->server = server;
    link->driver = fiber_start("store", drive, link);
    return link;
}

void
redis_link_free(RedisLink *link)
{
    g_autoptr(GError) error = NULL;
    fiber_cancel(link->driver);
    fiber_join(link->driver);
    fail(link, &error, "it is closed");
    break_off(link, error);
    g_free(link);
}

unsigned
redis_link_load(const RedisLink *link)
{
    return link->waiting.length + link->sent.length;
}

gboolean
redis_link_send(RedisLink *link, RedisRequest *request)
{
    gsize size = redis_request_size(request);
    if (redis_link_load(link) >= REDIS_QUEUE_LIMIT
        || link->octets + size > REDIS_QUEUE_OCTETS)
        return FALSE;
    request->holders++;
    link->octets += size;
    g_queue_push_tail(&link->waiting, request);
    fiber_wake(link->driver);
    return TRUE;
}
