/* smtp-auth.c: tests of AUTH, relayed to the backend. (RFC 4954)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/smtp-state.h"
#include "tests/wire/gateway.h"

#include <string.h>

#define TLS "tls opportunistic certificate \"mx.pem\" key \"mx.pem\""
#define HELLO "< 220 mx.test\n> EHLO c.test\n< 250\n"
#define SECURE "> STARTTLS\n< 220 2.0.0\n! secure\n> EHLO c.test\n< 250\n"
#define ENVELOPE                                                   \
    "> MAIL FROM:<a@c.test>\n< 250 2.1.0\n> RCPT TO:<b@mx.test>\n" \
    "< 250 2.1.5\n"
#define MESSAGE "> DATA\n< 354\n> A: b\n> \n> c\n> .\n< 250 2.0.0 queued\n"
#define CLEAR .listen = "auth clear"
#define OFFERS(words)                                                       \
    .server.replies[BACKEND_EHLO] = "250-b\r\n250-PIPELINING\r\n250-" words \
                                    "\r\n250 XCLIENT NAME ADDR\r\n"
#define BOTH OFFERS("AUTH PLAIN LOGIN")
#define KNOWN                                                    \
    .rules = "at rcpt { accept known if known auth.user reject " \
             "relay reply 550 5.7.1 \"{auth.user} may not\" }"

/* "\0joe\0secret", "joe", "secret". */
#define JOE "AGpvZQBzZWNyZXQ="
#define NAME "am9l"
#define SECRET "c2VjcmV0"
#define PLAIN "> AUTH PLAIN " JOE "\n< 235 2.7.0 welcome\n"
#define WRONG .server.replies[BACKEND_AUTH] = "535 5.7.8 no\r\n"
#define ASKS .server.replies[BACKEND_AUTH] = "334 \r\n"
#define ASKS_BOTH                                           \
    .server.replies[BACKEND_AUTH] = "334 VXNlcm5hbWU6\r\n", \
    .server.replies[BACKEND_RESPONSE] =                     \
        "334 UGFzc3dvcmQ6\r\n|235 2.7.0 welcome\r\n"

