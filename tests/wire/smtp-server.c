/* smtp-server.c: tests of what an SMTP client gets to hear. (RFC 5321)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/wire/gateway.h"

#include "filterd/base/stream.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO "< 220 mx.test\n> EHLO c.test\n< 250\n"
#define ENVELOPE                                                   \
    "> MAIL FROM:<a@c.test>\n< 250 2.1.0\n> RCPT TO:<b@mx.test>\n" \
    "< 250 2.1.5\n"
#define MESSAGE                                                     \
    "> DATA\n< 354\n> From: <a@c.test>\n> Subject: s\n> \n> body\n" \
    "> .\n< 250 2.0.0 queued\n"

static const GatewayCase syntax[] = {
    {"bare-lf", HELLO "~ NOOP\\n\n< 500 5.5.2\n> NOOP\n< 250 2.0.0\n"},
    {"lf-alone", HELLO "~ \\n\n< 500 5.5.2\n"},
    {"empty-line", HELLO "> \n< 500 5.5.1\n"},
    {"bare-cr", HELLO "~ NOOP\\rNOOP\\r\\n\n< 500 5.5.2\n> NOOP\n< 250\n"},
    {"nul", HELLO "~ NOOP\\000\\r\\n\n< 500 5.5.2\n"},
    {"nul-in-path", HELLO "~ MAIL FROM:<a\\000b@c.test>\\r\\n\n< 500 5.5.2\n"},
    {"unknown-verb", HELLO "> FOO\n< 500 5.5.1\n"},
    {"verb-and-more", HELLO "> NOOPS\n< 500 5.5.1\n"},
    {"lower-case", "< 220\n> ehlo c.test\n< 250\n> noop\n< 250\n"},
    {"header-field-ends-it", HELLO "> Subject: hello\n< 421 4.7.0\n$\n",
     .log = "-no-command"},
    {"header-field-without-space-ends-it",
     HELLO "> Received:from x\n< 421 4.7.0\n$\n"},
    {"quit", HELLO "> QUIT\n< 221 2.0.0\n$\n"},
    {"vrfy", HELLO "> VRFY a\n< 252 2.5.2\n"},
    {"vrfy-without-address", HELLO "> VRFY\n< 501 5.5.4\n"},
    {"vrfy-with-utf8-in-a-transaction",
     HELLO ENVELOPE "~ VRFY \\303\\274 SMTPUTF8\\r\\n\n< 252\n" MESSAGE,
     .messages = 1},
    {"expn", HELLO "> EXPN list\n< 502 5.5.1\n> EXPN\n< 502 5.5.1\n"},
    {"etrn", HELLO "> ETRN c.test\n< 502 5.5.1\n"},
    {"turn", HELLO "> TURN\n< 502 5.5.1\n"},
    {"noop-with-argument", HELLO "> NOOP and so on\n< 250 2.0.0\n"},
    {"help-with-argument", HELLO "> HELP MAIL\n< 214 2.0.0\n"},
    {"help", HELLO "> HELP\n< 214\n"},
    {"trailing-blanks", HELLO "> NOOP  \n< 250\n> RSET\t\n< 250\n"},
    {"helo-without-name", "< 220\n> HELO\n< 501 5.5.4\n"},
    {"helo-with-two-names", "< 220\n> EHLO a b\n< 501 5.5.4\n"},
    {"helo-with-8-bit", "< 220\n~ EHLO \\303\\274\\r\\n\n< 501 5.5.4\n"},
    {"helo-with-literal", "< 220\n> EHLO [192.0.2.1]\n< 250\n"},
    {"mail-before-helo", "< 220\n> MAIL FROM:<a@c.test>\n< 503 5.5.1\n"},
    {"mail-without-from", HELLO "> MAIL <a@c.test>\n< 501 5.5.4\n"},
    {"mail-without-brackets", HELLO "> MAIL FROM:a@c.test\n< 501 5.1.7\n"},
    {"mail-with-space", HELLO "> MAIL FROM: <a@c.test>\n< 250\n"},
    {"mail-twice", HELLO ENVELOPE "> MAIL FROM:<a@c.test>\n< 503 5.5.1\n"},
    {"null-sender", HELLO "> MAIL FROM:<>\n< 250\n"},
    {"bracket-in-quotes", HELLO "> MAIL FROM:<\"a>b\"@c.test> SIZE=9\n< 250\n"},
    {"parameter-unknown", HELLO "> MAIL FROM:<a@c.test> FOO=1\n< 555 5.5.4\n"},
    {"parameter-twice",
     HELLO "> MAIL FROM:<a@c.test> SIZE=1 SIZE=1\n< 501 5.5.4\n"},
    {"rcpt-before-mail", HELLO "> RCPT TO:<b@mx.test>\n< 503 5.5.1\n"},
    {"rcpt-parameter",
     HELLO "> MAIL FROM:<>\n< 250\n> RCPT TO:<b@mx.test> X\n< 555 5.5.4\n"},
    {"rcpt-empty", HELLO "> MAIL FROM:<>\n< 250\n> RCPT TO:<>\n< 501 5.1.3\n"},
    {"rcpt-postmaster",
     HELLO "> MAIL FROM:<>\n< 250\n> RCPT TO:<Postmaster>\n< 250\n"},
    {"data-before-mail", HELLO "> DATA\n< 503 5.5.1\n"},
    {"data-before-rcpt", HELLO "> MAIL FROM:<>\n< 250\n> DATA\n< 554 5.5.1\n"},
    {"data-with-argument", HELLO ENVELOPE "> DATA x\n< 501 5.5.4\n"},
    {"eightbit-sender",
     HELLO "~ MAIL FROM:<\\303\\274@c.test>\\r\\n\n< 553 5.6.7\n"},
    {"eightbit-sender-if-offered-but-not-asked-for",
     HELLO "~ MAIL FROM:<\\303\\274@c.test> SIZE=1\\r\\n\n< 553 5.6.7\n",
     .server.replies[BACKEND_EHLO] = "250-b\r\n250 SMTPUTF8\r\n"},
    {"eightbit-sender-if-asked-for-in-lower-case",
     HELLO "~ MAIL FROM:<\\303\\274@c.test> smtputf8\\r\\n\n< 250 2.1.0\n"
           "~ RCPT TO:<\\303\\274@mx.test>\\r\\n\n< 250 2.1.5\n",
     .server.replies[BACKEND_EHLO] = "250-b\r\n250 SMTPUTF8\r\n"},
    {"eightbit-recipient-without-smtputf8",
     HELLO "> MAIL FROM:<a@c.test>\n< 250\n"
           "~ RCPT TO:<\\303\\274@mx.test>\\r\\n\n< 553 5.6.7\n",
     .server.replies[BACKEND_EHLO] = "250-b\r\n250 SMTPUTF8\r\n"},
    {"smtputf8-not-offered",
     HELLO "> MAIL FROM:<a@c.test> SMTPUTF8\n< 553 5.6.7\n"},
    {"dsn-not-offered",
     HELLO "> MAIL FROM:<a@c.test> RET=FULL\n< 555 5.5.4\n"
           "> MAIL FROM:<a@c.test>\n< 250\n"
           "> RCPT TO:<b@mx.test> NOTIFY=NEVER\n< 555 5.5.4\n"},
    {"dsn-of-no-sense",
     HELLO "> MAIL FROM:<a@c.test> RET=ALL\n< 501 5.5.4\n"
           "> MAIL FROM:<a@c.test>\n< 250\n"
           "> RCPT TO:<b@mx.test> NOTIFY=NEVER,DELAY\n< 501 5.5.4\n",
     .server.replies[BACKEND_EHLO] = "250-b\r\n250 DSN\r\n"},
    {"invalid-utf8", HELLO "~ MAIL FROM:<\\303@c.test> SMTPUTF8\\r\\n\n< 501\n",
     .server.replies[BACKEND_EHLO] = "250-b\r\n250 SMTPUTF8\r\n"},
    {"size-over-the-limit",
     HELLO "> MAIL FROM:<a@c.test> SIZE=99999999999999999999\n< 552 5.3.4\n"},
    {"size-over-the-backends-limit",
     HELLO "> MAIL FROM:<a@c.test> SIZE=5000001\n< 552 5.3.4\n"},
};

static const GatewayCase dialogues[] = {
    {"a-message", HELLO ENVELOPE MESSAGE "> QUIT\n< 221\n$\n", .messages = 1,
     .message = "\r\nSubject: s\r\n\r\nbody\r\n",
     .heard = "EHLO mx.test\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\n"
              "DATA\nmessage\n"},
    {"two-messages-over-one-connection",
     HELLO ENVELOPE MESSAGE ENVELOPE MESSAGE, .messages = 2,
     .heard = "EHLO mx.test\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\n"
              "DATA\nmessage\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\n"
              "DATA\nmessage\n"},
    {"pipelined-in-one-packet",
     HELLO "~ MAIL FROM:<a@c.test>\\r\\nRCPT TO:<b@mx.test>\\r\\n"
           "RCPT TO:<c@mx.test>\\r\\nDATA\\r\\n\n"
           "< 250 2.1.0\n< 250 2.1.5\n< 250 2.1.5\n< 354\n"
           "~ A: b\\r\\n\\r\\nc\\r\\n.\\r\\nRSET\\r\\nNOOP\\r\\nQUIT\\r\\n\n"
           "< 250 2.0.0 queued\n< 250\n< 250\n< 221\n$\n",
     .messages = 1},
    {"everything-at-once",
     "~ EHLO c\\r\\nMAIL FROM:<a@c.test>\\r\\nRCPT TO:<b@mx.test>\\r\\n"
     "DATA\\r\\nA: b\\r\\n\\r\\nc\\r\\n.\\r\\nQUIT\\r\\n\n"
     "< 220\n< 250\n< 250 2.1.0\n< 250 2.1.5\n< 354\n< 250\n< 221\n$\n",
     .messages = 1},
    {"extensions", "< 220\n> EHLO c.test\n< 250-mx.test\r\n= 250-PIPELINING\n"
                   "= SIZE 5000000\n= 8BITMIME\n= ENHANCEDSTATUSCODES\n"
                   "/ SMTPUTF8\n/ STARTTLS\n/ XCLIENT\n"},
    {"helo-has-no-extensions", "< 220\n> HELO c.test\n< 250 mx.test\r\n"},
    {"extensions-without-backend",
     "< 220\n> EHLO c.test\n< 250\n= SIZE\n/ 8BITMIME\n", .backend = "-"},
    {"no-backend-is-a-tempfail",
     HELLO "> MAIL FROM:<>\n< 250\n> RCPT TO:<b@mx.test>\n< 451 4.3.0\n",
     .backend = "-", .log = "there is no backend"},
    {"ehlo-resets", HELLO ENVELOPE "> EHLO c.test\n< 250\n> DATA\n< 503\n",
     .heard = "EHLO mx.test\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\n"
              "RSET\n"},
    {"rset-resets",
     HELLO ENVELOPE "> RSET\n< 250\n> DATA\n< 503\n"
                    "> RCPT TO:<x@mx.test>\n< 503\n",
     .heard = "EHLO mx.test\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\n"
              "RSET\n"},
    {"nothing-after-a-message",
     HELLO ENVELOPE MESSAGE "> RCPT TO:<x@mx.test>\n< 503\n> DATA\n< 503\n",
     .messages = 1},
    {"a-message-without-header", HELLO ENVELOPE "> DATA\n< 354\n> .\n< 250\n",
     .messages = 1, .message = "Received: from c.test"},
    {"dots",
     HELLO ENVELOPE "> DATA\n< 354\n> A: b\n> \n> ..\n> ..x\n> .\n"
                    "< 250\n",
     .messages = 1, .message = "\r\n\r\n..\r\n..x\r\n"},
    {"identity", HELLO ENVELOPE, .backend = "identity xclient",
     .heard = "EHLO mx.test\nXCLIENT NAME=[UNAVAILABLE] ADDR=127.0.0.1 "
              "HELO=c.test\nEHLO c.test\nMAIL FROM:<a@c.test>\n"
              "RCPT TO:<b@mx.test>\nRSET\n"},
    {"a-named-connection-serves-the-same-client-again",
     HELLO ENVELOPE MESSAGE ENVELOPE "> EHLO d.test\n< 250\n" ENVELOPE,
     .backend = "identity xclient", .server.named_once = TRUE, .messages = 1,
     .heard = "EHLO mx.test\nXCLIENT NAME=[UNAVAILABLE] ADDR=127.0.0.1 "
              "HELO=c.test\nEHLO c.test\nMAIL FROM:<a@c.test>\n"
              "RCPT TO:<b@mx.test>\nDATA\nmessage\nMAIL FROM:<a@c.test>\n"
              "RCPT TO:<b@mx.test>\nRSET\nQUIT\nEHLO mx.test\n"
              "XCLIENT NAME=[UNAVAILABLE] ADDR=127.0.0.1 HELO=d.test\n"
              "EHLO d.test\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\n"
              "RSET\n"},
    {"parameters-go-on",
     HELLO "> MAIL FROM:<\"a>b\"@c.test> BODY=8BITMIME SIZE=9\n< 250\n"
           "> RCPT TO:<b@mx.test>\n< 250\n",
     .heard = "EHLO mx.test\nMAIL FROM:<\"a>b\"@c.test> SIZE=9 BODY=8BITMIME\n"
              "RCPT TO:<b@mx.test>\nRSET\n"},
    {"recipients-that-are-taken",
     "< 220\n> EHLO c.test\n< 250\n= 250-LIMITS RCPTMAX=7\r\n",
     .rules = "set max-recipients 7"},
    {"recipients-that-the-backend-takes",
     "< 220\n> EHLO c.test\n< 250\n= 250-LIMITS RCPTMAX=6\r\n",
     .rules = "set max-recipients 7",
     .server.replies[BACKEND_EHLO] =
         "250-b\r\n250 LIMITS MAILMAX=1 RCPTMAX=6\r\n"},
    {"recipients-that-the-backend-tells-wrong",
     "< 220\n> EHLO c.test\n< 250\n= 250-LIMITS RCPTMAX=7\r\n",
     .rules = "set max-recipients 7",
     .server.replies[BACKEND_EHLO] =
         "250-b\r\n250 LIMITS RCPTMAX=0 RCPTMAX=x RCPTMAX=-1 RCPTMAX\r\n"},
    {"extensions-of-the-backend",
     "< 220\n> EHLO c.test\n< 250\n= 8BITMIME\n= SMTPUTF8\n= DSN\n"
     "= MT-PRIORITY\n= DELIVERBY\n/ REQUIRETLS\n/ ETRN\n/ BINARYMIME\n",
     .server.replies[BACKEND_EHLO] =
         "250-b\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n"
         "250-MT-PRIORITY MIXER\r\n250-DELIVERBY 60\r\n250-REQUIRETLS\r\n"
         "250-BINARYMIME\r\n250 ETRN\r\n"},
    {"notices-go-on",
     HELLO "> MAIL FROM:<a@c.test> ENVID=x>y ret=hdrs\n< 250\n"
           "> RCPT TO:<b@mx.test> ORCPT=rfc822;o@x NOTIFY=delay\n< 250\n"
           "> RCPT TO:<c@mx.test> NOTIFY=NEVER\n< 250\n" MESSAGE,
     .server.replies[BACKEND_EHLO] = "250-b\r\n250 DSN\r\n", .messages = 1,
     .heard = "EHLO mx.test\nMAIL FROM:<a@c.test> RET=HDRS ENVID=x>y\n"
              "RCPT TO:<b@mx.test> NOTIFY=DELAY ORCPT=rfc822;o@x\n"
              "RCPT TO:<c@mx.test> NOTIFY=NEVER\nDATA\nmessage\n"},
    {"notices-stay-with-an-edited-envelope",
     HELLO "> MAIL FROM:<a@c.test> ENVID=x>y\n< 250\n"
           "> RCPT TO:<b@mx.test> NOTIFY=NEVER\n< 250\n"
           "> RCPT TO:<bb@mx.test> NOTIFY=DELAY\n< 250\n" MESSAGE,
     .rules = "at message { rewrite set-sender(\"x@y.test\") }",
     .server.replies[BACKEND_EHLO] = "250-b\r\n250 DSN\r\n", .messages = 1,
     .heard = "EHLO mx.test\nMAIL FROM:<a@c.test> ENVID=x>y\n"
              "RCPT TO:<b@mx.test> NOTIFY=NEVER\n"
              "RCPT TO:<bb@mx.test> NOTIFY=DELAY\nRSET\n"
              "MAIL FROM:<x@y.test> ENVID=x>y\n"
              "RCPT TO:<b@mx.test> NOTIFY=NEVER\n"
              "RCPT TO:<bb@mx.test> NOTIFY=DELAY\nDATA\nmessage\n"},
    {"eightbit-goes-on",
     HELLO ENVELOPE "> DATA\n< 354\n~ A: b\\r\\n\\r\\n\\303\\274\\r\\n.\\r\\n\n"
                    "< 250\n",
     .messages = 1, .message = "\r\n\r\n\303\274\r\n"},
    {"discarded-without-backend",
     HELLO "> MAIL FROM:<>\n< 250\n> RCPT TO:<b@mx.test>\n< 250\n> DATA\n"
           "< 354\n> .\n< 250\n> RCPT TO:<b@mx.test>\n< 503\n",
     .backend = "-", .rules = "at rcpt { discard all }"},
    {"edited-envelope-is-said-again",
     HELLO "> MAIL FROM:<a@c.test> SIZE=9\n< 250\n> RCPT TO:<b@mx.test>\n"
           "< 250\n" MESSAGE,
     .messages = 1, .rules = "at message { rewrite set-sender(\"x@y.test\") }",
     .heard = "EHLO mx.test\nMAIL FROM:<a@c.test> SIZE=9\n"
              "RCPT TO:<b@mx.test>\nRSET\nMAIL FROM:<x@y.test> SIZE=9\n"
              "RCPT TO:<b@mx.test>\nDATA\nmessage\n"},
};

static const GatewayCase limits[] = {
    {"bare-newline-in-the-message",
     HELLO ENVELOPE
     "> DATA\n< 354\n~ A: b\\r\\n\\r\\nc\\nd\\r\\n.\\r\\n\n< 550 5.6.11\n"
     "> RCPT TO:<x@mx.test>\n< 503\n",
     .log = "-newline",
     .heard = "EHLO mx.test\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\n"
              "RSET\n"},
    {"eightbit-for-a-backend-of-seven",
     HELLO ENVELOPE
     "> DATA\n< 354\n~ A: b\\r\\n\\r\\nc\\303\\274\\r\\n.\\r\\n\n"
     "< 554 5.6.3\n" ENVELOPE MESSAGE,
     .server.replies[BACKEND_EHLO] = "250 b\r\n", .log = "-eightbit",
     .messages = 1},
    {"eightbit-in-the-header-for-a-backend-of-seven",
     HELLO ENVELOPE "> DATA\n< 354\n~ A: \\303\\274\\r\\n\\r\\nc\\r\\n.\\r\\n\n"
                    "< 554 5.6.3\n",
     .server.replies[BACKEND_EHLO] = "250 b\r\n"},
    {"bare-newline-made-whole",
     HELLO ENVELOPE
     "> DATA\n< 354\n~ A: b\\r\\n\\r\\nc\\n.\\r\\nd\\r\\n.\\r\\n\n< 250\n",
     .rules = "set line-endings normalize", .messages = 1,
     .message = "\r\n\r\nc\r\n..\r\nd\r\n"},
    {"message-too-large",
     HELLO ENVELOPE
     "> DATA\n< 354\n> A: b\n> \n"
     "> 0123456789012345678901234567890123456789012345678901234567890123\n"
     "> .\n< 552 5.3.4\n> NOOP\n< 250\n",
     .server.replies[BACKEND_EHLO] = "250-b\r\n250 SIZE 50\r\n"},
    {"recipients",
     HELLO ENVELOPE "> RCPT TO:<c@mx.test>\n< 250\n"
                    "> RCPT TO:<d@mx.test>\n< 452 4.5.3\n" MESSAGE,
     .rules = "set max-recipients 2", .messages = 1, .log = "-recipients"},
    {"refused-recipients-count",
     HELLO "> MAIL FROM:<>\n< 250\n> RCPT TO:<a@x>\n< 451\n"
           "> RCPT TO:<b@x>\n< 451\n> RCPT TO:<c@x>\n< 452 4.5.3\n",
     .rules = "set max-recipients 2 at rcpt { tempfail no }"},
    {"errors",
     HELLO "> X\n< 500\n> X\n< 500\n> X\n< 500\n> X\n< 500\n"
           "> X\n< 500\n> NOOP\n< 421 4.7.0\n$\n",
     .log = "-errors"},
    {"refusals-are-errors-and-are-told",
     HELLO "> MAIL FROM:<>\n< 250\n> RCPT TO:<a@x>\n< 550\n> RCPT TO:<b@x>\n"
           "< 550\n> RCPT TO:<c@x>\n< 550\n> RCPT TO:<d@x>\n< 550\n"
           "> RCPT TO:<e@x>\n< 550\n> RCPT TO:<f@x>\n< 421 4.7.0\n$\n",
     .rules = "at rcpt { reject no }"},
    {"the-backends-refusals-are-errors",
     HELLO "> MAIL FROM:<>\n< 250\n> RCPT TO:<a@x>\n< 550 5.1.1\n"
           "> RCPT TO:<b@x>\n< 550\n> RCPT TO:<c@x>\n< 550\n"
           "> RCPT TO:<d@x>\n< 550\n> RCPT TO:<e@x>\n< 550\n> NOOP\n< 421\n$\n",
     .server.replies[BACKEND_RCPT] = "550 5.1.1 no\r\n"},
    {"a-delivered-message-forgives-errors",
     HELLO "> X\n< 500\n> X\n< 500\n> X\n< 500\n> X\n< 500\n" ENVELOPE MESSAGE
           "> X\n< 500\n> X\n< 500\n> NOOP\n< 250\n",
     .messages = 1},
    {"command-timeout", HELLO "+ 61000\n< 421 4.4.2\n$\n",
     .listen = "command-timeout 1m", .log = "-timeout"},
    {"one-octet-at-a-time",
     HELLO "~ N\n+ 20000\n~ O\n+ 20000\n~ O\n+ 20000\n< 421 4.4.2\n$\n",
     .listen = "command-timeout 1m"},
    {"a-long-line-in-pieces",
     HELLO "+ 59999\n~ NOOP\\r\\n\n< 250\n+ 59999\n~ NOOP\\r\\n\n< 250\n",
     .listen = "command-timeout 1m"},
    {"data-timeout",
     HELLO ENVELOPE "> DATA\n< 354\n> A: b\n+ 61000\n< 421 4.4.2\n$\n",
     .listen = "data-timeout 1m", .log = "-timeout"},
    {"data-octet-by-octet",
     HELLO ENVELOPE
     "> DATA\n< 354\n> A: b\n+ 30000\n~ x\n+ 31000\n< 421 4.4.2\n$\n",
     .listen = "data-timeout 1m", .log = "-timeout"},
    {"cut-off-in-the-message",
     HELLO ENVELOPE "> DATA\n< 354\n~ A: b\\r\\n\\r\\nc\\r\\n.\\r\n! cut\n"},
    {"draining-ends-the-idle",
     HELLO ENVELOPE MESSAGE "! drain\n< 421 4.3.2\n$\n", .messages = 1},
    {"draining-lets-a-newcomer-begin",
     HELLO "! drain\n" ENVELOPE MESSAGE "< 421 4.3.2\n$\n", .messages = 1},
    {"expiry-ends-a-transaction",
     HELLO ENVELOPE "! drain\n! expire\n< 421 4.3.2\n$\n"},
    {"expiry-in-a-message-loses-it",
     HELLO ENVELOPE "> DATA\n< 354\n> From: <a@c.test>\n! drain\n! expire\n"
                    "$\n"},
    {"draining-spares-a-transaction",
     HELLO ENVELOPE "! drain\n" MESSAGE "< 421 4.3.2\n$\n", .messages = 1},
    {"session-limit", "< 220\n! new\n< 220\n", .clock_runs = TRUE},
};

static const GatewayCase greetings[] = {
    {"refused-at-connect",
     "< 554 5.7.1\n> EHLO c\n< 503 5.5.1\n> MAIL FROM:<>\n< 503\n> QUIT\n"
     "< 221\n$\n",
     .rules = "at connect { reject no reply 550 5.7.1 \"go away\" }"},
    {"tempfailed-at-connect", "< 421 4.7.1\n$\n",
     .rules = "at connect { tempfail no reply 451 4.7.1 \"later\" }"},
    {"disconnected-at-connect", "< 421\n$\n",
     .rules = "at connect { disconnect no }"},
    {"refused-at-connect-after-a-delay", "< 421\n$\n",
     .listen = "greeting-delay 20ms", .rules = "at connect { tempfail no }",
     .clock_runs = TRUE},
    {"early-talker", "> EHLO c.test\n< 554 5.5.1 early\n",
     .listen = "greeting-delay 20s",
     .rules = "at connect { reject early if client.early-talker "
              "reply 554 5.5.1 \"early\" }",
     .clock_runs = TRUE},
    {"patient-talker", "< 220\n> EHLO c.test\n< 250\n",
     .listen = "greeting-delay 20ms",
     .rules = "at connect { reject early if client.early-talker "
              "reply 554 5.5.1 \"early\" }",
     .clock_runs = TRUE},
    {"pipelined-behind-ehlo", "< 220\n~ EHLO c\\r\\nNOOP\\r\\n\n< 550\n< 250\n",
     .rules = "at helo { reject hasty if client.pipelining-abuse }"},
    {"pipelined-behind-data",
     HELLO ENVELOPE "~ DATA\\r\\nNOOP\\r\\n\n< 550\n< 250\n",
     .rules = "at data { reject hasty if client.pipelining-abuse }"},
    {"pipelined-as-it-should-be",
     HELLO "~ MAIL FROM:<>\\r\\nRCPT TO:<b@mx.test>\\r\\nDATA\\r\\n\n< 250\n"
           "< 250\n< 354\n> .\n< 250\n",
     .messages = 1,
     .rules = "at message { reject hasty if client.pipelining-abuse }"},
    {"refused-at-helo", "< 220\n> EHLO c\n< 550\n> MAIL FROM:<>\n< 503\n",
     .rules = "at helo { reject no }"},
    {"refused-at-mail", HELLO "> MAIL FROM:<>\n< 550\n> RCPT TO:<x@y>\n< 503\n",
     .rules = "at mail { reject no }"},
    {"refused-at-data", HELLO ENVELOPE "> DATA\n< 550\n> DATA\n< 503\n",
     .rules = "at data { reject no }"},
    {"refused-at-message",
     HELLO ENVELOPE "> DATA\n< 354\n> .\n< 550\n> DATA\n< 503\n",
     .rules = "at message { reject no }"},
    {"proxied",
     "> PROXY TCP4 192.0.2.1 198.51.100.2 1 25\n< 554\n= 192.0.2.1\n",
     .listen = "proxy-from 127.0.0.0/8",
     .rules = "at connect { reject no reply 554 \"{client.ip}\" }"},
    {"not-proxied", "> EHLO c.test\n$\n", .listen = "proxy-from 127.0.0.0/8",
     .log = "no PROXY header"},
    {"proxied-by-a-stranger", "< 220\n> PROXY UNKNOWN\n< 500\n"},
};

/* ---- chunks (RFC 3030) -------------------------------------------------- */

