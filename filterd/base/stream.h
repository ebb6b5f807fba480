/* stream.h: a connected socket with buffers, for fibers.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading: stream_fill() waits for more octets, stream_peek() shows what is
 * there, stream_consume() takes from it. Writing is buffered; stream_flush()
 * waits until the kernel has everything. The deadline holds for every wait
 * until it is set again: a slow peer cannot stretch it octet by octet. It holds
 * for octets that are there, too: once it has passed, or the fiber is
 * cancelled, fill and flush say so at once. One fiber may read while another
 * one writes, but for a connection under TLS, which is one fiber's.
 */
#pragma once

#include "filterd/base/buffer.h"
#include "filterd/base/endpoint.h"
#include "filterd/base/tls.h"

#include <stddef.h>
#include <stdint.h>

typedef struct Stream Stream;

typedef enum StreamStatus {
    STREAM_OK,
    STREAM_EOF,       /* the peer closed in good order */
    STREAM_TIMEOUT,   /* the deadline passed */
    STREAM_CANCELLED, /* the fiber was cancelled */
    STREAM_ERROR,     /* reset, unreachable … : stream_error() */
    STREAM_FULL,      /* fill: the read buffer has no room */
} StreamStatus;

/* Of the read buffer, and what the write buffer gathers. */
#define STREAM_BUFFER BUFFER_LIMIT

/* Errors of stream_connect(); the codes are STREAM_TIMEOUT, STREAM_CANCELLED
 * and STREAM_ERROR. */
#define STREAM_CONNECT_ERROR stream_connect_error_quark()
GQuark stream_connect_error_quark(void);

/* Takes the descriptor, makes it non-blocking. */
Stream *stream_new(int fd);
/* Closes; what was not flushed is lost. */
void stream_free(Stream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Stream, stream_free)

/* Where a connection comes from: an address of this machine or, `foreign`, of
 * another one, whose answers have to be routed here. */
typedef struct StreamSource {
    FilterdIp ip; /* of the endpoint's family */
    gboolean foreign;
} StreamSource;

/* Waits for the connection; NULL with an error at the deadline, too. `source`
 * NULL: the kernel chooses. What is wrong on our side is an ENDPOINT_ERROR. */
Stream *stream_connect(const Endpoint *endpoint, const StreamSource *source,
                       int64_t deadline, GError **error);

int stream_fd(const Stream *stream);
/* errno of the last STREAM_ERROR. */
int stream_error(const Stream *stream);
const char *stream_status_text(StreamStatus status);

void stream_set_deadline(Stream *stream, int64_t deadline);

const char *stream_peek(const Stream *stream, size_t *length);
void stream_consume(Stream *stream, size_t length);
StreamStatus stream_fill(Stream *stream);
/* Whether octets are buffered or ready in the kernel; never waits. Where it had
 * none it is asked again only when the loop has heard of some. */
gboolean stream_pending(Stream *stream);
/* Whether there are none, and the peer has not closed either; never waits. */
gboolean stream_quiet(Stream *stream);
/* Overwrites what was consumed, and what was flushed: it was secret. */
void stream_wipe(Stream *stream);
/* Forgets what has been read but not consumed. */
void stream_discard(Stream *stream);

/* Buffers; flushes by itself when much has gathered (so it may wait). A status
 * other than OK sticks: later writes and flushes return it. */
StreamStatus stream_write(Stream *stream, const void *bytes, size_t length);
StreamStatus stream_printf(Stream *stream, const char *format, ...)
    G_GNUC_PRINTF(2, 3);
StreamStatus stream_flush(Stream *stream);

/* From here on both speak TLS; everything written has to be flushed. What has
 * been read and not consumed is taken for its beginning: stream_discard() where
 * it may be in clear, and somebody else's. After a failure nothing can be
 * written; the error says more than the status. */
StreamStatus stream_secure(Stream *stream, const TlsContext *context,
                           GError **error);
/* NULL: there is no TLS. Borrowed. */
const TlsPeer *stream_peer(const Stream *stream);

/* Gives idle buffers back to the pool; a connection that waits between two
 * transactions costs little. */
void stream_idle(Stream *stream);