static const GatewayCase exchanges[] = {
    {"plain-in-one-line", HELLO PLAIN ENVELOPE MESSAGE, CLEAR, BOTH, KNOWN,
     .messages = 1, .message = "with ESMTPA id", .log = " auth=joe ",
     .heard = "EHLO mx.test\nEHLO mx.test\nAUTH PLAIN " JOE
              "\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\nDATA\nmessage\n"},
    {"over-tls", HELLO SECURE PLAIN ENVELOPE MESSAGE, .listen = TLS, BOTH,
     KNOWN, .messages = 1, .message = "with ESMTPSA id"},
    {"plain-behind-a-challenge",
     HELLO "> AUTH plain\n< 334 \r\n> " JOE "\n< 235 2.7.0\n" ENVELOPE, CLEAR,
     BOTH, KNOWN, ASKS},
    {"login-step-by-step",
     HELLO "> AUTH LOGIN\n< 334 VXNlcm5hbWU6\r\n> " NAME
           "\n< 334 UGFzc3dvcmQ6\r\n> " SECRET "\n< 235 2.7.0\n" ENVELOPE,
     CLEAR, BOTH, KNOWN, ASKS_BOTH, .log = "user=joe",
     .heard = "EHLO mx.test\nEHLO mx.test\nAUTH LOGIN\n" NAME "\n" SECRET
              "\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\nRSET\n"},
    {"an-empty-answer-later-on",
     HELLO "> AUTH LOGIN " NAME "\n< 334 VXNlcm5hbWU6\r\n> \n< 334\n> " SECRET
           "\n< 235\n",
     CLEAR, BOTH, ASKS_BOTH},
    {"nobody-is-known-without-it",
     HELLO "> MAIL FROM:<>\n< 250\n"
           "> RCPT TO:<b@mx.test>\n"
           "< 550 5.7.1 - may not\n",
     CLEAR, BOTH, KNOWN},
    {"nobody-is-known-after-a-refusal",
     HELLO "> AUTH PLAIN " JOE "\n< 535 5.7.8 no\n> MAIL FROM:<>\n< 250\n"
           "> RCPT TO:<b@mx.test>\n< 550 5.7.1 - may not\n",
     CLEAR, BOTH, KNOWN, WRONG, .log = "result=no"},
    {"a-second-try-on-the-same-connection",
     HELLO "> AUTH PLAIN " JOE "\n< 535 5.7.8 no\n" PLAIN, CLEAR, BOTH,
     .server.replies[BACKEND_AUTH] = "535 5.7.8 no\r\n|235 2.7.0 welcome\r\n",
     .connections = 2},
    {"mail-without-it-after-a-refusal",
     HELLO "> AUTH PLAIN " JOE "\n< 535 5.7.8 no\n" ENVELOPE MESSAGE, CLEAR,
     BOTH, WRONG, .messages = 1, .message = "with ESMTP id"},
    {"temporary-refusal", HELLO "> AUTH PLAIN " JOE "\n< 454 4.7.0 db\n", CLEAR,
     BOTH, .server.replies[BACKEND_AUTH] = "454 4.7.0 db\r\n"},
    {"cancelled", HELLO "> AUTH LOGIN\n< 334\n> *\n< 501 5.7.0\n" PLAIN, CLEAR,
     BOTH, .server.replies[BACKEND_AUTH] = "334 \r\n|235 2.7.0 welcome\r\n",
     .connections = 2,
     .heard =
         "EHLO mx.test\nEHLO mx.test\nAUTH LOGIN\n*\nAUTH PLAIN " JOE "\n"},
    {"a-response-that-is-no-base64",
     HELLO "> AUTH LOGIN\n< 334\n> jo\\e\n< 501 5.5.2\n> NOOP\n< 250\n", CLEAR,
     BOTH, ASKS, .heard = "EHLO mx.test\nEHLO mx.test\nAUTH LOGIN\n*\n"},
    {"a-response-with-bare-lf",
     HELLO "> AUTH LOGIN\n< 334\n~ am9l\\n\n< 501 5.5.2\n> NOOP\n< 250\n",
     CLEAR, BOTH, ASKS},
    {"a-response-with-nul",
     HELLO "> AUTH LOGIN\n< 334\n~ am9l\\000am9l\\r\\n\n< 501 5.5.2\n", CLEAR,
     BOTH, ASKS},
    {"a-name-with-a-control-character",
     HELLO "> AUTH LOGIN\n< 334\n> am8KZQ==\n< 501 5.5.2\n", CLEAR, BOTH, ASKS},
    {"silence-in-the-middle",
     HELLO "> AUTH LOGIN\n< 334\n+ 300000\n< 421 4.4.2\n$\n", CLEAR, BOTH,
     ASKS},
    {"the-client-goes-in-the-middle", HELLO "> AUTH LOGIN\n< 334\n! cut\n",
     CLEAR, BOTH, ASKS},
    {"too-many-errors",
     HELLO "> AUTH PLAIN " JOE "\n< 535\n> AUTH PLAIN " JOE
           "\n< 535\n> AUTH PLAIN " JOE "\n< 535\n> AUTH PLAIN " JOE
           "\n< 535\n> AUTH PLAIN " JOE "\n< 535\n> NOOP\n< 421 4.7.0\n$\n",
     CLEAR, BOTH, WRONG},
};