#define TEXT "A: b\\r\\n\\r\\nc\\r\\n"
#define SAID "EHLO mx.test\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\n"

/* A NUL, a bare CR and LF, and no line's end, in the body. */
#define OCTETS "c\\000\\r\\n.\\r\\nd\\re\\nf"
#define BINARY "250-b\r\n250-8BITMIME\r\n250-CHUNKING\r\n250 BINARYMIME\r\n"
#define BINARY_MAIL                                         \
    HELLO "> MAIL FROM:<a@c.test> BODY=BINARYMIME\n< 250\n" \
          "> RCPT TO:<b@mx.test>\n< 250\n"

static void
check_octets(void *data G_GNUC_UNUSED, const GString *message)
{
    static const char end[] = "\r\n\r\nc\0\r\n.\r\nd\re\nf";
    gsize size = sizeof end - 1;
    g_assert_cmpuint(message->len, >, size);
    g_assert_cmpmem(message->str + message->len - size, size, end, size);
}

static const GatewayCase binary[] = {
    {"is-offered-as-the-backend-does",
     "< 220\n> EHLO c.test\n< 250\n= BINARYMIME\n",
     .server.replies[BACKEND_EHLO] = BINARY},
    {"is-not-without-chunking", "< 220\n> EHLO c.test\n< 250\n/ BINARYMIME\n",
     .server.replies[BACKEND_EHLO] =
         "250-b\r\n250-8BITMIME\r\n250 BINARYMIME\r\n"},
    {"goes-on-octet-for-octet",
     BINARY_MAIL "~ BDAT 8\\r\\nA: b\\r\\n\\r\\n\n< 250\n"
                 "~ BDAT 12 LAST\\r\\n" OCTETS "\n< 250 2.0.0 queued\n",
     .messages = 1, .server.taken = check_octets,
     .server.replies[BACKEND_EHLO] = BINARY},
    {"an-odd-header-is-refused-all-the-same",
     BINARY_MAIL "~ BDAT 10 LAST\\r\\nA: b\\nc\\r\\n\\r\\n\n< 550 5.6.11\n",
     .server.replies[BACKEND_EHLO] = BINARY},
    {"data-is-no-way-for-it",
     BINARY_MAIL "> DATA\n< 503 5.5.1\n> NOOP\n< 250\n",
     .server.replies[BACKEND_EHLO] = BINARY},
    {"the-next-message-has-lines-again",
     BINARY_MAIL
     "~ BDAT 8 LAST\\r\\nA: b\\r\\n\\r\\n\n< 250 2.0.0 queued\n" ENVELOPE
         MESSAGE,
     .messages = 2, .heard = NULL, .server.replies[BACKEND_EHLO] = BINARY},
    {"its-refusal-is-the-client's",
     BINARY_MAIL "~ BDAT 8 LAST\\r\\nA: b\\r\\n\\r\\n\n< 554 5.6.0\n"
                 "> NOOP\n< 250\n",
     .messages = 1,
     .server.replies =
         {[BACKEND_EHLO] = BINARY, [BACKEND_END] = "554 5.6.0 no\r\n"}},
    {"a-fault-is-451",
     BINARY_MAIL "~ BDAT 8 LAST\\r\\nA: b\\r\\n\\r\\n\n< 451 4.3.0\n"
                 "> NOOP\n< 250\n",
     .messages = 1,
     .server.replies = {[BACKEND_EHLO] = BINARY, [BACKEND_END] = "!"}},
};

