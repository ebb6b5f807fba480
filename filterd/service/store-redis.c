/* store-redis.c: operations as commands of Redis, and what their replies mean.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/store-redis.h"

#include "filterd/service/redis-key.h"
#include "filterd/service/store.h"

#include <string.h>

/* Milliseconds; a server refuses what ends later than 64 bits can say. */
#define LIFETIME_MOST (INT64_C(1000) * 366 * 86400 * 1000)
#define NUMBER_TEXT 24

struct StoreRedis {
    const StoreRedisConfig *config;
    RedisCluster *cluster;
    gboolean no_scripts; /* the server forbids them */
};

/* As SQLite's: what is no number counts as what it begins with, sums stop at
 * the bound, and the lifetime is set with the value or not at all. Numbers are
 * texts here, since Lua's have 53 bits. */
static const char add_script[] =
    "local k, d, life = KEYS[1], ARGV[1], ARGV[2]\n"
    "local least, most = '-9223372036854775808', '9223372036854775807'\n"
    "local function add(n)\n"
    " local r = redis.pcall('INCRBY', k, n)\n"
    " return type(r) == 'table' and r\n"
    "end\n"
    "local function set(v) redis.call('SET', k, v, 'KEEPTTL') end\n"
    "local e = add(d)\n"
    "if e then\n"
    " if not string.find(e.err, 'not an integer')\n"
    "  and not string.find(e.err, 'overflow') then return e end\n"
    " local s, n = string.match(redis.call('GET', k),"
    " '^%s*([+-]?)0*(%d*)')\n"
    " if n == '' then s, n = '', '0' end\n"
    " set((s == '-' and '-' or '') .. n)\n"
    " if add('0') then set(s == '-' and least or most) end\n"
    " if add(d) then\n"
    "  set(string.sub(d, 1, 1) == '-' and least or most)\n"
    " end\n"
    "end\n"
    "if life ~= '0' then redis.call('PEXPIRE', k, life) end\n"
    "return redis.call('GET', k)\n";

StoreRedis *
store_redis_new(const StoreRedisConfig *config)
{
    StoreRedis *redis = g_new0(StoreRedis, 1);
    redis->config = config;
    redis->cluster = redis_cluster_new(&config->cluster);
    return redis;
}

void
store_redis_free(StoreRedis *redis)
{
    redis_cluster_free(redis->cluster);
    g_free(redis);
}

const char *
store_redis_problem(const StoreRedis *redis)
{
    return redis_cluster_problem(redis->cluster);
}

/* ---- commands ----------------------------------------------------------- */

#define ADD(request, ...) \
    redis_request_add(request, (const char *const[]){__VA_ARGS__, NULL}, 0, 0)

/* A request whose only reply is of such a kind. */
static RedisRequest *
request_for(unsigned kinds)
{
    RedisRequest *request = redis_request_new();
    request->kinds = kinds;
    return request;
}

static RedisRequest *
get_request(const char *key)
{
    RedisRequest *request = request_for(REDIS_TEXT | REDIS_NIL);
    ADD(request, "GET", key);
    return request;
}

static RedisRequest *
put_request(const char *key, const StoreRequest *put, const char *lifetime)
{
    gboolean ends = put->lifetime > 0;
    const char *words[] = {"SET",
                           key,
                           put->length > 0 ? put->value : "",
                           ends ? "PX" : "KEEPTTL",
                           ends ? lifetime : NULL,
                           NULL};
    RedisRequest *request = request_for(REDIS_STATUS);
    redis_request_add(request, words, 2, put->length);
    return request;
}

/* Where scripts are forbidden: a sum that is lost half-way is not, and what is
 * new ends even if the last of the three never arrives. */
static RedisRequest *
plain_add_request(const char *key, const char *delta, const char *lifetime)
{
    RedisRequest *request = request_for(REDIS_INTEGER);
    if (strcmp(lifetime, "0") == 0) {
        ADD(request, "INCRBY", key, delta);
        return request;
    }
    request->wanted = 1;
    ADD(request, "SET", key, "0", "PX", lifetime, "NX");
    ADD(request, "INCRBY", key, delta);
    ADD(request, "PEXPIRE", key, lifetime);
    return request;
}

