/* smtp-limits.c: tests of how much of the machine a client may take up.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/wire/gateway.h"

#include "filterd/base/fiber.h"
#include "filterd/base/stack.h"
#include "filterd/base/stream.h"
#include "filterd/base/visitors.h"

#include <string.h>
#include <sys/resource.h>

#define PROXY .listen = "proxy-from 127.0.0.0/8"
#define FROM(address) "> PROXY TCP4 " address " 198.51.100.9 1 25\n"
#define FROM6(address) "> PROXY TCP6 " address " 2001:db8:f::9 1 25\n"
#define A FROM("192.0.2.1")
#define SAME_NETWORK FROM("192.0.2.2")
#define OTHER FROM("192.0.3.1")
#define EHLO "< 220\n> EHLO c.test\n< 250\n"
#define MAIL EHLO "> MAIL FROM:<a@c.test>\n< 250\n"
#define DATA MAIL "> RCPT TO:<b@mx.test>\n< 250\n> DATA\n< 354\n"
/* That time has passed, before anything else comes. */
#define NOTICED "! swap\n< 220\n! swap\n"
#define QUIT "> QUIT\n< 221\n$\n"
#define REFUSED "< 421 4.7.0\n$\n"
/* 6000 octets: with the first minute, time for 72 seconds. */
#define LINE "01234567890123456789012345678901234567890123456789abcdefgh\\r\\n"
#define LINES LINE LINE LINE LINE LINE LINE LINE LINE LINE LINE
#define SIX LINES LINES LINES LINES LINES LINES LINES LINES LINES LINES

static const GatewayCase limits[] = {
    {"sessions-of-an-address",
     A "< 220\n! swap\n" A REFUSED "! swap\n" QUIT "! new\n" A "< 220\n", PROXY,
     .rules = "set max-sessions-per-address 1",
     .log = "limited client=192.0.2.1 limit=max-sessions-per-address count=2"},
    {"sessions-of-an-address-are-nobody-elses",
     A "< 220\n! swap\n" SAME_NETWORK "< 220\n", PROXY,
     .rules = "set max-sessions-per-address 1"},
    {"sessions-of-a-network", A "< 220\n! swap\n" SAME_NETWORK REFUSED, PROXY,
     .rules = "set max-sessions-per-network 1",
     .log = "limited client=192.0.2.2 limit=max-sessions-per-network count=2"},
    {"sessions-of-a-network-are-nobody-elses",
     A "< 220\n! swap\n" OTHER "< 220\n", PROXY,
     .rules = "set max-sessions-per-network 1"},
    {"a-64-is-an-address",
     FROM6("2001:db8::1") "< 220\n! swap\n" FROM6("2001:db8::1:0:0:1") REFUSED,
     PROXY, .rules = "set max-sessions-per-address 1"},
    {"a-48-is-a-network",
     FROM6("2001:db8::1") "< 220\n! swap\n" FROM6("2001:db8:0:1::1") REFUSED
     "! new\n" FROM6("2001:db8:1::1") "< 220\n",
     PROXY,
     .rules = "set max-sessions-per-address 1 set max-sessions-per-network 1"},
    {"zero-is-no-limit", A "< 220\n! swap\n" A "< 220\n", PROXY,
     .rules = "set max-sessions-per-address 0 set max-sessions-per-network 0 "
              "set max-connections-per-minute 0"},
    {"loopback-has-no-limit", "< 220\n! swap\n< 220\n",
     .rules = "set max-sessions-per-address 1 set max-sessions-per-network 1"},
    {"a-peer-that-speaks-for-others-has-no-limit",
     A "< 220\n! swap\n" A "< 220\n",
     .listen = "proxy-from 127.0.0.0/8 192.0.2.0/24",
     .rules = "set max-sessions-per-address 1"},
    {"a-peer-that-may-name-others-has-no-limit",
     A "< 220\n! swap\n" A "< 220\n",
     .listen = "proxy-from 127.0.0.0/8 xclient-from 192.0.2.0/24",
     .rules = "set max-sessions-per-address 1"},
    {"connections-of-a-minute",
     A "< 220\n" QUIT "! new\n" A "< 220\n" QUIT "! new\n" A REFUSED
       "+ 120000\n! new\n" A "< 220\n",
     PROXY, .rules = "set max-connections-per-minute 2",
     .log = "limit=max-connections-per-minute count=3"},
    {"whoever-xclient-tells-has-the-limits-of-its-address",
     "< 220\n> XCLIENT ADDR=192.0.2.7\n< 220\n> XCLIENT ADDR=192.0.2.7\n"
     "< 421 4.7.0\n$\n",
     .listen = "xclient-from 127.0.0.0/8",
     .rules = "set max-connections-per-minute 1"},
    {"errors-of-an-address",
     A "< 220\n> X\n< 500\n> X\n< 500\n> X\n< 500\n" QUIT "! new\n" A REFUSED
       "! new\n" OTHER "< 220\n" QUIT "+ 1200000\n! new\n" A "< 220\n",
     PROXY, .rules = "set max-errors-per-address 2",
     .log = "limit=max-errors-per-address count=3"},
    {"refusals-of-the-policy-are-no-errors-of-an-address",
     A MAIL "> RCPT TO:<b@mx.test>\n< 550\n> RCPT TO:<c@mx.test>\n< 550\n" QUIT
            "! new\n" A "< 220\n",
     PROXY,
     .rules = "set max-errors-per-address 1 set max-unknown-recipients 1 "
              "at rcpt { reject no }"},
    {"unknown-recipients-of-an-address",
     A MAIL "> RCPT TO:<b@mx.test>\n< 550\n> RCPT TO:<c@mx.test>\n< 550\n" QUIT
            "! new\n" A REFUSED,
     PROXY, .rules = "set max-unknown-recipients 1",
     .server.replies[BACKEND_RCPT] = "550 5.1.1 no\r\n",
     .log = "limit=max-unknown-recipients count=2"},
    {"recipients-refused-for-now-are-not-unknown",
     A MAIL "> RCPT TO:<b@mx.test>\n< 450\n> RCPT TO:<c@mx.test>\n< 450\n" QUIT
            "! new\n" A "< 220\n",
     PROXY, .rules = "set max-unknown-recipients 1",
     .server.replies[BACKEND_RCPT] = "450 4.2.0 no\r\n"},
    {"come-before-the-policy", A "< 554 5.7.1\n! swap\n" A REFUSED, PROXY,
     .rules = "set max-sessions-per-address 1 at connect { reject no }"},
    {"of-all-sessions", "< 220\n! swap\n< 421 4.3.2\n$\n",
     .rules = "set max-sessions 1",
     .log = "limited client=127.0.0.1 limit=max-sessions count=1"},
    {"are-facts-sessions",
     A EHLO "! swap\n" A "< 220\n> EHLO c.test\n< 550 5.7.1 2\n", PROXY,
     .rules = "at helo { reject many if client.sessions > 1 "
              "reply \"{client.sessions}\" }"},
    {"are-facts-errors",
     A "< 220\n> X\n< 500\n" QUIT "! new\n" A
       "< 220\n> EHLO c.test\n< 550 5.7.1 1\n",
     PROXY,
     .rules = "at helo { reject many if client.errors > 0 "
              "reply \"{client.errors}\" }"},
};

