/* redis-request.h: commands of one key that go out together, and the reply that
 * counts.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Two hold it, a fiber that waits and the connection: who waits may leave, and
 * the reply still has its place in the row.
 */
#pragma once

#include "filterd/base/fiber.h"
#include "filterd/service/redis-parser.h"

/* Of one request. */
#define REDIS_COMMANDS_LIMIT 3

typedef struct RedisRequest {
    unsigned holders;
    char *commands[REDIS_COMMANDS_LIMIT]; /* as they are sent */
    gsize lengths[REDIS_COMMANDS_LIMIT];
    unsigned count, wanted; /* whose reply counts, unless one is an error */
    unsigned kinds;         /* RedisKinds that it may have */
    gboolean asking;        /* ASKING goes before each (Redis Cluster) */
    int64_t sent;           /* when */
    unsigned answered;      /* replies so far */
    gboolean done;
    RedisReply *reply; /* NULL: none came, and the error says why */
    GError *error;
    Fiber *waiter; /* NULL: nobody waits any more */
} RedisRequest;

RedisRequest *redis_request_new(void);
void redis_request_unref(RedisRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RedisRequest, redis_request_unref)

/* One more command, of NULL-terminated words; `length` is that of the word
 * `long_word` (0: none), which may have any octets. */
void redis_request_add(RedisRequest *request, const char *const *words,
                       gsize long_word, gsize length);

/* Octets that it will take to send. */
gsize redis_request_size(const RedisRequest *request);

/* As if it had not been sent. */
void redis_request_reset(RedisRequest *request);
/* Whether the next reply is the last one. */
gboolean redis_request_is_last(const RedisRequest *request);
/* Takes the next reply. FALSE: it cannot be one to this. */
gboolean redis_request_take(RedisRequest *request, RedisReply *reply);
/* Ends it without a reply. */
void redis_request_fail(RedisRequest *request, const GError *error);
