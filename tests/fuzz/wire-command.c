/* wire-command.c: fuzzes whole dialogues. The backend behind the gateway is a
 * strict one; the gateway says that it took a message as often as the backend
 * did.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The first octet tells how the rest is cut into pieces.
 */
#include "filterd/base/loop.h"
#include "filterd/base/stream.h"
#include "tests/fuzz/fuzz.h"
#include "tests/wire/gateway.h"

#include <string.h>
#include <sys/socket.h>

#define QUEUED "250 2.0.0 queued"

static const GatewayCase scene = {
    .server.replies = {[BACKEND_EHLO] = "250-b\r\n250-PIPELINING\r\n"
                                        "250-SMTPUTF8\r\n250-DSN\r\n"
                                        "250 8BITMIME\r\n",
                       [BACKEND_END] = QUEUED "\r\n"},
    .rules = "set line-endings normalize\n"
             "at rcpt { discard d if rcpt.local = \"d\" }",
};

typedef struct Play {
    const SmtpService *service;
    const uint8_t *bytes;
    size_t length;
    int ends[2];
    GString *replies;
    unsigned running;
} Play;

static void
part_with(Play *play)
{
    if (--play->running == 0)
        loop_stop();
}

static void
run_server(void *data)
{
    Play *play = data;
    SmtpConnection connection = {.service = play->service, .fd = play->ends[0]};
    g_assert_true(ip_parse("192.0.2.1", &connection.peer.ip));
    smtp_server_run(&connection);
    part_with(play);
}

static void
speak(Play *play, Stream *stream)
{
    size_t piece = play->length > 0 ? 1 + *play->bytes : 1;
    for (size_t at = 1; at < play->length; at += piece) {
        stream_write(stream, play->bytes + at, MIN(piece, play->length - at));
        if (stream_flush(stream) != STREAM_OK)
            break;
        fiber_yield();
    }
    shutdown(play->ends[1], SHUT_WR);
}

static void
run_client(void *data)
{
    Play *play = data;
    size_t length;
    Stream *stream = stream_new(play->ends[1]);
    speak(play, stream);
    while (stream_fill(stream) == STREAM_OK) {
        const char *bytes = stream_peek(stream, &length);
        g_string_append_len(play->replies, bytes, (gssize)length);
        stream_consume(stream, length);
    }
    stream_free(stream);
    part_with(play);
}

/* Lines of replies; how often a message was taken. */
static unsigned
check_replies(const GString *replies)
{
    unsigned queued = 0;
    g_auto(GStrv) lines = g_strsplit(replies->str, "\r\n", 0);
    g_assert_cmpuint(strlen(replies->str), ==, replies->len);
    for (unsigned i = 0; lines[i] != NULL && lines[i + 1] != NULL; i++) {
        g_assert_cmpuint(strlen(lines[i]), >=, 4);
        g_assert_cmpuint(strlen(lines[i]), <=, 510);
        g_assert_true(*lines[i] >= '2' && *lines[i] <= '5');
        g_assert_null(strpbrk(lines[i], "\r\n"));
        queued += strcmp(lines[i], QUEUED) == 0 ? 1 : 0;
    }
    return queued;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static Gateway *gateway;
    if (gateway == NULL)
        gateway = gateway_new(&scene);
    Backend *backend = gateway_backend(gateway);
    Play play = {.service = gateway_service(gateway),
                 .bytes = bytes,
                 .length = length,
                 .replies = g_string_new(NULL),
                 .running = 2};
    backend->messages = 0;
    g_string_truncate(backend->heard, 0);
    gateway_log_clear();
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, play.ends), ==, 0);
    fiber_detach(fiber_start("client", run_client, &play));
    fiber_detach(fiber_start("server", run_server, &play));
    loop_run();
    g_assert_cmpuint(check_replies(play.replies), ==, backend->messages);
    g_string_free(play.replies, TRUE);
    return 0;
}
