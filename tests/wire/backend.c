/* backend.c: a mail server that does what a test wants.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/wire/backend.h"

#include "filterd/base/loop.h"
#include "filterd/base/stream.h"
#include "tests/base/authority.h"

#include <string.h>
#include <unistd.h>

typedef struct Visit {
    Backend *backend;
    Stream *stream;
    Fiber *fiber;
    gboolean spoiled, named;
    gboolean asks; /* it has said 334 */
    gboolean closing;
    unsigned said[BACKEND_STEPS];
    unsigned recipients; /* since MAIL */
} Visit;

static const struct Step {
    const char *verb; /* NULL: not a command */
    const char *reply;
} steps[BACKEND_STEPS] = {
    [BACKEND_CONNECT] = {NULL, "220 backend.test ESMTP\r\n"},
    [BACKEND_EHLO] = {"EHLO", "250-backend.test\r\n250-PIPELINING\r\n"
                              "250-8BITMIME\r\n250-SIZE 5000000\r\n"
                              "250 XCLIENT NAME ADDR HELO\r\n"},
    [BACKEND_HELO] = {"HELO", "250 backend.test\r\n"},
    [BACKEND_STARTTLS] = {"STARTTLS", "220 2.0.0 go on\r\n"},
    [BACKEND_XCLIENT] = {"XCLIENT", "220 backend.test ESMTP\r\n"},
    [BACKEND_XFORWARD] = {"XFORWARD", "250 2.0.0 ok\r\n"},
    [BACKEND_AUTH] = {"AUTH ", "235 2.7.0 welcome\r\n"},
    [BACKEND_RESPONSE] = {NULL, "235 2.7.0 welcome\r\n"},
    [BACKEND_CANCEL] = {NULL, "501 5.7.0 cancelled\r\n"},
    [BACKEND_MAIL] = {"MAIL", "250 2.1.0 ok\r\n"},
    [BACKEND_RCPT] = {"RCPT", "250 2.1.5 ok\r\n"},
    [BACKEND_DATA] = {"DATA", "354 go on\r\n"},
    [BACKEND_BODY] = {NULL, ""},
    [BACKEND_END] = {NULL, "250 2.0.0 queued as 1\r\n"},
    [BACKEND_VRFY] = {"VRFY", "250 2.1.5 Bob <b@mx.test>\r\n"},
    [BACKEND_ETRN] = {"ETRN", "253 2.0.0 queuing started\r\n"},
    [BACKEND_RSET] = {"RSET", "250 2.0.0 ok\r\n"},
    [BACKEND_QUIT] = {"QUIT", "!221 2.0.0 bye\r\n"},
};

static void
babble(Visit *visit)
{
    while (stream_printf(visit->stream, "250-and so on\r\n") == STREAM_OK
           && stream_flush(visit->stream) == STREAM_OK)
        continue;
    visit->closing = TRUE;
}

static void
hang(Visit *visit)
{
    clock_advance(BACKEND_SILENCE);
    while (stream_fill(visit->stream) == STREAM_OK)
        stream_discard(visit->stream);
    visit->closing = TRUE;
}

static const char *
reply_to(const Visit *visit, BackendStep step)
{
    const char *reply = visit->backend->replies[step];
    if (step == BACKEND_EHLO && visit->named && visit->backend->named_once)
        return "250-backend.test\r\n250 PIPELINING\r\n";
    return visit->spoiled && reply != NULL ? reply : steps[step].reply;
}

/* The first or the second of two. */
static char *
choose(Visit *visit, BackendStep step)
{
    const char *first = reply_to(visit, step);
    const char *second = strchr(first, BACKEND_OTHER);
    if (second == NULL)
        return g_strdup(first);
    return visit->said[step]++ > 0 ? g_strdup(second + 1)
                                   : g_strndup(first, (gsize)(second - first));
}

static void
answer(Visit *visit, BackendStep step)
{
    g_autofree char *reply = choose(visit, step);
    if (strcmp(reply, BACKEND_HANGS) == 0) {
        hang(visit);
    } else if (strcmp(reply, BACKEND_BABBLES) == 0) {
        babble(visit);
    } else {
        visit->closing = *reply == *BACKEND_CLOSES;
        visit->asks = g_str_has_prefix(reply, "334");
        stream_write(visit->stream, reply + visit->closing,
                     strlen(reply + visit->closing));
    }
}

/* Octets of the message, its dot included; 0 until they are there. */
static gsize
message_length(const char *bytes, gsize length)
{
    if (length >= 3 && memcmp(bytes, ".\r\n", 3) == 0)
        return 3;
    const char *end = memmem(bytes, length, "\r\n.\r\n", 5);
    return end != NULL ? (gsize)(end + 5 - bytes) : 0;
}