static RedisRequest *
add_request(const StoreRedis *redis, const char *key, int64_t number,
            const char *lifetime)
{
    char delta[NUMBER_TEXT];
    g_snprintf(delta, sizeof delta, "%" G_GINT64_FORMAT, number);
    if (redis->no_scripts)
        return plain_add_request(key, delta, lifetime);
    RedisRequest *request = request_for(REDIS_TEXT);
    ADD(request, "EVAL", add_script, "1", key, delta, lifetime);
    return request;
}

static RedisRequest *
make_request(const StoreRedis *redis, const char *key,
             const StoreRequest *request)
{
    char lifetime[NUMBER_TEXT];
    g_snprintf(lifetime, sizeof lifetime, "%" G_GINT64_FORMAT,
               CLAMP(request->lifetime, 0, LIFETIME_MOST));
    if (request->kind == STORE_GET)
        return get_request(key);
    if (request->kind == STORE_PUT)
        return put_request(key, request, lifetime);
    return add_request(redis, key, request->number, lifetime);
}

/* ---- replies ------------------------------------------------------------ */

static gboolean
refuse(GError **error, const char *what)
{
    g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED, "Redis: %s", what);
    return FALSE;
}

static gboolean
take_value(StoreRequest *request, RedisReply *reply, GError **error)
{
    request->status = FILTERD_STORE_ABSENT;
    if (reply->kind == REDIS_NIL)
        return TRUE;
    if (reply->length > STORE_VALUE_LIMIT)
        return refuse(error, "a value is too long to be ours");
    request->found =
        g_bytes_new_take(g_steal_pointer(&reply->text), reply->length);
    request->status = FILTERD_STORE_OK;
    return TRUE;
}

static gboolean
take_sum(StoreRequest *request, const RedisReply *reply, GError **error)
{
    int64_t sum = reply->integer;
    if (reply->kind == REDIS_TEXT
        && !g_ascii_string_to_signed(reply->text, 10, INT64_MIN, INT64_MAX,
                                     &sum, NULL))
        return refuse(error, "a sum is no number");
    request->number = sum;
    request->status = FILTERD_STORE_OK;
    return TRUE;
}

static gboolean
take_reply(const StoreRedis *redis, StoreRequest *request, RedisReply *reply,
           GError **error)
{
    static const char *const names[] = {
        [STORE_GET] = "GET", [STORE_PUT] = "SET", [STORE_ADD] = "INCRBY"};
    if (reply->kind == REDIS_ERROR) {
        g_autofree char *what = redis_link_describe(
            &redis->config->cluster.login, names[request->kind], reply);
        return refuse(error, what);
    }
    if (request->kind == STORE_GET)
        return take_value(request, reply, error);
    if (request->kind == STORE_ADD)
        return take_sum(request, reply, error);
    request->status = FILTERD_STORE_OK;
    return TRUE;
}

/* "NOPERM …" where an ACL forbids it, "ERR unknown command …" where it was
 * renamed or a proxy stands in between. */
static gboolean
forbids_scripts(const RedisReply *reply)
{
    return reply->kind == REDIS_ERROR
           && (g_str_has_prefix(reply->text, "NOPERM")
               || g_str_has_prefix(reply->text, "ERR unknown command"));
}

gboolean
store_redis_run(StoreRedis *redis, StoreRequest *request, GError **error)
{
    request->status = FILTERD_STORE_OK;
    if (request->kind == STORE_EXPIRE) { /* the server's business */
        request->number = 0;
        return TRUE;
    }
    g_autofree char *key =
        redis_key_format(redis->config->prefix, request->space, request->key);
    unsigned slot = redis_key_slot(key, strlen(key));
    g_autoptr(RedisReply) reply = redis_cluster_ask(
        redis->cluster, make_request(redis, key, request), slot, error);
    if (reply != NULL && request->kind == STORE_ADD && !redis->no_scripts
        && forbids_scripts(reply)) {
        redis->no_scripts = TRUE;
        redis_reply_free(reply);
        reply = redis_cluster_ask(
            redis->cluster, make_request(redis, key, request), slot, error);
    }
    if (reply != NULL && take_reply(redis, request, reply, error))
        return TRUE;
    request->status = FILTERD_STORE_FAILED;
    return FALSE;
}
