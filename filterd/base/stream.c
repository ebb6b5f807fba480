/* stream.c: buffers on a socket whose readiness comes edge-triggered.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/stream.h"

#include "filterd/base/fiber.h"
#include "filterd/base/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

/* Milliseconds until a unix socket whose queue is full is tried again. */
#define QUEUE_PAUSE 10
/* Octets after which a peer that never makes us wait lets others run. */
#define FAIR_SHARE (1024 * 1024)

/* Reading or writing: its event is added once, when it first has to wait. */
typedef struct Side {
    struct event *event;
    Fiber *waiter;
    gboolean dry; /* the kernel said EAGAIN, and no edge has come since */
} Side;

struct Stream {
    int fd;
    int error;
    int64_t deadline;
    size_t share; /* octets since it last let others run */
    Side reading, writing;
    Buffer in, out;
    StreamStatus written; /* other than OK: for good */
    TlsLink *tls;         /* NULL: none */
};

G_DEFINE_QUARK(stream - connect - error, stream_connect_error)

static Transport
transport_result(ssize_t length, Transport again)
{
    if (length >= 0)
        return TRANSPORT_DONE;
    return errno == EAGAIN ? again : TRANSPORT_FAILED;
}

/* This and the two below alone know what lies under the buffers. */
static Transport
transport_read(Stream *stream, void *bytes, size_t size, size_t *length)
{
    if (stream->tls != NULL)
        return tls_link_read(stream->tls, bytes, size, length);
    ssize_t taken = TEMP_FAILURE_RETRY(recv(stream->fd, bytes, size, 0));

    if (taken == 0)
        return TRANSPORT_EOF;
    *length = (size_t)taken;
    return transport_result(taken, TRANSPORT_WANTS_READ);
}

static Transport
transport_write(Stream *stream, const void *bytes, size_t size, size_t *length)
{
    if (stream->tls != NULL)
        return tls_link_write(stream->tls, bytes, size, length);
    ssize_t sent =
        TEMP_FAILURE_RETRY(send(stream->fd, bytes, size, MSG_NOSIGNAL));

    *length = (size_t)sent;
    return transport_result(sent, TRANSPORT_WANTS_WRITE);
}

static Transport
transport_look(Stream *stream)
{
    char octet;

    if (stream->tls != NULL)
        return tls_link_look(stream->tls);
    ssize_t length = TEMP_FAILURE_RETRY(recv(stream->fd, &octet, 1, MSG_PEEK));
    return length == 0 ? TRANSPORT_EOF
                       : transport_result(length, TRANSPORT_WANTS_READ);
}

static void
side_ready(int fd G_GNUC_UNUSED, short what G_GNUC_UNUSED, void *data)
{
    Side *side = data;

    side->dry = FALSE;
    if (side->waiter != NULL)
        fiber_wake(side->waiter);
}

/* Between the kernel's EAGAIN and this nothing else has run, and whatever came
 * meanwhile makes an edge, or is seen when the event is added. */
static void
side_dry(Stream *stream, Side *side, short what)
{
    side->dry = TRUE;
    if (side->event != NULL)
        return;
    side->event =
        event_new(loop_base(), stream->fd, (short)(what | EV_ET | EV_PERSIST),
                  side_ready, side);
    event_add(side->event, NULL);
}

/* What a read would say. The kernel is not asked again before an edge. */
static Transport
look(Stream *stream)
{
    if (stream->reading.dry)
        return TRANSPORT_WANTS_READ;
    Transport seen = transport_look(stream);

    if (seen == TRANSPORT_WANTS_READ)
        side_dry(stream, &stream->reading, EV_READ);
    return seen;
}

static StreamStatus
status_of_wake(FiberWake wake)
{
    return wake == FIBER_CANCELLED ? STREAM_CANCELLED
           : wake == FIBER_TIMEOUT ? STREAM_TIMEOUT
                                   : STREAM_OK;
}

static StreamStatus
wait_for(Stream *stream, Side *side, short what)
{
    FiberWake wake = FIBER_WOKEN;

    side_dry(stream, side, what);
    stream->share = 0;
    g_assert(side->waiter == NULL);
    side->waiter = fiber_self();
    while (side->dry && wake == FIBER_WOKEN)
        wake = fiber_wait(stream->deadline);
    side->waiter = NULL;
    return status_of_wake(wake);
}

