/* smtp-relay.c: tests of what becomes of a message when its backend is not as
 * it should be.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/wire/gateway.h"

#define HELLO "< 220 mx.test\n> EHLO c.test\n< 250\n"
#define MAIL "> MAIL FROM:<a@c.test>\n< 250 2.1.0\n"
#define RCPT "> RCPT TO:<b@mx.test>\n"
#define ENVELOPE MAIL RCPT "< 250 2.1.5\n"
#define CONTENT "> From: <a@c.test>\n> Subject: s\n> \n> body\n> .\n"
#define MESSAGE "> DATA\n< 354\n" CONTENT "< 250 2.0.0 queued\n"

/* A fault is 451, and the session goes on. */
#define EARLY_FAULT \
    HELLO MAIL RCPT "< 451 4.3.0\n> DATA\n< 554\n> NOOP\n< 250\n"
#define LATE_FAULT                                                          \
    HELLO ENVELOPE "> DATA\n< 354\n" CONTENT "< 451 4.3.0\n> DATA\n< 503\n" \
                   "> NOOP\n< 250\n"

/* ---- faults at each step ------------------------------------------------ */

typedef struct Spoiler {
    const char *name;
    const char *reply;
} Spoiler;

static const Spoiler spoilers[] = {
    {"closes", BACKEND_CLOSES},
    {"hangs", BACKEND_HANGS},
    {"babbles", BACKEND_BABBLES},
    {"talks-garbage", "what is this?\r\n"},
    {"sends-octets", "\xff\xfe\x01\r\n"},
    {"changes-its-code", "250-yes\r\n550 no\r\n"},
    {"says-421", "421 4.3.2 bye\r\n"},
    {"says-421-and-closes", "!421 4.3.2 bye\r\n"},
    {"says-100", "100 wait\r\n"},
    {"says-600", "600 more\r\n"},
    {"cuts-a-line", "!250 o"},
    {"cuts-a-reply", "!250-ok\r\n"},
    {"says-354-twice", "354 go on\r\n354 go on\r\n"},
};

typedef struct Place {
    const char *name;
    BackendStep step;
    const char *dialogue;
    const char *backend;
    const char *ehlo; /* NULL: what a mail server would say */
} Place;

#define CHUNKING "250-b\r\n250-PIPELINING\r\n250 CHUNKING\r\n"
#define XFORWARD "250-b\r\n250-PIPELINING\r\n250 XFORWARD ADDR\r\n"

static const Place places[] = {
    {"connect", BACKEND_CONNECT, EARLY_FAULT, NULL},
    {"xclient", BACKEND_XCLIENT, EARLY_FAULT, "identity xclient"},
    {"xforward", BACKEND_XFORWARD, EARLY_FAULT, "identity xforward", XFORWARD},
    {"mail", BACKEND_MAIL, EARLY_FAULT},
    {"rcpt", BACKEND_RCPT, EARLY_FAULT},
    {"data", BACKEND_DATA, LATE_FAULT},
    {"end", BACKEND_END, LATE_FAULT},
    {"chunk", BACKEND_END, LATE_FAULT, NULL, CHUNKING},
};

/* Some of the above are no fault there. */
static gboolean
is_fault(const Place *place, const Spoiler *spoiler)
{
    return place->step != BACKEND_DATA
           || g_strcmp0(spoiler->name, "says-354-twice") != 0;
}

#define FAULTS (G_N_ELEMENTS(spoilers) * G_N_ELEMENTS(places))

static GatewayCase faults[FAULTS];
static char names[FAULTS][64];

static void
add_faults(void)
{
    gsize count = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++)
        for (gsize j = 0; j < G_N_ELEMENTS(spoilers); j++) {
            GatewayCase *fault = &faults[count];
            if (!is_fault(&places[i], &spoilers[j]))
                continue;
            g_snprintf(names[count], sizeof names[count], "%s-%s",
                       places[i].name, spoilers[j].name);
            *fault = (GatewayCase){
                .name = names[count],
                .dialogue = places[i].dialogue,
                .backend = places[i].backend,
                .log = "backend",
                .messages = places[i].step == BACKEND_END ? 1 : 0,
            };
            fault->server.replies[BACKEND_EHLO] = places[i].ehlo;
            fault->server.replies[places[i].step] = spoilers[j].reply;
            count++;
        }
    gateway_add("/wire/relay/fault/", faults, count);
}

