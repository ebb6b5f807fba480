/* service.c: carries out what the process of a plugin asks of the host.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Each index, type and length is looked at here: behind it stand functions that
 * trust who calls them.
 */
#include "filterd/host/isolation/service.h"

#include "filterd/base/log.h"
#include "filterd/host/stream.h"
#include "filterd/service/store.h"

#include <string.h>

/* Octets of a line for the log; properties of a result. */
#define LOG_LIMIT 8192
#define PROPERTIES_LIMIT 64
/* That a hook may wait for its turn, milliseconds. */
#define PATIENCE_LIMIT 86400000

typedef struct Request {
    Channel *channel;
    HostCall *host;
    FilterdCall *call;
    FrameReader *reader;
    GByteArray *answer;
} Request;

typedef gboolean (*Serve)(Request *request);

static const FilterdPlugin *
plugin_of(const Request *request)
{
    return request->host->instance->plugin;
}

static gboolean
read_all(const Request *request)
{
    return frame_reader_done(request->reader);
}

/* ---- facts and services ------------------------------------------------- */

static unsigned
count_needs(const FilterdPlugin *plugin)
{
    unsigned length = 0;
    while (plugin->needs != NULL && plugin->needs[length].fact != NULL)
        length++;
    return length;
}

static gboolean
serve_lookup(Request *request)
{
    guint32 need = frame_get_u32(request->reader);
    if (!read_all(request) || need >= count_needs(plugin_of(request)))
        return FALSE;
    frame_put_value(request->answer,
                    request->call->host->lookup(request->call, need));
    return TRUE;
}

static gboolean
read_question(Request *request, const char **name, FilterdDnsType *type)
{
    guint8 number = frame_get_u8(request->reader);
    *type = (FilterdDnsType)number;
    *name = frame_get_text(request->reader);
    return read_all(request) && *name != NULL
           && strlen(*name) <= PROTOCOL_NAME_LIMIT
           && (number == FILTERD_DNS_A || number == FILTERD_DNS_PTR
               || number == FILTERD_DNS_MX || number == FILTERD_DNS_TXT
               || number == FILTERD_DNS_AAAA);
}

/* Only in hooks of a session, and in what was spawned, is there time for it. */
static gboolean
may_ask(const Request *request)
{
    return request->host->budget != NULL;
}

static gboolean
serve_dns(Request *request)
{
    const char *name;
    FilterdDnsType type;
    if (!read_question(request, &name, &type) || !may_ask(request))
        return FALSE;
    frame_put_answer(request->answer,
                     request->call->host->dns(request->call, name, type));
    return TRUE;
}

static gboolean
serve_prefetch(Request *request)
{
    const char *name;
    FilterdDnsType type;
    if (!read_question(request, &name, &type) || !may_ask(request))
        return FALSE;
    request->call->host->prefetch(request->call, name, type);
    return TRUE;
}

static gboolean
is_key(const char *key)
{
    return key != NULL && strlen(key) <= STORE_KEY_LIMIT;
}

static gboolean
serve_get(Request *request)
{
    const char *key = frame_get_text(request->reader), *value = NULL;
    size_t length = 0;
    if (!read_all(request) || !is_key(key))
        return FALSE;
    FilterdStoreStatus status =
        request->call->host->store_get(request->call, key, &value, &length);
    frame_put_u8(request->answer, (guint8)status);
    frame_put_bytes(request->answer, value,
                    status == FILTERD_STORE_OK ? length : 0);
    return TRUE;
}

static gboolean
serve_put(Request *request)
{
    gsize length;
    const char *key = frame_get_text(request->reader);
    const char *value = frame_get_bytes(request->reader, &length);
    int64_t lifetime = frame_get_i64(request->reader);
    if (!read_all(request) || !is_key(key) || length > STORE_VALUE_LIMIT
        || lifetime < 0)
        return FALSE;
    frame_put_u8(request->answer,
                 (guint8)request->call->host->store_put(
                     request->call, key, value, length, lifetime));
    return TRUE;
}

static gboolean
serve_add(Request *request)
{
    const char *key = frame_get_text(request->reader);
    int64_t delta = frame_get_i64(request->reader);
    int64_t lifetime = frame_get_i64(request->reader), sum = 0;
    if (!read_all(request) || !is_key(key) || lifetime < 0)
        return FALSE;
    frame_put_u8(request->answer,
                 (guint8)request->call->host->store_add(request->call, key,
                                                        delta, lifetime, &sum));
    frame_put_i64(request->answer, sum);
    return TRUE;
}

/* ---- results and requests ----------------------------------------------- */

static gboolean
serve_publish(Request *request)
{
    guint32 fact = frame_get_u32(request->reader);
    FilterdValue value = frame_get_value(request->reader);
    if (!read_all(request) || fact >= request->host->instance->facts)
        return FALSE;
    request->call->host->publish(request->call, fact, value);
    return TRUE;
}

