/* remote.c: what a plugin may ask of its host, in a process of its own: done
 * here where it concerns nobody else, else asked of the worker.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/isolation/turn.h"
#include "filterd/host/stream.h"
#include "filterd/service/offload.h"
#include "filterd/service/store.h"

#include <string.h>

/* Octets of a line for the log. */
#define LOG_LIMIT 8000

static Turn *
turn_of(FilterdCall *call)
{
    return (Turn *)call;
}

static GByteArray *
ask(Turn *turn, ProtocolFunction function)
{
    GByteArray *frame = frame_new(FRAME_CALL, turn->channel);
    frame_put_u8(frame, (guint8)function);
    return frame;
}

static GByteArray *
tell(Turn *turn, ProtocolFunction function)
{
    GByteArray *frame = frame_new(FRAME_CAST, turn->channel);
    frame_put_u8(frame, (guint8)function);
    return frame;
}

/* ---- facts -------------------------------------------------------------- */

static void
publish(FilterdCall *call, unsigned fact, FilterdValue value)
{
    GByteArray *frame = tell(turn_of(call), CAST_PUBLISH);
    frame_put_u32(frame, fact);
    frame_put_value(frame, &value);
    turn_cast(turn_of(call), frame);
}

static const FilterdValue *
lookup(FilterdCall *call, unsigned need)
{
    static const FilterdValue unknown = {.type = FILTERD_UNKNOWN};
    GByteArray *frame = ask(turn_of(call), CALL_LOOKUP);
    frame_put_u32(frame, need);
    FrameReader *answer = turn_call(turn_of(call), frame);
    if (answer == NULL)
        return &unknown;
    FilterdValue *value = frame_reader_allocate(answer, sizeof *value);
    *value = frame_get_value(answer);
    return value;
}

static void log_line(FilterdCall *call, FilterdLogLevel level,
                     const char *format, ...) G_GNUC_PRINTF(3, 4);

static void
log_line(FilterdCall *call, FilterdLogLevel level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (strlen(text) > LOG_LIMIT)
        text[LOG_LIMIT] = '\0';
    GByteArray *frame = tell(turn_of(call), CAST_LOG);
    frame_put_u8(frame, (guint8)level);
    frame_put_text(frame, text);
    turn_cast(turn_of(call), frame);
}

/* ---- services ----------------------------------------------------------- */

static const FilterdDnsAnswer *
dns(FilterdCall *call, const char *name, FilterdDnsType type)
{
    static const FilterdDnsAnswer cancelled = {.status = FILTERD_DNS_CANCELLED},
                                  bad = {.status = FILTERD_DNS_BADNAME};
    if (strlen(name) > PROTOCOL_NAME_LIMIT)
        return &bad;
    GByteArray *frame = ask(turn_of(call), CALL_DNS);
    frame_put_u8(frame, (guint8)type);
    frame_put_text(frame, name);
    FrameReader *answer = turn_call(turn_of(call), frame);
    return answer != NULL ? frame_get_answer(answer) : &cancelled;
}

static void
prefetch(FilterdCall *call, const char *name, FilterdDnsType type)
{
    if (strlen(name) > PROTOCOL_NAME_LIMIT)
        return;
    GByteArray *frame = tell(turn_of(call), CAST_PREFETCH);
    frame_put_u8(frame, (guint8)type);
    frame_put_text(frame, name);
    turn_cast(turn_of(call), frame);
}

static FilterdStoreStatus
status_of(FrameReader *answer)
{
    guint8 status = answer != NULL ? frame_get_u8(answer) : 0xff;
    return status <= FILTERD_STORE_FAILED ? (FilterdStoreStatus)status
                                          : FILTERD_STORE_FAILED;
}

static FilterdStoreStatus
get(FilterdCall *call, const char *key, const char **value, size_t *length)
{
    gsize size;
    if (strlen(key) > STORE_KEY_LIMIT)
        return FILTERD_STORE_FAILED;
    GByteArray *frame = ask(turn_of(call), CALL_STORE_GET);
    frame_put_text(frame, key);
    FrameReader *answer = turn_call(turn_of(call), frame);
    FilterdStoreStatus status = status_of(answer);
    if (status != FILTERD_STORE_OK)
        return status;
    const char *bytes = frame_get_bytes(answer, &size);
    char *copy = frame_reader_allocate(answer, size + 1);
    if (size > 0)
        memcpy(copy, bytes, size);
    *value = copy;
    *length = size;
    return status;
}