#define REFUSED                                       \
    "XFORWARD ADDR=127.0.0.1\nMAIL FROM:<a@c.test>\n" \
    "RCPT TO:<b@mx.test>\n"

static const GatewayCase odd[] = {
    {"connect-is-refused", "! stop\n" EARLY_FAULT},
    {"greets-with-554", EARLY_FAULT,
     .server.replies[BACKEND_CONNECT] = "554 5.7.1 no\r\n"},
    {"greets-with-450", EARLY_FAULT,
     .server.replies[BACKEND_CONNECT] = "450 4.7.1 no\r\n"},
    {"greets-twice", EARLY_FAULT,
     .server.replies[BACKEND_CONNECT] = "220 a\r\n220 b\r\n"},
    {"refuses-ehlo-and-helo", EARLY_FAULT,
     .server.replies = {[BACKEND_EHLO] = "502 5.5.1 no\r\n",
                        [BACKEND_HELO] = "502 5.5.1 no\r\n"}},
    {"ehlo-hangs", EARLY_FAULT, .server.replies[BACKEND_EHLO] = BACKEND_HANGS},
    {"ehlo-closes", EARLY_FAULT,
     .server.replies[BACKEND_EHLO] = BACKEND_CLOSES},
    {"ehlo-changes-its-code", EARLY_FAULT,
     .server.replies[BACKEND_EHLO] = "250-b\r\n550 no\r\n"},
    {"does-not-offer-xclient", EARLY_FAULT, .backend = "identity xclient",
     .server.replies[BACKEND_EHLO] = "250 b\r\n"},
    {"offers-xclient-without-addr", EARLY_FAULT, .backend = "identity xclient",
     .server.replies[BACKEND_EHLO] = "250-b\r\n250 XCLIENT NAME\r\n"},
    {"refuses-xclient", EARLY_FAULT, .backend = "identity xclient",
     .server.replies[BACKEND_XCLIENT] = "550 5.7.0 no\r\n"},
    {"does-not-offer-xforward", EARLY_FAULT, .backend = "identity xforward"},
    {"offers-xforward-without-addr", EARLY_FAULT,
     .backend = "identity xforward",
     .server.replies[BACKEND_EHLO] = "250-b\r\n250 XFORWARD NAME\r\n"},
    {"refuses-xforward", EARLY_FAULT, .backend = "identity xforward",
     .server.replies = {[BACKEND_EHLO] = "250-b\r\n250 XFORWARD ADDR\r\n",
                        [BACKEND_XFORWARD] = "550 5.7.0 no\r\n"}},
    {"refuses-xforward-with-mail-behind-it", EARLY_FAULT,
     .backend = "identity xforward", .log = "refuses XFORWARD",
     .heard = "EHLO mx.test\n" REFUSED "EHLO mx.test\n" REFUSED,
     .server.replies =
         {[BACKEND_EHLO] = XFORWARD, [BACKEND_XFORWARD] = "550 5.7.0 no\r\n"}},
    {"does-not-take-a-proxy-header", EARLY_FAULT,
     .backend = "identity proxy-v1",
     .server.replies[BACKEND_EHLO] = "502 5.5.2 what?\r\n250-b\r\n250 DSN\r\n"},
    {"has-to-have-tls", EARLY_FAULT, .backend = "tls required"},
    {"354-to-rcpt", EARLY_FAULT,
     .server.replies[BACKEND_RCPT] = "354 go on\r\n"},
    {"354-to-mail", EARLY_FAULT,
     .server.replies[BACKEND_MAIL] = "354 go on\r\n"},
    {"250-to-data", LATE_FAULT, .server.replies[BACKEND_DATA] = "250 ok\r\n"},
    {"250-to-data-beforehand", LATE_FAULT,
     .server.replies[BACKEND_RCPT] = "250 2.1.5 ok\r\n250 2.1.5 ok\r\n"},
    {"354-to-data-beforehand", LATE_FAULT,
     .server.replies[BACKEND_RCPT] = "250 2.1.5 ok\r\n354 ok\r\n"},
    {"one-reply-too-many-to-mail", LATE_FAULT,
     .server.replies[BACKEND_MAIL] = "250 2.1.5 ok\r\n250 2.1.5 ok\r\n"},
    {"verdict-before-the-message", LATE_FAULT,
     .server.replies[BACKEND_DATA] = "354 go\r\n250 2.0.0 queued\r\n"},
    {"354-to-the-message", LATE_FAULT, .messages = 1,
     .server.replies[BACKEND_END] = "354 go on\r\n"},
    {"closes-in-the-message", LATE_FAULT,
     .server.replies[BACKEND_BODY] = BACKEND_CLOSES},
    {"hangs-in-the-message", LATE_FAULT,
     .server.replies[BACKEND_BODY] = BACKEND_HANGS},
};

