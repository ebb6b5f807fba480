/* stream.c: tests of base/stream, over socket pairs.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/stream.h"
#include "tests/base/in-fiber.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>

/* More than any socket buffer holds. */
#define BIG (5 * 1024 * 1024)

typedef struct Pair {
    Stream *stream;
    int peer; /* blocking; -1: closed */
} Pair;

static Pair
pair_new(void)
{
    int ends[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), ==, 0);
    return (Pair){stream_new(ends[0]), ends[1]};
}

static void
pair_close_peer(Pair *pair)
{
    close(pair->peer);
    pair->peer = -1;
}

static void
pair_clear(Pair *pair)
{
    stream_free(pair->stream);
    if (pair->peer >= 0)
        close(pair->peer);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pair, pair_clear)

static void
say(const Pair *pair, const char *text)
{
    g_assert_cmpint(send(pair->peer, text, strlen(text), MSG_NOSIGNAL), ==,
                    (ssize_t)strlen(text));
}

/* What the peer has got by now. */
static char *
hear(const Pair *pair)
{
    char text[4096];
    ssize_t length = recv(pair->peer, text, sizeof(text), MSG_DONTWAIT);

    return g_strndup(text, (gsize)MAX(length, 0));
}

static void
assert_peek(const Stream *stream, const char *expected)
{
    size_t length;
    const char *bytes = stream_peek(stream, &length);

    g_assert_cmpmem(bytes, length, expected, strlen(expected));
}

static void
assert_heard(const Pair *pair, const char *expected)
{
    g_autofree char *text = hear(pair);

    g_assert_cmpstr(text, ==, expected);
}

static void
reads(void *data G_GNUC_UNUSED)
{
    g_auto(Pair) pair = pair_new();

    assert_peek(pair.stream, "");
    say(&pair, "EHLO a\r\nMA");
    g_assert_cmpint(stream_fill(pair.stream), ==, STREAM_OK);
    assert_peek(pair.stream, "EHLO a\r\nMA");
    stream_consume(pair.stream, 8);
    say(&pair, "IL");
    g_assert_cmpint(stream_fill(pair.stream), ==, STREAM_OK);
    assert_peek(pair.stream, "MAIL");
    stream_discard(pair.stream);
    assert_peek(pair.stream, "");
}

static void
say_later(void *data)
{
    fiber_yield();
    say(data, "late");
}

static void
waits(void *data G_GNUC_UNUSED)
{
    g_auto(Pair) pair = pair_new();

    for (int i = 0; i < 3; i++) {
        Fiber *fiber = fiber_start("peer", say_later, &pair);

        g_assert_cmpint(stream_fill(pair.stream), ==, STREAM_OK);
        assert_peek(pair.stream, "late");
        stream_consume(pair.stream, 4);
        fiber_join(fiber);
    }
}

static void
half_close(void *data G_GNUC_UNUSED)
{
    g_auto(Pair) pair = pair_new();

    say(&pair, "QUIT");
    shutdown(pair.peer, SHUT_WR);
    g_assert_cmpint(stream_fill(pair.stream), ==, STREAM_OK);
    assert_peek(pair.stream, "QUIT");
    g_assert_cmpint(stream_fill(pair.stream), ==, STREAM_EOF);
    g_assert_cmpint(stream_fill(pair.stream), ==, STREAM_EOF);
    assert_peek(pair.stream, "QUIT");
    g_assert_cmpint(stream_printf(pair.stream, "%d bye", 221), ==, STREAM_OK);
    g_assert_cmpint(stream_flush(pair.stream), ==, STREAM_OK);
    assert_heard(&pair, "221 bye");
}

static void
fill_until(Pair *pair, StreamStatus *status)
{
    do
        *status = stream_fill(pair->stream);
    while (*status == STREAM_OK);
}

typedef struct Reader {
    Pair pair;
    StreamStatus status;
    gboolean ended;
} Reader;

static void
run_reader(void *data)
{
    Reader *reader = data;

    fill_until(&reader->pair, &reader->status);
    reader->ended = TRUE;
}