/* No CR without LF, no LF without CR, no NUL. */
static void
check_canonical(const GString *message)
{
    const char *p = message->str;
    g_assert_null(memchr(p, '\0', message->len));
    for (gsize i = 0; i < message->len; i++) {
        g_assert_true(p[i] != '\r' || p[i + 1] == '\n');
        g_assert_true(p[i] != '\n' || (i > 0 && p[i - 1] == '\r'));
    }
}

/* TRUE: the final dot is there, and cut off. */
static gboolean
take_piece(Visit *visit, GString *message)
{
    gsize length;
    const char *bytes = stream_peek(visit->stream, &length);
    g_string_append_len(message, bytes, (gssize)length);
    stream_consume(visit->stream, length);
    gsize size = message_length(message->str, message->len);
    if (size == 0)
        return FALSE;
    g_assert_cmpuint(size, ==, message->len);
    g_string_truncate(message, size - 3);
    return TRUE;
}

static void
keep_message(Visit *visit, const GString *message)
{
    Backend *backend = visit->backend;
    g_string_truncate(backend->message, 0);
    g_string_append_len(backend->message, message->str, (gssize)message->len);
    backend->messages++;
    if (backend->taken != NULL)
        backend->taken(backend->taken_data, message);
    g_string_append(backend->heard, "message\n");
    gboolean own_words =
        reply_to(visit, BACKEND_END) != steps[BACKEND_END].reply;
    unsigned replies = backend->local && !own_words ? visit->recipients : 1;
    for (unsigned i = 0; i < replies; i++)
        answer(visit, BACKEND_END);
}

static void
take_message(Visit *visit)
{
    gboolean complete = FALSE, begun = FALSE;
    g_autoptr(GString) message = g_string_new(NULL);
    while (!complete && !visit->closing) {
        if (stream_flush(visit->stream) != STREAM_OK
            || stream_fill(visit->stream) != STREAM_OK)
            visit->closing = TRUE;
        else if (!begun)
            answer(visit, BACKEND_BODY);
        begun = TRUE;
        complete = take_piece(visit, message);
    }
    if (visit->closing)
        return;
    check_canonical(message);
    keep_message(visit, message);
}

/* BDAT, whose octets are what they are. */
static void
take_chunk(Visit *visit, gsize size)
{
    g_autoptr(GString) message = g_string_new(NULL);
    while (!visit->closing && message->len < size) {
        gsize length;
        const char *bytes = stream_peek(visit->stream, &length);
        length = MIN(length, size - message->len);
        g_string_append_len(message, bytes, (gssize)length);
        stream_consume(visit->stream, length);
        if (message->len < size && stream_fill(visit->stream) != STREAM_OK)
            visit->closing = TRUE;
    }
    if (!visit->closing)
        keep_message(visit, message);
}

static void
go_on_with_tls(Visit *visit)
{
    stream_flush(visit->stream);
    if (visit->backend->tls == NULL
        || stream_secure(visit->stream, visit->backend->tls, NULL) != STREAM_OK)
        visit->closing = TRUE;
}

static gboolean
is_step(const Visit *visit, BackendStep step, const char *line)
{
    const char *verb = steps[step].verb;
    if (visit->backend->local && step == BACKEND_EHLO)
        verb = "LHLO";
    return verb != NULL && g_str_has_prefix(line, verb)
           && !(visit->backend->local && step == BACKEND_HELO);
}

static void
count_recipients(Visit *visit, BackendStep step)
{
    if (step == BACKEND_MAIL)
        visit->recipients = 0;
    if (step == BACKEND_RCPT)
        visit->recipients++;
}

static void
carry_out(Visit *visit, const char *line)
{
    if (g_str_has_prefix(line, "BDAT ")) {
        take_chunk(visit, g_ascii_strtoull(line + 5, NULL, 10));
        return;
    }
    for (BackendStep step = 0; step < BACKEND_STEPS; step++)
        if (is_step(visit, step, line)) {
            answer(visit, step);
            count_recipients(visit, step);
            visit->named |= step == BACKEND_XCLIENT;
            if (step == BACKEND_STARTTLS
                && g_str_has_prefix(reply_to(visit, step), "220"))
                go_on_with_tls(visit);
            if (step == BACKEND_DATA
                && g_str_has_prefix(reply_to(visit, step), "354"))
                take_message(visit);
            return;
        }
    stream_printf(visit->stream, "502 5.5.1 what?\r\n");
}

