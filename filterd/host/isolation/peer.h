/* peer.h: the other end of a socket that carries frames.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/host/isolation/frame.h"

typedef struct Peer Peer;

typedef struct PeerClient {
    void *data;
    gsize limit; /* of the content of a frame that comes */
    /* Must not wait. FALSE with an error: it was a lie. */
    gboolean (*frame)(void *data, const Frame *frame, GError **error);
    /* Once, and nothing comes after it; NULL: the other end closed. Must not
     * free the peer. */
    void (*ended)(void *data, const GError *lie);
} PeerClient;

/* Octets that may be on their way to the other end before a sender waits. */
#define PEER_ROOM 1048576

/* Takes the descriptor. */
Peer *peer_new(int fd, const PeerClient *client);
/* Waits for its fibers. ended() is not called any more. */
void peer_free(Peer *peer);

/* Takes the frame, which is whole. Never waits. */
void peer_send(Peer *peer, GByteArray *frame);
/* Until little is on its way. FALSE: cancelled. */
gboolean peer_wait_for_room(Peer *peer);
/* Until all is on its way, or the other end is gone. */
void peer_flush(Peer *peer);