static void
slow_peer(void *data G_GNUC_UNUSED)
{
    Reader reader = {.pair = pair_new()};
    Fiber *fiber;

    clock_stop(0);
    stream_set_deadline(reader.pair.stream, clock_after(10));
    fiber = fiber_start("reader", run_reader, &reader);
    for (int i = 0; i < 10; i++) {
        fiber_yield();
        g_assert_false(reader.ended);
        say(&reader.pair, "x");
        fiber_yield();
        clock_advance(1);
    }
    fiber_join(fiber);
    g_assert_cmpint(reader.status, ==, STREAM_TIMEOUT);
    assert_peek(reader.pair.stream, "xxxxxxxxxx");
    pair_clear(&reader.pair);
    clock_start();
}

static void
late_octets(void *data G_GNUC_UNUSED)
{
    g_auto(Pair) pair = pair_new();

    clock_stop(0);
    stream_set_deadline(pair.stream, clock_after(10));
    say(&pair, "x");
    clock_advance(10);
    g_assert_cmpint(stream_fill(pair.stream), ==, STREAM_TIMEOUT);
    stream_set_deadline(pair.stream, clock_after(10));
    g_assert_cmpint(stream_fill(pair.stream), ==, STREAM_OK);
    clock_start();
}

static void
cancelled_reader(void *data G_GNUC_UNUSED)
{
    Reader reader = {.pair = pair_new()};
    Fiber *fiber = fiber_start("reader", run_reader, &reader);

    fiber_yield();
    g_assert_false(reader.ended);
    fiber_cancel(fiber);
    fiber_join(fiber);
    g_assert_cmpint(reader.status, ==, STREAM_CANCELLED);
    pair_clear(&reader.pair);
}

static void
full(void *data G_GNUC_UNUSED)
{
    g_auto(Pair) pair = pair_new();
    g_autofree char *text = g_strnfill(STREAM_BUFFER, 'x');
    StreamStatus status;

    text[0] = 'a';
    text[STREAM_BUFFER - 1] = 'z';
    say(&pair, text);
    say(&pair, "tail");
    fill_until(&pair, &status);
    g_assert_cmpint(status, ==, STREAM_FULL);
    assert_peek(pair.stream, text);
    stream_consume(pair.stream, STREAM_BUFFER - 1);
    g_assert_cmpint(stream_fill(pair.stream), ==, STREAM_OK);
    assert_peek(pair.stream, "ztail");
}

static void
idles(void *data G_GNUC_UNUSED)
{
    g_auto(Pair) pair = pair_new();

    say(&pair, "keep");
    g_assert_cmpint(stream_fill(pair.stream), ==, STREAM_OK);
    stream_printf(pair.stream, "unsent");
    stream_idle(pair.stream);
    assert_peek(pair.stream, "keep");
    stream_consume(pair.stream, 4);
    g_assert_cmpint(stream_flush(pair.stream), ==, STREAM_OK);
    assert_heard(&pair, "unsent");
    stream_idle(pair.stream);
    assert_peek(pair.stream, "");
    say(&pair, "again");
    g_assert_cmpint(stream_fill(pair.stream), ==, STREAM_OK);
    assert_peek(pair.stream, "again");
}

static void
pending(void *data G_GNUC_UNUSED)
{
    g_auto(Pair) pair = pair_new();

    g_assert_false(stream_pending(pair.stream));
    say(&pair, "xy");
    fiber_yield();
    g_assert_true(stream_pending(pair.stream));
    g_assert_cmpint(stream_fill(pair.stream), ==, STREAM_OK);
    stream_consume(pair.stream, 1);
    g_assert_true(stream_pending(pair.stream));
    stream_consume(pair.stream, 1);
    g_assert_false(stream_pending(pair.stream));
    g_assert_true(stream_quiet(pair.stream));
    pair_close_peer(&pair);
    fiber_yield();
    g_assert_false(stream_pending(pair.stream));
    g_assert_false(stream_quiet(pair.stream));
}

/* The octet at that place of a long transfer. */
static char
octet_at(size_t place)
{
    return (char)(place * 31 >> 3);
}