static FilterdStoreStatus
put(FilterdCall *call, const char *key, const char *value, size_t length,
    int64_t lifetime)
{
    if (strlen(key) > STORE_KEY_LIMIT || length > STORE_VALUE_LIMIT
        || lifetime < 0)
        return FILTERD_STORE_FAILED;
    GByteArray *frame = ask(turn_of(call), CALL_STORE_PUT);
    frame_put_text(frame, key);
    frame_put_bytes(frame, value, length);
    frame_put_i64(frame, lifetime);
    return status_of(turn_call(turn_of(call), frame));
}

static FilterdStoreStatus
add(FilterdCall *call, const char *key, int64_t delta, int64_t lifetime,
    int64_t *sum)
{
    if (strlen(key) > STORE_KEY_LIMIT || lifetime < 0)
        return FILTERD_STORE_FAILED;
    GByteArray *frame = ask(turn_of(call), CALL_STORE_ADD);
    frame_put_text(frame, key);
    frame_put_i64(frame, delta);
    frame_put_i64(frame, lifetime);
    FrameReader *answer = turn_call(turn_of(call), frame);
    FilterdStoreStatus status = status_of(answer);
    if (status == FILTERD_STORE_OK && sum != NULL)
        *sum = frame_get_i64(answer);
    return status;
}

/* ---- results and requests ----------------------------------------------- */

static void
authres(FilterdCall *call, const char *method, const char *result,
        const char *comment, const FilterdProperty *properties, size_t length)
{
    GByteArray *frame = tell(turn_of(call), CAST_AUTHRES);
    frame_put_text(frame, method);
    frame_put_text(frame, result);
    frame_put_text(frame, comment);
    frame_put_u32(frame, (guint32)length);
    for (size_t i = 0; i < length; i++) {
        frame_put_text(frame, properties[i].ptype);
        frame_put_text(frame, properties[i].property);
        frame_put_text(frame, properties[i].value);
    }
    turn_cast(turn_of(call), frame);
}

static void
edit(FilterdCall *call, const FilterdEdit *request)
{
    GByteArray *frame = tell(turn_of(call), CAST_EDIT);
    frame_put_u8(frame, (guint8)request->kind);
    frame_put_text(frame, request->name);
    frame_put_text(frame, request->value);
    turn_cast(turn_of(call), frame);
}

static void
count(FilterdCall *call, unsigned metric, const char *label, int64_t delta)
{
    GByteArray *frame = tell(turn_of(call), CAST_COUNT);
    frame_put_u32(frame, metric);
    frame_put_text(frame, label);
    frame_put_i64(frame, delta);
    turn_cast(turn_of(call), frame);
}

static void
blame(FilterdCall *call, const char *option, size_t index)
{
    GByteArray *frame = tell(turn_of(call), CAST_BLAME);
    frame_put_text(frame, option);
    frame_put_u32(frame, (guint32)index);
    turn_cast(turn_of(call), frame);
}

/* ---- time and work ------------------------------------------------------ */

static int64_t
now(FilterdCall *call)
{
    (void)call;
    return clock_real();
}

/* What was spawned starts afresh with every sleep, here and in the worker. */
static bool
sleep_for(FilterdCall *call, int64_t milliseconds)
{
    Turn *turn = turn_of(call);
    if (turn->run != NULL) {
        turn_forget(turn);
        turn_cast(turn, tell(turn, CAST_REST));
    }
    return fiber_sleep(milliseconds) != FIBER_CANCELLED;
}

static bool
offload(FilterdCall *call, void (*work)(void *data), void *data)
{
    (void)call;
    return offload_run(NULL, work, data);
}

static void
spawn(FilterdCall *call, void (*run)(FilterdCall *call, void *data), void *data)
{
    Turn *turn = turn_of(call);
    if (!turn->server->starting)
        return;
    const Turn *spawned = turn_spawn(turn, run, data);
    GByteArray *frame = tell(turn, CAST_SPAWN);
    frame_put_u32(frame, spawned->channel);
    turn_cast(turn, frame);
}

static bool
enter(FilterdCall *call, const char *name, unsigned limit, int64_t patience)
{
    GByteArray *frame = ask(turn_of(call), CALL_ENTER);
    frame_put_text(frame, name);
    frame_put_u32(frame, limit);
    frame_put_i64(frame, MAX(patience, INT64_C(0)));
    FrameReader *answer = turn_call(turn_of(call), frame);
    return answer != NULL && frame_get_u8(answer) == 1;
}

static void
leave(FilterdCall *call, const char *name)
{
    GByteArray *frame = tell(turn_of(call), CAST_LEAVE);
    frame_put_text(frame, name);
    turn_cast(turn_of(call), frame);
}

static void *
allocate(FilterdCall *call, size_t size)
{
    return turn_keep(turn_of(call), g_malloc0(size), g_free);
}

