/* stream.c: conversations of plugins with servers, which may do anything.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/stream.h"

#include "filterd/base/endpoint.h"
#include "filterd/host/host.h"
#include "tests/base/in-fiber.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>

static const FilterdFact facts[] = {{NULL}};
static const FilterdPlugin plugin = {.abi = FILTERD_ABI,
                                     .size = sizeof plugin,
                                     .name = "talker",
                                     .version = "1",
                                     .facts = facts};

/* More than socket buffers hold. */
#define BIG (5 * 1024 * 1024)
#define PATIENCE 60000

/* A listening socket, whose backlog connects without anybody's help. */
typedef struct World {
    Host *host;
    HostCall call;
    char *folder, *path, *server;
    int listener;
} World;

static const FilterdPlugin *
find(void *data, const char *name, GError **error)
{
    (void)data;
    (void)name;
    (void)error;
    return &plugin;
}

static void
with_world(void (*func)(World *world))
{
    const FilterdAction none[] = {{NULL}};
    const PolicyLoader loader = {
        .plugin = find, .core_facts = facts, .core_actions = none};
    PolicyReport report;
    policy_report_init(&report);
    g_autoptr(PolicyConfig) config =
        policy_compile_text("test", "use talker", &loader, &report);
    g_assert_nonnull(config);
    policy_report_clear(&report);
    World world = {.folder = g_dir_make_tmp("filterd-XXXXXX", NULL)};
    world.host = host_new(
        config, &(HostStart){.core_facts = facts, .brief = TRUE}, NULL);
    world.path = g_build_filename(world.folder, "peer", NULL);
    world.server = g_strconcat("unix:", world.path, NULL);
    const Endpoint endpoint = {.path = world.path};
    world.listener = endpoint_listen(&endpoint, NULL, NULL);
    g_assert_cmpint(world.listener, >=, 0);
    host_call_init(&world.call, host_instance(world.host, 0), NULL);
    func(&world);
    host_call_clear(&world.call);
    g_assert_cmpuint(host_streams(world.host)->open, ==, 0);
    host_free(world.host);
    close(world.listener);
    g_unlink(world.path);
    g_rmdir(world.folder);
    g_free(world.folder);
    g_free(world.path);
    g_free(world.server);
}

static void
run_test(void *data)
{
    void (*const *func)(World * world) = data;
    with_world(*func);
}

static void
in_world(const void *data)
{
    run_in_fiber(run_test, (void *)data);
}

/* ---- words -------------------------------------------------------------- */

static FilterdStream *
open_with(World *world, int64_t patience)
{
    g_autoptr(GError) error = NULL;
    FilterdCall *call = &world->call.call;
    FilterdStream *stream =
        call->host->stream_open(call, world->server, patience, &error);
    g_assert_no_error(error);
    return stream;
}

static int
accept_one(const World *world)
{
    int fd = accept(world->listener, NULL, NULL);
    g_assert_cmpint(fd, >=, 0);
    return fd;
}

static void
say(int fd, const char *text)
{
    g_assert_cmpint(send(fd, text, strlen(text), MSG_NOSIGNAL), ==,
                    (ssize_t)strlen(text));
}