#define DSN_OFFERED "250-b\r\n250 DSN\r\n"
#define SHRUNK                                                                 \
    HELLO "! swap\n< 220\n> EHLO d.test\n< 250\n= 8BITMIME\n! kick\n" ENVELOPE \
          "> RSET\n< 250\n! swap\n"

/* Another connection to the backend has told of less since. */
static const GatewayCase shrunk[] = {
    {"mail-that-was-promised-is-451",
     SHRUNK "> MAIL FROM:<a@c.test> BODY=8BITMIME\n< 250\n"
            "> RCPT TO:<b@mx.test>\n< 451 4.3.0\n",
     .server = {.spared = 1, .replies[BACKEND_EHLO] = "250 b\r\n"}},
};

static const GatewayCase withheld[] = {
    {"parameters-of-rcpt",
     HELLO "> MAIL FROM:<a@c.test>\n< 250\n"
           "> RCPT TO:<b@mx.test> NOTIFY=NEVER\n< 555\n",
     .listen = "without DSN", .server.replies[BACKEND_EHLO] = DSN_OFFERED},
    {"extensions",
     "< 220\n> EHLO c.test\n< 250\n/ 8BITMIME\n/ DSN\n"
     "= SMTPUTF8\n> MAIL FROM:<a@c.test> RET=HDRS\n< 555\n",
     .listen = "without 8BITMIME DSN",
     .server.replies[BACKEND_EHLO] =
         "250-b\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 DSN\r\n"},
    {"chunks",
     "< 220\n> EHLO c.test\n< 250\n/ CHUNKING\n/ BINARYMIME\n" ENVELOPE
     "~ BDAT 8 LAST\\r\\nA: b\\r\\n\\r\\n\n< 502 5.5.1\n" MESSAGE,
     .listen = "without CHUNKING", .messages = 1,
     .server.replies[BACKEND_EHLO] = BINARY},
};

