/* smtp-identity.c: tests of peers that speak for others: XCLIENT, XFORWARD.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/wire/gateway.h"

#define HELLO "< 220 mx.test\n> EHLO c.test\n< 250\n"
#define ENVELOPE                                                   \
    "> MAIL FROM:<a@c.test>\n< 250 2.1.0\n> RCPT TO:<b@mx.test>\n" \
    "< 250 2.1.5\n"
#define MESSAGE "> DATA\n< 354\n> A: b\n> \n> c\n> .\n< 250 2.0.0 queued\n"
#define XCLIENT .listen = "xclient-from 127.0.0.1"
#define XFORWARD .listen = "xforward-from 127.0.0.1"
#define TELL(words) "> XFORWARD " words "\n< 250 2.0.0\n"
/* Who it is is told in the refusal of a recipient. */
#define WHO                                                                    \
    .rules = "at rcpt { reject who reply 550 5.7.1 \"{client.ip} {helo.name} " \
             "{auth.user}\" }"
#define ASK(who)                                             \
    "> MAIL FROM:<a@c.test>\n< 250\n> RCPT TO:<b@mx.test>\n" \
    "< 550 5.7.1 " who " [\n"
#define LISTED(where)                                                \
    .rules = "at " where " { reject listed if client.ip = 192.0.2.1" \
             " reply 550 5.7.1 \"listed\" }"

static const GatewayCase clients[] = {
    {"login-is-the-user",
     HELLO "> XCLIENT ADDR=192.0.2.1 LOGIN=j+2Boe\n< 220\n> EHLO d.test\n"
           "< 250\n" ASK("192.0.2.1 d.test j+oe"),
     XCLIENT, WHO},
    {"login-in-a-command-of-its-own",
     HELLO "> XCLIENT ADDR=192.0.2.1\n< 220\n> XCLIENT LOGIN=joe\n< 220\n"
           "> EHLO d.test\n< 250\n" ASK("192.0.2.1 d.test joe"),
     XCLIENT, WHO},
    {"another-address-is-another-user",
     HELLO "> XCLIENT ADDR=192.0.2.1 LOGIN=joe\n< 220\n"
           "> XCLIENT ADDR=192.0.2.2\n< 220\n> EHLO d.test\n< 250\n" ASK(
               "192.0.2.2 d.test -"),
     XCLIENT, WHO},
    {"user-in-received",
     HELLO "> XCLIENT ADDR=192.0.2.1 LOGIN=joe\n< 220\n> EHLO d.test\n< "
           "250\n" ENVELOPE MESSAGE,
     XCLIENT, .messages = 1, .message = "with ESMTPA id", .log = "auth=joe"},
    {"auth-after-login",
     HELLO "> XCLIENT LOGIN=joe\n< 220\n> EHLO d.test\n< 250\n"
           "> AUTH PLAIN\n< 503 5.5.1\n",
     .listen = "xclient-from 127.0.0.1 auth clear"},
    {"login-is-told-to-the-backend",
     HELLO "> XCLIENT ADDR=192.0.2.1 LOGIN=joe\n< 220\n> EHLO d.test\n< "
           "250\n" ENVELOPE,
     XCLIENT, .backend = "identity xclient",
     .server.replies[BACKEND_EHLO] = "250-b\r\n250 XCLIENT ADDR LOGIN\r\n",
     .heard = "EHLO mx.test\nXCLIENT ADDR=192.0.2.1 LOGIN=joe\nEHLO d.test\n"
              "MAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\nRSET\n"},
    {"nobodys-login-is-unavailable", HELLO ENVELOPE,
     .backend = "identity xclient",
     .server.replies[BACKEND_EHLO] = "250-b\r\n250 XCLIENT ADDR LOGIN\r\n",
     .heard = "EHLO mx.test\nXCLIENT ADDR=127.0.0.1 LOGIN=[UNAVAILABLE]\n"
              "EHLO c.test\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\n"
              "RSET\n"},
    {"helo-without-another",
     HELLO
     "> XCLIENT ADDR=192.0.2.1 HELO=h.test\n< 220\n" ASK("192.0.2.1 h.test -"),
     XCLIENT, WHO},
    {"helo-with-another",
     HELLO "> XCLIENT ADDR=192.0.2.1 HELO=h.test\n< 220\n> EHLO d.test\n"
           "< 250\n" ASK("192.0.2.1 d.test -"),
     XCLIENT, WHO},
    {"helo-is-judged",
     HELLO "> XCLIENT HELO=h.test\n< 220\n> MAIL FROM:<>\n< 550 5.7.1 h.test\n"
           "> MAIL FROM:<>\n< 503 5.5.1\n",
     XCLIENT,
     .rules = "at helo { reject h if helo.name = \"h.test\" reply 550 5.7.1 "
              "\"{helo.name}\" }"},
    {"protocol",
     HELLO "> XCLIENT HELO=h.test PROTO=SMTP\n< 220\n" ENVELOPE MESSAGE,
     XCLIENT, .messages = 1, .message = "with SMTP id"},
    {"without-helo",
     HELLO "> XCLIENT ADDR=192.0.2.1\n< 220\n"
           "> MAIL FROM:<>\n< 503 5.5.1\n",
     XCLIENT},
};

