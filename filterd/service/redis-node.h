/* redis-node.h: a Redis server, asked over a few connections.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/service/redis-link.h"

/* Connections of a worker to one server. */
#define REDIS_LINKS_LIMIT 4

typedef struct RedisNode {
    RedisServer server;
    TlsContext *tls; /* its own; NULL: none, or that of all */
    RedisLink *links[REDIS_LINKS_LIMIT];
    gboolean seed;  /* stands in the configuration */
    unsigned users; /* fibers that have it in hand */
} RedisNode;

/* Copies the endpoint, borrows what `login` points to, and `tls` (may be NULL).
 */
RedisNode *redis_node_new(const Endpoint *endpoint, const RedisLogin *login,
                          const TlsContext *tls);
/* Waits, in a fiber. */
void redis_node_free(RedisNode *node);

/* Waits for the reply, which is then in the request; at once FALSE while the
 * server is dead. */
gboolean redis_node_ask(RedisNode *node, RedisRequest *request,
                        int64_t deadline, GError **error);
