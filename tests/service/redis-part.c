/* redis-part.c: starts redis-server, and speaks to it behind filterd's back.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/service/redis-part.h"

#include <hiredis/hiredis.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE 20000000 /* microseconds */

struct RedisPart {
    GPid pid;
    char *path, *address;
    redisContext *context;
};

static const char age[] =
    "for _, k in ipairs(redis.call('KEYS', '*')) do"
    " local left = redis.call('PTTL', k)"
    " if left >= 0 and left <= tonumber(ARGV[1]) then redis.call('DEL', k)"
    " elseif left >= 0 then redis.call('PEXPIRE', k, left - ARGV[1]) end "
    "end return 'OK'";

static void
end_with_parent(gpointer data G_GNUC_UNUSED)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static gboolean
start(RedisPart *part, const char *directory, const char *const *words)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    const char *const fixed[] = {
        "redis-server", "--port", "0",      "--unixsocket",
        part->path,     "--save", "",       "--appendonly",
        "no",           "--dir",  directory};
    for (gsize i = 0; i < G_N_ELEMENTS(fixed); i++)
        g_ptr_array_add(argv, (gpointer)fixed[i]);
    for (; words != NULL && *words != NULL; words++)
        g_ptr_array_add(argv, (gpointer)*words);
    g_ptr_array_add(argv, NULL);
    return g_spawn_async(NULL, (char **)argv->pdata, NULL,
                         G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD
                             | G_SPAWN_STDOUT_TO_DEV_NULL
                             | G_SPAWN_STDERR_TO_DEV_NULL,
                         end_with_parent, NULL, &part->pid, NULL);
}

static void
connect_to(RedisPart *part)
{
    int64_t until = g_get_monotonic_time() + PATIENCE;
    part->context = redisConnectUnix(part->path);
    while (part->context->err != 0 && g_get_monotonic_time() < until) {
        redisFree(part->context);
        g_usleep(2000);
        part->context = redisConnectUnix(part->path);
    }
    g_assert_cmpint(part->context->err, ==, 0);
}

RedisPart *
redis_part_new(const char *directory, const char *const *words)
{
    RedisPart *part = g_new0(RedisPart, 1);
    part->path = g_build_filename(directory, "redis.sock", NULL);
    part->address = g_strconcat("unix:", part->path, NULL);
    if (start(part, directory, words)) {
        connect_to(part);
        return part;
    }
    g_free(part->path);
    g_free(part->address);
    g_free(part);
    return NULL;
}

void
redis_part_free(RedisPart *part)
{
    redisFree(part->context);
    kill(part->pid, SIGKILL);
    waitpid(part->pid, NULL, 0);
    g_spawn_close_pid(part->pid);
    unlink(part->path);
    g_free(part->path);
    g_free(part->address);
    g_free(part);
}

const char *
redis_part_address(const RedisPart *part)
{
    return part->address;
}

void
redis_part_age(RedisPart *part, int64_t milliseconds)
{
    redisReply *reply = redisCommand(part->context, "EVAL %s 0 %lld", age,
                                     (long long)milliseconds);
    g_assert_cmpint(reply->type, ==, REDIS_REPLY_STRING);
    freeReplyObject(reply);
}

int64_t
redis_part_left(RedisPart *part, const char *key)
{
    redisReply *reply = redisCommand(part->context, "PTTL %s", key);
    int64_t left = reply->integer;
    freeReplyObject(reply);
    return left;
}

char *
redis_part_say(RedisPart *part, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = redisvCommand(part->context, format, arguments);
    va_end(arguments);
    g_assert_nonnull(reply);
    char *text = reply->type == REDIS_REPLY_INTEGER
                     ? g_strdup_printf("%lld", reply->integer)
                     : g_strdup(reply->str != NULL ? reply->str : "nil");
    freeReplyObject(reply);
    return text;
}
