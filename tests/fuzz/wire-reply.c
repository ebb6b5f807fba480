/* wire-reply.c: fuzzes a backend: each piece of the input, parted by octets
 * 255, is what it says to the next command. A message counts as taken only if
 * it said so after the final dot.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/fiber.h"
#include "filterd/base/loop.h"
#include "filterd/wire/smtp-client.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/socket.h>

#define PART 0xff
#define TIMEOUT 1000
/* Turns of the loop. */
#define PATIENCE 8
#define BODY ".dot\r\n..\r\n.\r\nend\r\n"
/* The above with its header, stuffed. */
#define SENT "A: b\r\n\r\n..dot\r\n...\r\n..\r\nend\r\n.\r\n"

typedef struct Play {
    const uint8_t *bytes;
    size_t left;
    int ends[2];
    gboolean complete;  /* the final dot has come */
    gboolean taken;     /* and something was said to it */
    gboolean delivered; /* so the client believes */
    unsigned running;
} Play;

static void
part_with(Play *play)
{
    if (--play->running == 0)
        loop_stop();
}

static void
say_next(Play *play, Stream *stream)
{
    const uint8_t *end = memchr(play->bytes, PART, play->left);
    size_t length = end != NULL ? (size_t)(end - play->bytes) : play->left;
    stream_write(stream, play->bytes, length);
    stream_flush(stream);
    play->taken |= play->complete && length > 0;
    play->bytes += MIN(length + 1, play->left);
    play->left -= MIN(length + 1, play->left);
}

/* A client that waits for more, and will get none, waits in vain. */
static StreamStatus
listen_for(Stream *stream)
{
    for (unsigned i = 0; i < PATIENCE && !stream_pending(stream); i++)
        fiber_yield();
    if (!stream_pending(stream))
        clock_advance(2 * TIMEOUT);
    return stream_fill(stream);
}

static void
run_backend(void *data)
{
    Play *play = data;
    Stream *stream = stream_new(play->ends[0]);
    g_autoptr(GString) heard = g_string_new(NULL);
    size_t length;
    while (play->left > 0) {
        say_next(play, stream);
        if (listen_for(stream) != STREAM_OK)
            break;
        const char *bytes = stream_peek(stream, &length);
        g_string_append_len(heard, bytes, (gssize)length);
        stream_consume(stream, length);
        play->complete = strstr(heard->str, SENT) != NULL;
    }
    stream_free(stream);
    part_with(play);
}

static gboolean
converse(SmtpClient *client)
{
    const SmtpIdentity who = {.helo = "h.test"};
    MailReply first = {0}, second = {0};
    FilterdField field;
    mail_field_next("A: b\r\n", 6, &field);
    g_autoptr(MailMessage) message = mail_message_new(1000, NULL);
    mail_message_add_field(message, &field);
    mail_message_add_body(message, BODY, strlen(BODY), NULL);
    gboolean delivered =
        smtp_client_identify(client, &who, NULL)
        && smtp_client_commands(client, "MAIL FROM:<>", "RCPT TO:<a@b>", &first,
                                &second, NULL)
        && smtp_client_command(client, "DATA", &first, NULL)
        && first.code == 354
        && smtp_client_send(client, message, &first, 1, NULL)
        && first.code == 250;
    mail_reply_clear(&first);
    mail_reply_clear(&second);
    return delivered;
}

static void
run_client(void *data)
{
    static const PolicyBackend configs[] = {
        {.identity = POLICY_IDENTITY_XCLIENT},
        {.identity = POLICY_IDENTITY_NONE},
    };
    Play *play = data;
    gboolean named = play->left > 0 && play->bytes[play->left - 1] == 'X';
    PolicyBackend config = configs[named ? 0 : 1];
    config.command_timeout = config.data_timeout = TIMEOUT;
    SmtpClient *client = smtp_client_greet(&config, stream_new(play->ends[1]),
                                           "gateway.test", NULL);
    if (client != NULL) {
        play->delivered = converse(client);
        smtp_client_quit(client);
    }
    part_with(play);
}

static void
start_loop(void)
{
    static gboolean started;
    if (started)
        return;
    started = TRUE;
    loop_init();
    clock_stop(0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    Play play = {.bytes = bytes, .left = length, .running = 2};
    start_loop();
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, play.ends), ==, 0);
    fiber_detach(fiber_start("client", run_client, &play));
    fiber_detach(fiber_start("backend", run_backend, &play));
    loop_run();
    if (play.delivered)
        g_assert_true(play.complete && play.taken);
    return 0;
}
