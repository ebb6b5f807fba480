/* peer.c: servers that play a script with whoever connects to them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/harness/internal.h"

#include <string.h>

#define STREAMS_LIMIT 4 /* of a session */
#define GARBAGE "\x80\xff garbage: 4294967297 \x01\r\n\r\n-1\r\n"

typedef enum Verb {
    HEARS,
    UNTIL,
    SAYS,
    WAITS,
    STALLS,
    DEAF,
    CUTS,
} Verb;

static const char *const verbs[] = {
    [HEARS] = "hears",   [UNTIL] = "until", [SAYS] = "says", [WAITS] = "waits",
    [STALLS] = "stalls", [DEAF] = "deaf",   [CUTS] = "cuts",
};

typedef struct Step {
    Verb verb;
    GString *octets;
    int64_t milliseconds;
} Step;

/* One connection's script. */
typedef struct Peer {
    char *server;
    GPtrArray *steps; /* Step */
    guint at;
} Peer;

struct FilterdStream {
    HarnessCall *owner;
    Peer *peer;
    gboolean message; /* opened since MAIL */
    int64_t patience;
    GString *heard; /* by the server */
    GQueue said;    /* by it, GString, not yet read */
    GString *in;    /* read, not yet taken */
    GString *line;
    gboolean eof, lost;
};

/* ---- scripts ------------------------------------------------------------ */

static void
step_free(void *data)
{
    Step *step = data;

    g_string_free(step->octets, TRUE);
    g_free(step);
}

static void
peer_free(void *data)
{
    Peer *peer = data;

    g_ptr_array_unref(peer->steps);
    g_free(peer->server);
    g_free(peer);
}

static char
unescape_one(const char **at)
{
    static const char names[] = "rnt0\\", octets[] = "\r\n\t\0\\";
    char letter = *++*at;
    const char *name = strchr(names, letter);

    if (letter == 'x') {
        int high = g_ascii_xdigit_value(*++*at);
        int low = high >= 0 ? g_ascii_xdigit_value(*++*at) : -1;

        if (low < 0)
            g_error("harness_peer: \\x wants two digits");
        return (char)(high * 16 + low);
    }
    if (letter == '\0' || name == NULL)
        g_error("harness_peer: no such escape: \\%c", letter);
    return octets[name - names];
}

static GString *
unescape(const char *text)
{
    GString *octets = g_string_new(NULL);

    for (const char *at = text; *at != '\0'; at++)
        g_string_append_c(octets, *at == '\\' ? unescape_one(&at) : *at);
    return octets;
}

static Step *
step_parse(const char *line)
{
    gsize length = strcspn(line, " ");
    const char *rest = line + length + (line[length] == ' ');
    Step *step = g_new0(Step, 1);
    gsize verb = 0;

    while (verb < G_N_ELEMENTS(verbs)
           && (strlen(verbs[verb]) != length
               || strncmp(line, verbs[verb], length) != 0))
        verb++;
    if (verb == G_N_ELEMENTS(verbs))
        g_error("harness_peer: a line of a script is no step: %s", line);
    step->verb = (Verb)verb;
    step->octets = unescape(rest);
    step->milliseconds = g_ascii_strtoll(rest, NULL, 10);
    return step;
}

GPtrArray *
harness_peers_new(void)
{
    return g_ptr_array_new_with_free_func(peer_free);
}

void
harness_peer(Harness *harness, const char *server, const char *script)
{
    g_auto(GStrv) lines = g_strsplit(script, "\n", -1);
    Peer *peer = g_new0(Peer, 1);

    peer->server = g_strdup(server);
    peer->steps = g_ptr_array_new_with_free_func(step_free);
    for (char **line = lines; *line != NULL; line++)
        if (*(*line + strspn(*line, " ")) != '\0')
            g_ptr_array_add(peer->steps,
                            step_parse(*line + strspn(*line, " ")));
    g_ptr_array_add(harness->peers, peer);
}

unsigned
harness_peers_left(Harness *harness)
{
    return harness->peers->len;
}

/* ---- playing ------------------------------------------------------------ */

