/* lmtp.c: tests of LMTP on either side: recipients are answered one by one
 * (RFC 2033).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/wire/gateway.h"

#define HELLO "< 220 mx.test LMTP\n> LHLO c.test\n< 250\n"
#define SMTP_HELLO "< 220 mx.test ESMTP\n> EHLO c.test\n< 250\n"
#define MAIL "> MAIL FROM:<a@c.test>\n< 250 2.1.0\n"
#define RCPT(name) "> RCPT TO:<" name "@mx.test>\n< 250 2.1.5\n"
#define CONTENT "> DATA\n< 354\n> From: <a@c.test>\n> \n> body\n> .\n"
#define DELIVERED "< 250 2.0.0 queued\n"
#define MESSAGE "message\n"
#define HEARD(name) "RCPT TO:<" name "@mx.test>\n"
#define LHLO_HEARD "LHLO mx.test\n"
#define MAIL_HEARD "MAIL FROM:<a@c.test>\n"

/* ---- the client's side -------------------------------------------------- */

static const GatewayCase verbs[] = {
    {"ehlo-and-helo-are-unknown",
     "< 220 mx.test LMTP\n> EHLO c.test\n< 500 5.5.1\n> HELO c.test\n"
     "< 500 5.5.1\n> MAIL FROM:<a@c.test>\n< 503 5.5.1\n> LHLO c.test\n< 250\n",
     .wire = "lmtp"},
    {"lhlo-is-unknown-to-smtp", "< 220 mx.test ESMTP\n> LHLO c.test\n"
                                "< 500 5.5.1\n"},
    {"data-without-recipients-is-503",
     HELLO MAIL "> DATA\n< 503 5.5.1\n> NOOP\n< 250\n", .wire = "lmtp"},
    {"received-says-so", HELLO MAIL RCPT("b") CONTENT DELIVERED, .wire = "lmtp",
     .message = "with LMTP id", .messages = 1},
};

/* ---- the four combinations ---------------------------------------------- */

#define SPLIT_BY_RULE \
    "at message { reject no if rcpt.local = \"c\" reply 550 5.7.1 \"no\" }"

static const GatewayCase combinations[] = {
    {"one-reply-of-smtp-is-for-all",
     HELLO MAIL RCPT("b") RCPT("c") CONTENT DELIVERED DELIVERED "> QUIT\n"
                                                                "< 221\n",
     .wire = "lmtp", .messages = 1},
    {"each-reply-of-lmtp-is-for-one",
     HELLO MAIL RCPT("b") RCPT("c") RCPT("d") CONTENT
     "< 250 2.0.0 b\n< 452 4.2.2 c\n< 550 5.1.1 d\n"
     "> NOOP\n< 250\n",
     .wire = "lmtp", .server.local = TRUE, .messages = 1,
     .server.replies[BACKEND_END] =
         "250 2.0.0 b\r\n452 4.2.2 c\r\n550 5.1.1 d\r\n",
     .log = "to=c@mx.test"},
    {"each-reply-may-have-lines",
     HELLO MAIL RCPT("b") RCPT("c") CONTENT "< 550-5.1.1 no\n< 250 2.0.0 c\n",
     .wire = "lmtp", .messages = 1, .server.local = TRUE,
     .server.replies[BACKEND_END] =
         "550-5.1.1 no\r\n550 5.1.1 never\r\n250 2.0.0 c\r\n"},
    {"smtp-has-one-recipient-before-lmtp",
     SMTP_HELLO "= LIMITS RCPTMAX=1\n" MAIL RCPT(
         "b") "> RCPT TO:<c@mx.test>\n< 452 4.5.3\n" CONTENT DELIVERED
              "> MAIL FROM:<a@c.test>\n< 250\n" RCPT("c") CONTENT DELIVERED,
     .messages = 2, .server.local = TRUE,
     .heard = LHLO_HEARD MAIL_HEARD HEARD(
         "b") "DATA\n" MESSAGE MAIL_HEARD HEARD("c") "DATA\n" MESSAGE},
    {"a-refused-recipient-is-none",
     SMTP_HELLO MAIL "> RCPT TO:<b@mx.test>\n< 550 5.1.1\n" RCPT("c")
         CONTENT DELIVERED,
     .messages = 1, .server.local = TRUE,
     .server.replies[BACKEND_RCPT] = "550 5.1.1 no\r\n|250 2.1.5 ok\r\n"},
};

/* ---- mixed-replies defer ------------------------------------------------ */

#define DEFER "set mixed-replies defer"
#define TWO SMTP_HELLO "= RCPTMAX=1000\n" MAIL RCPT("b") RCPT("c") CONTENT

