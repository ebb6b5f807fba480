/* backend.h: a mail server that does what a test wants.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/base/endpoint.h"
#include "filterd/base/fiber.h"
#include "filterd/base/tls.h"

typedef enum BackendStep {
    BACKEND_CONNECT,
    BACKEND_EHLO, /* or LHLO */
    BACKEND_HELO,
    BACKEND_STARTTLS, /* behind a 220 it speaks TLS */
    BACKEND_XCLIENT,
    BACKEND_XFORWARD,
    BACKEND_AUTH,
    BACKEND_RESPONSE, /* a line behind a 334 */
    BACKEND_CANCEL,   /* the line "*" there */
    BACKEND_MAIL,
    BACKEND_RCPT,
    BACKEND_DATA,
    BACKEND_BODY, /* the first octets of the message */
    BACKEND_END,  /* its final dot */
    BACKEND_VRFY,
    BACKEND_ETRN,
    BACKEND_RSET,
    BACKEND_QUIT,
    BACKEND_STEPS,
} BackendStep;

/* Of "first|second" the second is said to every later command of that kind. */
#define BACKEND_OTHER '|'
/* Instead of a reply. A reply that begins so closes behind it. */
#define BACKEND_CLOSES "!"
/* Says nothing more while BACKEND_SILENCE milliseconds of a stopped clock pass.
 */
#define BACKEND_HANGS "?"
#define BACKEND_SILENCE 25000
/* Lines without an end. */
#define BACKEND_BABBLES "*"

typedef struct Backend {
    /* NULL: what a mail server would say. */
    const char *replies[BACKEND_STEPS];
    /* Behind so many connections that are served well, so many (0: all) are as
     * above. */
    unsigned spared, spoiled;
    /* Whoever has said XCLIENT is not offered it again, as by Postfix. */
    gboolean named_once;
    /* It takes a PROXY header, version 1. */
    gboolean proxied;
    /* It speaks LMTP: what it says to the end of a message it says for each
     * recipient, unless a test has words for all of them. */
    gboolean local;
    /* What its certificate is for; NULL: it cannot speak TLS. */
    const char *host;

    Endpoint endpoint;
    GString *heard;   /* each command and, as "octets", each message, with LF */
    GString *message; /* the last one as it came, without the dot */
    unsigned connections, messages;
    /* Each message, as `message`; NULL. */
    void (*taken)(void *data, const GString *message);
    void *taken_data;

    TlsContext *tls;
    int fd;
    Fiber *fiber;
    GPtrArray *open; /* of those that are served: Visit */
} Backend;

/* Listens on loopback. In a fiber. */
void backend_start(Backend *backend);
/* Closes every connection now. */
void backend_kick(Backend *backend);
/* Nobody can connect any more; until it starts again at the same place. */
void backend_stop(Backend *backend);
void backend_start_again(Backend *backend);
void backend_clear(Backend *backend);