/* NULL: the script is at its end. */
static const Step *
step_at(const FilterdStream *stream)
{
    const Peer *peer = stream->peer;

    return peer->at < peer->steps->len ? peer->steps->pdata[peer->at] : NULL;
}

static void
complain(FilterdStream *stream, const char *what, const Step *step)
{
    g_autofree char *heard = g_strescape(stream->heard->str, NULL);
    g_autofree char *wanted = g_strescape(step->octets->str, NULL);
    g_autofree char *text =
        g_strdup_printf("%s %s: “%s”, it has heard “%s”", stream->peer->server,
                        what, wanted, heard);

    stream->lost = TRUE;
    if (!stream->owner->harness->exploring)
        harness_complaint(stream->owner->harness, text);
}

/* FALSE: more has to come. */
static gboolean
play_hears(FilterdStream *stream, const Step *step)
{
    gsize length = MIN(step->octets->len, stream->heard->len);

    if (memcmp(step->octets->str, stream->heard->str, length) != 0)
        complain(stream, "expected to hear", step);
    else if (length == step->octets->len)
        g_string_erase(stream->heard, 0, (gssize)length);
    return length == step->octets->len && !stream->lost;
}

static gboolean
play_until(FilterdStream *stream, const Step *step)
{
    const char *found = memmem(stream->heard->str, stream->heard->len,
                               step->octets->str, step->octets->len);

    if (found == NULL)
        return FALSE;
    g_string_erase(
        stream->heard, 0,
        (gssize)(found - stream->heard->str + (gssize)step->octets->len));
    return TRUE;
}

static gboolean
play_step(FilterdStream *stream, const Step *step)
{
    switch (step->verb) {
    case HEARS:
        return play_hears(stream, step);
    case UNTIL:
        return play_until(stream, step);
    case SAYS:
        g_queue_push_tail(
            &stream->said,
            g_string_new_len(step->octets->str, (gssize)step->octets->len));
        return TRUE;
    case CUTS:
        stream->lost = TRUE;
        return FALSE;
    default:
        return FALSE;
    }
}

static void
play(FilterdStream *stream)
{
    const Step *step;

    while ((step = step_at(stream)) != NULL && !stream->lost
           && play_step(stream, step))
        stream->peer->at++;
    if (step == NULL)
        stream->eof = TRUE;
}

/* ---- faults ------------------------------------------------------------- */

static bool
fail(const char *server, FilterdStreamError code, GError **error)
{
    static const char *const texts[] = {
        [FILTERD_STREAM_SERVER] = "no address of a server",
        [FILTERD_STREAM_LOST] = "connection lost",
        [FILTERD_STREAM_CLOSED] = "connection closed",
        [FILTERD_STREAM_TIMEOUT] = "timed out",
        [FILTERD_STREAM_CANCELLED] = "cancelled",
        [FILTERD_STREAM_LIMIT] = "over a limit",
    };

    g_set_error(error, g_quark_from_static_string("harness-stream"), (int)code,
                "%s: %s", server, texts[code]);
    return false;
}

static bool
time_out(FilterdStream *stream, GError **error)
{
    stream->owner->harness->clock += stream->patience;
    stream->patience = 0;
    return fail(stream->peer->server, FILTERD_STREAM_TIMEOUT, error);
}

/* What the fault makes of the server; false: of the function, too. */
static bool
suffer(FilterdStream *stream, HarnessFault fault, GError **error)
{
    if (fault == HARNESS_CANCELLED)
        return fail(stream->peer->server, FILTERD_STREAM_CANCELLED, error);
    if (fault == HARNESS_TIMEOUT)
        return time_out(stream, error);
    if (fault == HARNESS_NO_FAULT)
        return true;
    stream->peer->at = stream->peer->steps->len;
    stream->lost = fault == HARNESS_LOST;
    stream->eof = !stream->lost;
    if (fault == HARNESS_GARBAGE)
        g_queue_push_tail(&stream->said, g_string_new(GARBAGE));
    return true;
}