/* ---- the message -------------------------------------------------------- */

typedef struct Ears {
    bool (*header)(FilterdCall *call, const FilterdField *field,
                   GError **error);
    bool (*body)(FilterdCall *call, const char *bytes, size_t length,
                 GError **error);
} Ears;

static bool
hear_frame(FilterdCall *call, const Ears *ears, const Frame *frame,
           GError **error)
{
    g_auto(FrameReader) reader;
    FilterdField field;
    frame_reader_init(&reader, frame);
    field.bytes = frame_get_bytes(&reader, &field.length);
    if (frame->type == FRAME_PIECE)
        return ears->body(call, field.bytes, field.length, error);
    field.name_length = frame_get_u32(&reader);
    field.value = frame_get_u32(&reader);
    return ears->header(call, &field, error);
}

static void
reply(Turn *turn, bool ok)
{
    GByteArray *frame = frame_new(FRAME_RETURN, turn->channel);
    frame_put_u8(frame, ok);
    frame_put_text(frame, NULL);
    turn_cast(turn, frame);
}

static bool
end_hearing(const Frame *frame, GError **error)
{
    g_auto(FrameReader) reader;
    frame_reader_init(&reader, frame);
    bool ok = frame_get_u8(&reader) == 1;
    const char *text = frame_get_text(&reader);
    if (!ok && error != NULL && *error == NULL && text != NULL)
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, text);
    return ok;
}

static bool
hear(FilterdCall *call,
     bool (*header)(FilterdCall *call, const FilterdField *field,
                    GError **error),
     bool (*body)(FilterdCall *call, const char *bytes, size_t length,
                  GError **error),
     GError **error)
{
    Turn *turn = turn_of(call);
    const Ears ears = {header, body};
    GByteArray *request = ask(turn, CALL_HEAR);
    GError *problem = NULL;
    frame_put_u8(request, header != NULL);
    frame_put_u8(request, body != NULL);
    turn_cast(turn, request);
    for (;;) {
        Frame frame;
        gsize length;
        g_autoptr(GBytes) bytes = turn_take(turn);
        if (bytes == NULL)
            return false;
        const guint8 *octets = g_bytes_get_data(bytes, &length);
        frame_parse(octets, length, FRAME_TOLD_LIMIT, &frame, NULL);
        if (frame.type == FRAME_ANSWER) {
            bool ok = end_hearing(&frame, &problem);
            if (problem != NULL)
                g_propagate_error(error, problem);
            return ok;
        }
        reply(turn,
              problem == NULL && hear_frame(call, &ears, &frame, &problem));
    }
}

/* ---- streams ------------------------------------------------------------ */

struct FilterdStream {
    guint32 number;
    gboolean message; /* opened since MAIL */
    char *line;
};

static G_DEFINE_QUARK(filterd - remote - stream, remote_stream);

static void
stream_destroy(void *data)
{
    FilterdStream *stream = data;
    g_free(stream->line);
    g_free(stream);
}

static GPtrArray **
streams_of(Turn *turn)
{
    return turn->seat != NULL ? &turn->seat->streams : &turn->streams;
}

void
remote_free_streams(GPtrArray *streams, gboolean all)
{
    for (guint i = streams != NULL ? streams->len : 0; i > 0; i--)
        if (all || ((FilterdStream *)streams->pdata[i - 1])->message)
            g_ptr_array_remove_index_fast(streams, i - 1);
}

/* Whether the answer says yes; else its error. */
static bool
settle(FrameReader *answer, GError **error)
{
    if (answer == NULL) {
        g_set_error_literal(error, remote_stream_quark(),
                            FILTERD_STREAM_CANCELLED, "cancelled");
        return false;
    }
    bool ok = frame_get_u8(answer) == 1;
    guint8 code = frame_get_u8(answer);
    const char *text = frame_get_text(answer);
    if (!ok)
        g_set_error_literal(error, remote_stream_quark(), code,
                            text != NULL ? text : "failed");
    return ok;
}

/* Which servers there are is known once the plugin has started. */
static bool
stream_check(FilterdCall *call, const char *server, GError **error)
{
    Turn *turn = turn_of(call);
    if (!host_stream_check(call, server, error))
        return false;
    if (turn->server->starting) {
        GByteArray *frame = tell(turn, CAST_SERVER);
        frame_put_text(frame, server);
        turn_cast(turn, frame);
    }
    return true;
}