static gboolean
serve_log(Request *request)
{
    guint8 level = frame_get_u8(request->reader);
    const char *text = frame_get_text(request->reader);
    if (!read_all(request) || text == NULL || strlen(text) > LOG_LIMIT
        || level > FILTERD_LOG_WARNING)
        return FALSE;
    request->call->host->log(request->call, (FilterdLogLevel)level, "%s", text);
    return TRUE;
}

static gboolean
serve_authres(Request *request)
{
    FilterdProperty properties[PROPERTIES_LIMIT];
    const char *method = frame_get_text(request->reader);
    const char *result = frame_get_text(request->reader);
    const char *comment = frame_get_text(request->reader);
    guint32 count = frame_get_u32(request->reader);
    gboolean whole = method != NULL && result != NULL;
    if (count > PROPERTIES_LIMIT)
        return FALSE;
    for (guint32 i = 0; i < count; i++) {
        FilterdProperty *p = &properties[i];
        p->ptype = frame_get_text(request->reader);
        p->property = frame_get_text(request->reader);
        p->value = frame_get_text(request->reader);
        whole = whole && p->ptype != NULL && p->property != NULL
                && p->value != NULL;
    }
    if (!read_all(request) || !whole)
        return FALSE;
    request->call->host->authres(request->call, method, result, comment,
                                 properties, count);
    return TRUE;
}

static gboolean
has_name(FilterdEditKind kind)
{
    return kind == FILTERD_ADD_HEADER || kind == FILTERD_CHANGE_HEADER
           || kind == FILTERD_REMOVE_HEADER;
}

static gboolean
serve_edit(Request *request)
{
    guint8 kind = frame_get_u8(request->reader);
    FilterdEdit edit = {.kind = (FilterdEditKind)kind};
    edit.name = frame_get_text(request->reader);
    edit.value = frame_get_text(request->reader);
    if (!read_all(request) || kind > FILTERD_QUARANTINE
        || request->host->visit == NULL
        || (has_name(edit.kind) && edit.name == NULL)
        || (edit.kind != FILTERD_REMOVE_HEADER && edit.value == NULL))
        return FALSE;
    request->call->host->edit(request->call, &edit);
    return TRUE;
}

static const FilterdMetric *
find_metric(const FilterdPlugin *plugin, guint32 index)
{
    const FilterdMetric *row = plugin->metrics;
    while (row != NULL && row->name != NULL && index > 0) {
        row++;
        index--;
    }
    return row != NULL && row->name != NULL ? row : NULL;
}

static gboolean
serve_count(Request *request)
{
    guint32 metric = frame_get_u32(request->reader);
    const char *label = frame_get_text(request->reader);
    int64_t delta = frame_get_i64(request->reader);
    if (!read_all(request) || find_metric(plugin_of(request), metric) == NULL)
        return FALSE;
    request->call->host->count(request->call, metric, label, delta);
    return TRUE;
}

static gboolean
serve_blame(Request *request)
{
    const char *option = frame_get_text(request->reader);
    guint32 index = frame_get_u32(request->reader);
    if (!read_all(request) || option == NULL)
        return FALSE;
    request->call->host->blame(request->call, option, index);
    return TRUE;
}

/* ---- what goes on by itself --------------------------------------------- */

static void
run_spawned(FilterdCall *call, void *data)
{
    Channel *channel = data;
    g_autoptr(GError) error = NULL;
    channel_serve(channel, call, &error);
    channel_finish(channel);
}

static gboolean
serve_spawn(Request *request)
{
    guint32 number = frame_get_u32(request->reader);
    if (!read_all(request) || request->host->visit != NULL)
        return FALSE;
    Channel *spawned = channel_adopt(channel_link(request->channel), number);
    if (spawned != NULL)
        request->call->host->spawn(request->call, run_spawned, spawned);
    return spawned != NULL;
}

static gboolean
serve_rest(Request *request)
{
    if (!read_all(request) || request->host->visit != NULL || !may_ask(request))
        return FALSE;
    request->call->host->sleep(request->call, 0);
    return TRUE;
}

static void
log_held(const char *plugin, const char *hook, const char *session, int64_t ms)
{
    LogLine line;
    log_begin(&line, FILTERD_LOG_WARNING, "held");
    log_text(&line, "session", session);
    log_text(&line, "by", plugin);
    log_text(&line, "hook", hook);
    log_int(&line, "ms", ms);
    log_end(&line);
}

static gboolean
serve_held(Request *request)
{
    const char *hook = frame_get_text(request->reader);
    const char *session = frame_get_text(request->reader);
    int64_t held = frame_get_i64(request->reader);
    if (!read_all(request))
        return FALSE;
    log_held(request->host->instance->use->name, hook, session, held);
    return TRUE;
}