/* Before octets are moved: whether there is still time to. */
static StreamStatus
check_time(Stream *stream)
{
    if (stream->share >= FAIR_SHARE || fiber_turn_over()) {
        stream->share = 0;
        fiber_yield();
    }
    if (fiber_cancelled())
        return STREAM_CANCELLED;
    if (stream->deadline != CLOCK_NEVER
        && clock_monotonic() >= stream->deadline)
        return STREAM_TIMEOUT;
    return STREAM_OK;
}

/* OK: try again. */
static StreamStatus
settle(Stream *stream, Transport result)
{
    if (result == TRANSPORT_AGAIN) {
        fiber_yield();
        return check_time(stream);
    }
    if (result == TRANSPORT_WANTS_READ)
        return wait_for(stream, &stream->reading, EV_READ);
    if (result == TRANSPORT_WANTS_WRITE)
        return wait_for(stream, &stream->writing, EV_WRITE);
    stream->error = errno;
    return result == TRANSPORT_EOF ? STREAM_EOF : STREAM_ERROR;
}

Stream *
stream_new(int fd)
{
    Stream *stream = g_new0(Stream, 1);
    const int on = 1;

    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    /* Buffers are ours; on a unix socket this fails, and does not matter. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    stream->fd = fd;
    stream->deadline = CLOCK_NEVER;
    return stream;
}

void
stream_free(Stream *stream)
{
    g_assert(stream->reading.waiter == NULL && stream->writing.waiter == NULL);
    g_clear_pointer(&stream->tls, tls_link_free);
    g_clear_pointer(&stream->reading.event, event_free);
    g_clear_pointer(&stream->writing.event, event_free);
    close(stream->fd);
    buffer_clear(&stream->in);
    buffer_clear(&stream->out);
    g_free(stream);
}

/* A unix socket with a full queue says EAGAIN, and never when there is room.
 * OK with an error: that is what came of it. */
static StreamStatus
begin_connect(Stream *stream, const Endpoint *endpoint)
{
    struct sockaddr_storage address;
    socklen_t size = endpoint_to_sockaddr(endpoint, &address);
    StreamStatus status = STREAM_OK;

    do {
        stream->error = 0;
        if (connect(stream->fd, (struct sockaddr *)&address, size) != 0)
            stream->error = errno;
        if (stream->error != EAGAIN || endpoint->path == NULL)
            break;
        fiber_sleep(QUEUE_PAUSE);
        status = check_time(stream);
    } while (status == STREAM_OK);
    return status;
}

static StreamStatus
finish_connect(Stream *stream, const Endpoint *endpoint)
{
    socklen_t error_size = sizeof(stream->error);
    StreamStatus status = begin_connect(stream, endpoint);

    if (status == STREAM_OK && stream->error == EINPROGRESS) {
        status = wait_for(stream, &stream->writing, EV_WRITE);
        getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &stream->error,
                   &error_size);
    }
    if (status == STREAM_OK && stream->error != 0)
        return STREAM_ERROR;
    return status;
}

/* A socket to connect with; -1 with an error. */
static int
open_socket(const Endpoint *endpoint, const StreamSource *source,
            GError **error)
{
    g_autofree char *text = endpoint_format(endpoint);
    char ip[IP_TEXT_SIZE];
    int family = endpoint->path != NULL    ? AF_UNIX
                 : ip_is_v4(&endpoint->ip) ? AF_INET
                                           : AF_INET6;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        g_set_error(error, ENDPOINT_ERROR, ENDPOINT_ERROR_SYSTEM,
                    "cannot connect to %s: %s", text, g_strerror(errno));
    } else if (source != NULL
               && !endpoint_bind_source(fd, &source->ip, source->foreign)) {
        g_set_error(error, ENDPOINT_ERROR, ENDPOINT_ERROR_SYSTEM,
                    "cannot connect to %s from %s: %s", text,
                    ip_format(&source->ip, ip), g_strerror(errno));
        close(fd);
        fd = -1;
    }
    return fd;
}

Stream *
stream_connect(const Endpoint *endpoint, const StreamSource *source,
               int64_t deadline, GError **error)
{
    g_autoptr(Stream) stream = NULL;
    g_autofree char *text = NULL;
    int fd = open_socket(endpoint, source, error);
    StreamStatus status;

    if (fd < 0)
        return NULL;
    stream = stream_new(fd);
    stream->deadline = deadline;
    status = finish_connect(stream, endpoint);
    if (status == STREAM_OK)
        return g_steal_pointer(&stream);
    text = endpoint_format(endpoint);
    g_set_error(error, STREAM_CONNECT_ERROR, status, "cannot connect to %s: %s",
                text,
                status == STREAM_ERROR ? g_strerror(stream->error)
                                       : stream_status_text(status));
    return NULL;
}

