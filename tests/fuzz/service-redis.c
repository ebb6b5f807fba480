/* service-redis.c: fuzzes replies of a Redis server, in pieces: what is no
 * reply is refused for good, and what is one has bounds.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/redis-cluster.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void
check_redirect(const RedisReply *reply)
{
    const Endpoint from = {.port = 6379};
    Endpoint where = {0};
    RedisRedirect redirect = redis_redirect_parse(reply->text, &from, &where);
    if (redirect == REDIS_MOVED || redirect == REDIS_ASK)
        g_assert_cmpuint(where.port, >, 0);
    g_assert_null(where.path);
}

static void
check_reply(const RedisReply *reply)
{
    gboolean texts =
        (reply->kind & (REDIS_TEXT | REDIS_STATUS | REDIS_ERROR)) != 0;
    g_assert_true(texts == (reply->text != NULL));
    if (texts)
        g_assert_cmpint(reply->text[reply->length], ==, '\0');
    if (reply->kind == REDIS_ERROR)
        check_redirect(reply);
}

/* As a connection does: until there is no more. FALSE: it is none. */
static gboolean
take_replies(RedisParser *parser, RedisRequest *request)
{
    g_autoptr(GError) error = NULL;
    RedisReply *reply;
    while ((reply = redis_parser_next(parser, &error)) != NULL) {
        check_reply(reply);
        if (!redis_request_take(request, reply))
            return FALSE;
        if (request->done)
            redis_request_reset(request);
    }
    return error == NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    g_autoptr(RedisParser) parser = redis_parser_new();
    g_autoptr(RedisRequest) request = redis_request_new();
    if (length == 0)
        return 0;
    size_t piece = (bytes[0] & 31u) + 1;
    request->asking = (bytes[0] & 32) != 0;
    request->kinds = bytes[0] & 64 ? REDIS_TEXT | REDIS_NIL : ~0u;
    for (unsigned i = 0; i <= bytes[0] >> 7; i++)
        redis_request_add(request, (const char *const[]){"GET", "k", NULL}, 0,
                          0);
    for (size_t at = 1; at < length; at += piece) {
        redis_parser_feed(parser, (const char *)bytes + at,
                          MIN(piece, length - at));
        if (!take_replies(parser, request))
            break;
    }
    return 0;
}