static const GatewayCase mixed[] = {
    {"two-yes-are-one", TWO DELIVERED, .rules = DEFER, .messages = 1,
     .server.local = TRUE},
    {"two-no-are-one", TWO "< 550 5.1.1 b\n", .rules = DEFER, .messages = 1,
     .server.local = TRUE,
     .server.replies[BACKEND_END] = "550 5.1.1 b\r\n554 5.2.0 c\r\n"},
    {"yes-and-no-are-451", TWO "< 451 4.3.0\n> NOOP\n< 250\n", .rules = DEFER,
     .messages = 1, .server.local = TRUE, .log = "rule=-mixed-replies",
     .server.replies[BACKEND_END] = "250 2.0.0 b\r\n554 5.2.0 c\r\n"},
    {"later-and-no-are-451", TWO "< 451 4.3.0\n", .rules = DEFER, .messages = 1,
     .server.local = TRUE,
     .server.replies[BACKEND_END] = "452 4.2.2 b\r\n554 5.2.0 c\r\n"},
};

/* ---- groups ------------------------------------------------------------- */

static const GatewayCase groups[] = {
    {"each-group-has-its-verdict",
     HELLO MAIL RCPT("b") RCPT("c") RCPT("d") CONTENT
     "< 250 2.0.0\n< 550 5.7.1 no\n< 250 2.0.0\n",
     .wire = "lmtp", .rules = SPLIT_BY_RULE, .messages = 1,
     .heard = "EHLO mx.test\n" MAIL_HEARD HEARD("b") HEARD("c")
         HEARD("d") "RSET\n" MAIL_HEARD HEARD("b") HEARD("d") "DATA\n" MESSAGE},
    {"the-first-may-be-refused",
     HELLO MAIL RCPT("c") RCPT("b") CONTENT "< 550 5.7.1 no\n< 250 2.0.0\n",
     .wire = "lmtp", .rules = SPLIT_BY_RULE, .messages = 1},
    {"data-is-judged-by-group",
     HELLO MAIL RCPT("b") RCPT("c") CONTENT "< 250 2.0.0\n< 550 5.7.1 no\n",
     .wire = "lmtp", .messages = 1,
     .rules = "at data { reject no if rcpt.local = \"c\" "
              "reply 550 5.7.1 \"no\" }"},
    {"data-for-one-group-is-refused-at-once",
     HELLO MAIL RCPT("c") "> DATA\n< 550 5.7.1 no\n> NOOP\n< 250\n",
     .wire = "lmtp",
     .rules = "at data { reject no if rcpt.local = \"c\" "
              "reply 550 5.7.1 \"no\" }"},
    {"each-group-has-its-edits",
     HELLO MAIL RCPT("b") RCPT("c") CONTENT DELIVERED DELIVERED, .wire = "lmtp",
     .messages = 2, .message = "X-For: c\r\nFrom:",
     .rules = "at message { rewrite add-header(\"X-For\", \"b\") "
              "if rcpt.local = \"b\" rewrite add-header(\"X-For\", \"c\") "
              "if rcpt.local = \"c\" }"},
    {"scores-do-not-add-up-over-groups",
     HELLO MAIL RCPT("b") RCPT("c") CONTENT DELIVERED DELIVERED, .wire = "lmtp",
     .messages = 2,
     .rules = "at message { score 3 mail score 1 c if rcpt.local = \"c\" "
              "reject much if score > 4 }"},
    {"an-accepted-one-is-no-friend-of-others",
     HELLO MAIL RCPT("b") RCPT("c") RCPT("d") CONTENT
     "< 250 2.0.0\n< 550 5.7.1 no\n< 250 2.0.0\n",
     .wire = "lmtp", .messages = 2,
     .rules = "at rcpt { accept fine if rcpt.local = \"b\" }\n" SPLIT_BY_RULE},
    {"who-was-discarded-is-told-yes",
     HELLO MAIL RCPT("b") RCPT("x") CONTENT "< 550 5.7.1 no\n< 250 2.0.0 ok\n",
     .wire = "lmtp", .log = "discarded",
     .rules = "at rcpt { discard gone if rcpt.local = \"x\" } "
              "at message { reject no reply 550 5.7.1 \"no\" }"},
    {"the-wire-refuses-all",
     HELLO MAIL RCPT("b") RCPT(
         "c") "> DATA\n< 354\n~ a: b\\rc\\r\\n\\r\\n.\\r\\n\n< 550 5.6.11\n"
              "< 550 5.6.11\n> NOOP\n< 250\n",
     .wire = "lmtp"},
    {"chunks-are-answered-one-by-one",
     HELLO MAIL RCPT("b")
         RCPT("c") "~ BDAT 8 LAST\\r\\na: b\\r\\n\\r\\n\n" DELIVERED DELIVERED,
     .wire = "lmtp", .server.local = TRUE, .messages = 1},
    {"smtp-splits-by-rules-at-data",
     SMTP_HELLO MAIL RCPT("b") "> RCPT TO:<c@mx.test>\n< 452 4.5.3\n",
     .rules = "at data { reject no if rcpt.local = \"c\" "
              "reply 550 5.7.1 \"no\" }"},
    {"an-edited-envelope-has-one-answer",
     HELLO MAIL RCPT("b") RCPT("c") CONTENT "< 451 4.3.0\n< 451 4.3.0\n",
     .wire = "lmtp", .server.local = TRUE, .messages = 1,
     .rules = "at message { rewrite add-recipient(\"d@mx.test\") }",
     .server.replies[BACKEND_END] =
         "250 2.0.0 b\r\n250 2.0.0 c\r\n550 5.1.1 d\r\n"},
};