static const GatewayCase chunks[] = {
    {"announced", "< 220\n> EHLO c.test\n< 250\n= 250-CHUNKING\n"
                  "/ BINARYMIME\n"},
    {"one", HELLO ENVELOPE "~ BDAT 11 LAST\\r\\n" TEXT "\n< 250 2.0.0 queued\n",
     .messages = 1, .message = "A: b\r\n\r\nc\r\n",
     .heard = SAID "DATA\nmessage\n"},
    {"several",
     HELLO ENVELOPE "~ BDAT 4\\r\\nA: b\n< 250 2.0.0 4 octets\n"
                    "~ bdat 7\\r\\n\\r\\n\\r\\nc\\r\\n\n< 250 2.0.0 7\n"
                    "> BDAT 0 LAST\n< 250 2.0.0 queued\n",
     .messages = 1, .message = "A: b\r\n\r\nc\r\n"},
    {"pipelined-with-the-envelope",
     HELLO "~ MAIL FROM:<a@c.test>\\r\\nRCPT TO:<b@mx.test>\\r\\n"
           "BDAT 5\\r\\nA: b\\rBDAT 6 last\\r\\n\\n\\r\\nc\\r\\nNOOP\\r\\n\n"
           "< 250 2.1.0\n< 250 2.1.5\n< 250 2.0.0 5 octets\n"
           "< 250 2.0.0 queued\n< 250 2.0.0 ok\n",
     .messages = 1, .message = "A: b\r\n\r\nc\r\n"},
    {"nothing-at-all", HELLO ENVELOPE "> BDAT 0 LAST\n< 250 2.0.0 queued\n",
     .messages = 1, .message = "Received: from c.test"},
    {"without-a-last-line-end",
     HELLO ENVELOPE
     "~ BDAT 9 LAST\\r\\nA: b\\r\\n\\r\\nc\n< 250 2.0.0 queued\n",
     .messages = 1, .message = "A: b\r\n\r\nc\r\n"},
    {"a-dot-is-content",
     HELLO ENVELOPE "~ BDAT 36 LAST\\r\\nA: b\\r\\n\\r\\nc\\r\\n.\\r\\n"
                    "MAIL FROM:<x@y.z>\\r\\n..\\r\n< 550 5.6.11\n" ENVELOPE
                    "~ BDAT 37 LAST\\r\\nA: b\\r\\n\\r\\nc\\r\\n.\\r\\n"
                    "MAIL FROM:<x@y.z>\\r\\n..\\r\\n\n< 250 2.0.0 queued\n",
     .messages = 1,
     .message = "\r\n\r\nc\r\n..\r\nMAIL FROM:<x@y.z>\r\n...\r\n"},
    {"a-dot-at-the-border",
     HELLO ENVELOPE "~ BDAT 12\\r\\nA: b\\r\\n\\r\\n.\\r\\n.\n< 250\n"
                    "~ BDAT 3 LAST\\r\\n\\r\\n.\n< 250 2.0.0 queued\n",
     .messages = 1, .message = "\r\n\r\n..\r\n..\r\n..\r\n"},
    {"bare-lf",
     HELLO ENVELOPE "~ BDAT 7\\r\\nA: b\\nc\\r\n< 250 2.0.0\n"
                    "~ BDAT 1 LAST\\r\\n\\n\n< 550 5.6.11\n"
                    "> DATA\n< 503\n",
     .log = "-newline", .heard = SAID "RSET\n"},
    {"bare-cr-between-chunks",
     HELLO ENVELOPE "~ BDAT 5\\r\\nA: b\\r\n< 250\n~ BDAT 1 LAST\\r\\nx\n"
                    "< 550 5.6.11\n"},
    {"bare-cr-at-the-end",
     HELLO ENVELOPE "~ BDAT 5 LAST\\r\\nA: b\\r\n< 550 5.6.11\n"},
    {"nul", HELLO ENVELOPE "~ BDAT 3 LAST\\r\\nA\\000b\n< 550 5.6.11\n"},
    {"bare-newlines-made-whole",
     HELLO ENVELOPE "~ BDAT 12 LAST\\r\\nA: b\\n\\nc\\r.\\nd\\r\n< 250\n",
     .rules = "set line-endings normalize", .messages = 1,
     .message = "A: b\r\n\r\nc\r\n..\r\nd\r\n"},
    {"eightbit-for-a-backend-of-seven",
     HELLO ENVELOPE "~ BDAT 3\\r\\nA: \n< 250\n~ BDAT 3 LAST\\r\\n\\377\\r\\n\n"
                    "< 554 5.6.3\n",
     .server.replies[BACKEND_EHLO] = "250 b\r\n", .log = "-eightbit"},
    {"too-large-over-all",
     HELLO ENVELOPE
     "~ BDAT 30\\r\\nA: b\\r\\n\\r\\n0123456789012345678901\n< 250\n"
     "~ BDAT 30\\r\\n012345678901234567890123456789\n< 250\n"
     "> BDAT 0 LAST\n< 552 5.3.4\n> NOOP\n< 250\n",
     .server.replies[BACKEND_EHLO] = "250-b\r\n250 SIZE 50\r\n",
     .log = "-size"},
    {"before-mail", HELLO "~ BDAT 6\\r\\nQUIT\\r\\n\n< 503 5.5.1\n> NOOP\n"
                          "< 250\n"},
    {"before-rcpt", HELLO "> MAIL FROM:<>\n< 250\n"
                          "~ BDAT 6 LAST\\r\\nQUIT\\r\\n\n< 503 5.5.1\n"
                          "> RCPT TO:<b@mx.test>\n< 250 2.1.5\n"},
    {"after-a-refused-recipient",
     HELLO "> MAIL FROM:<>\n< 250\n> RCPT TO:<b@mx.test>\n< 550\n"
           "~ BDAT 6\\r\\nQUIT\\r\\nBDAT 6 LAST\\r\\nQUIT\\r\\nNOOP\\r\\n\n"
           "< 503 5.5.1\n< 503 5.5.1\n< 250\n",
     .rules = "at rcpt { reject no }"},
    {"after-data",
     HELLO ENVELOPE MESSAGE
     "~ BDAT 6 LAST\\r\\nQUIT\\r\\n\n< 503 5.5.1\n> NOOP\n< 250\n",
     .messages = 1},
    {"after-the-last",
     HELLO ENVELOPE "~ BDAT 11 LAST\\r\\n" TEXT "\n< 250\n"
                    "~ BDAT 6\\r\\nQUIT\\r\\n\n< 503 5.5.1\n"
                    "> NOOP\n< 250\n",
     .messages = 1},
    {"then-data",
     HELLO ENVELOPE "~ BDAT 4\\r\\nA: b\n< 250\n> DATA\n"
                    "< 503 5.5.1\n~ BDAT 2 LAST\\r\\n\\r\\n\n"
                    "< 250 2.0.0 queued\n",
     .messages = 1, .heard = SAID "DATA\nmessage\n"},
    {"then-rcpt", HELLO ENVELOPE "~ BDAT 4\\r\\nA: b\n< 250\n"
                                 "> RCPT TO:<c@mx.test>\n< 503 5.5.1\n"},
    {"then-mail", HELLO ENVELOPE "~ BDAT 4\\r\\nA: b\n< 250\n"
                                 "> MAIL FROM:<x@y.z>\n< 503 5.5.1\n"},
    {"then-noop",
     HELLO ENVELOPE "~ BDAT 4\\r\\nA: b\n< 250\n> NOOP\n< 250\n"
                    "~ BDAT 2 LAST\\r\\n\\r\\n\n< 250 2.0.0 q\n",
     .messages = 1},
    {"then-rset",
     HELLO ENVELOPE "~ BDAT 4\\r\\nA: b\n< 250\n> RSET\n< 250\n"
                    "~ BDAT 2 LAST\\r\\n\\r\\n\n< 503\n" ENVELOPE
                    "~ BDAT 11 LAST\\r\\n" TEXT "\n< 250\n",
     .messages = 1,
     .heard = SAID "RSET\nMAIL FROM:<a@c.test>\n"
                   "RCPT TO:<b@mx.test>\nDATA\nmessage\n"},
    {"then-ehlo", HELLO ENVELOPE "~ BDAT 4\\r\\nA: b\n< 250\n> EHLO c\n< 250\n"
                                 "~ BDAT 2 LAST\\r\\n\\r\\n\n< 503\n"},
    {"then-a-message-with-data",
     HELLO ENVELOPE "~ BDAT 11 LAST\\r\\n" TEXT "\n< 250\n" ENVELOPE MESSAGE,
     .messages = 2, .message = "\r\nSubject: s\r\n\r\nbody\r\n"},
    {"refused-at-data",
     HELLO ENVELOPE "~ BDAT 6\\r\\nQUIT\\r\\nBDAT 6 LAST\\r\\nQUIT\\r\\n\n"
                    "< 550\n< 503\n> NOOP\n< 250\n",
     .rules = "at data { reject no }", .heard = SAID "RSET\n"},
    {"refused-at-message",
     HELLO ENVELOPE "~ BDAT 11 LAST\\r\\n" TEXT "\n< 550\n> DATA\n< 503\n",
     .rules = "at message { reject no }"},
    {"refused-at-connect",
     "< 554\n~ BDAT 6\\r\\nNOOP\\r\\n\n< 503\n> QUIT\n< 221\n$\n",
     .rules = "at connect { reject no }"},
    {"discarded",
     HELLO "> MAIL FROM:<>\n< 250\n> RCPT TO:<b@mx.test>\n< 250\n"
           "~ BDAT 11 LAST\\r\\n" TEXT "\n< 250\n",
     .backend = "-", .rules = "at rcpt { discard all }"},
    {"the-backend-fails",
     HELLO ENVELOPE "~ BDAT 11 LAST\\r\\n" TEXT
                    "\n< 451 4.3.0\n> NOOP\n< 250\n",
     .server.replies[BACKEND_DATA] = BACKEND_CLOSES},
    {"cut-in-a-chunk", HELLO ENVELOPE "~ BDAT 12 LAST\\r\\n" TEXT "\n! cut\n"},
    {"cut-before-the-last", HELLO ENVELOPE "~ BDAT 11\\r\\n" TEXT "\n< 250\n"
                                           "! cut\n"},
    {"slow",
     HELLO ENVELOPE "~ BDAT 1\\r\\nA\n< 250\n~ BDAT 9 LAST\\r\\nb\n"
                    "+ 30000\n~ b\n+ 31000\n< 421 4.4.2\n$\n",
     .listen = "data-timeout 1m", .log = "-timeout"},
    {"slow-chunk-by-chunk",
     HELLO ENVELOPE "~ BDAT 1\\r\\nA\n< 250\n+ 30000\n~ BDAT 1\\r\\nb\n< 250\n"
                    "+ 30000\n~ BDAT 1\\r\\nc\n< 421 4.4.2\n$\n",
     .listen = "data-timeout 1m", .log = "-timeout"},
    {"slow-where-none-may-be", HELLO "~ BDAT 9\\r\\nA\n< 421 4.4.2\n$\n",
     .listen = "data-timeout 20ms", .clock_runs = TRUE},
};