/* ---- refusals, which are no faults -------------------------------------- */

static const GatewayCase refusals[] = {
    {"of-mail", HELLO MAIL RCPT "< 550 5.7.1 not you\n" RCPT "< 550\n",
     .server.replies[BACKEND_MAIL] = "550 5.7.1 not you\r\n", .connections = 1},
    {"of-mail-for-now", HELLO MAIL RCPT "< 450 4.7.1 later\n",
     .server.replies[BACKEND_MAIL] = "450 4.7.1 later\r\n"},
    {"of-mail-without-pipelining", HELLO MAIL RCPT "< 550 5.7.1 not you\n",
     .server.replies = {[BACKEND_EHLO] = "250 b\r\n",
                        [BACKEND_MAIL] = "550 5.7.1 not you\r\n"},
     .heard = "EHLO mx.test\nMAIL FROM:<a@c.test>\n"},
    {"of-rcpt", HELLO MAIL RCPT "< 550 5.1.1 who\n> DATA\n< 554\n",
     .server.replies[BACKEND_RCPT] = "550 5.1.1 who\r\n"},
    {"of-rcpt-in-lines", HELLO MAIL RCPT "< 550-5.1.1 who\r\n= 550 5.1.1 is\n",
     .server.replies[BACKEND_RCPT] = "550-5.1.1 who\r\n550 5.1.1 is\r\n"},
    {"of-data", HELLO ENVELOPE "> DATA\n< 354\n" CONTENT "< 452 4.3.1 full\n",
     .server.replies[BACKEND_DATA] = "452 4.3.1 full\r\n",
     .heard = "EHLO mx.test\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\n"
              "DATA\nRSET\n"},
    {"of-the-message",
     HELLO ENVELOPE "> DATA\n< 354\n" CONTENT "< 554 5.7.1 spam\n" ENVELOPE,
     .messages = 1, .connections = 1,
     .server.replies[BACKEND_END] = "554 5.7.1 spam\r\n"},
    {"of-the-chunk",
     HELLO ENVELOPE "> DATA\n< 354\n" CONTENT "< 554 5.7.1 spam\n" ENVELOPE,
     .messages = 1, .connections = 1,
     .server.replies =
         {[BACKEND_EHLO] = CHUNKING, [BACKEND_END] = "554 5.7.1 spam\r\n"}},
    {"of-ehlo", HELLO ENVELOPE MESSAGE, .messages = 1,
     .server.replies[BACKEND_EHLO] = "500 5.5.1 what\r\n",
     .heard = "EHLO mx.test\nHELO mx.test\nMAIL FROM:<a@c.test>\n"
              "RCPT TO:<b@mx.test>\nDATA\nmessage\n"},
    {"of-rset", HELLO ENVELOPE "> RSET\n< 250\n" ENVELOPE, .connections = 2,
     .server.replies[BACKEND_RSET] = "500 5.5.1 what\r\n"},
};

/* ---- lost and found ----------------------------------------------------- */

#define SAID "EHLO mx.test\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\n"

