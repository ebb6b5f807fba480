/* smtp-through.c: tests of verbs that the backend answers.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/wire/gateway.h"

#define HELLO "< 220 mx.test\n> EHLO c.test\n< 250\n"
#define ENVELOPE                                                   \
    "> MAIL FROM:<a@c.test>\n< 250 2.1.0\n> RCPT TO:<b@mx.test>\n" \
    "< 250 2.1.5\n"
#define MESSAGE "> DATA\n< 354\n> A: b\n> \n> c\n> .\n< 250 2.0.0 queued\n"
#define ALL .listen = "pass-through VRFY EXPN ETRN HELP"
#define ASKED "> VRFY b\n< 250 2.1.5 Bob\n"

static const GatewayCase passing[] = {
    {"vrfy", HELLO ASKED, ALL, .heard = "EHLO mx.test\nVRFY b\n"},
    {"etrn-and-the-others",
     HELLO "> ETRN c.test\n< 253 2.0.0\n> EXPN all\n< 502 5.5.1 what?\n"
           "> HELP\n< 502 5.5.1 what?\n",
     ALL, .heard = "EHLO mx.test\nETRN c.test\nEXPN all\nHELP\n"},
    {"not-those-that-are-not-listed",
     HELLO "> VRFY b\n< 252 2.5.2\n> EXPN all\n< 502\n> HELP\n< 214\n",
     .listen = "pass-through ETRN", .heard = "EHLO mx.test\n"},
    {"announced-where-both-have-it", HELLO "= ETRN\n/ HELP\n/ VRFY\n",
     .listen = "pass-through ETRN HELP",
     .server.replies[BACKEND_EHLO] = "250-b\r\n250-VRFY\r\n250 ETRN\r\n"},
    {"others-use-the-connection", HELLO ASKED "! new\n" HELLO ENVELOPE MESSAGE,
     ALL, .connections = 1, .messages = 1},
    {"in-a-transaction", HELLO ENVELOPE ASKED MESSAGE, ALL, .messages = 1,
     .connections = 1},
    {"etrn-in-a-transaction", HELLO ENVELOPE "> ETRN c.test\n< 503 5.5.1\n",
     ALL},
    {"before-ehlo", "< 220\n> VRFY b\n< 503 5.5.1\n> HELP\n< 214\n", ALL},
    {"utf8", HELLO "~ VRFY \\303\\274\\r\\n\n< 250\n", ALL},
    {"broken-utf8", HELLO "~ VRFY \\303\\r\\n\n< 501 5.5.4\n", ALL},
    {"tab", HELLO "~ VRFY a\\tb\\r\\n\n< 501 5.5.4\n", ALL,
     .heard = "EHLO mx.test\n"},
    {"who-guesses-names-is-counted",
     HELLO "> VRFY a\n< 550\n> VRFY a\n< 550\n> VRFY a\n< 550\n> VRFY a\n"
           "< 550\n> VRFY a\n< 550\n> NOOP\n< 421 4.7.0\n$\n",
     ALL, .server.replies[BACKEND_VRFY] = "550 5.1.1 no\r\n"},
    {"backend-is-down",
     HELLO "! stop\n> VRFY b\n< 252 2.5.2\n> EXPN b\n< 252 2.5.2\n"
           "> ETRN c.test\n< 458 4.3.0\n> HELP\n< 214 2.0.0\n",
     ALL},
    {"backend-closes", HELLO "> VRFY b\n< 252 2.5.2\n> NOOP\n< 250\n", ALL,
     .server.replies[BACKEND_VRFY] = "!"},
    {"backend-closes-in-a-transaction",
     HELLO ENVELOPE "> VRFY b\n< 252 2.5.2\n" MESSAGE, ALL, .messages = 1,
     .connections = 2, .server.replies[BACKEND_VRFY] = "!"},
    {"the-authenticated-connection-is-lost",
     HELLO "> AUTH PLAIN AGpvZQBzZWNyZXQ=\n< 235\n! kick\n> VRFY b\n"
           "< 421 4.3.0\n$\n",
     .listen = "auth clear pass-through VRFY",
     .server.replies[BACKEND_EHLO] = "250-b\r\n250 AUTH PLAIN\r\n"},
};

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    gateway_add("/wire/through/", passing, G_N_ELEMENTS(passing));
    return g_test_run();
}