static FilterdStream *
stream_open(FilterdCall *call, const char *server, int64_t patience,
            GError **error)
{
    GByteArray *frame = ask(turn_of(call), CALL_STREAM_OPEN);
    frame_put_text(frame, server);
    frame_put_i64(frame, MAX(patience, INT64_C(0)));
    FrameReader *answer = turn_call(turn_of(call), frame);
    if (!settle(answer, error))
        return NULL;
    FilterdStream *stream = g_new0(FilterdStream, 1);
    GPtrArray **streams = streams_of(turn_of(call));
    stream->number = frame_get_u32(answer);
    stream->message = call->message != NULL;
    if (*streams == NULL)
        *streams = g_ptr_array_new_with_free_func(stream_destroy);
    g_ptr_array_add(*streams, stream);
    return stream;
}

static void
stream_patience(FilterdCall *call, FilterdStream *stream, int64_t patience)
{
    GByteArray *frame = tell(turn_of(call), CAST_STREAM_PATIENCE);
    frame_put_u32(frame, stream->number);
    frame_put_i64(frame, patience);
    turn_cast(turn_of(call), frame);
}

/* Octets that go in one frame. */
#define WRITE_PIECE 65536

static bool
stream_write(FilterdCall *call, FilterdStream *stream, const void *bytes,
             size_t length, GError **error)
{
    const char *octets = bytes;
    bool ok = true;
    while (ok && length > 0) {
        size_t part = MIN(length, (size_t)WRITE_PIECE);
        GByteArray *frame = ask(turn_of(call), CALL_STREAM_WRITE);
        frame_put_u32(frame, stream->number);
        frame_put_bytes(frame, octets, part);
        ok = settle(turn_call(turn_of(call), frame), error);
        octets += part;
        length -= part;
    }
    return ok;
}

static bool
stream_read(FilterdCall *call, FilterdStream *stream, void *bytes, size_t size,
            size_t *length, GError **error)
{
    gsize there;
    GByteArray *frame = ask(turn_of(call), CALL_STREAM_READ);
    frame_put_u32(frame, stream->number);
    frame_put_u32(frame, (guint32)MIN(size, G_MAXUINT32));
    FrameReader *answer = turn_call(turn_of(call), frame);
    if (!settle(answer, error))
        return false;
    const char *octets = frame_get_bytes(answer, &there);
    *length = MIN(there, size);
    if (*length > 0)
        memcpy(bytes, octets, *length);
    return true;
}

static const char *
stream_line(FilterdCall *call, FilterdStream *stream, size_t *length,
            GError **error)
{
    GByteArray *frame = ask(turn_of(call), CALL_STREAM_LINE);
    frame_put_u32(frame, stream->number);
    FrameReader *answer = turn_call(turn_of(call), frame);
    if (!settle(answer, error))
        return NULL;
    const char *octets = frame_get_bytes(answer, length);
    g_free(stream->line);
    stream->line = g_malloc0(*length + 1);
    if (*length > 0)
        memcpy(stream->line, octets, *length);
    return stream->line;
}

static void
stream_close(FilterdCall *call, FilterdStream *stream)
{
    if (stream == NULL)
        return;
    GByteArray *frame = tell(turn_of(call), CAST_STREAM_CLOSE);
    frame_put_u32(frame, stream->number);
    turn_cast(turn_of(call), frame);
    g_ptr_array_remove_fast(*streams_of(turn_of(call)), stream);
}

static const FilterdHost table = {
    .size = sizeof(FilterdHost),
    .publish = publish,
    .lookup = lookup,
    .log = log_line,
    .dns = dns,
    .prefetch = prefetch,
    .store_get = get,
    .store_put = put,
    .store_add = add,
    .authres = authres,
    .edit = edit,
    .now = now,
    .sleep = sleep_for,
    .offload = offload,
    .spawn = spawn,
    .allocate = allocate,
    .count = count,
    .blame = blame,
    .stream_check = stream_check,
    .stream_open = stream_open,
    .stream_patience = stream_patience,
    .stream_write = stream_write,
    .stream_read = stream_read,
    .stream_line = stream_line,
    .stream_close = stream_close,
    .hear = hear,
    .enter = enter,
    .leave = leave,
};

typedef void (*Function)(void);

static void
absent(void)
{
    g_error("the plugin asks its host for what it cannot have in a process of "
            "its own");
}

/* The table may have grown since: who knows what is behind these. */
const FilterdHost *
remote_host(void)
{
    static union {
        FilterdHost host;
        Function functions[sizeof(FilterdHost) / sizeof(Function)];
    } whole;
    if (whole.host.size != 0)
        return &whole.host;
    whole.host = table;
    for (unsigned i = 1; i < G_N_ELEMENTS(whole.functions); i++)
        if (whole.functions[i] == NULL)
            whole.functions[i] = absent;
    return &whole.host;
}