static void
read_big(void *data)
{
    Stream *stream = data;
    size_t place = 0, length;
    const char *bytes;

    while (stream_fill(stream) == STREAM_OK) {
        bytes = stream_peek(stream, &length);
        for (size_t i = 0; i < length; i++)
            if (bytes[i] != octet_at(place++))
                g_error("wrong octet at %zu", place - 1);
        stream_consume(stream, length);
    }
    g_assert_cmpuint(place, ==, BIG);
}

static void
write_big(void *data)
{
    Stream *stream = data;
    g_autofree char *bytes = g_malloc(BIG);

    for (size_t i = 0; i < BIG; i++)
        bytes[i] = octet_at(i);
    g_assert_cmpint(stream_write(stream, bytes, 7), ==, STREAM_OK);
    g_assert_cmpint(stream_write(stream, bytes + 7, BIG - 7), ==, STREAM_OK);
    g_assert_cmpint(stream_flush(stream), ==, STREAM_OK);
    shutdown(stream_fd(stream), SHUT_WR);
}

/* Both directions of both ends at once, a fiber each. */
static void
big_transfers(void *data G_GNUC_UNUSED)
{
    int ends[2];
    Fiber *fibers[4];
    Stream *a, *b;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), ==, 0);
    a = stream_new(ends[0]);
    b = stream_new(ends[1]);
    fibers[0] = fiber_start("a-writes", write_big, a);
    fibers[1] = fiber_start("b-writes", write_big, b);
    fibers[2] = fiber_start("a-reads", read_big, a);
    fibers[3] = fiber_start("b-reads", read_big, b);
    for (size_t i = 0; i < G_N_ELEMENTS(fibers); i++)
        fiber_join(fibers[i]);
    stream_free(a);
    stream_free(b);
}

static void
gathers(void *data G_GNUC_UNUSED)
{
    g_auto(Pair) pair = pair_new();
    g_autofree char *text = g_strnfill(STREAM_BUFFER, 'x');

    g_assert_cmpint(stream_write(pair.stream, text, STREAM_BUFFER), ==,
                    STREAM_OK);
    assert_heard(&pair, "");
    g_assert_cmpint(stream_write(pair.stream, "y", 1), ==, STREAM_OK);
    for (int i = 0; i < STREAM_BUFFER / 4096; i++) {
        g_autofree char *part = hear(&pair);

        g_assert_cmpuint(strlen(part), ==, 4096);
    }
    assert_heard(&pair, "");
    g_assert_cmpint(stream_flush(pair.stream), ==, STREAM_OK);
    assert_heard(&pair, "y");
}

static void
write_too_much(void *data)
{
    Reader *writer = data;
    g_autofree char *bytes = g_malloc0(BIG);

    writer->status = stream_write(writer->pair.stream, bytes, BIG);
    writer->ended = TRUE;
}

static Fiber *
start_writer(Reader *writer)
{
    Fiber *fiber = fiber_start("writer", write_too_much, writer);

    for (int i = 0; i < 10; i++)
        fiber_yield();
    g_assert_false(writer->ended);
    return fiber;
}

static void
peer_that_does_not_read(void *data G_GNUC_UNUSED)
{
    Reader writer = {.pair = pair_new()};
    Fiber *fiber;

    clock_stop(0);
    stream_set_deadline(writer.pair.stream, clock_after(10));
    fiber = start_writer(&writer);
    clock_advance(10);
    fiber_join(fiber);
    g_assert_cmpint(writer.status, ==, STREAM_TIMEOUT);
    stream_set_deadline(writer.pair.stream, CLOCK_NEVER);
    g_assert_cmpint(stream_flush(writer.pair.stream), ==, STREAM_TIMEOUT);
    g_assert_cmpint(stream_printf(writer.pair.stream, "x"), ==, STREAM_TIMEOUT);
    pair_clear(&writer.pair);
    clock_start();
}