static bool
pass(FilterdStream *stream, const char *what, GError **error)
{
    HarnessFault fault = harness_pass(stream->owner, HARNESS_AT_STREAM, "%s %s",
                                      what, stream->peer->server);

    if (!suffer(stream, fault, error))
        return false;
    return stream->patience > 0 || time_out(stream, error);
}

/* ---- open and close ----------------------------------------------------- */

bool
harness_host_stream_check(FilterdCall *call, const char *server, GError **error)
{
    const char *colon = strrchr(server, ':');
    guint64 port;
    FilterdIp ip;

    (void)call;
    if (g_str_has_prefix(server, "unix:/"))
        return true;
    if (colon == NULL)
        return fail(server, FILTERD_STREAM_SERVER, error);

    gboolean brackets = server[0] == '[' && colon[-1] == ']';
    g_autofree char *host =
        g_strndup(server + brackets,
                  (gsize)MAX(colon - server - 2 * brackets, (gssize)0));

    if (!harness_ip_parse(host, &ip)
        || !g_ascii_string_to_unsigned(colon + 1, 10, 1, 65535, &port, NULL))
        return fail(server, FILTERD_STREAM_SERVER, error);
    return true;
}

static void
string_free(void *data)
{
    g_string_free(data, TRUE);
}

static void
stream_free(void *data)
{
    FilterdStream *stream = data;

    peer_free(stream->peer);
    g_queue_clear_full(&stream->said, string_free);
    g_string_free(stream->heard, TRUE);
    g_string_free(stream->in, TRUE);
    g_string_free(stream->line, TRUE);
    g_free(stream);
}

GPtrArray *
harness_streams_new(void)
{
    return g_ptr_array_new_with_free_func(stream_free);
}

/* The script that comes next there; NULL: nobody listens. */
static Peer *
peer_take(Harness *harness, const char *server)
{
    for (guint i = 0; i < harness->peers->len; i++) {
        Peer *peer = harness->peers->pdata[i];

        if (strcmp(peer->server, server) == 0)
            return g_ptr_array_steal_index(harness->peers, i);
    }
    return NULL;
}

static guint
streams_open(const HarnessCall *self)
{
    guint open = 0;

    for (guint i = 0; i < self->harness->streams->len; i++) {
        const FilterdStream *stream = self->harness->streams->pdata[i];

        open += stream->owner == self;
    }
    return open;
}

static FilterdStream *
stream_new(HarnessCall *self, Peer *peer, int64_t patience)
{
    FilterdStream *stream = g_new0(FilterdStream, 1);

    stream->owner = self;
    stream->peer = peer;
    stream->message = self->call.message != NULL;
    stream->patience = patience;
    stream->heard = g_string_new(NULL);
    stream->in = g_string_new(NULL);
    stream->line = g_string_new(NULL);
    g_ptr_array_add(self->harness->streams, stream);
    return stream;
}

FilterdStream *
harness_host_stream_open(FilterdCall *call, const char *server,
                         int64_t patience, GError **error)
{
    HarnessCall *self = harness_call_get(call);
    HarnessFault fault =
        harness_pass(self, HARNESS_AT_STREAM, "stream_open %s", server);
    FilterdStreamError code =
        fault == HARNESS_CANCELLED            ? FILTERD_STREAM_CANCELLED
        : fault == HARNESS_TIMEOUT            ? FILTERD_STREAM_TIMEOUT
        : streams_open(self) >= STREAMS_LIMIT ? FILTERD_STREAM_LIMIT
                                              : FILTERD_STREAM_LOST;
    gboolean refused = code != FILTERD_STREAM_LOST || fault == HARNESS_LOST;
    Peer *peer = refused ? NULL : peer_take(self->harness, server);

    if (peer == NULL) {
        fail(server, code, error);
        return NULL;
    }

    FilterdStream *stream = stream_new(self, peer, patience);

    suffer(stream, fault, NULL);
    return stream;
}

void
harness_host_stream_patience(FilterdCall *call, FilterdStream *stream,
                             int64_t patience)
{
    (void)call;
    stream->patience = patience;
}

