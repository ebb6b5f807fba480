/* redis-parser.c: hiredis's reader, with objects and bounds of ours.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/redis-parser.h"

#include "filterd/service/store-request.h"

#include <hiredis/hiredis.h>

struct RedisParser {
    redisReader *reader;
    gboolean array; /* one was refused */
};

/* hiredis has the kinds of RESP2 as numbers. */
static const RedisKind kinds[] = {
    [REDIS_REPLY_STRING] = REDIS_TEXT,
    [REDIS_REPLY_STATUS] = REDIS_STATUS,
    [REDIS_REPLY_ERROR] = REDIS_ERROR,
};

void
redis_reply_free(RedisReply *reply)
{
    g_free(reply->text);
    g_free(reply);
}

static RedisReply *
reply_new(RedisKind kind)
{
    RedisReply *reply = g_new0(RedisReply, 1);
    reply->kind = kind;
    return reply;
}

static void *
make_text(const redisReadTask *task, char *text, size_t length)
{
    RedisReply *reply = reply_new(kinds[task->type]);
    reply->text = g_malloc(length + 1);
    memcpy(reply->text, text, length);
    reply->text[length] = '\0';
    reply->length = length;
    return reply;
}

/* NULL ends the reading. */
static void *
refuse_array(const redisReadTask *task, int elements G_GNUC_UNUSED)
{
    RedisParser *parser = task->privdata;
    parser->array = TRUE;
    return NULL;
}

static void *
make_integer(const redisReadTask *task G_GNUC_UNUSED, long long integer)
{
    RedisReply *reply = reply_new(REDIS_INTEGER);
    reply->integer = integer;
    return reply;
}

static void *
make_nil(const redisReadTask *task G_GNUC_UNUSED)
{
    return reply_new(REDIS_NIL);
}

static void
free_object(void *object)
{
    redis_reply_free(object);
}

static redisReplyObjectFunctions functions = {
    .createString = make_text,
    .createArray = refuse_array,
    .createInteger = make_integer,
    .createNil = make_nil,
    .freeObject = free_object,
};

RedisParser *
redis_parser_new(void)
{
    RedisParser *parser = g_new0(RedisParser, 1);
    parser->reader = redisReaderCreateWithFunctions(&functions);
    g_assert(parser->reader != NULL);
    parser->reader->privdata = parser;
    return parser;
}

void
redis_parser_free(RedisParser *parser)
{
    redisReaderFree(parser->reader);
    g_free(parser);
}

/* What goes wrong here is told by the next call of its reader. */
void
redis_parser_feed(RedisParser *parser, const char *bytes, gsize length)
{
    redisReaderFeed(parser->reader, bytes, length);
}

static gsize
unread(const RedisParser *parser)
{
    return parser->reader->len - parser->reader->pos;
}

RedisReply *
redis_parser_next(RedisParser *parser, GError **error)
{
    void *reply = NULL;
    if (redisReaderGetReply(parser->reader, &reply) != REDIS_OK)
        g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED,
                    "no reply of Redis: %s",
                    parser->array ? "an array" : parser->reader->errstr);
    else if (reply == NULL && unread(parser) > REDIS_REPLY_LIMIT)
        g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED,
                    "its reply has more than %d octets", REDIS_REPLY_LIMIT);
    return reply;
}

gboolean
redis_parser_empty(const RedisParser *parser)
{
    return unread(parser) == 0;
}
