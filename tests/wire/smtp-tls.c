/* smtp-tls.c: tests of STARTTLS and TLS from the first octet on. (RFC 3207)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/base/authority.h"
#include "tests/wire/gateway.h"

#define OFFERED "tls opportunistic certificate \"mx.pem\" key \"mx.pem\""
#define REQUIRED "tls required certificate \"mx.pem\" key \"mx.pem\""
#define IMPLICIT "tls implicit certificate \"mx.pem\" key \"mx.pem\""
#define HELLO "< 220 mx.test\n> EHLO c.test\n< 250\n"
#define SECURE "> STARTTLS\n< 220 2.0.0\n! secure\n"
#define AGAIN "> EHLO c.test\n< 250\n"
#define ENVELOPE                                                   \
    "> MAIL FROM:<a@c.test>\n< 250 2.1.0\n> RCPT TO:<b@mx.test>\n" \
    "< 250 2.1.5\n"
#define MESSAGE "> DATA\n< 354\n> A: b\n> \n> c\n> .\n< 250 2.0.0 queued\n"
/* Behind STARTTLS in one packet, by somebody between the two. */
#define INJECT(octets) \
    HELLO "~ STARTTLS\\r\\n" octets "\n< 220 2.0.0\n! secure\n"
#define TEN(octets) \
    octets octets octets octets octets octets octets octets octets octets
/* Nothing of it was heard. */
#define UNHEARD \
    "> RCPT TO:<b@mx.test>\n< 503 5.5.1\n> MAIL FROM:<>\n< 503 5.5.1\n" AGAIN

#define REQUIRETLS                                                  \
    .server = {.host = "mx.test",                                   \
               .replies[BACKEND_EHLO] = "250-b\r\n250-STARTTLS\r\n" \
                                        "250 REQUIRETLS\r\n"}

static const GatewayCase switches[] = {
    {"a-message", HELLO SECURE AGAIN ENVELOPE MESSAGE "> QUIT\n< 221\n$\n",
     .listen = OFFERED, .messages = 1, .message = "with ESMTPS id"},
    {"version-and-cipher-are-told", HELLO SECURE AGAIN ENVELOPE MESSAGE,
     .listen = OFFERED, .messages = 1,
     .message = "\r\n (using TLSv1.3 with cipher TLS_"},
    {"in-clear-nothing-is-told", HELLO ENVELOPE MESSAGE, .listen = OFFERED,
     .messages = 1, .message = "with ESMTP id"},
    {"nobody-has-greeted-though-xclient-told-a-name",
     HELLO "> XCLIENT HELO=h.test\n< 220\n" SECURE
           "> MAIL FROM:<>\n< 503 5.5.1\n",
     .listen = OFFERED " xclient-from 127.0.0.1"},
    {"offered-before-but-not-after",
     "< 220\n> EHLO c.test\n< 250\n= STARTTLS\n" SECURE
     "> EHLO c.test\n< 250\n/ STARTTLS\n= PIPELINING\n",
     .listen = OFFERED},
    {"requiretls-not-in-clear",
     HELLO "/ REQUIRETLS\n> MAIL FROM:<> REQUIRETLS\n< 550 5.7.30\n",
     .listen = OFFERED, .backend = "tls required", REQUIRETLS},
    {"requiretls-over-tls-on-both-sides",
     HELLO SECURE "> EHLO c.test\n< 250\n= REQUIRETLS\n"
                  "> MAIL FROM:<> REQUIRETLS\n< 250\n"
                  "> RCPT TO:<b@mx.test>\n< 250\n",
     .listen = OFFERED, .backend = "tls required", REQUIRETLS,
     .heard = "EHLO mx.test\nSTARTTLS\nEHLO mx.test\n"
              "MAIL FROM:<> REQUIRETLS\nRCPT TO:<b@mx.test>\nRSET\n"},
    {"requiretls-not-to-a-backend-in-clear",
     HELLO SECURE "> EHLO c.test\n< 250\n/ REQUIRETLS\n"
                  "> MAIL FROM:<> REQUIRETLS\n< 550 5.7.30\n",
     .listen = OFFERED, REQUIRETLS},
    {"helo-is-forgotten", HELLO SECURE "> MAIL FROM:<>\n< 503 5.5.1\n",
     .listen = OFFERED},
    {"a-transaction-is-forgotten",
     HELLO ENVELOPE SECURE "> DATA\n< 503 5.5.1\n" AGAIN "> DATA\n< 503\n",
     .listen = OFFERED,
     .heard = "EHLO mx.test\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\n"
              "RSET\n"},
    {"twice", HELLO SECURE AGAIN "> STARTTLS\n< 503 5.5.1\n> NOOP\n< 250\n",
     .listen = OFFERED},
    {"with-argument", HELLO "> STARTTLS now\n< 501 5.5.4\n" SECURE,
     .listen = OFFERED},
    {"where-it-cannot-be",
     "< 220\n> EHLO c.test\n< 250\n/ STARTTLS\n> STARTTLS\n< 454 4.7.0\n"
     "> MAIL FROM:<>\n< 250\n",
     .listen = OFFERED, .no_tls = TRUE},
    {"where-it-is-off", HELLO "> STARTTLS\n< 502 5.5.1\n"},
    {"before-ehlo", "< 220\n" SECURE AGAIN, .listen = OFFERED},
    {"facts",
     HELLO "> MAIL FROM:<>\n< 250\n> RSET\n< 250\n" SECURE AGAIN
           "> MAIL FROM:<>\n< 550 5.7.1 TLSv1.3 TLS_\n",
     .listen = OFFERED,
     .rules = "at mail { reject tls if client.tls and not known "
              "client.tls.certificate reply 550 5.7.1 \"{client.tls.version} "
              "{client.tls.cipher}\" }"},
    {"a-verdict-at-helo-is-forgotten",
     "< 220\n> EHLO bad.test\n< 550\n" SECURE "> EHLO good.test\n< 250\n",
     .listen = OFFERED,
     .rules = "at helo { reject bad if helo.name = \"bad.test\" }"},
    {"a-refusal-at-connect-stays",
     "< 554\n> STARTTLS\n< 503 5.5.1\n> QUIT\n< 221\n$\n", .listen = OFFERED,
     .rules = "at connect { reject no }"},
    {"draining-ends-the-idle",
     HELLO SECURE AGAIN "+ 2001\n! drain\n< 421 4.3.2\n$\n", .listen = OFFERED},
    {"the-timer-runs-on", HELLO SECURE AGAIN "+ 61000\n< 421 4.4.2\n$\n",
     .listen = OFFERED " command-timeout 1m"},
};