static const GatewayCase offers[] = {
    {"what-both-can", HELLO "/ CRAM\n= 250-AUTH PLAIN LOGIN\r\n", CLEAR,
     OFFERS("AUTH LOGIN PLAIN EXTERNAL GSSAPI SCRAM-SHA-256-PLUS")},
    {"the-old-form", HELLO "= 250-AUTH PLAIN LOGIN\r\n", CLEAR,
     OFFERS("AUTH=PLAIN LOGIN")},
    {"nothing-that-can-be-relayed", HELLO "/ AUTH\n> AUTH EXTERNAL =\n< 504\n",
     CLEAR, OFFERS("AUTH EXTERNAL")},
    {"in-clear-nothing", HELLO "/ AUTH\n> AUTH PLAIN " JOE "\n< 538 5.7.11\n",
     .listen = TLS, BOTH, .heard = "EHLO mx.test\n"},
    {"without-tls-never", HELLO "/ AUTH\n> AUTH PLAIN " JOE "\n< 502 5.5.1\n",
     BOTH},
    {"over-tls", HELLO SECURE "= AUTH PLAIN LOGIN\n", .listen = TLS, BOTH},
    {"off", HELLO SECURE "/ AUTH\n> AUTH PLAIN " JOE "\n< 502 5.5.1\n",
     .listen = TLS " auth off", BOTH},
    {"not-by-the-backend", HELLO "/ AUTH\n> AUTH PLAIN " JOE "\n< 504 5.5.4\n",
     CLEAR},
    {"no-secret-for-a-backend-that-offers-it-no-more",
     HELLO "= AUTH PLAIN\n> AUTH PLAIN " JOE "\n< 454 4.7.0\n> NOOP\n< 250\n",
     CLEAR, BOTH, .server.spoiled = 1, .heard = "EHLO mx.test\nEHLO mx.test\n",
     .log = "does not offer this AUTH"},
    {"another-mechanism", HELLO "> AUTH CRAM-MD5\n< 504 5.5.4\n", CLEAR, BOTH},
};

static const GatewayCase order[] = {
    {"before-ehlo", "< 220\n> AUTH PLAIN " JOE "\n< 503 5.5.1\n", CLEAR, BOTH},
    {"after-helo", "< 220\n> HELO c.test\n< 250\n> AUTH PLAIN\n< 503\n", CLEAR,
     BOTH},
    {"twice", HELLO PLAIN "> AUTH PLAIN " JOE "\n< 503 5.5.1\n", CLEAR, BOTH},
    {"in-a-transaction",
     HELLO ENVELOPE "> AUTH PLAIN " JOE "\n< 503 5.5.1\n" MESSAGE, CLEAR, BOTH,
     .messages = 1},
    {"starttls-after-it", HELLO PLAIN "> STARTTLS\n< 503 5.5.1\n" ENVELOPE,
     KNOWN, .listen = TLS " auth clear", BOTH},
    {"ehlo-keeps-it", HELLO PLAIN "> EHLO c.test\n< 250\n" ENVELOPE MESSAGE,
     CLEAR, BOTH, KNOWN, .messages = 1, .connections = 2},
    {"rset-keeps-it", HELLO PLAIN "> RSET\n< 250\n" ENVELOPE, CLEAR, BOTH,
     KNOWN},
    {"without-mechanism", HELLO "> AUTH\n< 501 5.5.4\n", CLEAR, BOTH},
    {"with-three-words", HELLO "> AUTH PLAIN " JOE " x\n< 501 5.5.4\n", CLEAR,
     BOTH},
    {"initial-response-that-is-no-base64",
     HELLO "> AUTH PLAIN AGpvZQBzZWNyZXQ\n< 501 5.5.2\n", CLEAR, BOTH,
     .heard = "EHLO mx.test\n"},
    {"empty-initial-response", HELLO "> AUTH PLAIN =\n< 501 5.5.2\n", CLEAR,
     BOTH, .heard = "EHLO mx.test\n"},
    {"initial-response-where-the-server-begins",
     HELLO "> AUTH CRAM-MD5 " NAME "\n< 501 5.7.0\n", CLEAR,
     OFFERS("AUTH CRAM-MD5"), .heard = "EHLO mx.test\n"},
    {"what-follows-in-one-packet-is-told",
     HELLO "~ AUTH PLAIN " JOE "\\r\\nMAIL FROM:<>\\r\\n\n< 235\n< 550 5.7.1\n",
     CLEAR, BOTH,
     .rules = "at mail { reject hasty if client.pipelining-abuse }"},
};