static const GatewayCase times[] = {
    {"a-command-has-its-time-while-there-is-room",
     EHLO "+ 11000\n" NOTICED "> NOOP\n< 250\n", .rules = "set max-sessions 3"},
    {"a-command-has-ten-seconds-when-there-is-no-room",
     EHLO "+ 11000\n< 421 4.4.2\n$\n", .rules = "set max-sessions 1"},
    {"a-slow-message", DATA "> A: b\n+ 61000\n< 421 4.4.2\n$\n",
     .log = "-timeout"},
    {"a-slow-message-where-any-is-taken",
     DATA "> A: b\n+ 61000\n" NOTICED "> .\n< 250\n",
     .rules = "set min-data-rate 0", .messages = 1},
    {"a-message-has-time-for-what-has-come",
     MAIL "> RCPT TO:<b@mx.test>\n< 250\n~ DATA\\r\\nA: b\\r\\n\\r\\n" SIX
          "\n< 354\n+ 70000\n" NOTICED "> .\n< 250\n",
     .messages = 1},
    {"a-message-has-time-for-that-only",
     MAIL "> RCPT TO:<b@mx.test>\n< 250\n~ DATA\\r\\nA: b\\r\\n\\r\\n" SIX
          "\n< 354\n+ 73000\n< 421 4.4.2\n$\n"},
    {"a-message-has-ten-seconds-when-there-is-no-room",
     DATA "> A: b\n+ 11000\n< 421 4.4.2\n$\n", .rules = "set max-sessions 1"},
    {"a-slow-client-keeps-the-backend-from-nobody",
     EHLO "> MAIL FROM:<a@c.test>\n< 250\n> RCPT TO:<b@mx.test>\n< 250\n"
          "+ 6000\n! swap\n" MAIL "> RCPT TO:<b@mx.test>\n< 250\n> RSET\n"
          "< 250\n! swap\n> RCPT TO:<c@mx.test>\n< 250\n> DATA\n< 354\n"
          "+ 6000\n! swap\n> MAIL FROM:<>\n< 250\n> RCPT TO:<b@mx.test>\n"
          "< 250\n> RSET\n< 250\n! swap\n> A: b\n> .\n< 250\n",
     .backend = "max-connections 1", .messages = 1, .connections = 3,
     .heard = "EHLO mx.test\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\nRSET\n"
              "MAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\nRSET\nQUIT\n"
              "EHLO mx.test\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\n"
              "RCPT TO:<c@mx.test>\nRSET\n"
              "MAIL FROM:<>\nRCPT TO:<b@mx.test>\nRSET\nQUIT\n"
              "EHLO mx.test\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\n"
              "RCPT TO:<c@mx.test>\nDATA\nmessage\n"},
    {"a-late-greeting", "+ 5000\n< 421 4.7.0 no\n$\n",
     .rules = "at connect { tempfail no reply 451 \"no\" after 5s }"},
    {"a-late-reply-comes-at-once-when-there-is-no-room",
     MAIL "> RCPT TO:<b@mx.test>\n< 550\n",
     .rules = "set max-sessions 1 at rcpt { reject no reply \"no\" after 5s }"},
    {"a-late-reply-comes-at-once-when-the-worker-goes",
     MAIL "> RCPT TO:<b@mx.test>\n! swap\n" EHLO "! swap\n! drain\n< 550\n",
     .rules = "at rcpt { reject no reply \"no\" after 5s }"},
};