static const GatewayCase injections[] = {
    {"noop", INJECT("NOOP\\r\\n") UNHEARD, .listen = OFFERED},
    {"ehlo", INJECT("EHLO evil.test\\r\\n") UNHEARD, .listen = OFFERED},
    {"mail",
     INJECT("EHLO e.test\\r\\nMAIL FROM:<e@e.test>\\r\\n"
            "RCPT TO:<b@mx.test>\\r\\n") UNHEARD,
     .listen = OFFERED, .heard = "EHLO mx.test\n"},
    {"rset", INJECT("RSET\\r\\n") UNHEARD, .listen = OFFERED},
    {"one-lf", INJECT("\\n") UNHEARD, .listen = OFFERED},
    {"one-nul", INJECT("\\000") UNHEARD, .listen = OFFERED},
    {"half-a-line", INJECT("NOO") "> EHLO c.test\n< 250\n", .listen = OFFERED},
    {"auth", INJECT("AUTH PLAIN AGUAZQ==\\r\\n") UNHEARD, .listen = OFFERED},
    {"starttls-again", INJECT("STARTTLS\\r\\n") UNHEARD, .listen = OFFERED},
    {"quit", INJECT("QUIT\\r\\n") UNHEARD, .listen = OFFERED},
    {"a-message",
     INJECT("EHLO e.test\\r\\nMAIL FROM:<e@e.test>\\r\\n"
            "RCPT TO:<b@mx.test>\\r\\nDATA\\r\\nA: b\\r\\n\\r\\n.\\r\\n")
         UNHEARD,
     .listen = OFFERED, .heard = "EHLO mx.test\n"},
    {"a-chunk", INJECT("BDAT 9 LAST\\r\\nA: b\\r\\n") UNHEARD,
     .listen = OFFERED, .heard = "EHLO mx.test\n"},
    {"what-looks-like-tls", INJECT("\\026\\003\\001") UNHEARD,
     .listen = OFFERED},
    {"more-than-is-read-at-once",
     HELLO "~ STARTTLS\\r\\n" TEN(TEN(TEN("NOOP\\r\\n"))) "\n< 220 2.0.0\n"
                                                          "! quiet\n",
     .listen = OFFERED, .log = "tls session="},
};

static const GatewayCase failures[] = {
    {"garbage", HELLO "> STARTTLS\n< 220\n> EHLO c.test\n! quiet\n",
     .listen = OFFERED, .log = "tls session="},
    {"plaintext-in-tls", HELLO "> STARTTLS\n< 220\n> MAIL FROM:<>\n! quiet\n",
     .listen = REQUIRED},
    {"silence", HELLO "> STARTTLS\n< 220\n+ 31000\n$\n", .listen = OFFERED,
     .log = "timed out"},
    {"an-end", HELLO "> STARTTLS\n< 220\n! cut\n", .listen = OFFERED},
};