int
stream_fd(const Stream *stream)
{
    return stream->fd;
}

int
stream_error(const Stream *stream)
{
    return stream->error;
}

const char *
stream_status_text(StreamStatus status)
{
    static const char *const texts[] = {
        [STREAM_OK] = "no error",           [STREAM_EOF] = "connection closed",
        [STREAM_TIMEOUT] = "timed out",     [STREAM_CANCELLED] = "cancelled",
        [STREAM_ERROR] = "connection lost", [STREAM_FULL] = "buffer full",
    };

    return texts[status];
}

void
stream_set_deadline(Stream *stream, int64_t deadline)
{
    stream->deadline = deadline;
}

const char *
stream_peek(const Stream *stream, size_t *length)
{
    *length = stream->in.end - stream->in.start;
    return *length > 0 ? stream->in.bytes + stream->in.start : "";
}

void
stream_consume(Stream *stream, size_t length)
{
    g_assert(length <= stream->in.end - stream->in.start);
    stream->in.start += length;
}

StreamStatus
stream_fill(Stream *stream)
{
    Buffer *in = &stream->in;
    StreamStatus status = check_time(stream);
    size_t room = buffer_room(in), length = 0;

    if (status == STREAM_OK && room == 0)
        return STREAM_FULL;
    while (status == STREAM_OK) {
        Transport result =
            stream->reading.dry
                ? TRANSPORT_WANTS_READ
                : transport_read(stream, in->bytes + in->end, room, &length);

        if (result == TRANSPORT_DONE)
            break;
        buffer_release(in);
        status = settle(stream, result);
        room = buffer_room(in);
    }
    if (status == STREAM_OK) {
        in->end += length;
        stream->share += length;
    }
    return status;
}

gboolean
stream_pending(Stream *stream)
{
    return stream->in.start != stream->in.end || look(stream) == TRANSPORT_DONE;
}

gboolean
stream_quiet(Stream *stream)
{
    return stream->in.start == stream->in.end
           && look(stream) == TRANSPORT_WANTS_READ;
}

void
stream_discard(Stream *stream)
{
    stream->in.start = stream->in.end;
}

void
stream_wipe(Stream *stream)
{
    buffer_wipe(&stream->in);
    buffer_wipe(&stream->out);
}

StreamStatus
stream_write(Stream *stream, const void *bytes, size_t length)
{
    const char *next = bytes;

    while (length > 0 && stream->written == STREAM_OK) {
        size_t part = MIN(length, buffer_room(&stream->out));

        if (part == 0) {
            stream_flush(stream);
            continue;
        }
        memcpy(stream->out.bytes + stream->out.end, next, part);
        stream->out.end += part;
        next += part;
        length -= part;
    }
    return stream->written;
}

StreamStatus
stream_printf(Stream *stream, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return stream_write(stream, text, strlen(text));
}

StreamStatus
stream_flush(Stream *stream)
{
    Buffer *out = &stream->out;

    while (stream->written == STREAM_OK && out->start < out->end) {
        size_t length = 0;
        Transport result;

        stream->written = check_time(stream);
        if (stream->written != STREAM_OK)
            break;
        result = transport_write(stream, out->bytes + out->start,
                                 out->end - out->start, &length);
        if (result != TRANSPORT_DONE) {
            stream->written = settle(stream, result);
            continue;
        }
        out->start += length;
        stream->share += length;
    }
    return stream->written;
}

/* Whoever could not agree on TLS is told nothing more. */
StreamStatus
stream_secure(Stream *stream, const TlsContext *context, GError **error)
{
    StreamStatus status = check_time(stream);
    size_t length;

    g_assert(stream->tls == NULL && stream->out.start == stream->out.end);
    const char *head = stream_peek(stream, &length);
    stream->tls = tls_link_new(context, stream->fd, head, length);
    stream_discard(stream);
    while (status == STREAM_OK) {
        Transport result = tls_link_handshake(stream->tls, error);

        if (result == TRANSPORT_DONE)
            return STREAM_OK;
        status = settle(stream, result);
    }
    if (status != STREAM_ERROR)
        g_set_error(error, TLS_ERROR, TLS_ERROR_HANDSHAKE, "TLS handshake: %s",
                    stream_status_text(status));
    stream->written = status;
    return status;
}

const TlsPeer *
stream_peer(const Stream *stream)
{
    return stream->tls != NULL ? tls_link_peer(stream->tls) : NULL;
}

void
stream_idle(Stream *stream)
{
    buffer_release(&stream->in);
    buffer_release(&stream->out);
    stream->in.grown = stream->out.grown = 0;
}