static const GatewayCase forwards[] = {
    {"offered", HELLO "= XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\n",
     XFORWARD},
    {"not-offered-to-others",
     HELLO "/ XFORWARD\n> XFORWARD ADDR=192.0.2.1\n< 550 5.7.0\n",
     .listen = "xforward-from 192.0.2.0/24"},
    {"holds-for-a-transaction",
     HELLO TELL("ADDR=192.0.2.1 NAME=a.test HELO=h.test")
         ASK("192.0.2.1 h.test -") "> RSET\n< 250\n" ASK("127.0.0.1 c.test -"),
     XFORWARD, WHO},
    {"several-add-up",
     HELLO TELL("ADDR=192.0.2.1") TELL("HELO=h.test") ASK("192.0.2.1 h.test -"),
     XFORWARD, WHO},
    {"ends-with-the-message",
     HELLO TELL("ADDR=192.0.2.1 HELO=h.test") ENVELOPE MESSAGE ENVELOPE MESSAGE,
     XFORWARD, .messages = 2, .message = "from c.test (unknown [127.0.0.1])",
     .log = "client=192.0.2.1 helo=h.test from=a@c.test"},
    {"unavailable-is-not-the-peer",
     HELLO TELL("ADDR=[UNAVAILABLE] HELO=[UNAVAILABLE]") ASK(":: - -"),
     XFORWARD, WHO},
    {"told-wrongly-is-not-the-peer",
     HELLO "> XFORWARD ADDR=here\n< 501 5.5.4\n" ASK(":: - -"), XFORWARD, WHO},
    {"rset-forgets",
     HELLO TELL("ADDR=192.0.2.1") "> RSET\n< 250\n" ASK("127.0.0.1 c.test -"),
     XFORWARD, WHO},
    {"ehlo-forgets",
     HELLO TELL("ADDR=192.0.2.1") "> EHLO c.test\n< 250\n" ASK(
         "127.0.0.1 c.test -"),
     XFORWARD, WHO},
    {"in-a-transaction",
     HELLO ENVELOPE "> XFORWARD ADDR=192.0.2.1\n< 503 5.5.1\n" MESSAGE,
     XFORWARD, .messages = 1},
    {"connect-is-judged",
     HELLO TELL("ADDR=192.0.2.1") "> MAIL FROM:<>\n< 550 5.7.1 listed\n"
                                  "> RSET\n< 250\n" ENVELOPE,
     XFORWARD, LISTED("connect"), .log = "client=192.0.2.1"},
    {"helo-is-judged",
     HELLO TELL("ADDR=192.0.2.1 HELO=h.test") "> MAIL FROM:<>\n< 550 5.7.1\n",
     XFORWARD, LISTED("helo")},
    {"mail-is-judged", HELLO TELL("ADDR=192.0.2.1") "> MAIL FROM:<>\n< 550\n",
     XFORWARD, LISTED("mail")},
    {"a-refused-mail-forgets-nothing",
     HELLO TELL("ADDR=192.0.2.1") "> MAIL FROM:<>\n< 550\n"
                                  "> MAIL FROM:<>\n< 550\n" TELL(
                                      "ADDR=192.0.2.2") "> MAIL FROM:<>\n"
                                                        "< 250\n",
     XFORWARD, LISTED("mail")},
    {"the-backend-is-told-each-time",
     HELLO TELL("ADDR=192.0.2.1 HELO=h.test SOURCE=LOCAL")
         ENVELOPE MESSAGE ENVELOPE,
     XFORWARD, .messages = 1, .backend = "identity xforward",
     .server.replies[BACKEND_EHLO] =
         "250-b\r\n250 XFORWARD ADDR HELO SOURCE\r\n",
     .heard = "EHLO mx.test\nXFORWARD ADDR=192.0.2.1 HELO=h.test SOURCE=LOCAL\n"
              "MAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\nDATA\nmessage\n"
              "XFORWARD ADDR=127.0.0.1 HELO=c.test SOURCE=REMOTE\n"
              "MAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\nRSET\n"},
    {"and-by-xclient",
     HELLO TELL("ADDR=192.0.2.1") ENVELOPE MESSAGE ENVELOPE MESSAGE, XFORWARD,
     .messages = 2, .backend = "identity xclient",
     .heard = "EHLO mx.test\n"
              "XCLIENT NAME=[UNAVAILABLE] ADDR=192.0.2.1 HELO=[UNAVAILABLE]\n"
              "EHLO unknown\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\n"
              "DATA\nmessage\n"
              "XCLIENT NAME=[UNAVAILABLE] ADDR=127.0.0.1 HELO=c.test\n"
              "EHLO c.test\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\n"
              "DATA\nmessage\n"},
    {"nobody-else-is-authenticated",
     HELLO
     "> AUTH PLAIN AGpvZQBzZWNyZXQ=\n< 235\n" TELL("ADDR=192.0.2.1 HELO=h.test")
         ASK("192.0.2.1 h.test -") "> RSET\n< 250\n" ASK(
             "127.0.0.1 c.test joe"),
     .listen = "xforward-from 127.0.0.1 auth clear", WHO,
     .server.replies[BACKEND_EHLO] = "250-b\r\n250 AUTH PLAIN\r\n"},
    {"whose-connection-it-is-cannot-change",
     HELLO "> AUTH PLAIN AGpvZQBzZWNyZXQ=\n< 235\n" TELL(
         "ADDR=192.0.2.1") "> MAIL FROM:<a@c.test>\n< 250\n> RCPT "
                           "TO:<b@mx.test>\n< 421 4.3.0\n$\n",
     .listen = "xforward-from 127.0.0.1 auth clear",
     .backend = "identity xclient",
     .server.replies[BACKEND_EHLO] =
         "250-b\r\n250-AUTH PLAIN\r\n250 XCLIENT ADDR\r\n"},
    {"the-name-of-the-peer-is-not-the-other-one's",
     HELLO "> XCLIENT ADDR=192.0.2.9 NAME=peer.test\n< 220\n> EHLO c.test\n"
           "< 250\n> AUTH PLAIN AGpvZQBzZWNyZXQ=\n< 235\n" TELL(
               "ADDR=192.0.2.1") ENVELOPE,
     .listen = "xclient-from 127.0.0.1 xforward-from 127.0.0.1 auth clear",
     .backend = "identity xforward",
     .server.replies[BACKEND_EHLO] =
         "250-b\r\n250-AUTH PLAIN\r\n250 XFORWARD NAME ADDR\r\n",
     .heard = "EHLO mx.test\nEHLO mx.test\nAUTH PLAIN AGpvZQBzZWNyZXQ=\n"
              "XFORWARD NAME=[UNAVAILABLE] ADDR=192.0.2.1\n"
              "MAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\nRSET\n"},
    {"the-peer-goes-in-its-transaction",
     HELLO TELL("ADDR=192.0.2.1") ENVELOPE "! cut\n", XFORWARD},
};

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    gateway_add("/wire/identity/xclient/", clients, G_N_ELEMENTS(clients));
    gateway_add("/wire/identity/xforward/", forwards, G_N_ELEMENTS(forwards));
    return g_test_run();
}
