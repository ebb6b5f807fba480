/* redis-parser.h: replies of a Redis server, as far as a store needs them.
 * (RESP2)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * hiredis reads, we hold the bounds: it would wait for a string of 9 gigabytes,
 * and make room for an array of two thousand million. No command of ours is
 * answered by an array, so none is taken.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

/* Octets of one reply. */
#define REDIS_REPLY_LIMIT 1048576

typedef enum RedisKind {
    REDIS_TEXT = 1 << 0, /* a bulk string */
    REDIS_STATUS = 1 << 1,
    REDIS_ERROR = 1 << 2,
    REDIS_INTEGER = 1 << 3,
    REDIS_NIL = 1 << 4,
} RedisKind;

typedef struct RedisReply {
    RedisKind kind;
    int64_t integer;
    char *text; /* followed by a NUL that does not count; NULL: has none */
    gsize length;
} RedisReply;

void redis_reply_free(RedisReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RedisReply, redis_reply_free)

typedef struct RedisParser RedisParser;

RedisParser *redis_parser_new(void);
void redis_parser_free(RedisParser *parser);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RedisParser, redis_parser_free)

/* Copies what has come; a part of STREAM_BUFFER at a time. */
void redis_parser_feed(RedisParser *parser, const char *bytes, gsize length);
/* NULL: it is not all there yet, or (with an error, for good) it is none. */
RedisReply *redis_parser_next(RedisParser *parser, GError **error);
/* Whether there is nothing behind the last reply. */
gboolean redis_parser_empty(const RedisParser *parser);
