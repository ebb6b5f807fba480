/* smtp-server.h: an SMTP client's connection, from its greeting to QUIT
 * (RFC 5321).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/session/engine.h"
#include "filterd/wire/backend-pool.h"

/* What the connections of a listener share. */
typedef struct SmtpService {
    Engine *engine;
    BackendPool *pool;
    const PolicyListen *listen;
    gboolean draining; /* between two transactions: 421 and close */
} SmtpService;

/* What others may see of a connection. */
typedef struct SmtpConnection {
    const SmtpService *service;
    int fd;
    Endpoint peer;
    gboolean idle;    /* waits for a command outside of a transaction */
    gboolean refused; /* over the session limit: 421 and close */
} SmtpConnection;

/* Serves it to its end, in a fiber. Takes the descriptor. */
void smtp_server_run(SmtpConnection *connection);