static const GatewayCase faults[] = {
    {"backend-is-gone",
     HELLO "! stop\n> AUTH PLAIN " JOE "\n< 454 4.7.0\n"
           "> NOOP\n< 250\n",
     CLEAR, BOTH},
    {"backend-closes",
     HELLO "> AUTH PLAIN " JOE "\n< 454 4.7.0\n> NOOP\n< 250\n", CLEAR, BOTH,
     .server.replies[BACKEND_AUTH] = "!", .log = "backend"},
    {"backend-says-421", HELLO "> AUTH PLAIN " JOE "\n< 454 4.7.0\n", CLEAR,
     BOTH, .server.replies[BACKEND_AUTH] = "421 4.3.2 bye\r\n"},
    {"backend-says-250",
     HELLO "> AUTH PLAIN " JOE "\n< 454 4.7.0\n"
           "> MAIL FROM:<>\n< 250\n> RCPT TO:<b@mx.test>\n"
           "< 550 5.7.1 - may not\n",
     CLEAR, BOTH, KNOWN, .server.replies[BACKEND_AUTH] = "250 2.0.0 ok\r\n"},
    {"backend-says-235-before-a-name", HELLO "> AUTH LOGIN\n< 454 4.7.0\n",
     CLEAR, BOTH},
    {"a-challenge-that-is-no-base64", HELLO "> AUTH LOGIN\n< 454 4.7.0\n",
     CLEAR, BOTH, .server.replies[BACKEND_AUTH] = "334 what now?\r\n"},
    {"challenges-without-end",
     HELLO "> AUTH LOGIN " NAME "\n< 334\n> \n< 334\n> \n< 334\n> \n< 334\n> \n"
           "< 334\n> \n< 334\n> \n< 334\n> \n< 334\n> \n< 334\n> \n< 334\n> \n"
           "< 454 4.7.0\n",
     CLEAR, BOTH, ASKS, .server.replies[BACKEND_RESPONSE] = "334 \r\n"},
    {"the-connection-is-lost",
     HELLO PLAIN "! kick\n> MAIL FROM:<>\n< 250\n> RCPT TO:<b@mx.test>\n"
                 "< 421 4.3.0\n$\n",
     CLEAR, BOTH, .connections = 2, .log = "the client had authenticated"},
    {"the-connection-is-lost-in-a-transaction",
     HELLO PLAIN ENVELOPE "! kick\n> DATA\n< 354\n> A: b\n> \n> .\n"
                          "< 421 4.3.0\n$\n",
     CLEAR, BOTH, .connections = 2},
};

/* What XCLIENT tells is told first; what PROXY tells, too. */
static const GatewayCase binding[] = {
    {"a-slow-client-keeps-its-connection",
     HELLO PLAIN ENVELOPE "+ 5000\n> DATA\n< 354\n> A: b\n> \n> .\n< 250\n",
     CLEAR, BOTH, .messages = 1, .connections = 2,
     .heard = "EHLO mx.test\nEHLO mx.test\nAUTH PLAIN " JOE
              "\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\nDATA\nmessage\n"},
    {"two-messages-on-one-connection",
     HELLO PLAIN ENVELOPE MESSAGE ENVELOPE MESSAGE, CLEAR, BOTH, KNOWN,
     .messages = 2, .connections = 2},
    {"nobody-else-gets-it",
     HELLO PLAIN ENVELOPE MESSAGE
     "> QUIT\n< 221\n$\n! new\n" HELLO ENVELOPE MESSAGE,
     CLEAR, BOTH, .messages = 2,
     .heard = "EHLO mx.test\nEHLO mx.test\nAUTH PLAIN " JOE
              "\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\nDATA\nmessage\n"
              "QUIT\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\nDATA\n"
              "message\n"},
    {"the-identity-comes-first", HELLO PLAIN, CLEAR, BOTH,
     .backend = "identity xclient",
     .heard = "EHLO mx.test\nEHLO mx.test\n"
              "XCLIENT NAME=[UNAVAILABLE] ADDR=127.0.0.1\nEHLO c.test\n"
              "AUTH PLAIN " JOE "\n"},
    {"xclient-forgets-it",
     HELLO PLAIN "> XCLIENT ADDR=192.0.2.1\n< 220\n> EHLO c.test\n< 250\n"
                 "> MAIL FROM:<>\n< 250\n> RCPT TO:<b@mx.test>\n"
                 "< 550 5.7.1 - may not\n",
     .listen = "auth clear xclient-from 127.0.0.1", BOTH, KNOWN},
    {"submitter-is-passed-on-for-the-authenticated",
     HELLO PLAIN "> MAIL FROM:<a@c.test> AUTH=e+2Bx@c.test\n< 250\n"
                 "> RCPT TO:<b@mx.test>\n< 250\n",
     CLEAR, BOTH,
     .heard = "EHLO mx.test\nEHLO mx.test\nAUTH PLAIN " JOE
              "\nMAIL FROM:<a@c.test> AUTH=e+2Bx@c.test\n"
              "RCPT TO:<b@mx.test>\nRSET\n"},
    {"submitter-of-others-is-nobody",
     HELLO "> MAIL FROM:<a@c.test> AUTH=e+2Bx@c.test\n< 250\n"
           "> RCPT TO:<b@mx.test>\n< 250\n",
     CLEAR, BOTH,
     .heard = "EHLO mx.test\nMAIL FROM:<a@c.test> AUTH=<>\n"
              "RCPT TO:<b@mx.test>\nRSET\n"},
    {"submitter-where-auth-is-not-offered",
     HELLO "> MAIL FROM:<a@c.test> AUTH=<>\n< 555 5.5.4\n", BOTH},
};

