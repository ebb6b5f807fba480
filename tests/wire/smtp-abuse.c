/* smtp-abuse.c: tests of clients that do not read, break off, come with
 * thousands, or hope that a verdict holds for the next message.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/wire/gateway.h"

#include "filterd/base/fiber.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- what one message was judged is not the next one's ------------------- */

#define HELLO "< 220\n> EHLO c.test\n< 250\n"
#define FROM(name) "> MAIL FROM:<" name "@c.test>\n< 250\n"
#define TO(name, code) "> RCPT TO:<" name "@mx.test>\n< " code "\n"
#define DATA(name, code) \
    "> DATA\n< 354\n> From: <x@" name ".test>\n> \n> x\n> .\n< " code "\n"
#define RSET "> RSET\n< 250\n"
#define FRIEND_RULES                                                 \
    "at mail { accept friend if mail.local = \"friend\" }\n"         \
    "at rcpt { accept mate if rcpt.local = \"mate\"\n"               \
    "          discard hole if rcpt.local = \"hole\"\n"              \
    "          reject no if rcpt.local = \"no\" }\n"                 \
    "at message { reject bad if header.from.domain = \"bad.test\"\n" \
    "             reject all if mail.local = \"foe\" and not "       \
    "known auth.user }\n"
#define RULES .rules = FRIEND_RULES

static const GatewayCase leaks[] = {
    {"an-accepted-sender",
     HELLO FROM("friend") TO("no", "250") DATA("bad", "250") FROM("a")
         TO("no", "550") TO("b", "250") DATA("bad", "550"),
     RULES, .messages = 1},
    {"an-accepted-sender-behind-rset",
     HELLO FROM("friend") TO("no", "250") RSET FROM("a") TO("no", "550")
         TO("b", "250") DATA("bad", "550"),
     RULES},
    {"an-accepted-sender-behind-ehlo",
     HELLO FROM("friend") TO("no", "250") "> EHLO c.test\n< 250\n" FROM("a")
         TO("no", "550") TO("b", "250") DATA("bad", "550"),
     RULES},
    {"an-accepted-recipient",
     HELLO FROM("a") TO("mate", "250") DATA("bad", "250") FROM("a")
         TO("b", "250") DATA("bad", "550"),
     RULES, .messages = 1},
    {"an-accepted-recipient-behind-an-error",
     HELLO FROM("a") TO("mate", "250") "> MAIL FROM:<x@@c.test>\n< 503\n" RSET
                                       "> MAIL FROM:<x@@c.test>\n"
                                       "< 501\n" FROM("a") TO("b", "250")
                                           DATA("bad", "550"),
     RULES},
    {"a-discarded-recipient",
     HELLO FROM("a") TO("hole", "250") DATA("good", "250") FROM("a")
         TO("b", "250") DATA("good", "250 2.0.0 queued"),
     RULES, .messages = 1},
    {"a-discarded-recipient-behind-rset",
     HELLO FROM("a") TO("hole", "250") RSET FROM("a") "> DATA\n< 554\n", RULES},
    {"a-refused-message",
     HELLO FROM("a") TO("b", "250") DATA("bad", "550") FROM("a") TO("b", "250")
         DATA("good", "250"),
     RULES, .messages = 1},
    {"a-refused-sender",
     HELLO FROM("foe") TO("b", "250") DATA("good", "550") FROM("a")
         TO("b", "250") DATA("good", "250"),
     RULES, .messages = 1},
    {"a-message-with-a-bare-newline",
     HELLO FROM("friend")
         TO("b", "250") "> DATA\n< 354\n~ A: b\\n\\r\\n.\\r\\n\n< 550 "
                        "5.6.11\n" FROM("a") TO("b", "250") DATA("bad", "550"),
     RULES},
    {"a-message-in-chunks",
     HELLO FROM("friend")
         TO("b", "250") "~ BDAT 20\\r\\nFrom: <x@bad.test>\\r\\n\n< 250\n" RSET
             FROM("a") TO(
                 "b", "250") "~ BDAT 2 LAST\\r\\n\\r\\n\n< 250 2.0.0 queued\n",
     RULES, .messages = 1, .message = "Received: from c.test"},
    {"fields-of-the-one-before",
     HELLO FROM("a") TO("b", "250") DATA("bad", "550") FROM("a")
         TO("b", "250") "> DATA\n< 354\n> A: b\n> .\n< 250\n",
     RULES, .messages = 1},
    {"a-score",
     HELLO FROM("a") TO("b", "250") DATA("bad", "250") FROM("a") TO("b", "250")
         DATA("good", "250") FROM("a") TO("b", "250") DATA("bad", "250"),
     .messages = 3,
     .rules = "at message { score 3 bad if header.from.domain = \"bad.test\"\n"
              "             reject much if score > 3 }\n"},
    {"a-sender-that-was-rewritten",
     HELLO FROM("friend") TO("b", "250") DATA("x", "250") FROM("a")
         TO("b", "250") DATA("x", "250"),
     .messages = 2,
     .rules = "at message { rewrite set-sender(\"x@y.test\") "
              "if mail.local = \"friend\" }",
     .heard = "EHLO mx.test\nMAIL FROM:<friend@c.test>\nRCPT TO:<b@mx.test>\n"
              "RSET\nMAIL FROM:<x@y.test>\nRCPT TO:<b@mx.test>\nDATA\n"
              "message\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\nDATA\n"
              "message\n"},
};