/* Where the chunk ends cannot be told: the connection ends instead. */
static const char *const odd_sizes[] = {
    "501 BDAT",
    "501 BDAT LAST",
    "501 BDAT -1",
    "501 BDAT +5",
    "501 BDAT 0x10",
    "501 BDAT 5.",
    "501 BDAT 5LAST",
    "501 BDAT 5 FIRST",
    "501 BDAT 5 LAST LAST",
    "501 BDAT 5 5",
    "501 BDAT 9223372036854775807",
    "501 BDAT 18446744073709551617",
    "501 BDAT 00000000000000000005",
    "500 BDAT\\t5",
    "500 BDAT5",
    "500 bdat:5",
    "500 BDAT 5\\000",
    "500 BDAT 5\\r",
};

static void
test_odd_sizes(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(odd_sizes); i++) {
        g_autofree char *code = g_strndup(odd_sizes[i], 3);
        g_autofree char *dialogue =
            g_strconcat(HELLO ENVELOPE "~ ", odd_sizes[i] + 4,
                        "\\r\\nNOOP\\r\\n\n< ", code, " 5.5.\n$\n", NULL);
        const GatewayCase scene = {.dialogue = dialogue,
                                   .heard = SAID "RSET\n"};
        gateway_test(&scene);
    }
    g_autofree char *blanks = g_strnfill(3000, ' ');
    g_autofree char *dialogue = g_strconcat(HELLO ENVELOPE "~ BDAT ", blanks,
                                            "\\r\\n\n< 500 5.5.2\n$\n", NULL);
    const GatewayCase scene = {.dialogue = dialogue};
    gateway_test(&scene);
    const GatewayCase bare = {.dialogue = HELLO ENVELOPE
                              "~ BDAT 5\\n\n< 500 5.5.2\n$\n"};
    gateway_test(&bare);
}