static void
cancelled_writer(void *data G_GNUC_UNUSED)
{
    Reader writer = {.pair = pair_new()};
    Fiber *fiber = start_writer(&writer);

    fiber_cancel(fiber);
    fiber_join(fiber);
    g_assert_cmpint(writer.status, ==, STREAM_CANCELLED);
    pair_clear(&writer.pair);
}

static void
peer_gone(void *data G_GNUC_UNUSED)
{
    g_auto(Pair) pair = pair_new();

    pair_close_peer(&pair);
    g_assert_cmpint(stream_printf(pair.stream, "x"), ==, STREAM_OK);
    g_assert_cmpint(stream_flush(pair.stream), ==, STREAM_ERROR);
    g_assert_cmpint(stream_error(pair.stream), ==, EPIPE);
    g_assert_cmpint(stream_printf(pair.stream, "x"), ==, STREAM_ERROR);
    g_assert_cmpint(stream_fill(pair.stream), ==, STREAM_EOF);
}

static void
set_flag(void *data)
{
    *(gboolean *)data = TRUE;
}

/* The peer has always some more: without a share of the loop for others this
 * would go on for ever. */
static void
fair(void *data G_GNUC_UNUSED)
{
    g_auto(Pair) pair = pair_new();
    g_autofree char *text = g_strnfill(4096, 'x');
    gboolean ran = FALSE;

    fiber_detach(fiber_start("other", set_flag, &ran));
    for (int i = 0; i < BIG / 4096 && !ran; i++) {
        say(&pair, text);
        g_assert_cmpint(stream_fill(pair.stream), ==, STREAM_OK);
        stream_discard(pair.stream);
    }
    g_assert_true(ran);
}

/* The same of octets that are few, and take long. */
static void
fair_in_time(void *data G_GNUC_UNUSED)
{
    g_auto(Pair) pair = pair_new();
    gboolean ran = FALSE;

    fiber_detach(fiber_start("other", set_flag, &ran));
    for (int i = 0; i < 100 && !ran; i++) {
        g_usleep(1000);
        say(&pair, "x");
        g_assert_cmpint(stream_fill(pair.stream), ==, STREAM_OK);
        stream_discard(pair.stream);
    }
    g_assert_true(ran);
}

static int
listen_here(Endpoint *where)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    int fd;

    g_assert_true(endpoint_parse("127.0.0.1:0", ':', where, NULL));
    fd = endpoint_listen(where, NULL, NULL);
    g_assert_cmpint(fd, >=, 0);
    getsockname(fd, (struct sockaddr *)&address, &size);
    endpoint_from_sockaddr((struct sockaddr *)&address, size, where);
    return fd;
}

static void
connects(void *data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Stream) stream = NULL;
    g_auto(Pair) pair = {NULL, -1};
    Endpoint where;
    int fd = listen_here(&where);

    stream = stream_connect(&where, NULL, clock_after(5000), &error);
    g_assert_no_error(error);
    pair.stream = stream_new(accept(fd, NULL, NULL));
    pair.peer = dup(stream_fd(stream));
    stream_printf(stream, "220 hello");
    g_assert_cmpint(stream_flush(stream), ==, STREAM_OK);
    g_assert_cmpint(stream_fill(pair.stream), ==, STREAM_OK);
    assert_peek(pair.stream, "220 hello");
    close(fd);
}

static void
reset(void *data G_GNUC_UNUSED)
{
    g_autoptr(Stream) stream = NULL;
    const struct linger now = {1, 0};
    Endpoint where;
    int fd = listen_here(&where), peer;

    stream = stream_connect(&where, NULL, clock_after(5000), NULL);
    g_assert_nonnull(stream);
    peer = accept(fd, NULL, NULL);
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(peer);
    g_assert_cmpint(stream_fill(stream), ==, STREAM_ERROR);
    g_assert_cmpint(stream_error(stream), ==, ECONNRESET);
    close(fd);
}

static void
assert_no_connection(const Endpoint *where, int64_t deadline, int code)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = endpoint_format(where);

    g_assert_null(stream_connect(where, NULL, deadline, &error));
    g_assert_error(error, STREAM_CONNECT_ERROR, code);
    g_assert_nonnull(strstr(error->message, text));
}