/* ---- long lines --------------------------------------------------------- */

static void
append_line(GString *text, const char *word, gsize length)
{
    g_autofree char *digits = g_strnfill(length, 'Z');
    g_string_append_printf(text, "> %s%s\n", word, digits);
}

/* A response of so many octets behind a challenge. */
static void
check_response(gsize length, const char *reply)
{
    g_autoptr(GString) dialogue =
        g_string_new(HELLO "> AUTH LOGIN " NAME "\n< 334\n");
    append_line(dialogue, "", length);
    g_string_append(dialogue, reply);
    const GatewayCase scene = {.dialogue = dialogue->str, CLEAR, BOTH, ASKS};
    gateway_test(&scene);
}

static void
test_response_limit(void)
{
    G_STATIC_ASSERT(SMTP_AUTH_LIMIT % 4 == 0);
    check_response(SMTP_AUTH_LIMIT - 4, "< 235\n");
    check_response(SMTP_AUTH_LIMIT, "< 500 5.5.6\n$\n");
}

/* "\0", then "joe\0" and a long password. */
static void
test_long_initial_response(void)
{
    g_autoptr(GString) dialogue = g_string_new(HELLO);
    append_line(dialogue, "AUTH PLAIN AGpvZQBz", 8000);
    g_string_append(dialogue, "< 235\n");
    const GatewayCase scene = {
        .dialogue = dialogue->str, CLEAR, BOTH, ASKS, .log = "user=joe"};
    gateway_test(&scene);
}

static void
test_no_long_line_in_clear(void)
{
    g_autoptr(GString) dialogue = g_string_new(HELLO);
    append_line(dialogue, "AUTH PLAIN AGpvZQBz", 8000);
    g_string_append(dialogue, "< 500 5.5.2\n");
    const GatewayCase scene = {.dialogue = dialogue->str, .listen = TLS, BOTH};
    gateway_test(&scene);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    gateway_add("/wire/auth/", exchanges, G_N_ELEMENTS(exchanges));
    gateway_add("/wire/auth/offer/", offers, G_N_ELEMENTS(offers));
    gateway_add("/wire/auth/order/", order, G_N_ELEMENTS(order));
    gateway_add("/wire/auth/fault/", faults, G_N_ELEMENTS(faults));
    gateway_add("/wire/auth/binding/", binding, G_N_ELEMENTS(binding));
    g_test_add_func("/wire/auth/responses-have-an-end", test_response_limit);
    g_test_add_func("/wire/auth/a-long-initial-response-follows-its-challenge",
                    test_long_initial_response);
    g_test_add_func("/wire/auth/in-clear-lines-stay-short",
                    test_no_long_line_in_clear);
    return g_test_run();
}
