/* store-redis.h: keys and values on a Redis or Valkey server, or a cluster.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Each operation is about one key, and waits, in a fiber. Lifetimes go by the
 * server's clock. Redis 6 or later.
 */
#pragma once

#include "filterd/service/redis-cluster.h"
#include "filterd/service/store-request.h"

typedef struct StoreRedisConfig {
    RedisClusterConfig cluster;
    const char *prefix; /* of all keys */
} StoreRedisConfig;

typedef struct StoreRedis StoreRedis;

/* Borrows the configuration; connects to nobody yet. */
StoreRedis *store_redis_new(const StoreRedisConfig *config);
/* Waits, in a fiber. */
void store_redis_free(StoreRedis *redis);

/* FALSE: the error says which server and why. */
gboolean store_redis_run(StoreRedis *redis, StoreRequest *request,
                         GError **error);
/* What is wrong still, whatever the last operation did; NULL. */
const char *store_redis_problem(const StoreRedis *redis);
