/* stream.c: conversations of plugins with servers.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/stream.h"

#include "filterd/base/clock.h"
#include "filterd/base/stream.h"

#include <string.h>

struct FilterdStream {
    char *server;
    unsigned number;
    Stream *stream;
    int64_t patience; /* what is left of it */
    gboolean message; /* opened since MAIL */
    GString *line;    /* the last one */
};

static G_DEFINE_QUARK(filterd - stream, host_stream)

    static HostCall *host_call(FilterdCall *call)
{
    return (HostCall *)call;
}

/* ---- errors ------------------------------------------------------------- */

static FilterdStreamError
code_of(StreamStatus status)
{
    static const FilterdStreamError codes[] = {
        [STREAM_EOF] = FILTERD_STREAM_CLOSED,
        [STREAM_TIMEOUT] = FILTERD_STREAM_TIMEOUT,
        [STREAM_CANCELLED] = FILTERD_STREAM_CANCELLED,
        [STREAM_ERROR] = FILTERD_STREAM_LOST,
        [STREAM_FULL] = FILTERD_STREAM_LIMIT,
    };
    return codes[status];
}

/* OK: true. */
static bool
settle(const FilterdStream *stream, StreamStatus status, GError **error)
{
    if (status == STREAM_OK)
        return true;
    g_set_error(error, host_stream_quark(), (int)code_of(status), "%s: %s",
                stream->server,
                status == STREAM_ERROR
                    ? g_strerror(stream_error(stream->stream))
                    : stream_status_text(status));
    return false;
}

/* ---- patience ----------------------------------------------------------- */

/* A wait begins. Returns when. */
static int64_t
wait_begin(FilterdStream *stream)
{
    int64_t now = clock_monotonic();
    stream_set_deadline(stream->stream, now + stream->patience);
    return now;
}

static void
wait_end(FilterdStream *stream, int64_t begun)
{
    stream->patience =
        MAX(stream->patience - (clock_monotonic() - begun), INT64_C(0));
}

void
host_stream_patience(FilterdCall *call, FilterdStream *stream, int64_t patience)
{
    (void)call;
    stream->patience = MAX(patience, INT64_C(0));
}

/* ---- open and close ----------------------------------------------------- */

bool
host_stream_check(FilterdCall *call, const char *server, GError **error)
{
    Endpoint endpoint;
    (void)call;
    if (!endpoint_parse(server, ':', &endpoint, error))
        return false;
    gboolean port = endpoint.path != NULL || endpoint.port != 0;
    endpoint_clear(&endpoint);
    if (!port)
        g_set_error(error, host_stream_quark(), FILTERD_STREAM_SERVER,
                    "\"%s\": nobody listens on port 0", server);
    return port;
}

static void
stream_destroy(void *data)
{
    FilterdStream *stream = data;
    stream_free(stream->stream);
    g_string_free(stream->line, TRUE);
    g_free(stream->server);
    g_free(stream);
}

/* Those who wait in front of the limit; false: none came free in time. */
static bool
take_turn(HostStreams *streams, const char *server, int64_t deadline,
          GError **error)
{
    FiberWake wake = FIBER_WOKEN;
    while (streams->open >= HOST_STREAMS && wake == FIBER_WOKEN)
        wake = fiber_queue_wait(&streams->queue, deadline);
    if (wake == FIBER_WOKEN)
        streams->open++;
    else
        g_set_error(error, host_stream_quark(),
                    wake == FIBER_CANCELLED ? FILTERD_STREAM_CANCELLED
                                            : FILTERD_STREAM_TIMEOUT,
                    "%s: no connection of %d became free", server,
                    HOST_STREAMS);
    return wake == FIBER_WOKEN;
}

static void
give_turn(HostStreams *streams)
{
    streams->open--;
    fiber_queue_wake_all(&streams->queue);
}

static FilterdStream *
adopt(HostCall *call, const char *server, Stream *connected)
{
    static unsigned last;
    FilterdStream *stream = g_new0(FilterdStream, 1);
    stream->server = g_strdup(server);
    stream->number = ++last;
    stream->stream = connected;
    stream->message = call->call.message != NULL;
    stream->line = g_string_new(NULL);
    if (call->streams == NULL)
        call->streams = g_ptr_array_new_with_free_func(stream_destroy);
    g_ptr_array_add(call->streams, stream);
    return stream;
}

/* In its turn. */
static Stream *
connect_server(const char *server, int64_t deadline, GError **error)
{
    g_autoptr(GError) problem = NULL;
    Endpoint endpoint;
    if (!endpoint_parse(server, ':', &endpoint, &problem)) {
        g_set_error_literal(error, host_stream_quark(), FILTERD_STREAM_SERVER,
                            problem->message);
        return NULL;
    }
    Stream *stream = stream_connect(&endpoint, NULL, deadline, &problem);
    endpoint_clear(&endpoint);
    if (stream != NULL)
        return stream;
    g_set_error_literal(error, host_stream_quark(),
                        problem->domain == STREAM_CONNECT_ERROR
                            ? (int)code_of((StreamStatus)problem->code)
                            : (int)FILTERD_STREAM_LOST,
                        problem->message);
    return NULL;
}

