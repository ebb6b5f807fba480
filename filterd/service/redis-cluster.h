/* redis-cluster.h: which of several Redis servers has a key.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a cluster says when the wrong one is asked (MOVED) is kept, slot by
 * slot; nothing else has to be known of it. Without a cluster one server is
 * asked as long as it works, then the next one that the configuration names.
 */
#pragma once

#include "filterd/service/redis-node.h"

/* Servers known, and how often one operation is sent on. */
#define REDIS_NODES_LIMIT 256
#define REDIS_HOPS_LIMIT 5

typedef struct RedisTls {
    gboolean use, verify;
    FilterdFile authority;
    const char *name; /* of every server's certificate; NULL: its address */
} RedisTls;

typedef struct RedisClusterConfig {
    const char *const *nodes; /* such as endpoint_parse() takes; ends with NULL
                               */
    RedisLogin login;
    RedisTls tls;
} RedisClusterConfig;

typedef struct RedisCluster RedisCluster;

/* Borrows the configuration. Connects to nobody yet. */
RedisCluster *redis_cluster_new(const RedisClusterConfig *config);
/* Waits, in a fiber. */
void redis_cluster_free(RedisCluster *cluster);

/* Waits. The reply may be an error that is not about who has the key; NULL with
 * an error that names the server. Takes the request. */
RedisReply *redis_cluster_ask(RedisCluster *cluster, RedisRequest *request,
                              unsigned slot, GError **error);
/* Of a server that is dead, as far as known; NULL: none. */
const char *redis_cluster_problem(const RedisCluster *cluster);

/* "MOVED 3999 192.0.2.1:6381", "ASK …"; without an address that of `from`
 * counts. Nothing that `where` points to has to be freed. */
typedef enum RedisRedirect {
    REDIS_STAY,
    REDIS_MOVED,
    REDIS_ASK,
    REDIS_LOST, /* it says to go where nobody can */
} RedisRedirect;
RedisRedirect redis_redirect_parse(const char *text, const Endpoint *from,
                                   Endpoint *where);