/* With EHLO a hundred are free, max-errors more are borne. */
static void
test_empty_chunks(void)
{
    g_autoptr(GString) dialogue = g_string_new(HELLO ENVELOPE);
    for (unsigned i = 0; i < 99 + 5; i++)
        g_string_append(dialogue, "> BDAT 0\n< 250 2.0.0 0 octets\n");
    g_string_append(dialogue, "> BDAT 0 LAST\n< 421 4.7.0\n$\n");
    const GatewayCase scene = {.dialogue = dialogue->str, .log = "-errors"};
    gateway_test(&scene);
}

/* Turns that the gateway gets between two pieces. */
#define TURNS 10

static void
speak_in_two(Gateway *gateway, const char *text, gsize cut)
{
    gsize length;
    g_autoptr(Stream) stream = stream_new(gateway_connect(gateway));
    stream_write(stream, text, cut);
    stream_flush(stream);
    for (unsigned i = 0; i < TURNS; i++)
        fiber_yield();
    stream_write(stream, text + cut, strlen(text + cut));
    stream_flush(stream);
    while (stream_fill(stream) == STREAM_OK)
        continue;
    const char *replies = stream_peek(stream, &length);
    g_assert_nonnull(g_strstr_len(replies, (gssize)length,
                                  "\r\n250 2.0.0 8 octets\r\n250 2.0.0 queued "
                                  "as 1\r\n250 2.0.0 ok\r\n221 2.0.0"));
}