static const GatewayCase losses[] = {
    {"another-that-does-not-offer-what-was-promised-is-no-bounce",
     HELLO "= DSN\n! kick\n> MAIL FROM:<a@c.test> RET=HDRS\n"
           "< 250\n" RCPT "< 451 4.3.0\n> NOOP\n< 250\n",
     .server = {.replies[BACKEND_EHLO] = "250-b\r\n250 DSN\r\n", .spoiled = 1},
     .heard = "EHLO mx.test\nEHLO mx.test\n"},
    {"nor-is-one-that-knows-no-notices",
     HELLO "= DSN\n! kick\n" MAIL "> RCPT TO:<b@mx.test> NOTIFY=NEVER\n"
           "< 451 4.3.0\n> RSET\n< 250\n" ENVELOPE MESSAGE,
     .server = {.replies[BACKEND_EHLO] = "250-b\r\n250 DSN\r\n", .spoiled = 1},
     .messages = 1},
    {"between-recipients-loses-none",
     HELLO ENVELOPE "! kick\n> RCPT TO:<c@mx.test>\n< 250\n" MESSAGE,
     .messages = 1, .heard = SAID SAID "RCPT TO:<c@mx.test>\nDATA\nmessage\n"},
    {"at-a-recipient-loses-none",
     HELLO ENVELOPE "> RCPT TO:<c@mx.test>\n< 451 4.3.0\n"
                    "> RCPT TO:<d@mx.test>\n< 250\n" MESSAGE,
     .messages = 1, .server.spoiled = 1,
     .server.replies[BACKEND_RCPT] = "250 2.1.5 ok\r\n|!",
     .heard = SAID "RCPT TO:<c@mx.test>\n" SAID
                   "RCPT TO:<d@mx.test>\nDATA\nmessage\n"},
    {"before-data", HELLO ENVELOPE "! kick\n" MESSAGE, .messages = 1,
     .heard = SAID SAID "DATA\nmessage\n"},
    {"while-the-client-sends",
     HELLO ENVELOPE "> DATA\n< 354\n> A: b\n! kick\n> \n> c\n> .\n< 250\n",
     .messages = 1, .heard = SAID SAID "DATA\nmessage\n"},
    {"and-then-it-says-no",
     HELLO ENVELOPE "! kick\n> DATA\n< 354\n" CONTENT "< 451 4.3.0\n",
     .server.spared = 1, .server.replies[BACKEND_RCPT] = "550 5.1.1 who\r\n"},
    {"and-then-mail-is-refused",
     HELLO ENVELOPE "! kick\n> DATA\n< 354\n" CONTENT "< 451 4.3.0\n",
     .server.spared = 1, .server.replies[BACKEND_MAIL] = "550 5.7.1 no\r\n"},
    {"and-not-found", HELLO ENVELOPE "! stop\n> DATA\n< 354\n" CONTENT
                                     "< 451 4.3.0\n> NOOP\n< 250\n"},
    {"while-idle", HELLO ENVELOPE MESSAGE "! kick\n" ENVELOPE MESSAGE,
     .messages = 2, .connections = 2},
    {"when-it-is-used-again", HELLO ENVELOPE MESSAGE ENVELOPE MESSAGE,
     .messages = 2, .connections = 2, .server.spoiled = 1,
     .server.replies[BACKEND_END] = "!250 2.0.0 queued\r\n"},
    {"at-first-and-there-later",
     "< 220\n> EHLO c\n< 250\n/ 8BITMIME\n" ENVELOPE MESSAGE
     "> EHLO c\n< 250\n= 8BITMIME\n",
     .messages = 1, .server.spoiled = 1,
     .server.replies[BACKEND_CONNECT] = BACKEND_CLOSES},
};

#define FORWARDED(helo)                                             \
    "XFORWARD ADDR=127.0.0.1 HELO=" helo "\nMAIL FROM:<a@c.test>\n" \
    "RCPT TO:<b@mx.test>\nDATA\nmessage\n"

