/* redis-request.c: commands, formatted by hiredis, and their replies, counted.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/redis-request.h"

#include <hiredis/hiredis.h>

#define WORDS_LIMIT 8

RedisRequest *
redis_request_new(void)
{
    RedisRequest *request = g_new0(RedisRequest, 1);
    request->holders = 1;
    return request;
}

void
redis_request_reset(RedisRequest *request)
{
    g_clear_pointer(&request->reply, redis_reply_free);
    g_clear_error(&request->error);
    request->answered = 0;
    request->done = FALSE;
}

void
redis_request_unref(RedisRequest *request)
{
    if (--request->holders > 0)
        return;
    redis_request_reset(request);
    for (unsigned i = 0; i < request->count; i++)
        redisFreeCommand(request->commands[i]);
    g_free(request);
}

void
redis_request_add(RedisRequest *request, const char *const *words,
                  gsize long_word, gsize length)
{
    const char *copy[WORDS_LIMIT];
    size_t lengths[WORDS_LIMIT];
    int count = 0;
    char *command = NULL;
    for (; words[count] != NULL; count++) {
        g_assert(count < WORDS_LIMIT);
        copy[count] = words[count];
        lengths[count] = long_word > 0 && (gsize)count == long_word
                             ? length
                             : strlen(words[count]);
    }
    int size = redisFormatCommandArgv(&command, count, copy, lengths);
    g_assert(size > 0 && request->count < REDIS_COMMANDS_LIMIT);
    request->commands[request->count] = command;
    request->lengths[request->count++] = (gsize)size;
}

gsize
redis_request_size(const RedisRequest *request)
{
    gsize size = 0;
    for (unsigned i = 0; i < request->count; i++)
        size += request->lengths[i];
    return size;
}

static void
end(RedisRequest *request)
{
    request->done = TRUE;
    if (request->waiter != NULL)
        fiber_wake(request->waiter);
}

/* The first error counts more than what was wanted. */
static gboolean
counts(const RedisRequest *request, unsigned place, const RedisReply *reply)
{
    if (request->reply != NULL && request->reply->kind == REDIS_ERROR)
        return FALSE;
    return reply->kind == REDIS_ERROR || place == request->wanted;
}

gboolean
redis_request_is_last(const RedisRequest *request)
{
    unsigned replies = request->asking ? 2 * request->count : request->count;
    return request->answered + 1 == replies;
}

gboolean
redis_request_take(RedisRequest *request, RedisReply *reply)
{
    g_autoptr(RedisReply) owned = reply;
    gboolean last = redis_request_is_last(request);
    unsigned place = request->answered++;
    gboolean of_asking = request->asking && place % 2 == 0;
    if (request->asking)
        place /= 2;
    gboolean wanted = !of_asking && place == request->wanted;
    if (wanted && (reply->kind & (request->kinds | REDIS_ERROR)) == 0)
        return FALSE;
    if ((!of_asking || reply->kind == REDIS_ERROR)
        && counts(request, place, reply)) {
        g_clear_pointer(&request->reply, redis_reply_free);
        request->reply = g_steal_pointer(&owned);
    }
    if (last)
        end(request);
    return TRUE;
}

void
redis_request_fail(RedisRequest *request, const GError *error)
{
    redis_request_reset(request);
    request->error = g_error_copy(error);
    end(request);
}