/* ---- faults ------------------------------------------------------------- */

static const GatewayCase faults[] = {
    {"what-was-answered-stands",
     HELLO MAIL RCPT("b") RCPT("c") CONTENT "< 250 2.0.0 b\n< 451 4.3.0\n",
     .wire = "lmtp", .messages = 1, .server.local = TRUE,
     .log = "accepted session",
     .server.replies[BACKEND_END] = "!250 2.0.0 b\r\n"},
    {"silence-behind-the-first",
     HELLO MAIL RCPT("b") RCPT("c") CONTENT "+ 30000\n< 250 2.0.0 b\n"
                                            "< 451 4.3.0\n",
     .wire = "lmtp", .messages = 1, .server.local = TRUE,
     .server.replies[BACKEND_END] = "250 2.0.0 b\r\n"},
    {"a-reply-too-many-is-not-the-next-one's",
     HELLO MAIL RCPT("b") CONTENT "< 250 2.0.0 b\n" MAIL RCPT("b")
         CONTENT DELIVERED,
     .wire = "lmtp", .server.local = TRUE, .connections = 2, .messages = 2,
     .server.spoiled = 1,
     .server.replies[BACKEND_END] = "250 2.0.0 b\r\n550 5.1.1 c\r\n"},
    {"nonsense-is-451",
     HELLO MAIL RCPT("b") RCPT("c") CONTENT "< 250 2.0.0 b\n< 451 4.3.0\n",
     .wire = "lmtp", .messages = 1, .server.local = TRUE,
     .server.replies[BACKEND_END] = "250 2.0.0 b\r\nwhat?\r\n"},
    {"a-second-354-makes-nobody-hear-the-yes-of-another",
     HELLO MAIL RCPT("b") RCPT("c") CONTENT "< 451 4.3.0\n< 451 4.3.0\n",
     .wire = "lmtp", .messages = 1, .server.local = TRUE,
     .server.replies[BACKEND_END] =
         "354 go on\r\n250 2.0.0 b\r\n550 5.1.1 c\r\n"},
    {"what-stands-before-nonsense-is-all-that-stands",
     HELLO MAIL RCPT("b") RCPT("c") RCPT("d") CONTENT
     "< 250 2.0.0 b\n< 451 4.3.0\n< 451 4.3.0\n",
     .wire = "lmtp", .messages = 1, .server.local = TRUE,
     .server.replies[BACKEND_END] =
         "250 2.0.0 b\r\n354 go on\r\n250 2.0.0 c\r\n"},
    {"with-too-many-replies-nobody-knows-whose-they-are",
     HELLO MAIL RCPT("b") RCPT("c") CONTENT "< 451 4.3.0\n< 451 4.3.0\n",
     .wire = "lmtp", .messages = 1, .server.local = TRUE,
     .server.replies[BACKEND_END] =
         "250 2.0.0 b\r\n250 2.0.0 x\r\n550 5.1.1 c\r\n"},
    {"a-backend-may-close-behind-its-replies",
     HELLO MAIL RCPT("b") RCPT("c") CONTENT "< 250 2.0.0 b\n< 550 5.1.1 c\n",
     .wire = "lmtp", .messages = 1, .server.local = TRUE,
     .server.replies[BACKEND_END] =
         "!250 2.0.0 b\r\n550 5.1.1 c\r\n421 4.3.2 bye\r\n"},
    {"a-backend-that-speaks-smtp-is-a-fault",
     HELLO MAIL "> RCPT TO:<b@mx.test>\n< 451 4.3.0\n", .wire = "lmtp",
     .server.local = TRUE, .heard = LHLO_HEARD LHLO_HEARD,
     .server.replies[BACKEND_EHLO] = "500 5.5.1 no\r\n"},
    {"refused-data-is-for-all",
     HELLO MAIL RCPT("b") RCPT("c") CONTENT "< 554 5.5.1\n< 554 5.5.1\n",
     .wire = "lmtp", .server.local = TRUE,
     .server.replies[BACKEND_DATA] = "554 5.5.1 no\r\n"},
    {"a-lost-backend-hears-the-group-again",
     HELLO MAIL RCPT("b") RCPT("c") "! kick\n" CONTENT DELIVERED DELIVERED,
     .wire = "lmtp", .server.local = TRUE, .connections = 2, .messages = 1},
};

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    gateway_add("/wire/lmtp/verbs/", verbs, G_N_ELEMENTS(verbs));
    gateway_add("/wire/lmtp/combination/", combinations,
                G_N_ELEMENTS(combinations));
    gateway_add("/wire/lmtp/mixed/", mixed, G_N_ELEMENTS(mixed));
    gateway_add("/wire/lmtp/group/", groups, G_N_ELEMENTS(groups));
    gateway_add("/wire/lmtp/fault/", faults, G_N_ELEMENTS(faults));
    return g_test_run();
}
