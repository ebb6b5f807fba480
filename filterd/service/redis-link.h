/* redis-link.h: one connection to a Redis server, for many fibers at a time.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A fiber of its own speaks: it sends all requests that wait, in order, and
 * gives each its reply, while more may gather. Connected when there is
 * something to ask; what breaks fails with everything on it, and is told to the
 * circuit of the server.
 */
#pragma once

#include "filterd/base/endpoint.h"
#include "filterd/base/tls.h"
#include "filterd/service/redis-circuit.h"
#include "filterd/service/redis-request.h"

/* Requests and octets that wait for one connection. */
#define REDIS_QUEUE_LIMIT 1024
#define REDIS_QUEUE_OCTETS 4194304

/* How to enter. Texts are NULL where there is none. */
typedef struct RedisLogin {
    const char *user, *password;
    int64_t database;
    int64_t timeout; /* milliseconds, of a connection and of an answer */
} RedisLogin;

typedef struct RedisServer {
    Endpoint endpoint;
    char *name;            /* for messages */
    gboolean secure;       /* TLS is a must */
    const TlsContext *tls; /* NULL: there is none */
    const RedisLogin *login;
    RedisCircuit circuit;
} RedisServer;

typedef struct RedisLink RedisLink;

/* Borrows the server. */
RedisLink *redis_link_new(RedisServer *server);
/* Waits, in a fiber. What is under way fails. */
void redis_link_free(RedisLink *link);

/* Requests that wait or are on their way. */
unsigned redis_link_load(const RedisLink *link);
/* Takes a reference and returns; the request's waiter is woken at its end.
 * FALSE: too much waits already. */
gboolean redis_link_send(RedisLink *link, RedisRequest *request);
/* "PING is answered by …": never more than a server says by itself, since it
 * may quote what it was told. Caller frees. */
char *redis_link_describe(const RedisLogin *login, const char *command,
                          const RedisReply *reply);