static const GatewayCase required[] = {
    {"mail",
     HELLO "> MAIL FROM:<>\n< 530 5.7.0\n" SECURE AGAIN
           "> MAIL FROM:<>\n< 250\n",
     .listen = REQUIRED},
    {"vrfy-and-rcpt", HELLO "> VRFY x\n< 530\n> RCPT TO:<b@mx.test>\n< 530\n",
     .listen = REQUIRED},
    {"harmless-verbs", HELLO "> NOOP\n< 250\n> RSET\n< 250\n> QUIT\n< 221\n$\n",
     .listen = REQUIRED},
};

/* A load balancer has spoken TLS 1.3 with the client. */
#define PROXIED                                                      \
    "~ \\r\\n\\r\\n\\000\\r\\nQUIT\\n!\\021\\000\\047"               \
    "\\300\\000\\002\\001\\306\\063\\144\\002\\022\\064\\000\\031"   \
    "\\040\\000\\030\\001\\000\\000\\000\\000\\041\\000\\007TLSv1.3" \
    "\\043\\000\\006CIPHER\n"

static const GatewayCase proxied[] = {
    {"counts-as-ours",
     PROXIED
     "< 220\n> EHLO c.test\n< 250\n/ STARTTLS\n> STARTTLS\n< 503\n" ENVELOPE
         MESSAGE,
     .listen = REQUIRED " proxy-from 127.0.0.0/8", .messages = 1,
     .message = "(using TLSv1.3 with cipher CIPHER)\r\n by mx.test (filterd) "
                "with ESMTPS id"},
    {"is-known-at-connect", PROXIED "< 554 5.7.1 TLSv1.3\n",
     .listen = REQUIRED " proxy-from 127.0.0.0/8",
     .rules = "at connect { reject no if client.tls reply 554 5.7.1 "
              "\"{client.tls.version}\" }"},
};

static const GatewayCase implicit[] = {
    {"a-message", "! secure\n" HELLO ENVELOPE MESSAGE, .listen = IMPLICIT,
     .messages = 1, .message = "with ESMTPS id"},
    {"no-starttls-in-it",
     "! secure\n< 220\n> EHLO c.test\n< 250\n/ STARTTLS\n"
     "> STARTTLS\n< 503 5.5.1\n",
     .listen = IMPLICIT},
    {"known-at-connect", "! secure\n< 554 5.7.1 TLSv1.3\n", .listen = IMPLICIT,
     .rules = "at connect { reject no if client.tls reply 554 5.7.1 "
              "\"{client.tls.version}\" }"},
    {"in-clear", "> EHLO c.test\n! quiet\n", .listen = IMPLICIT, .log = "tls "},
    {"a-hello-is-no-early-talk", "! secure\n< 220\n",
     .listen = IMPLICIT " greeting-delay 20ms", .clock_runs = TRUE,
     .rules = "at connect { reject early if client.early-talker }"},
    {"behind-a-proxy",
     "> PROXY TCP4 192.0.2.1 198.51.100.2 1 25\n! secure\n< 554\n= 192.0.2.1\n",
     .listen = IMPLICIT " proxy-from 127.0.0.0/8",
     .rules = "at connect { reject no reply 554 \"{client.ip}\" }"},
};

/* What a backend offers in clear, then in TLS. */
#define SPEAKS                                                             \
    .server.host = "mail.test 127.0.0.1", .server.replies[BACKEND_EHLO] =  \
                                              "250-b\r\n250 STARTTLS\r\n|" \
                                              "250-b\r\n250 PIPELINING\r\n"
#define SECURED                                                    \
    "EHLO mx.test\nSTARTTLS\nEHLO mx.test\nMAIL FROM:<a@c.test>\n" \
    "RCPT TO:<b@mx.test>\nDATA\nmessage\n"
#define IN_CLEAR                                                      \
    "EHLO mx.test\nMAIL FROM:<a@c.test>\nRCPT TO:<b@mx.test>\nDATA\n" \
    "message\n"
#define FAULT                                                            \
    HELLO "> MAIL FROM:<a@c.test>\n< 250\n> RCPT TO:<b@mx.test>\n< 451 " \
          "4.3.0\n"

