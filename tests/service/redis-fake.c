/* redis-fake.c: accepts, counts commands and answers by a script.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/service/redis-fake.h"

#include "filterd/base/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 16
#define BUFFER 262144

struct RedisFake {
    RedisFakeScript *script;
    GThread *thread;
    int listener, over[2];
    char *address;
    unsigned port;
    int clients[CLIENTS];
    unsigned count;
    gint connections, commands;
    guint64 sent;
};

static gboolean
say(RedisFake *fake, int fd, const char *text, gsize length)
{
    if (text == NULL || length == 0)
        return TRUE;
    ssize_t sent = send(fd, text, length, MSG_NOSIGNAL);
    __atomic_fetch_add(&fake->sent, (guint64)MAX(sent, 0), __ATOMIC_RELAXED);
    return sent == (ssize_t)length;
}

static gboolean
answer(RedisFake *fake, int fd)
{
    static char flood[65536];
    const RedisFakeScript *script = fake->script;
    const char *text = script->answer;
    g_atomic_int_inc(&fake->commands);
    gboolean ok = say(fake, fd, text, text != NULL ? strlen(text) : 0);
    memset(flood, 'x', sizeof flood);
    while (ok && script->after == REDIS_FAKE_FLOODS)
        ok = say(fake, fd, flood, sizeof flood);
    return ok && script->after != REDIS_FAKE_CLOSES;
}

/* The first word of the command at `*at`, which begins "*N"; moves behind the
 * command. NULL: it is not all there, which loopback does not do to commands
 * that are written in one go. */
static char *
next_command(const char **at, const char *end)
{
    char *first = NULL;
    char *mark;
    if (*at >= end || **at != '*')
        return NULL;
    long words = strtol(*at + 1, &mark, 10);
    for (long i = 0; i < words; i++) {
        long length = strtol(mark + 3, &mark, 10);
        if (i == 0)
            first = g_strndup(mark + 2, (gsize)length);
        mark += 2 + length;
    }
    *at = mark + 2;
    return first;
}

static gboolean
hear(RedisFake *fake, int fd)
{
    g_autofree char *bytes = g_malloc0(BUFFER + 1);
    ssize_t length = recv(fd, bytes, BUFFER, 0);
    const char *at = bytes;
    char *word;
    gboolean ok = length > 0;
    while (ok && (word = next_command(&at, bytes + length)) != NULL) {
        const RedisFakeScript *script = fake->script;
        const struct {
            const char *word, *text;
        } rows[] = {{"AUTH", script->password},
                    {"SELECT", script->database},
                    {"PING", script->ping},
                    {"ASKING", script->asking}};
        gboolean known = FALSE;
        for (gsize i = 0; i < G_N_ELEMENTS(rows) && !known; i++) {
            known = strcmp(word, rows[i].word) == 0;
            if (known)
                ok = say(fake, fd, rows[i].text,
                         rows[i].text != NULL ? strlen(rows[i].text) : 0);
        }
        if (!known)
            ok = answer(fake, fd);
        g_free(word);
    }
    return ok;
}

static void
take_client(RedisFake *fake)
{
    int fd = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0 || fake->count == CLIENTS)
        return;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    fake->clients[fake->count++] = fd;
    g_atomic_int_inc(&fake->connections);
}

static gpointer
serve(gpointer data)
{
    RedisFake *fake = data;
    for (;;) {
        GPollFD polls[CLIENTS + 2] = {{fake->over[0], G_IO_IN, 0},
                                      {fake->listener, G_IO_IN, 0}};
        for (unsigned i = 0; i < fake->count; i++)
            polls[i + 2] = (GPollFD){fake->clients[i], G_IO_IN, 0};
        unsigned count = fake->count;
        g_poll(polls, count + 2, -1);
        if (polls[0].revents != 0)
            return NULL;
        for (unsigned i = count; i-- > 0;) {
            if (polls[i + 2].revents == 0 || hear(fake, fake->clients[i]))
                continue;
            close(fake->clients[i]);
            fake->clients[i] = fake->clients[fake->count - 1];
            __atomic_fetch_sub(&fake->count, 1, __ATOMIC_RELEASE);
        }
        if (polls[1].revents != 0)
            take_client(fake);
    }
}

RedisFake *
redis_fake_new(RedisFakeScript *script)
{
    RedisFake *fake = g_new0(RedisFake, 1);
    Endpoint endpoint = {.ip = ip_from_v4((struct in_addr){htonl(0x7f000001)})};
    struct sockaddr_storage storage;
    socklen_t size = sizeof storage;
    fake->script = script;
    fake->listener = endpoint_listen(&endpoint, NULL, NULL);
    getsockname(fake->listener, (struct sockaddr *)&storage, &size);
    endpoint_from_sockaddr((struct sockaddr *)&storage, size, &endpoint);
    fake->address = endpoint_format(&endpoint);
    fake->port = endpoint.port;
    g_assert_cmpint(pipe2(fake->over, O_CLOEXEC), ==, 0);
    fake->thread = g_thread_new("redis-fake", serve, fake);
    return fake;
}

/* Nobody may be floods' reader any more. */
void
redis_fake_free(RedisFake *fake)
{
    g_assert_cmpint(write(fake->over[1], "", 1), ==, 1);
    g_thread_join(fake->thread);
    for (unsigned i = 0; i < fake->count; i++)
        close(fake->clients[i]);
    close(fake->listener);
    close(fake->over[0]);
    close(fake->over[1]);
    g_free(fake->address);
    g_free(fake);
}

const char *
redis_fake_address(const RedisFake *fake)
{
    return fake->address;
}

unsigned
redis_fake_port(const RedisFake *fake)
{
    return fake->port;
}

unsigned
redis_fake_open(const RedisFake *fake)
{
    return __atomic_load_n(&fake->count, __ATOMIC_ACQUIRE);
}

unsigned
redis_fake_connections(const RedisFake *fake)
{
    return (unsigned)g_atomic_int_get(&fake->connections);
}

unsigned
redis_fake_commands(const RedisFake *fake)
{
    return (unsigned)g_atomic_int_get(&fake->commands);
}

guint64
redis_fake_sent(const RedisFake *fake)
{
    return __atomic_load_n(&fake->sent, __ATOMIC_RELAXED);
}
