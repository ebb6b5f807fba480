/* smtp-server.h: an SMTP client's connection, from its greeting to QUIT
 * (RFC 5321).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/base/tls.h"
#include "filterd/session/engine.h"
#include "filterd/wire/backend-pool.h"

typedef struct DelegationDesk DelegationDesk;
typedef struct SmtpConnection SmtpConnection;

/* What the connections of a listener share. */
typedef struct SmtpService {
    Engine *engine;
    BackendPool *pool;
    const PolicyListen *listen;
    const TlsContext *tls; /* NULL: none is spoken */
    gboolean draining;     /* outside of transactions: 421 and close */
    gboolean expired;      /* the same wherever a command is waited for */
    /* Of `listen policy`: what its connections share, and who serves them. */
    DelegationDesk *desk;
    void (*serve)(SmtpConnection *connection);
} SmtpService;

/* What others may see of a connection. */
struct SmtpConnection {
    const SmtpService *service;
    int fd;
    Endpoint peer;
    gboolean idle;    /* waits for a command outside of a transaction */
    gboolean refused; /* over the session limit: 421 and close */
    gboolean waits;   /* before a reply that comes late */
    gboolean served;  /* it has had a transaction */
    int64_t began;
};

/* A client that has just come gets so long to begin its first transaction,
 * though its worker drains: it cannot know. */
#define SMTP_FIRST_GRACE 2000

gboolean smtp_connection_may_end(const SmtpConnection *connection);

/* For clients of that listener; NULL with an error. */
TlsContext *smtp_tls_new(const PolicyListen *listen, GError **error);

/* Serves it to its end, in a fiber. Takes the descriptor. */
void smtp_server_run(SmtpConnection *connection);
