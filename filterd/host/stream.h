/* stream.h: conversations of plugins with servers. Private to the host.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/host/call.h"

/* Open at once: of a worker, and of a plugin in one session. */
#define HOST_STREAMS 256
#define HOST_STREAMS_CALL 4

bool host_stream_check(FilterdCall *call, const char *server, GError **error);
FilterdStream *host_stream_open(FilterdCall *call, const char *server,
                                int64_t patience, GError **error);
void host_stream_patience(FilterdCall *call, FilterdStream *stream,
                          int64_t patience);
bool host_stream_write(FilterdCall *call, FilterdStream *stream,
                       const void *bytes, size_t length, GError **error);
bool host_stream_read(FilterdCall *call, FilterdStream *stream, void *bytes,
                      size_t size, size_t *length, GError **error);
const char *host_stream_line(FilterdCall *call, FilterdStream *stream,
                             size_t *length, GError **error);
void host_stream_close(FilterdCall *call, FilterdStream *stream);

/* For who has no pointer to it. NULL: the call has none of that number. */
unsigned host_stream_number(const FilterdStream *stream);
FilterdStream *host_stream_find(const HostCall *call, unsigned number);

/* Closes what was opened since MAIL, while the message is still there. */
void host_streams_end_message(HostCall *call);
void host_streams_clear(HostCall *call);
