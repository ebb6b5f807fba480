/* peer.c: the other end of a socket that carries frames.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/isolation/peer.h"

#include "filterd/base/fiber.h"
#include "filterd/base/stream.h"

#include <sys/socket.h>

struct Peer {
    PeerClient client;
    Stream *stream;
    GByteArray *coming; /* from the begin of a frame */
    GByteArray *going;  /* what the kernel did not take at once */
    Fiber *reader, *writer;
    FiberQueue news; /* of the writer */
    FiberQueue room; /* who waits for it */
    gboolean ended;
    gboolean silent; /* nobody wants to hear that */
};

/* ---- sending ------------------------------------------------------------ */

/* Most frames are small, and go at once. */
static gsize
send_now(const Peer *peer, const GByteArray *frame)
{
    ssize_t sent = 0;
    if (peer->going->len == 0)
        sent = send(stream_fd(peer->stream), frame->data, frame->len,
                    MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent > 0 ? (gsize)sent : 0;
}

void
peer_send(Peer *peer, GByteArray *frame)
{
    if (!peer->ended) {
        gsize sent = send_now(peer, frame);
        g_byte_array_append(peer->going, frame->data + sent,
                            frame->len - (guint)sent);
        if (peer->going->len > 0)
            fiber_queue_wake_all(&peer->news);
    }
    g_byte_array_unref(frame);
}

gboolean
peer_wait_for_room(Peer *peer)
{
    while (!peer->ended && peer->going->len > PEER_ROOM)
        if (fiber_queue_wait(&peer->room, CLOCK_NEVER) == FIBER_CANCELLED)
            return FALSE;
    return TRUE;
}

void
peer_flush(Peer *peer)
{
    while (!peer->ended && peer->going->len > 0)
        if (fiber_queue_wait(&peer->room, CLOCK_NEVER) == FIBER_CANCELLED)
            return;
}

/* What comes to be sent meanwhile is appended behind it. */
static gboolean
write_some(Peer *peer)
{
    guint length = MIN(peer->going->len, (guint)STREAM_BUFFER);
    gboolean ok =
        stream_write(peer->stream, peer->going->data, length) == STREAM_OK
        && stream_flush(peer->stream) == STREAM_OK;
    if (ok)
        g_byte_array_remove_range(peer->going, 0, length);
    else
        shutdown(stream_fd(peer->stream), SHUT_RDWR);
    fiber_queue_wake_all(&peer->room);
    return ok;
}

static void
run_writer(void *data)
{
    Peer *peer = data;
    while (!peer->ended)
        if (peer->going->len == 0) {
            if (fiber_queue_wait(&peer->news, CLOCK_NEVER) == FIBER_CANCELLED)
                break;
        } else if (!write_some(peer)) {
            break;
        }
}

/* ---- hearing ------------------------------------------------------------ */

static gboolean
hear_all(Peer *peer, GError **error)
{
    Frame frame;
    GError *problem = NULL;
    gsize at = 0;
    while (problem == NULL
           && frame_parse(peer->coming->data + at, peer->coming->len - at,
                          peer->client.limit, &frame, &problem)) {
        at += FRAME_HEAD + frame.length;
        peer->client.frame(peer->client.data, &frame, &problem);
    }
    g_byte_array_remove_range(peer->coming, 0, (guint)at);
    if (problem == NULL)
        return TRUE;
    g_propagate_error(error, problem);
    return FALSE;
}

static gboolean
read_some(Peer *peer, GError **error)
{
    size_t length;
    if (stream_fill(peer->stream) != STREAM_OK)
        return FALSE;
    const char *bytes = stream_peek(peer->stream, &length);
    g_byte_array_append(peer->coming, (const guint8 *)bytes, (guint)length);
    stream_consume(peer->stream, length);
    return hear_all(peer, error);
}

static void
run_reader(void *data)
{
    Peer *peer = data;
    g_autoptr(GError) lie = NULL;
    while (read_some(peer, &lie))
        continue;
    peer->ended = TRUE;
    shutdown(stream_fd(peer->stream), SHUT_RDWR);
    fiber_cancel(peer->writer);
    fiber_queue_wake_all(&peer->room);
    if (!peer->silent)
        peer->client.ended(peer->client.data, lie);
}

/* ---- life --------------------------------------------------------------- */

Peer *
peer_new(int fd, const PeerClient *client)
{
    Peer *peer = g_new0(Peer, 1);
    peer->client = *client;
    peer->stream = stream_new(fd);
    peer->coming = g_byte_array_new();
    peer->going = g_byte_array_new();
    peer->writer = fiber_start("isolation writer", run_writer, peer);
    peer->reader = fiber_start("isolation reader", run_reader, peer);
    return peer;
}

void
peer_free(Peer *peer)
{
    peer->silent = TRUE;
    fiber_cancel(peer->reader);
    fiber_join(peer->reader);
    fiber_join(peer->writer);
    stream_free(peer->stream);
    g_byte_array_unref(peer->coming);
    g_byte_array_unref(peer->going);
    g_free(peer);
}