/* ---- conversations ------------------------------------------------------ */

/* What comes within some turns of the loop is added. */
static void
listen_a_while(Stream *client, GString *heard)
{
    for (unsigned i = 0; i < 100; i++) {
        size_t length;
        fiber_yield();
        while (stream_pending(client) && stream_fill(client) == STREAM_OK) {
            const char *bytes = stream_peek(client, &length);
            g_string_append_len(heard, bytes, (gssize)length);
            stream_consume(client, length);
        }
    }
}

static void
say_late(Gateway *gateway, void *data G_GNUC_UNUSED)
{
    g_autoptr(GString) heard = g_string_new(NULL);
    g_autoptr(Stream) client = stream_new(gateway_connect(gateway));
    stream_printf(client, "EHLO c.test\r\nMAIL FROM:<>\r\n"
                          "RCPT TO:<b@mx.test>\r\nNOOP\r\n");
    stream_flush(client);
    while (strstr(heard->str, "250 2.1.0") == NULL)
        listen_a_while(client, heard);
    listen_a_while(client, heard);
    g_assert_null(strstr(heard->str, "550"));
    clock_advance(4999);
    listen_a_while(client, heard);
    g_assert_null(strstr(heard->str, "550"));
    clock_advance(1);
    while (strstr(heard->str, "250 2.0.0") == NULL)
        listen_a_while(client, heard);
    g_assert_nonnull(strstr(heard->str, "550 5.7.1 no"));
}

static void
late_reply(void)
{
    const GatewayCase play = {
        .rules = "at rcpt { reject no reply \"no\" after 5s }"};
    gateway_run(&play, say_late, NULL);
}

/* Descriptors of a process in which both ends of a connection are. */
#define FEW 64

static void
connect_many(Gateway *gateway, void *data)
{
    g_autoptr(GPtrArray) clients =
        g_ptr_array_new_with_free_func((GDestroyNotify)stream_free);
    g_autoptr(GString) heard = g_string_new(NULL);
    unsigned *greeted = data;
    while (strstr(heard->str, "421 4.3.2") == NULL && clients->len < FEW / 2) {
        Stream *client = stream_new(gateway_connect(gateway));
        g_ptr_array_add(clients, client);
        g_string_truncate(heard, 0);
        while (heard->len == 0)
            listen_a_while(client, heard);
        *greeted += g_str_has_prefix(heard->str, "220") ? 1 : 0;
    }
    g_assert_nonnull(strstr(heard->str, "421 4.3.2"));
}

static void
reserve(void)
{
    unsigned greeted = 0;
    struct rlimit before, few;
    const GatewayCase play = {0};
    getrlimit(RLIMIT_NOFILE, &before);
    few = (struct rlimit){.rlim_cur = FEW, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    gateway_run(&play, connect_many, &greeted);
    setrlimit(RLIMIT_NOFILE, &before);
    g_assert_cmpuint(greeted, >, 0);
    g_assert_cmpuint(greeted, <, FEW / 2 - FEW / 8 / 2);
}

#define STACKS 12

static void
no_stacks(void)
{
    unsigned greeted = 0;
    const GatewayCase play = {0};
    stack_limit(STACKS);
    gateway_run(&play, connect_many, &greeted);
    stack_limit(G_MAXUINT);
    g_assert_cmpuint(greeted, >, 0);
    g_assert_cmpuint(greeted, <, STACKS);
}

static void
play_alone(gconstpointer gateway_case)
{
    visitors_init(1);
    gateway_test(gateway_case);
    visitors_clear();
}

static void
add(const char *path, const GatewayCase *cases, gsize count)
{
    for (gsize i = 0; i < count; i++) {
        g_autofree char *name = g_strconcat(path, cases[i].name, NULL);
        g_test_add_data_func(name, &cases[i], play_alone);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/wire/limits/", limits, G_N_ELEMENTS(limits));
    add("/wire/limits/", times, G_N_ELEMENTS(times));
    g_test_add_func("/wire/limits/a-late-reply-keeps-one-client-waiting",
                    late_reply);
    g_test_add_func("/wire/limits/descriptors-are-kept-for-those-that-are-in",
                    reserve);
    g_test_add_func("/wire/limits/no-memory-for-a-stack-is-421", no_stacks);
    return g_test_run();
}