static const GatewayCase pool[] = {
    {"reused-by-the-next-client",
     HELLO ENVELOPE MESSAGE "! new\n" HELLO ENVELOPE MESSAGE, .messages = 2,
     .connections = 1},
    {"not-reused-with-another-identity",
     HELLO ENVELOPE MESSAGE "! new\n" HELLO ENVELOPE MESSAGE, .messages = 2,
     .connections = 2, .backend = "identity xclient",
     .server.named_once = TRUE},
    {"named-anew-for-the-next-client",
     HELLO ENVELOPE MESSAGE "! new\n< 220\n> EHLO d.test\n< 250\n" ENVELOPE,
     .messages = 1, .connections = 1, .backend = "identity xclient",
     .heard = "EHLO mx.test\nXCLIENT NAME=[UNAVAILABLE] ADDR=127.0.0.1 "
              "HELO=c.test\nEHLO c.test\nMAIL FROM:<a@c.test>\n"
              "RCPT TO:<b@mx.test>\nDATA\nmessage\n"
              "XCLIENT NAME=[UNAVAILABLE] ADDR=127.0.0.1 HELO=d.test\n"
              "EHLO d.test\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\n"
              "RSET\n"},
    {"not-reused-behind-a-proxy-header",
     HELLO ENVELOPE MESSAGE ENVELOPE MESSAGE "! new\n" HELLO ENVELOPE MESSAGE,
     .messages = 3, .connections = 3, .backend = "identity proxy-v1",
     .server.proxied = TRUE},
    {"told-anew-by-xforward-for-each-message",
     HELLO ENVELOPE MESSAGE ENVELOPE MESSAGE
     "! new\n< 220\n> EHLO d.test\n< 250\n" ENVELOPE MESSAGE,
     .messages = 3, .connections = 1, .backend = "identity xforward",
     .server.replies[BACKEND_EHLO] = "250-b\r\n250 XFORWARD HELO ADDR\r\n",
     .heard = "EHLO mx.test\n" FORWARDED("c.test") FORWARDED("c.test")
         FORWARDED("d.test")},
    {"told-by-xforward-in-the-packet-of-mail",
     HELLO ENVELOPE MESSAGE ENVELOPE MESSAGE, .messages = 2, .connections = 1,
     .backend = "identity xforward",
     .server.replies[BACKEND_EHLO] =
         "250-b\r\n250-PIPELINING\r\n250 XFORWARD HELO ADDR\r\n",
     .heard = "EHLO mx.test\n" FORWARDED("c.test") FORWARDED("c.test")},
    {"asked-as-ourselves-behind-a-proxy-header", HELLO, .connections = 1,
     .backend = "identity proxy-v1", .server.proxied = TRUE,
     .begins = "PROXY TCP4 127.0.0.1 127.0.0.1 "},
    {"two-clients-two-connections",
     HELLO ENVELOPE "! swap\n" HELLO ENVELOPE MESSAGE "! swap\n" MESSAGE,
     .messages = 2, .connections = 2},
    {"max-connections",
     HELLO ENVELOPE "! swap\n" HELLO MAIL RCPT "+ 10001\n< 451 4.3.0\n"
                    "! swap\n" MESSAGE "! swap\n" RCPT "< 250\n",
     .messages = 1, .backend = "max-connections 1", .log = "max-connections"},
    {"who-waits-for-room-has-the-next",
     HELLO ENVELOPE "! swap\n" HELLO MAIL RCPT "! swap\n" MESSAGE
                    "! swap\n< 250\n" MESSAGE,
     .messages = 2, .connections = 1, .backend = "max-connections 1"},
    {"idle-ones-make-room",
     HELLO ENVELOPE "> RCPT TO:<c@mx.test>\n< 451\n! swap\n" HELLO ENVELOPE
                    "> RSET\n< 250\n! swap\n" MESSAGE,
     .messages = 1, .connections = 3, .backend = "max-connections 1",
     .server.spoiled = 1, .server.replies[BACKEND_RCPT] = "250 2.1.5 ok\r\n|!"},
    {"only-what-lay-idle-is-tried-again",
     HELLO MAIL RCPT "< 451\n" RCPT "< 451\n", .connections = 3,
     .server.replies[BACKEND_MAIL] = BACKEND_CLOSES},
    {"probed-once-a-second",
     HELLO "> EHLO d\n< 250\n> EHLO d\n< 250\n+ 1001\n> EHLO d\n< 250\n",
     .connections = 2, .server.replies[BACKEND_CONNECT] = BACKEND_CLOSES},
    {"the-next-by-priority", HELLO ENVELOPE MESSAGE, .messages = 1,
     .backend = "priority 5",
     .rules = "backend smtp 127.0.0.1:1 { priority 1 }"},
    {"not-the-last-by-priority", HELLO ENVELOPE MESSAGE, .messages = 1,
     .backend = "priority 1",
     .rules = "backend smtp 127.0.0.1:1 { priority 5 }"},
};

