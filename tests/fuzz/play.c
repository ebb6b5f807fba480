/* play.c: a client's octets said to a gateway, and what came of them held
 * against them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/fuzz/play.h"

#include "filterd/base/loop.h"
#include "filterd/base/stream.h"
#include "filterd/mail/message.h"
#include "tests/fuzz/dialogue.h"
#include "tests/fuzz/reader.h"
#include "tests/wire/gateway.h"

#include <string.h>
#include <sys/socket.h>

static const DialogueWords words = {"250 2.1.5 taken", "250 2.0.0 queued"};

static const GatewayCase scene = {
    .server.replies = {[BACKEND_EHLO] = "250-b\r\n250-PIPELINING\r\n"
                                        "250-SMTPUTF8\r\n250-DSN\r\n"
                                        "250 8BITMIME\r\n",
                       [BACKEND_RCPT] = "250 2.1.5 taken\r\n",
                       [BACKEND_END] = "250 2.0.0 queued\r\n"},
    .rules = "set authentication-results off\n"
             "at rcpt { discard d if rcpt.local = \"d\" }",
};

typedef struct Play {
    const SmtpService *service;
    const PlayInput *input;
    int ends[2];
    GString *replies;
    GPtrArray *taken; /* by the backend, as they came: GString */
    unsigned running;
} Play;

/* ---- the play ----------------------------------------------------------- */

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
    const PlayInput *input = play->input;
    gsize piece = input->first > 0 ? input->first : input->piece;
    for (gsize at = 0; at < input->length; piece = input->piece) {
        piece = MIN(piece, input->length - at);
        stream_write(stream, input->bytes + at, piece);
        if (stream_flush(stream) != STREAM_OK)
            break;
        at += piece;
        if (at < input->length)
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

static void
keep(void *data, const GString *message)
{
    Play *play = data;
    g_ptr_array_add(play->taken,
                    g_string_new_len(message->str, (gssize)message->len));
}

static void
free_message(gpointer message)
{
    g_string_free(message, TRUE);
}

Gateway *
play_gateway(void)
{
    static Gateway *gateway;
    if (gateway == NULL)
        gateway = gateway_new(&scene);
    return gateway;
}

static void
set_line_endings(const SmtpService *service, gboolean normalize)
{
    const PolicyConfig *config = engine_config(service->engine);
    ((PolicyConfig *)config)->settings.line_endings = normalize;
}

static void
run(Play *play)
{
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, play->ends), ==, 0);
    play->running = 2;
    fiber_detach(fiber_start("client", run_client, play));
    fiber_detach(fiber_start("server", run_server, play));
    loop_run();
}

/* ---- what came of it ---------------------------------------------------- */

/* Whether filterd may leave fields of it out. */
static gboolean
has_own_fields(const GString *content)
{
    g_autoptr(GString) bare = g_string_new(NULL);
    for (gsize i = 0; i < content->len; i++)
        if (g_ascii_isgraph(content->str[i]))
            g_string_append_c(bare, g_ascii_tolower(content->str[i]));
    return strstr(bare->str, "authentication-results") != NULL
           || strstr(bare->str, "x-filterd-quarantine") != NULL;
}

/* A first line that would continue ours has a name put before it. */
static void
name_first_line(GString *content)
{
    if (*content->str == ' ' || *content->str == '\t')
        g_string_prepend(content, MAIL_MESSAGE_UNNAMED ":");
}

/* Our Received, then what the client said. */
static void
check_letter(const Letter *letter, const GString *message)
{
    FilterdField field;
    g_autoptr(GString) content = g_string_new(NULL);
    g_assert_true(reader_canonical(message->str, message->len));
    reader_content(content, message->str, message->len, TRUE);
    gsize skip = mail_field_next(content->str, content->len, &field);
    g_assert_true(mail_field_is(&field, "Received"));
    name_first_line(letter->content);
    if (!has_own_fields(letter->content))
        g_assert_cmpmem(content->str + skip, content->len - skip,
                        letter->content->str, letter->content->len);
}

/* The recipients of each message. */
static void
check_recipients(const GPtrArray *letters, const char *heard)
{
    g_auto(GStrv) lines = g_strsplit(heard, "\n", 0);
    unsigned recipients = 0, letter = 0;
    for (unsigned i = 0; lines[i] != NULL; i++) {
        if (g_str_has_prefix(lines[i], "MAIL"))
            recipients = 0;
        recipients += g_str_has_prefix(lines[i], "RCPT") ? 1 : 0;
        if (strcmp(lines[i], "message") == 0) {
            const Letter *one = g_ptr_array_index(letters, letter++);
            g_assert_cmpuint(one->recipients, ==, recipients);
        }
    }
}

static void
check(const Play *play, const char *heard)
{
    g_autoptr(GPtrArray) letters = dialogue_read(
        &words, play->input->bytes, play->input->length, play->replies);
    dialogue_check_heard(heard);
    g_assert_cmpuint(letters->len, ==, play->taken->len);
    check_recipients(letters, heard);
    for (unsigned i = 0; i < letters->len; i++)
        check_letter(g_ptr_array_index(letters, i),
                     g_ptr_array_index(play->taken, i));
}

unsigned
play_run(const PlayInput *input)
{
    Gateway *gateway = play_gateway();
    Backend *backend = gateway_backend(gateway);
    Play play = {.service = gateway_service(gateway),
                 .input = input,
                 .replies = g_string_new(NULL),
                 .taken = g_ptr_array_new_with_free_func(free_message)};
    g_string_truncate(backend->heard, 0);
    backend->taken = keep;
    backend->taken_data = &play;
    gateway_log_clear();
    set_line_endings(play.service, input->normalize);
    run(&play);
    check(&play, backend->heard->str);
    unsigned taken = play.taken->len;
    backend->taken = NULL;
    g_string_free(play.replies, TRUE);
    g_ptr_array_unref(play.taken);
    return taken;
}