void
harness_host_stream_close(FilterdCall *call, FilterdStream *stream)
{
    if (stream == NULL)
        return;

    const Step *step = step_at(stream);

    if (step != NULL && step->verb <= UNTIL && !stream->lost
        && !stream->owner->cancelled)
        complain(stream, "was left before it heard", step);
    g_ptr_array_remove(harness_call_get(call)->harness->streams, stream);
}

void
harness_streams_close(HarnessCall *self, gboolean all)
{
    GPtrArray *streams = self->harness->streams;

    for (guint i = streams->len; i > 0; i--) {
        FilterdStream *stream = streams->pdata[i - 1];

        if (stream->owner == self && (all || stream->message))
            harness_host_stream_close(&self->call, stream);
    }
}

/* ---- words -------------------------------------------------------------- */

bool
harness_host_stream_write(FilterdCall *call, FilterdStream *stream,
                          const void *bytes, size_t length, GError **error)
{
    const Step *step = step_at(stream);

    (void)call;
    if (!pass(stream, "stream_write", error))
        return false;
    if (stream->eof || stream->lost)
        return fail(stream->peer->server, FILTERD_STREAM_LOST, error);
    if (step != NULL && step->verb == DEAF)
        return time_out(stream, error);
    g_string_append_len(stream->heard, bytes, (gssize)length);
    play(stream);
    return true;
}

/* The server is at a step that makes who reads wait; false: for too long. */
static bool
wait_for_step(FilterdStream *stream, const Step *step, GError **error)
{
    if (step->verb <= UNTIL)
        complain(stream, "is asked for an answer before it hears", step);
    if (step->verb != WAITS || step->milliseconds >= stream->patience)
        return time_out(stream, error);
    stream->owner->harness->clock += step->milliseconds;
    stream->patience -= step->milliseconds;
    stream->peer->at++;
    return true;
}

/* What the server says at once, or nothing once it has closed. */
static bool
fill(FilterdStream *stream, const char *what, GError **error)
{
    if (!pass(stream, what, error))
        return false;
    play(stream);
    while (g_queue_is_empty(&stream->said) && !stream->eof && !stream->lost) {
        if (!wait_for_step(stream, step_at(stream), error))
            return false;
        play(stream);
    }
    if (g_queue_is_empty(&stream->said))
        return stream->eof
               || fail(stream->peer->server, FILTERD_STREAM_LOST, error);

    GString *said = g_queue_pop_head(&stream->said);

    g_string_append_len(stream->in, said->str, (gssize)said->len);
    g_string_free(said, TRUE);
    return true;
}

bool
harness_host_stream_read(FilterdCall *call, FilterdStream *stream, void *bytes,
                         size_t size, size_t *length, GError **error)
{
    (void)call;
    if (stream->in->len == 0 && !fill(stream, "stream_read", error))
        return false;
    *length = MIN(size, stream->in->len);
    memcpy(bytes, stream->in->str, *length);
    g_string_erase(stream->in, 0, (gssize)*length);
    return true;
}

static const char *
line_take(FilterdStream *stream, const char *end, size_t *length)
{
    *length = (size_t)(end - stream->in->str);
    g_string_truncate(stream->line, 0);
    g_string_append_len(stream->line, stream->in->str, (gssize)*length);
    g_string_erase(stream->in, 0, (gssize)*length + 1);
    if (*length > 0 && stream->line->str[*length - 1] == '\r')
        g_string_truncate(stream->line, --*length);
    return stream->line->str;
}

const char *
harness_host_stream_line(FilterdCall *call, FilterdStream *stream,
                         size_t *length, GError **error)
{
    const char *end;

    (void)call;
    while ((end = memchr(stream->in->str, '\n', stream->in->len)) == NULL) {
        gsize before = stream->in->len;

        if (!fill(stream, "stream_line", error))
            return NULL;
        if (stream->in->len == before) {
            fail(stream->peer->server, FILTERD_STREAM_CLOSED, error);
            return NULL;
        }
    }
    if (line_take(stream, end, length), *length <= FILTERD_STREAM_LINE)
        return stream->line->str;
    fail(stream->peer->server, FILTERD_STREAM_LIMIT, error);
    return NULL;
}