/* ---- replies that nobody reads ------------------------------------------- */

#define MESSAGES 600
/* With backends' replies of 30 KiB more than the kernel keeps. */
#define REPLY_LINES 60
#define REPLY_WIDTH 480
/* Turns of the loop without another message. */
#define STILL 300

typedef struct Talker {
    int fd;
    GString *said;
    gsize sent, heard;
} Talker;

static void
push(Talker *talker)
{
    ssize_t length = send(talker->fd, talker->said->str + talker->sent,
                          talker->said->len - talker->sent, MSG_DONTWAIT);
    talker->sent += length > 0 ? (gsize)length : 0;
}

static gboolean
pull(Talker *talker)
{
    char buffer[65536];
    ssize_t length = recv(talker->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    talker->heard += length > 0 ? (gsize)length : 0;
    return length != 0;
}

static void
talk_on(Gateway *gateway, void *data G_GNUC_UNUSED)
{
    const char *text = "MAIL FROM:<a@c.test>\r\nRCPT TO:<b@mx.test>\r\n"
                       "BDAT 0 LAST\r\n";
    Backend *backend = gateway_backend(gateway);
    Talker talker = {.fd = gateway_connect(gateway),
                     .said = g_string_new("EHLO c.test\r\n")};
    for (unsigned i = 0; i < MESSAGES; i++)
        g_string_append(talker.said, text);
    g_string_append(talker.said, "QUIT\r\n");
    for (unsigned turns = 0, before = 0; turns < STILL; turns++) {
        push(&talker);
        fiber_yield();
        turns = backend->messages != before ? 0 : turns;
        before = backend->messages;
    }
    g_assert_cmpuint(backend->messages, >, 0);
    g_assert_cmpuint(backend->messages, <, MESSAGES);
    while (pull(&talker)) {
        push(&talker);
        fiber_yield();
    }
    g_assert_cmpuint(backend->messages, ==, MESSAGES);
    g_assert_cmpuint(talker.heard, >,
                     (gsize)MESSAGES * REPLY_LINES * REPLY_WIDTH);
    g_string_free(talker.said, TRUE);
    close(talker.fd);
}

static void
test_unread(void)
{
    g_autofree char *words = g_strnfill(REPLY_WIDTH, 'x');
    g_autoptr(GString) reply = g_string_new(NULL);
    for (unsigned i = 0; i < REPLY_LINES; i++)
        g_string_append_printf(reply, "250%c2.0.0 %s\r\n",
                               i + 1 < REPLY_LINES ? '-' : ' ', words);
    const GatewayCase scene = {.server.replies[BACKEND_END] = reply->str};
    gateway_run(&scene, talk_on, NULL);
}

/* ---- breaking off ---------------------------------------------------------
 */

static void
hear(Gateway *gateway, int fd, const char *text)
{
    g_autoptr(GString) heard = g_string_new(NULL);
    (void)gateway;
    while (strstr(heard->str, text) == NULL) {
        char buffer[4096];
        ssize_t length = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
        g_assert_cmpint(length, !=, 0);
        if (length > 0)
            g_string_append_len(heard, buffer, length);
        fiber_yield();
    }
}

static void
end_with(Gateway *gateway, const char *said, gsize length, gboolean reset)
{
    const char *before = "EHLO c.test\r\nMAIL FROM:<a@c.test>\r\n"
                         "RCPT TO:<b@mx.test>\r\nDATA\r\n";
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    int fd = gateway_connect(gateway);
    g_assert_cmpint(send(fd, before, strlen(before), 0), >, 0);
    hear(gateway, fd, "\r\n354");
    g_assert_cmpint(send(fd, said, length, 0), ==, (ssize_t)length);
    if (reset)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
    while (gateway_sessions(gateway) > 0)
        fiber_yield();
}

static void
break_off(Gateway *gateway, void *data)
{
    const char *message = "A: b\r\n\r\nc\r\n.\r\n";
    gboolean reset = data != NULL;
    gsize whole = strlen(message);
    for (gsize cut = 0; cut < whole; cut++)
        end_with(gateway, message, cut, reset);
    g_assert_cmpuint(gateway_backend(gateway)->messages, ==, 0);
    end_with(gateway, message, whole, reset);
    unsigned after = gateway_backend(gateway)->messages;
    g_assert_cmpuint(after, <=, 1);
    if (!reset)
        g_assert_cmpuint(after, ==, 1);
}

static void
test_break_off(gconstpointer reset)
{
    const GatewayCase scene = {.listen = NULL};
    gateway_run(&scene, break_off, (void *)reset);
}

/* ---- thousands ------------------------------------------------------------
 */

#define RECIPIENTS 5000
#define TAKEN 1000
/* What is told without being an error, then the errors that are borne. */
#define TOLD (1 + 100 + 5)

static unsigned
count(const char *text, const char *word)
{
    unsigned found = 0;
    for (; (text = strstr(text, word)) != NULL; text += strlen(word))
        found++;
    return found;
}

static void
name_thousands(Gateway *gateway, void *data G_GNUC_UNUSED)
{
    ssize_t length = -1;
    g_autoptr(GString) heard = g_string_new(NULL);
    Talker talker = {.fd = gateway_connect(gateway),
                     .said = g_string_new("HELO c\r\nMAIL FROM:<>\r\n")};
    for (unsigned i = 0; i < RECIPIENTS; i++)
        g_string_append_printf(talker.said, "RCPT TO:<r%u@mx.test>\r\n", i);
    while (length != 0) {
        char buffer[65536];
        push(&talker);
        fiber_yield();
        length = recv(talker.fd, buffer, sizeof buffer, MSG_DONTWAIT);
        if (length < 0 && gateway_sessions(gateway) == 0)
            break;
        if (length > 0)
            g_string_append_len(heard, buffer, length);
    }
    g_assert_cmpuint(count(heard->str, "250 2.1.5"), ==, TAKEN);
    g_assert_cmpuint(count(heard->str, "452 4.5.3"), <=, TOLD);
    g_assert_cmpuint(count(gateway_backend(gateway)->heard->str, "RCPT TO"), ==,
                     TAKEN);
    g_string_free(talker.said, TRUE);
    close(talker.fd);
}

static void
test_thousands(void)
{
    const GatewayCase scene = {.listen = NULL};
    gateway_run(&scene, name_thousands, NULL);
}

/* Whoever is told 452 once in a while goes on with those it has. */
static void
test_some_over(void)
{
    g_autoptr(GString) dialogue = g_string_new(HELLO FROM("a"));
    for (unsigned i = 0; i < TAKEN; i++)
        g_string_append_printf(dialogue, "> RCPT TO:<r%u@mx.test>\n< 250\n", i);
    for (unsigned i = 0; i < TOLD - 10; i++)
        g_string_append_printf(dialogue, "> RCPT TO:<s%u@mx.test>\n< 452\n", i);
    g_string_append(dialogue, DATA("x", "250 2.0.0 queued"));
    const GatewayCase scene = {.dialogue = dialogue->str, .messages = 1};
    gateway_test(&scene);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    gateway_add("/wire/abuse/not-for-the-next-message/", leaks,
                G_N_ELEMENTS(leaks));
    g_test_add_func("/wire/abuse/replies-that-nobody-reads-stop-the-reading",
                    test_unread);
    g_test_add_data_func("/wire/abuse/an-end-at-any-octet-delivers-nothing",
                         NULL, test_break_off);
    g_test_add_data_func("/wire/abuse/a-reset-at-any-octet-delivers-nothing",
                         GUINT_TO_POINTER(1), test_break_off);
    g_test_add_func("/wire/abuse/of-5000-recipients-1000-are-taken",
                    test_thousands);
    g_test_add_func("/wire/abuse/some-recipients-over-spoil-nothing",
                    test_some_over);
    return g_test_run();
}