/* Strict: a command is a line of printable octets that ends with CRLF. */
static gboolean
take_command(Visit *visit)
{
    gsize length;
    const char *bytes = stream_peek(visit->stream, &length);
    const char *lf = length > 0 ? memchr(bytes, '\n', length) : NULL;
    if (lf == NULL)
        return FALSE;
    g_assert_true(lf > bytes && lf[-1] == '\r');
    g_autofree char *line = g_strndup(bytes, (gsize)(lf - 1 - bytes));
    g_assert_cmpuint(strlen(line), ==, (gsize)(lf - 1 - bytes));
    g_assert_null(strpbrk(line, "\r\t"));
    stream_consume(visit->stream, (gsize)(lf + 1 - bytes));
    g_string_append_printf(visit->backend->heard, "%s\n", line);
    if (visit->asks)
        answer(visit,
               strcmp(line, "*") == 0 ? BACKEND_CANCEL : BACKEND_RESPONSE);
    else if (!visit->backend->proxied || !g_str_has_prefix(line, "PROXY "))
        carry_out(visit, line);
    return TRUE;
}

static void
serve(void *data)
{
    Visit *visit = data;
    Backend *backend = visit->backend;
    answer(visit, BACKEND_CONNECT);
    while (!visit->closing) {
        while (!visit->closing && take_command(visit))
            continue;
        if (stream_flush(visit->stream) != STREAM_OK
            || (!visit->closing && stream_fill(visit->stream) != STREAM_OK))
            visit->closing = TRUE;
    }
    stream_flush(visit->stream);
    stream_free(visit->stream);
    g_ptr_array_remove(backend->open, visit);
    fiber_detach(visit->fiber);
    g_free(visit);
}

static void
accept_one(Backend *backend)
{
    int fd = accept4(backend->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    Visit *visit = g_new0(Visit, 1);
    visit->backend = backend;
    visit->stream = stream_new(fd);
    visit->spoiled =
        backend->connections >= backend->spared
        && (backend->spoiled == 0
            || backend->connections < backend->spared + backend->spoiled);
    backend->connections++;
    g_ptr_array_add(backend->open, visit);
    visit->fiber = fiber_start("backend visit", serve, visit);
}

static void
on_ready(evutil_socket_t fd G_GNUC_UNUSED, short what G_GNUC_UNUSED, void *data)
{
    fiber_wake(data);
}

static void
run(void *data)
{
    Backend *backend = data;
    struct event *ready = event_new(
        loop_base(), backend->fd, EV_READ | EV_PERSIST, on_ready, fiber_self());
    event_add(ready, NULL);
    while (fiber_wait(CLOCK_NEVER) != FIBER_CANCELLED)
        accept_one(backend);
    event_free(ready);
}

static TlsContext *
new_context(const char *host)
{
    g_auto(Issued) issued = authority_issue(host, 1, 2);
    const TlsServer options = {.name = "backend",
                               .chains = &issued.chain,
                               .keys = &issued.key,
                               .length = 1};
    return tls_server_new(&options, NULL);
}

static void
listen_there(Backend *backend)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    backend->fd = endpoint_listen(&backend->endpoint, NULL, NULL);
    g_assert_cmpint(backend->fd, >=, 0);
    getsockname(backend->fd, (struct sockaddr *)&address, &size);
    endpoint_from_sockaddr((struct sockaddr *)&address, size,
                           &backend->endpoint);
    backend->fiber = fiber_start("backend", run, backend);
}

void
backend_start(Backend *backend)
{
    backend->heard = g_string_new(NULL);
    backend->message = g_string_new(NULL);
    backend->open = g_ptr_array_new();
    g_assert_true(ip_parse("127.0.0.1", &backend->endpoint.ip));
    if (backend->host != NULL)
        backend->tls = new_context(backend->host);
    listen_there(backend);
}

void
backend_start_again(Backend *backend)
{
    if (backend->fiber == NULL)
        listen_there(backend);
}

void
backend_kick(Backend *backend)
{
    for (unsigned i = 0; i < backend->open->len; i++)
        fiber_cancel(((Visit *)g_ptr_array_index(backend->open, i))->fiber);
    while (backend->open->len > 0)
        fiber_yield();
}

void
backend_stop(Backend *backend)
{
    if (backend->fiber == NULL)
        return;
    fiber_cancel(backend->fiber);
    fiber_join(backend->fiber);
    backend->fiber = NULL;
    close(backend->fd);
    backend_kick(backend);
}

void
backend_clear(Backend *backend)
{
    backend_stop(backend);
    g_string_free(backend->heard, TRUE);
    g_string_free(backend->message, TRUE);
    g_ptr_array_unref(backend->open);
    g_clear_pointer(&backend->tls, tls_context_free);
}