FilterdStream *
host_stream_open(FilterdCall *plugin_call, const char *server, int64_t patience,
                 GError **error)
{
    HostCall *call = host_call(plugin_call);
    HostStreams *streams = host_streams(call->instance->host);
    int64_t begun = clock_monotonic();
    if (call->streams != NULL && call->streams->len >= HOST_STREAMS_CALL) {
        g_set_error(error, host_stream_quark(), FILTERD_STREAM_LIMIT,
                    "%s: %d connections are open already", server,
                    HOST_STREAMS_CALL);
        return NULL;
    }
    if (!take_turn(streams, server, begun + patience, error))
        return NULL;
    Stream *connected = connect_server(server, begun + patience, error);
    if (connected == NULL) {
        give_turn(streams);
        return NULL;
    }
    FilterdStream *stream = adopt(call, server, connected);
    stream->patience = patience;
    wait_end(stream, begun);
    return stream;
}

void
host_stream_close(FilterdCall *plugin_call, FilterdStream *stream)
{
    HostCall *call = host_call(plugin_call);
    if (stream == NULL)
        return;
    gboolean found = g_ptr_array_remove_fast(call->streams, stream);
    g_assert(found);
    give_turn(host_streams(call->instance->host));
}

unsigned
host_stream_number(const FilterdStream *stream)
{
    return stream->number;
}

FilterdStream *
host_stream_find(const HostCall *call, unsigned number)
{
    for (guint i = 0; call->streams != NULL && i < call->streams->len; i++) {
        FilterdStream *stream = call->streams->pdata[i];
        if (stream->number == number)
            return stream;
    }
    return NULL;
}

static void
close_some(HostCall *call, gboolean all)
{
    for (guint i = call->streams != NULL ? call->streams->len : 0; i > 0; i--) {
        FilterdStream *stream = call->streams->pdata[i - 1];
        if (all || stream->message)
            host_stream_close(&call->call, stream);
    }
}

void
host_streams_end_message(HostCall *call)
{
    close_some(call, FALSE);
}

void
host_streams_clear(HostCall *call)
{
    close_some(call, TRUE);
    g_clear_pointer(&call->streams, g_ptr_array_unref);
}

/* ---- words -------------------------------------------------------------- */

bool
host_stream_write(FilterdCall *call, FilterdStream *stream, const void *bytes,
                  size_t length, GError **error)
{
    (void)call;
    int64_t begun = wait_begin(stream);
    StreamStatus status = stream_write(stream->stream, bytes, length);
    wait_end(stream, begun);
    return settle(stream, status, error);
}

/* What could not be sent does not keep from reading what was said before. */
static StreamStatus
fill(FilterdStream *stream)
{
    int64_t begun = wait_begin(stream);
    StreamStatus sent = stream_flush(stream->stream);
    StreamStatus status = sent == STREAM_TIMEOUT || sent == STREAM_CANCELLED
                              ? sent
                              : stream_fill(stream->stream);
    wait_end(stream, begun);
    return status;
}

bool
host_stream_read(FilterdCall *call, FilterdStream *stream, void *bytes,
                 size_t size, size_t *length, GError **error)
{
    size_t there;
    const char *octets = stream_peek(stream->stream, &there);
    (void)call;
    if (there == 0) {
        StreamStatus status = fill(stream);
        if (status != STREAM_EOF && !settle(stream, status, error))
            return false;
        octets = stream_peek(stream->stream, &there);
    }
    *length = MIN(there, size);
    memcpy(bytes, octets, *length);
    stream_consume(stream->stream, *length);
    return true;
}

/* The octets up to LF, which is looked for behind those that were looked at.
 * NULL: not yet. */
static const char *
find_line(FilterdStream *stream, size_t *seen)
{
    size_t there;
    const char *octets = stream_peek(stream->stream, &there);
    const char *end = memchr(octets + *seen, '\n', there - *seen);
    *seen = there;
    if (end == NULL)
        return NULL;
    size_t length = (size_t)(end - octets);
    gboolean cr = length > 0 && end[-1] == '\r';
    g_string_truncate(stream->line, 0);
    g_string_append_len(stream->line, octets, (gssize)(length - cr));
    stream_consume(stream->stream, length + 1);
    return stream->line->str;
}

const char *
host_stream_line(FilterdCall *call, FilterdStream *stream, size_t *length,
                 GError **error)
{
    StreamStatus status = STREAM_OK;
    const char *line;
    size_t seen = 0;
    (void)call;
    while ((line = find_line(stream, &seen)) == NULL && status == STREAM_OK)
        status = seen > FILTERD_STREAM_LINE + 1 ? STREAM_FULL : fill(stream);
    if (line != NULL && stream->line->len <= FILTERD_STREAM_LINE) {
        *length = stream->line->len;
        return line;
    }
    if (line != NULL || status == STREAM_FULL)
        g_set_error(error, host_stream_quark(), FILTERD_STREAM_LIMIT,
                    "%s: a line of more than %d octets", stream->server,
                    FILTERD_STREAM_LINE);
    else
        settle(stream, status, error);
    return NULL;
}