static void
assert_line(World *world, FilterdStream *stream, const char *expected)
{
    FilterdCall *call = &world->call.call;
    g_autoptr(GError) error = NULL;
    size_t length = 0;
    const char *line = call->host->stream_line(call, stream, &length, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(line, ==, expected);
    g_assert_cmpuint(length, ==, strlen(expected));
}

static void
assert_no_line(World *world, FilterdStream *stream, FilterdStreamError code,
               const char *part)
{
    FilterdCall *call = &world->call.call;
    g_autoptr(GError) error = NULL;
    size_t length;
    g_assert_null(call->host->stream_line(call, stream, &length, &error));
    g_assert_nonnull(error);
    g_assert_cmpint(error->code, ==, (int)code);
    g_assert_nonnull(strstr(error->message, part));
    g_assert_nonnull(strstr(error->message, world->server));
}

/* ---- tests -------------------------------------------------------------- */

static void
test_conversation(World *world)
{
    FilterdCall *call = &world->call.call;
    FilterdStream *stream = open_with(world, PATIENCE);
    int fd = accept_one(world);
    char heard[32] = "", rest[3];
    size_t length;
    say(fd, "one\r\n\ntwo\r\r\nrest");
    g_assert_true(call->host->stream_write(call, stream, "hello", 5, NULL));
    assert_line(world, stream, "one");
    assert_line(world, stream, "");
    assert_line(world, stream, "two\r");
    g_assert_cmpint(recv(fd, heard, sizeof heard, 0), ==, 5);
    g_assert_cmpstr(heard, ==, "hello");
    g_assert_true(
        call->host->stream_read(call, stream, rest, 3, &length, NULL));
    g_assert_cmpmem(rest, length, "res", 3);
    close(fd);
    g_assert_true(
        call->host->stream_read(call, stream, rest, 3, &length, NULL));
    g_assert_cmpmem(rest, length, "t", 1);
    g_assert_true(
        call->host->stream_read(call, stream, rest, 3, &length, NULL));
    g_assert_cmpuint(length, ==, 0);
    assert_no_line(world, stream, FILTERD_STREAM_CLOSED, "connection closed");
    call->host->stream_close(call, stream);
}

static void
test_long_lines(World *world)
{
    g_autofree char *most = g_strnfill(FILTERD_STREAM_LINE, 'x');
    g_autofree char *more = g_strnfill(FILTERD_STREAM_LINE + 1, 'y');
    FilterdStream *stream = open_with(world, PATIENCE);
    int fd = accept_one(world);
    say(fd, most);
    say(fd, "\r\n");
    assert_line(world, stream, most);
    say(fd, more);
    say(fd, "\n");
    assert_no_line(world, stream, FILTERD_STREAM_LIMIT, "8192 octets");
    say(fd, most);
    say(fd, most);
    assert_no_line(world, stream, FILTERD_STREAM_LIMIT, "8192 octets");
    close(fd);
}

static void
test_nobody(World *world)
{
    FilterdCall *call = &world->call.call;
    const struct {
        const char *server, *part;
        FilterdStreamError code;
    } rows[] = {
        {"unix:/nowhere/at/all", "No such file", FILTERD_STREAM_LOST},
        {"127.0.0.1:1", "refused", FILTERD_STREAM_LOST},
        {"example.org:25", "example.org", FILTERD_STREAM_SERVER},
        {"", "", FILTERD_STREAM_SERVER},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(
            call->host->stream_open(call, rows[i].server, PATIENCE, &error));
        g_assert_nonnull(strstr(error->message, rows[i].part));
        g_assert_cmpint(error->code, ==, (int)rows[i].code);
    }
}

static void
test_check(World *world)
{
    FilterdCall *call = &world->call.call;
    const struct {
        const char *server;
        bool good;
    } rows[] = {
        {"127.0.0.1:3310", true},  {"[::1]:3310", true},
        {"unix:/run/clamd", true}, {"127.0.0.1", false},
        {"127.0.0.1:0", false},    {"unix:clamd", false},
        {"localhost:3310", false},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        bool good = call->host->stream_check(call, rows[i].server, &error);
        g_assert_cmpint(good, ==, rows[i].good);
        g_assert_cmpint(good, ==, error == NULL);
    }
}

/* Octets that come one by one do not set the patience back, and time in which
 * nothing is waited for does not count. */
static void
drip(void *data)
{
    const int *fd = data;
    for (unsigned i = 0; i < 20; i++) {
        for (unsigned turn = 0; turn < 5; turn++)
            fiber_yield();
        say(*fd, "x");
        clock_advance(100);
    }
}

static void
test_patience(World *world)
{
    FilterdCall *call = &world->call.call;
    clock_stop(0);
    FilterdStream *stream = open_with(world, 1000);
    int fd = accept_one(world);
    clock_advance(PATIENCE);
    say(fd, "there\n");
    assert_line(world, stream, "there");
    Fiber *peer = fiber_start("drip", drip, &fd);
    assert_no_line(world, stream, FILTERD_STREAM_TIMEOUT, "timed out");
    g_assert_false(fiber_ended(peer));
    fiber_join(peer);
    assert_no_line(world, stream, FILTERD_STREAM_TIMEOUT, "timed out");
    call->host->stream_patience(call, stream, 1000);
    say(fd, "\n");
    size_t length;
    g_assert_nonnull(call->host->stream_line(call, stream, &length, NULL));
    clock_start();
    close(fd);
}

static void
advance(void *data)
{
    for (unsigned turn = 0; turn < 10; turn++)
        fiber_yield();
    clock_advance(*(int64_t *)data);
}

/* Who does not read holds us for the patience, with a bounded buffer. */
static void
test_backpressure(World *world)
{
    FilterdCall *call = &world->call.call;
    g_autofree char *big = g_strnfill(BIG, 'x');
    g_autoptr(GError) error = NULL;
    int64_t patience = PATIENCE;
    clock_stop(0);
    FilterdStream *stream = open_with(world, patience);
    Fiber *time = fiber_start("time", advance, &patience);
    g_assert_false(call->host->stream_write(call, stream, big, BIG, &error));
    g_assert_cmpint(error->code, ==, FILTERD_STREAM_TIMEOUT);
    fiber_join(time);
    clock_start();
}

/* Who refuses to hear more may have said why. */
static void
test_last_words(World *world)
{
    FilterdCall *call = &world->call.call;
    g_autofree char *big = g_strnfill(BIG, 'x');
    g_autoptr(GError) error = NULL;
    FilterdStream *stream = open_with(world, PATIENCE);
    int fd = accept_one(world);
    say(fd, "enough\n");
    close(fd);
    g_assert_false(call->host->stream_write(call, stream, big, BIG, &error));
    g_assert_cmpint(error->code, ==, FILTERD_STREAM_LOST);
    assert_line(world, stream, "enough");
}

typedef struct Waiter {
    World *world;
    FilterdStream *stream;
    FilterdStreamError code;
} Waiter;

static void
wait_for_line(void *data)
{
    Waiter *waiter = data;
    assert_no_line(waiter->world, waiter->stream, waiter->code, "cancelled");
}

static void
test_cancel(World *world)
{
    Waiter waiter = {world, open_with(world, PATIENCE),
                     FILTERD_STREAM_CANCELLED};
    Fiber *fiber = fiber_start("waiter", wait_for_line, &waiter);
    for (unsigned turn = 0; turn < 5; turn++)
        fiber_yield();
    g_assert_false(fiber_ended(fiber));
    fiber_cancel(fiber);
    fiber_join(fiber);
}

static void
test_limit_of_a_call(World *world)
{
    FilterdCall *call = &world->call.call;
    g_autoptr(GError) error = NULL;
    FilterdStream *first = open_with(world, PATIENCE);
    for (unsigned i = 1; i < HOST_STREAMS_CALL; i++)
        open_with(world, PATIENCE);
    g_assert_null(
        call->host->stream_open(call, world->server, PATIENCE, &error));
    g_assert_cmpint(error->code, ==, FILTERD_STREAM_LIMIT);
    call->host->stream_close(call, first);
    open_with(world, PATIENCE);
}

static void
open_late(void *data)
{
    Waiter *waiter = data;
    waiter->stream = open_with(waiter->world, PATIENCE);
}

/* The worker's limit is a queue; who loses patience leaves it. */
static void
test_turns(World *world)
{
    FilterdCall *call = &world->call.call;
    HostStreams *streams = host_streams(world->host);
    g_autoptr(GError) error = NULL;
    FilterdStream *first = open_with(world, PATIENCE);
    streams->open += HOST_STREAMS - 1;
    Waiter waiter = {.world = world};
    Fiber *fiber = fiber_start("late", open_late, &waiter);
    g_assert_null(call->host->stream_open(call, world->server, 10, &error));
    g_assert_cmpint(error->code, ==, FILTERD_STREAM_TIMEOUT);
    g_assert_null(waiter.stream);
    call->host->stream_close(call, first);
    fiber_join(fiber);
    g_assert_nonnull(waiter.stream);
    g_assert_cmpuint(streams->open, ==, HOST_STREAMS);
    streams->open -= HOST_STREAMS - 1;
}

/* What was opened since MAIL ends with the message. */
static void
test_scopes(World *world)
{
    int message;
    FilterdStream *session = open_with(world, PATIENCE);
    world->call.call.message = &message;
    open_with(world, PATIENCE);
    open_with(world, PATIENCE);
    g_assert_cmpuint(host_streams(world->host)->open, ==, 3);
    host_streams_end_message(&world->call);
    g_assert_cmpuint(host_streams(world->host)->open, ==, 1);
    int fd = accept_one(world);
    say(fd, "still here\n");
    assert_line(world, session, "still here");
    close(fd);
}

/* ---- turns -------------------------------------------------------------- */

typedef struct Guest {
    HostCall call;
    int64_t patience;
    gboolean entered, stays;
} Guest;

static unsigned inside, most;

static void
visit(void *data)
{
    Guest *guest = data;
    FilterdCall *call = &guest->call.call;
    guest->entered = call->host->enter(call, "door", 2, guest->patience);
    if (!guest->entered)
        return;
    inside++;
    most = MAX(most, inside);
    fiber_sleep(guest->stays ? PATIENCE : 1);
    inside--;
    if (guest->stays)
        host_call_end_hook(&guest->call);
    else
        call->host->leave(call, "door");
}

static void
let_run(void)
{
    for (unsigned turn = 0; turn < 10; turn++)
        fiber_yield();
}

#define GUESTS 20

/* Two stay, of whom one is cancelled: the others wait in a row; but the last
 * one has no patience, and the one before is cancelled in the row. */
static void
test_turns_of_hooks(World *world)
{
    Guest guests[GUESTS] = {0};
    Fiber *fibers[GUESTS];
    inside = most = 0;
    clock_stop(0);
    for (unsigned i = 0; i < GUESTS; i++) {
        host_call_init(&guests[i].call, host_instance(world->host, 0), NULL);
        guests[i].patience = i == GUESTS - 1 ? 5 : 2 * PATIENCE;
        guests[i].stays = i < 2;
        fibers[i] = fiber_start("guest", visit, &guests[i]);
    }
    let_run();
    g_assert_cmpuint(inside, ==, 2);
    clock_advance(10);
    let_run();
    g_assert_true(fiber_ended(fibers[GUESTS - 1]));
    fiber_cancel(fibers[GUESTS - 2]);
    fiber_cancel(fibers[0]);
    for (unsigned i = 0; i < GUESTS; i++) {
        let_run();
        clock_advance(1);
    }
    for (unsigned i = 2; i < GUESTS - 2; i++)
        g_assert_true(fiber_ended(fibers[i]) && guests[i].entered);
    clock_advance(PATIENCE);
    for (unsigned i = 0; i < GUESTS; i++) {
        fiber_join(fibers[i]);
        host_call_clear(&guests[i].call);
    }
    clock_start();
    g_assert_false(guests[GUESTS - 1].entered);
    g_assert_false(guests[GUESTS - 2].entered);
    g_assert_cmpuint(most, ==, 2);
    HostInstance *instance = host_instance(world->host, 0);
    g_assert_cmpuint(g_hash_table_size(instance->turns), ==, 0);
}

static void
test_no_message(World *world)
{
    FilterdCall *call = &world->call.call;
    g_autoptr(GError) error = NULL;
    g_assert_false(call->host->hear(call, NULL, NULL, &error));
    g_assert_nonnull(error);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*func)(World *world);
    } tests[] = {
        {"lines-and-octets-are-read", test_conversation},
        {"a-line-has-a-limit", test_long_lines},
        {"a-dead-server-is-an-error-in-words", test_nobody},
        {"a-server-is-an-address-or-a-path", test_check},
        {"octets-one-by-one-do-not-stretch-patience", test_patience},
        {"who-does-not-read-holds-us-for-our-patience", test_backpressure},
        {"who-hears-no-more-may-say-why", test_last_words},
        {"a-cancelled-fiber-waits-no-longer", test_cancel},
        {"a-call-has-few-open", test_limit_of_a_call},
        {"who-comes-late-waits-for-a-turn", test_turns},
        {"it-ends-with-its-message", test_scopes},
        {"hooks-wait-in-a-row", test_turns_of_hooks},
        {"no-message-is-heard-before-its-end", test_no_message},
    };
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path =
            g_strconcat("/host/stream/", tests[i].name, NULL);
        g_test_add_data_func(path, &tests[i].func, in_world);
    }
    return g_test_run();
}