static const GatewayCase backends[] = {
    {"off", HELLO ENVELOPE MESSAGE, SPEAKS, .messages = 1, .heard = IN_CLEAR},
    {"opportunistic", HELLO ENVELOPE MESSAGE, SPEAKS,
     .backend = "tls opportunistic", .messages = 1, .heard = SECURED,
     .connections = 1},
    {"opportunistic-without-an-offer", HELLO ENVELOPE MESSAGE,
     .backend = "tls opportunistic", .messages = 1, .heard = IN_CLEAR},
    {"opportunistic-where-it-is-refused", HELLO ENVELOPE MESSAGE, SPEAKS,
     .server.replies[BACKEND_STARTTLS] = "454 4.7.0 not now\r\n",
     .backend = "tls opportunistic", .messages = 1},
    {"opportunistic-where-it-fails", HELLO ENVELOPE MESSAGE,
     .server.replies[BACKEND_EHLO] = "250-b\r\n250 STARTTLS\r\n",
     .backend = "tls opportunistic", .messages = 1, .log = "goes on without",
     .heard = "EHLO mx.test\nSTARTTLS\n" IN_CLEAR},
    {"required", HELLO ENVELOPE MESSAGE, SPEAKS, .backend = "tls required",
     .messages = 1, .heard = SECURED},
    {"required-without-an-offer", FAULT, .backend = "tls required",
     .log = "does not offer STARTTLS"},
    {"required-where-it-is-refused", FAULT, SPEAKS,
     .server.replies[BACKEND_STARTTLS] = "454 4.7.0 not now\r\n",
     .backend = "tls required", .log = "refuses STARTTLS"},
    {"required-where-it-fails", FAULT,
     .server.replies[BACKEND_EHLO] = "250-b\r\n250 STARTTLS\r\n",
     .backend = "tls required", .log = "TLS handshake"},
    {"verified-by-address", HELLO ENVELOPE MESSAGE, SPEAKS,
     .backend = "tls verified ca \"ca.pem\"", .messages = 1, .heard = SECURED},
    {"verified-by-name", HELLO ENVELOPE MESSAGE, SPEAKS,
     .backend = "tls verified ca \"ca.pem\" name mail.test", .messages = 1,
     .heard = SECURED},
    {"verified-is-another-host", FAULT, SPEAKS,
     .backend = "tls verified ca \"ca.pem\" name other.test",
     .log = "hostname mismatch"},
    {"verified-by-nobody-known", FAULT, SPEAKS,
     .backend = "tls verified name mail.test", .log = "certificate"},
    {"an-injected-reply-ends-it", FAULT, SPEAKS,
     .server.replies[BACKEND_STARTTLS] =
         "220 2.0.0 go on\r\n250-evil.test\r\n250 XCLIENT NAME\r\n",
     .backend = "tls required", .log = "out of turn"},
    {"an-injected-lf-ends-it", FAULT, SPEAKS,
     .server.replies[BACKEND_STARTTLS] = "220 2.0.0 go on\r\n\n",
     .backend = "tls required", .log = "out of turn"},
    {"half-an-injected-reply-ends-it", FAULT, SPEAKS,
     .server.replies[BACKEND_STARTTLS] = "220 2.0.0 go on\r\n25",
     .backend = "tls required", .log = "out of turn"},
    {"an-injected-reply-is-no-reason-to-go-on-in-clear", FAULT, SPEAKS,
     .server.replies[BACKEND_STARTTLS] = "220 2.0.0 go on\r\n250 ok\r\n",
     .backend = "tls opportunistic", .log = "out of turn"},
    {"what-was-offered-in-clear-is-forgotten",
     "< 220\n> EHLO c.test\n< 250\n/ SMTPUTF8\n= 8BITMIME\n",
     .server.host = "127.0.0.1", .backend = "tls required",
     .server.replies[BACKEND_EHLO] =
         "250-b\r\n250-SMTPUTF8\r\n250 STARTTLS\r\n|"
         "250-b\r\n250 8BITMIME\r\n"},
    {"an-idle-connection-serves-again", HELLO ENVELOPE MESSAGE ENVELOPE MESSAGE,
     SPEAKS, .backend = "tls required", .messages = 2, .connections = 1},
    {"the-identity-goes-in-tls", HELLO ENVELOPE MESSAGE,
     .server.host = "127.0.0.1", .backend = "tls required identity xclient",
     .messages = 1,
     .server.replies[BACKEND_EHLO] =
         "250-b\r\n250 STARTTLS\r\n|250-b\r\n250 XCLIENT ADDR\r\n",
     .heard = "EHLO mx.test\nSTARTTLS\nEHLO mx.test\n"
              "XCLIENT ADDR=127.0.0.1\nEHLO c.test\nMAIL FROM:<a@c.test>\n"
              "RCPT TO:<b@mx.test>\nDATA\nmessage\n"},
};

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    gateway_add("/wire/tls/starttls/", switches, G_N_ELEMENTS(switches));
    gateway_add("/wire/tls/injected/", injections, G_N_ELEMENTS(injections));
    gateway_add("/wire/tls/failed/", failures, G_N_ELEMENTS(failures));
    gateway_add("/wire/tls/required/", required, G_N_ELEMENTS(required));
    gateway_add("/wire/tls/proxied/", proxied, G_N_ELEMENTS(proxied));
    gateway_add("/wire/tls/implicit/", implicit, G_N_ELEMENTS(implicit));
    gateway_add("/wire/tls/backend/", backends, G_N_ELEMENTS(backends));
    int status = g_test_run();
    authority_clear();
    return status;
}