/* A whole session with two chunks, cut in two at each octet. */
static void
split_anywhere(Gateway *gateway, void *data G_GNUC_UNUSED)
{
    const char *text = "EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@mx.test>\r\n"
                       "BDAT 8\r\nA: b\r\n\r\nBDAT 7 LAST\r\n.\r\nx\r\n."
                       "NOOP\r\nQUIT\r\n";
    Backend *backend = gateway_backend(gateway);
    for (gsize cut = 1; cut < strlen(text); cut++) {
        speak_in_two(gateway, text, cut);
        g_assert_cmpuint(backend->messages, ==, cut);
        g_assert_true(g_str_has_suffix(backend->message->str,
                                       "\r\n\r\n..\r\nx\r\n..\r\n"));
    }
}

static void
test_split_anywhere(void)
{
    const GatewayCase scene = {.listen = NULL};
    gateway_run(&scene, split_anywhere, NULL);
}

/* ---- clients that are no clients ---------------------------------------- */

#define COMMANDS 10000
/* What is answered before errors or junk end it. */
#define OUTPUT_LIMIT (256 * 1024)

static gsize
count_octets(int fd)
{
    char buffer[65536];
    gsize sum = 0;
    ssize_t length;
    while ((length = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0)
        sum += (gsize)length;
    return sum;
}

static void
flood(Gateway *gateway, void *data)
{
    const char *command = data;
    int fd = gateway_connect(gateway);
    Stream *stream = stream_new(dup(fd));
    stream_write(stream, "EHLO c\r\nMAIL FROM:<>\r\n", 23);
    for (unsigned i = 0; i < COMMANDS; i++)
        stream_write(stream, command, strlen(command));
    stream_flush(stream);
    while (gateway_sessions(gateway) > 0)
        fiber_yield();
    g_assert_cmpuint(count_octets(fd), <, OUTPUT_LIMIT);
    stream_free(stream);
    close(fd);
}

/* Nobody reads what they are told. */
static void
test_floods_end(void)
{
    static const char *const commands[] = {
        "NOOP\r\n",
        "RSET\r\n",
        "EHLO c\r\n",
        "HELP\r\n",
        "VRFY x\r\n",
        "FOO\r\n",
        "\r\n",
        "\n",
        "RCPT TO:<a@b>\r\n",
        "DATA\r\n",
        "BDAT 0\r\n",
        "BDAT 1\r\nx",
        "RSET\r\nMAIL FROM:<>\r\n",
        "MAIL FROM:<> SIZE=99999999999\r\nRSET\r\n",
    };
    const GatewayCase scene = {.rules = "at rcpt { tempfail no }"};
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++)
        gateway_run(&scene, flood, (void *)commands[i]);
    g_autofree char *line = g_strnfill(3000, 'x');
    line[2998] = '\r';
    line[2999] = '\n';
    gateway_run(&scene, flood, line);
}