/* ---- the message -------------------------------------------------------- */

/* It has the field, and says what it thinks of it. */
static bool
hear_field(FilterdCall *call, const FilterdField *field, GError **error)
{
    Channel *channel = ((HostCall *)call)->elsewhere;
    GByteArray *frame = frame_new(FRAME_FIELD, channel_number(channel));
    frame_put_bytes(frame, field->bytes, field->length);
    frame_put_u32(frame, (guint32)field->name_length);
    frame_put_u32(frame, (guint32)field->value);
    channel_send(channel, frame_end(frame));
    return channel_serve(channel, call, error);
}

static bool
hear_piece(FilterdCall *call, const char *bytes, size_t length, GError **error)
{
    Channel *channel = ((HostCall *)call)->elsewhere;
    GByteArray *frame = frame_new(FRAME_PIECE, channel_number(channel));
    frame_put_bytes(frame, bytes, length);
    channel_send(channel, frame_end(frame));
    return channel_serve(channel, call, error);
}

static gboolean
serve_hear(Request *request)
{
    guint8 header = frame_get_u8(request->reader);
    guint8 body = frame_get_u8(request->reader);
    g_autoptr(GError) error = NULL;
    if (!read_all(request) || request->host->visit == NULL)
        return FALSE;
    bool ok = request->call->host->hear(request->call,
                                        header == 1 ? hear_field : NULL,
                                        body == 1 ? hear_piece : NULL, &error);
    frame_put_u8(request->answer, ok);
    frame_put_text(request->answer, error != NULL ? error->message : NULL);
    return TRUE;
}

/* The hook's turn, whose end leaves what it has not left. */
static gboolean
serve_enter(Request *request)
{
    const char *name = frame_get_text(request->reader);
    guint32 limit = frame_get_u32(request->reader);
    int64_t patience = frame_get_i64(request->reader);
    if (!read_all(request) || name == NULL || limit == 0 || patience < 0
        || patience > PATIENCE_LIMIT || !may_ask(request))
        return FALSE;
    frame_put_u8(request->answer, request->call->host->enter(
                                      request->call, name, limit, patience));
    return TRUE;
}

static gboolean
serve_leave(Request *request)
{
    const char *name = frame_get_text(request->reader);
    if (!read_all(request) || name == NULL)
        return FALSE;
    request->call->host->leave(request->call, name);
    return TRUE;
}

/* ---- streams ------------------------------------------------------------ */

static void
put_outcome(GByteArray *answer, bool ok, const GError *error)
{
    frame_put_u8(answer, ok);
    frame_put_u8(answer, error != NULL ? (guint8)error->code : 0);
    frame_put_text(answer, error != NULL ? error->message : NULL);
}

/* Only while the plugin starts: later it may be somebody else who speaks. */
static gboolean
serve_server(Request *request)
{
    const char *server = frame_get_text(request->reader);
    return read_all(request) && server != NULL
           && link_allow(channel_link(request->channel), server);
}

static gboolean
serve_open(Request *request)
{
    const char *server = frame_get_text(request->reader);
    int64_t patience = frame_get_i64(request->reader);
    g_autoptr(GError) error = NULL;
    FilterdStream *stream = NULL;
    if (!read_all(request) || server == NULL || patience < 0)
        return FALSE;
    if (link_allows(channel_link(request->channel), server))
        stream = request->call->host->stream_open(request->call, server,
                                                  patience, &error);
    else
        g_set_error(&error, G_FILE_ERROR, FILTERD_STREAM_SERVER,
                    "%s: start did not check this server", server);
    put_outcome(request->answer, stream != NULL, error);
    frame_put_u32(request->answer,
                  stream != NULL ? host_stream_number(stream) : 0);
    return TRUE;
}

/* One that is gone is no lie: it went with its transaction. */
static FilterdStream *
read_stream(Request *request)
{
    return host_stream_find(request->host, frame_get_u32(request->reader));
}

static void
put_gone(GByteArray *answer)
{
    g_autoptr(GError) error = g_error_new_literal(
        G_FILE_ERROR, FILTERD_STREAM_CLOSED, "the stream is closed");
    put_outcome(answer, FALSE, error);
}

static gboolean
serve_write(Request *request)
{
    gsize length;
    g_autoptr(GError) error = NULL;
    FilterdStream *stream = read_stream(request);
    const char *bytes = frame_get_bytes(request->reader, &length);
    if (!read_all(request))
        return FALSE;
    if (stream == NULL) {
        put_gone(request->answer);
        return TRUE;
    }
    bool ok = request->call->host->stream_write(request->call, stream, bytes,
                                                length, &error);
    put_outcome(request->answer, ok, error);
    return TRUE;
}