/* ---- chunks, and what is not used ---------------------------------------- */

/* A dot that begins a line stays one. */
#define DOTS "> DATA\n< 354\n> A: b\n> \n> ..c\n> .\n< 250 2.0.0 queued\n"

static void
check_dot(void *data G_GNUC_UNUSED, const GString *message)
{
    g_assert_true(g_str_has_suffix(message->str, "A: b\r\n\r\n.c\r\n"));
}

static const GatewayCase extensions[] = {
    {"message-goes-by-chunk-where-that-is-offered",
     HELLO ENVELOPE DOTS ENVELOPE DOTS, .messages = 2, .connections = 1,
     .rules = "set authentication-results off",
     .server =
         {.replies =
              {[BACKEND_EHLO] = CHUNKING, [BACKEND_DATA] = "502 5.5.1 no\r\n"},
          .taken = check_dot}},
    {"without-chunking-it-does-not", HELLO ENVELOPE DOTS, .messages = 1,
     .backend = "without CHUNKING", .heard = SAID "DATA\nmessage\n",
     .server = {.replies[BACKEND_EHLO] = CHUNKING}},
    {"without-pipelining-one-is-said-after-the-other",
     HELLO MAIL RCPT "< 550 5.7.1 not you\n", .backend = "without PIPELINING",
     .server.replies[BACKEND_MAIL] = "550 5.7.1 not you\r\n",
     .heard = "EHLO mx.test\nMAIL FROM:<a@c.test>\n"},
    {"what-is-not-used-is-not-offered",
     "< 220\n> EHLO c.test\n< 250\n/ 8BITMIME\n/ BINARYMIME\n= DSN\n",
     .backend = "without 8BITMIME CHUNKING",
     .server.replies[BACKEND_EHLO] = "250-b\r\n250-8BITMIME\r\n250-DSN\r\n"
                                     "250-CHUNKING\r\n250 BINARYMIME\r\n"},
};

/* ---- a verdict before the end ------------------------------------------- */

/* More than one turn of the loop sends. */
#define LARGE (4 * 1024 * 1024)

static void
test_early_verdict(void)
{
    g_autoptr(GString) dialogue =
        g_string_new(HELLO ENVELOPE "> DATA\n< 354\n> A: b\n> \n");
    while (dialogue->len < LARGE) {
        g_string_append(dialogue, "> ");
        for (unsigned i = 0; i < 900; i++)
            g_string_append_c(dialogue, 'x');
        g_string_append_c(dialogue, '\n');
    }
    g_string_append(dialogue, "> .\n< 451 4.3.0\n");
    GatewayCase scene = {
        .dialogue = dialogue->str,
        .server.replies[BACKEND_BODY] = "250 2.0.0 queued\r\n",
        .log = "out of turn",
    };
    gateway_test(&scene);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_faults();
    gateway_add("/wire/relay/fault/", odd, G_N_ELEMENTS(odd));
    gateway_add("/wire/relay/refusal/", refusals, G_N_ELEMENTS(refusals));
    gateway_add("/wire/relay/", extensions, G_N_ELEMENTS(extensions));
    gateway_add("/wire/relay/lost/", losses, G_N_ELEMENTS(losses));
    gateway_add("/wire/relay/pool/", pool, G_N_ELEMENTS(pool));
    g_test_add_func("/wire/relay/fault/verdict-in-the-message",
                    test_early_verdict);
    return g_test_run();
}