static void
cut_anywhere(Gateway *gateway, void *data G_GNUC_UNUSED)
{
    const char *message = "A: b\r\n\r\nc\r\n.\r\n";
    for (gsize cut = 0; cut < strlen(message); cut++) {
        g_autofree char *part = g_strndup(message, cut);
        g_autofree char *escaped = g_strescape(part, NULL);
        g_autofree char *dialogue =
            g_strconcat(HELLO ENVELOPE "> DATA\n< 354\n~ ", escaped, NULL);
        gateway_talk(gateway, dialogue);
    }
    while (gateway_sessions(gateway) > 0)
        fiber_yield();
    g_assert_cmpuint(gateway_backend(gateway)->messages, ==, 0);
}

static void
test_cut_anywhere(void)
{
    const GatewayCase scene = {.listen = NULL};
    gateway_run(&scene, cut_anywhere, NULL);
}

#define TRUSTED .listen = "xclient-from 127.0.0.0/8"

static const GatewayCase xclients[] = {
    {"not-from-everybody",
     "< 220\n> EHLO c\n< 250\n/ XCLIENT\n> XCLIENT ADDR=192.0.2.1\n"
     "< 550 5.7.0\n",
     .listen = "xclient-from 192.0.2.0/24"},
    {"begins-again-with-the-greeting",
     "< 220\n> EHLO c\n< 250\n= XCLIENT NAME ADDR PORT PROTO HELO LOGIN "
     "DESTADDR DESTPORT\n> XCLIENT ADDR=192.0.2.1\n< 220\n"
     "> MAIL FROM:<a@c.test>\n< 503\n> EHLO d.test\n< 250\n"
     "> XCLIENT ADDR=192.0.2.2\n< 220\n",
     TRUSTED},
    {"not-within-a-transaction",
     HELLO "> MAIL FROM:<a@c.test>\n< 250\n> XCLIENT ADDR=192.0.2.1\n< 503 "
           "5.5.1\n> RSET\n< 250\n"
           "> XCLIENT ADDR=192.0.2.1\n< 220\n",
     TRUSTED},
    {"what-is-not-legal-changes-nothing",
     HELLO "> XCLIENT ADDR=192.0.2.1 HELO=a+0D+0A\n< 501 5.5.4\n"
           "> XCLIENT\n< 501 5.5.4\n" ENVELOPE,
     TRUSTED},
    {"is-judged-at-connect", "< 220\n> XCLIENT ADDR=192.0.2.1\n< 554\n",
     TRUSTED, .rules = "at connect { reject bad if client.ip = 192.0.2.1 }"},
    {"nobody-is-not-local",
     "< 220\n> EHLO c\n< 550\n> XCLIENT ADDR=[UNAVAILABLE]\n< 220\n"
     "> EHLO c\n< 250\n",
     TRUSTED, .rules = "at helo { reject us if client.ip = 127.0.0.1 }"},
    {"goes-on-to-the-backend",
     "< 220\n> XCLIENT ADDR=192.0.2.1 NAME=c.test\n< 220\n"
     "> EHLO d.test\n< 250\n" ENVELOPE MESSAGE,
     TRUSTED, .messages = 1, .backend = "identity xclient",
     .heard = "EHLO mx.test\nXCLIENT NAME=c.test ADDR=192.0.2.1 HELO=d.test\n"
              "EHLO d.test\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\n"
              "DATA\nmessage\n"},
};

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    gateway_add("/wire/server/syntax/", syntax, G_N_ELEMENTS(syntax));
    gateway_add("/wire/server/dialogue/", dialogues, G_N_ELEMENTS(dialogues));
    gateway_add("/wire/server/limit/", limits, G_N_ELEMENTS(limits));
    gateway_add("/wire/server/binary/", binary, G_N_ELEMENTS(binary));
    gateway_add("/wire/server/shrunk/", shrunk, G_N_ELEMENTS(shrunk));
    gateway_add("/wire/server/withheld/", withheld, G_N_ELEMENTS(withheld));
    gateway_add("/wire/server/chunks/", chunks, G_N_ELEMENTS(chunks));
    g_test_add_func("/wire/server/chunks/of-no-certain-size-end-it",
                    test_odd_sizes);
    g_test_add_func("/wire/server/chunks/empty-ones-have-an-end",
                    test_empty_chunks);
    g_test_add_func("/wire/server/chunks/split-anywhere", test_split_anywhere);
    gateway_add("/wire/server/greeting/", greetings, G_N_ELEMENTS(greetings));
    g_test_add_func("/wire/server/floods-end-without-a-reader",
                    test_floods_end);
    g_test_add_func("/wire/server/a-message-cut-anywhere-is-not-delivered",
                    test_cut_anywhere);
    gateway_add("/wire/server/xclient/", xclients, G_N_ELEMENTS(xclients));
    return g_test_run();
}
