/* gateway.h: a client, a gateway and a backend in one process, and what they
 * say to each other.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/wire/smtp-server.h"
#include "tests/wire/backend.h"

/* A dialogue is a text of lines:
 *
 *   > EHLO c.test      the client says that line
 *   ~ EHLO c.test\r\n  the client says those octets, without the blank after
 *                      the mark; C escapes
 *   ? RCPT size=5      Postfix asks its policy service about that state, with
 *                      those attributes instead of what it says mostly
 *   < 250 2.1.0        a reply that begins so comes; of several lines, the
 *                      first one
 *   = SIZE             it has this text in it, somewhere
 *   / SIZE             it has not
 *   $                  the connection is closed
 *   + 1000             so many milliseconds pass, where the clock stands
 *   ! kick             the backend closes its connections
 *   ! stop             it is no more there
 *   ! drain            the gateway takes no more connections
 *   ! expire           the time of the clients that it has is over
 *   ! cut              the client closes
 *   ! new              another client connects instead
 *   ! secure           the client goes on with TLS
 *   ! quiet            the connection is closed, and nothing was said in clear
 *   ! swap             the word is another client's, until the next of these
 */
typedef struct GatewayCase {
    const char *name;
    const char *dialogue;
    const char *listen;   /* options; NULL */
    const char *backend;  /* options; NULL; "-": there is no backend */
    const char *rules;    /* more of the file; NULL */
    Backend server;       /* what is in front of its endpoint */
    const char *heard;    /* by the backend, as far as QUIT; NULL: whatever */
    const char *begins;   /* what it heard; NULL */
    const char *message;  /* the last one has this in it; NULL */
    unsigned messages;    /* it got */
    const char *log;      /* has this text in it; NULL */
    unsigned connections; /* to the backend; 0: whatever */
    gboolean clock_runs;
    gboolean no_tls;  /* though `listen` wants it */
    const char *wire; /* of `listen`; NULL: smtp */
} GatewayCase;

/* For g_test_add_data_func(). */
void gateway_test(gconstpointer gateway_case);
void gateway_add(const char *path, const GatewayCase *cases, gsize count);

/* ---- for other conversations -------------------------------------------- */

typedef struct Gateway Gateway;

/* Runs `body` in a fiber with everything set up. */
void gateway_run(const GatewayCase *gateway_case,
                 void (*body)(Gateway *gateway, void *data), void *data);
/* The same without an end, from the loop's own stack; for fuzzing. */
Gateway *gateway_new(const GatewayCase *gateway_case);
void gateway_log_clear(void);
const SmtpService *gateway_service(const Gateway *gateway);
Backend *gateway_backend(Gateway *gateway);
unsigned gateway_sessions(Gateway *gateway);
/* A descriptor that is connected to the gateway. */
int gateway_connect(Gateway *gateway);
void gateway_talk(Gateway *gateway, const char *dialogue);