static gboolean
serve_read(Request *request)
{
    char bytes[16384];
    size_t length = 0;
    g_autoptr(GError) error = NULL;
    FilterdStream *stream = read_stream(request);
    guint32 size = frame_get_u32(request->reader);
    if (!read_all(request))
        return FALSE;
    if (stream == NULL) {
        put_gone(request->answer);
        return TRUE;
    }
    bool ok = request->call->host->stream_read(
        request->call, stream, bytes, MIN(size, sizeof bytes), &length, &error);
    put_outcome(request->answer, ok, error);
    frame_put_bytes(request->answer, bytes, length);
    return TRUE;
}

static gboolean
serve_line(Request *request)
{
    size_t length = 0;
    g_autoptr(GError) error = NULL;
    FilterdStream *stream = read_stream(request);
    if (!read_all(request))
        return FALSE;
    if (stream == NULL) {
        put_gone(request->answer);
        return TRUE;
    }
    const char *line = request->call->host->stream_line(request->call, stream,
                                                        &length, &error);
    put_outcome(request->answer, line != NULL, error);
    frame_put_bytes(request->answer, line, line != NULL ? length : 0);
    return TRUE;
}

static gboolean
serve_patience(Request *request)
{
    FilterdStream *stream = read_stream(request);
    int64_t patience = frame_get_i64(request->reader);
    if (read_all(request) && stream != NULL)
        request->call->host->stream_patience(request->call, stream, patience);
    return read_all(request);
}

static gboolean
serve_close(Request *request)
{
    FilterdStream *stream = read_stream(request);
    if (read_all(request) && stream != NULL)
        request->call->host->stream_close(request->call, stream);
    return read_all(request);
}

/* ---- all of them -------------------------------------------------------- */

static const Serve functions[FUNCTIONS] = {
    [CALL_LOOKUP] = serve_lookup,
    [CALL_DNS] = serve_dns,
    [CALL_STORE_GET] = serve_get,
    [CALL_STORE_PUT] = serve_put,
    [CALL_STORE_ADD] = serve_add,
    [CALL_STREAM_OPEN] = serve_open,
    [CALL_STREAM_WRITE] = serve_write,
    [CALL_STREAM_READ] = serve_read,
    [CALL_STREAM_LINE] = serve_line,
    [CALL_HEAR] = serve_hear,
    [CALL_ENTER] = serve_enter,
    [CAST_PUBLISH] = serve_publish,
    [CAST_LOG] = serve_log,
    [CAST_PREFETCH] = serve_prefetch,
    [CAST_AUTHRES] = serve_authres,
    [CAST_EDIT] = serve_edit,
    [CAST_COUNT] = serve_count,
    [CAST_BLAME] = serve_blame,
    [CAST_SPAWN] = serve_spawn,
    [CAST_REST] = serve_rest,
    [CAST_SERVER] = serve_server,
    [CAST_STREAM_PATIENCE] = serve_patience,
    [CAST_STREAM_CLOSE] = serve_close,
    [CAST_LEAVE] = serve_leave,
    [CAST_HELD] = serve_held,
};

static gboolean
serve(Request *request, const Frame *frame)
{
    guint8 number = frame_get_u8(request->reader);
    return number < FUNCTIONS && (frame->type == FRAME_CALL) == (number < CALLS)
           && functions[number](request);
}

gboolean
service_frame(Channel *channel, FilterdCall *call, const Frame *frame)
{
    g_auto(FrameReader) reader;
    frame_reader_init(&reader, frame);
    Request request = {.channel = channel,
                       .host = (HostCall *)call,
                       .call = call,
                       .reader = &reader};
    if (frame->type != FRAME_CALL && frame->type != FRAME_CAST)
        return FALSE;
    request.host->elsewhere = channel;
    request.answer = frame_new(FRAME_ANSWER, channel_number(channel));
    gboolean meant = serve(&request, frame);
    if (meant && frame->type == FRAME_CALL)
        channel_send(channel, frame_end(request.answer));
    else
        g_byte_array_unref(request.answer);
    return meant;
}

gboolean
service_aside(HostInstance *instance, const Frame *frame)
{
    HostCall call;
    g_auto(FrameReader) reader;
    frame_reader_init(&reader, frame);
    Request request = {.host = &call, .call = &call.call, .reader = &reader};
    guint8 number = frame_get_u8(&reader);
    if (frame->type != FRAME_CAST
        || (number != CAST_LOG && number != CAST_COUNT && number != CAST_HELD))
        return FALSE;
    host_call_init(&call, instance, NULL);
    gboolean meant = functions[number](&request);
    host_call_clear(&call);
    return meant;
}