static void
refused(void *data G_GNUC_UNUSED)
{
    Endpoint where, path = {.path = (char *)"/nonexistent/socket"};

    close(listen_here(&where));
    assert_no_connection(&where, clock_after(5000), STREAM_ERROR);
    assert_no_connection(&path, clock_after(5000), STREAM_ERROR);
}

static void
advance(void *data G_GNUC_UNUSED)
{
    for (int i = 0; i < 10; i++)
        fiber_yield();
    clock_advance(5000);
}

/* Nobody accepts: once the backlog is full, the kernel drops what comes. */
static void
unanswered(void *data G_GNUC_UNUSED)
{
    g_autoptr(Stream) first = NULL, second = NULL;
    Endpoint where;
    int fd = listen_here(&where);

    listen(fd, 0);
    first = stream_connect(&where, NULL, clock_after(5000), NULL);
    g_assert_nonnull(first);
    clock_stop(0);
    second = stream_connect(&where, NULL, clock_after(0), NULL);
    fiber_detach(fiber_start("clock", advance, NULL));
    assert_no_connection(&where, clock_after(5000), STREAM_TIMEOUT);
    clock_start();
    close(fd);
}

static void
make_room(void *data)
{
    for (int i = 0; i < 5; i++)
        fiber_sleep(5);
    close(accept(*(int *)data, NULL, NULL));
}

/* The kernel refuses who comes when the queue of a unix socket is full. */
static void
full_queue(void *data G_GNUC_UNUSED)
{
    g_autoptr(GPtrArray) queue =
        g_ptr_array_new_with_free_func((GDestroyNotify)stream_free);
    g_autofree char *folder = g_dir_make_tmp("filterd-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "socket", NULL);
    const Endpoint where = {.path = path};
    int fd = endpoint_listen(&where, NULL, NULL);
    Stream *stream;

    listen(fd, 0);
    while ((stream = stream_connect(&where, NULL, clock_after(50), NULL)))
        g_ptr_array_add(queue, stream);
    g_assert_cmpuint(queue->len, >, 0);
    assert_no_connection(&where, clock_after(50), STREAM_TIMEOUT);
    fiber_detach(fiber_start("room", make_room, &fd));
    stream = stream_connect(&where, NULL, clock_after(30000), NULL);
    g_assert_nonnull(stream);
    g_ptr_array_add(queue, stream);
    close(fd);
    g_unlink(path);
    g_rmdir(folder);
}

typedef struct Row {
    const char *name;
    FiberRun run;
} Row;

static const Row rows[] = {
    {"octets-are-there-until-consumed", reads},
    {"fill-waits-for-the-peer", waits},
    {"half-closed-can-still-be-written", half_close},
    {"a-slow-peer-does-not-stretch-the-deadline", slow_peer},
    {"octets-after-the-deadline-are-late", late_octets},
    {"cancel-ends-a-read", cancelled_reader},
    {"the-read-buffer-is-bounded", full},
    {"idle-loses-nothing", idles},
    {"pending-looks-into-the-kernel", pending},
    {"big-writes-arrive-whole-both-ways", big_transfers},
    {"writes-are-gathered", gathers},
    {"a-peer-that-does-not-read-hits-the-deadline", peer_that_does_not_read},
    {"cancel-ends-a-write", cancelled_writer},
    {"a-broken-pipe-is-a-status-that-sticks", peer_gone},
    {"a-busy-peer-leaves-the-loop-to-others", fair},
    {"so-does-one-whose-octets-take-long", fair_in_time},
    {"connects", connects},
    {"a-reset-is-an-error", reset},
    {"a-refused-connection-is-an-error", refused},
    {"a-full-queue-of-a-unix-socket-is-waited-for", full_queue},
    {"an-unanswered-connection-times-out", unanswered},
};

static void
run_row(gconstpointer data)
{
    const Row *row = data;

    run_in_fiber(row->run, NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path =
            g_strconcat("/base/stream/", rows[i].name, NULL);

        g_test_add_data_func(path, &rows[i], run_row);
    }
    return g_test_run();
}
