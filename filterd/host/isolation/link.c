/* link.c: a worker's side of the process that a plugin runs in.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/isolation/link.h"

#include "filterd/base/log.h"
#include "filterd/host/call.h"
#include "filterd/host/isolation/options.h"
#include "filterd/host/isolation/peer.h"
#include "filterd/host/isolation/service.h"

#include <unistd.h>

/* Those of plugins that never return stay taken until the process ends. */
#define CHANNELS_LIMIT 100000
#define SERVERS_LIMIT 1000
/* For the log, in a second. */
#define LINES_LIMIT 100

struct Channel {
    guint32 number;
    Link *link;
    GQueue coming;    /* GBytes: whole frames */
    int64_t patience; /* what is left of it; CLOCK_NEVER: all of it */
    gsize queued;
    FiberQueue news;
    gboolean early;  /* of what was spawned, and nobody serves yet */
    gboolean lost;   /* its process is gone */
    gboolean orphan; /* nobody serves it: it ends with RETURN */
    gboolean returned;
};

struct Link {
    const PolicyUse *use;
    void (*useless)(void *data);
    void *data;
    HostInstance *instance; /* since link_start() */
    Fiber *keeper;
    FiberQueue news;   /* of the keeper */
    FiberQueue starts; /* who waits for the first start */
    int fd;            /* of a new process; -1 */
    Peer *peer;
    gboolean ended; /* the peer has */
    gboolean ready; /* the plugin has started there */
    gboolean begun; /* it has started once, wherever */
    GError *refused;
    unsigned epoch;
    GHashTable *channels; /* number: Channel */
    GHashTable *servers;  /* that streams may be opened to */
    guint32 last;
    int64_t second; /* when it began */
    unsigned lines; /* for the log, since then */
};

/* ---- channels ----------------------------------------------------------- */

static Channel *
channel_new(Link *link, guint32 number)
{
    Channel *channel = g_new0(Channel, 1);
    channel->number = number;
    channel->link = link;
    channel->patience = LINK_HOOK_TIME;
    g_hash_table_insert(link->channels, GUINT_TO_POINTER(number), channel);
    return channel;
}

static void
channel_free(Channel *channel)
{
    g_queue_clear_full(&channel->coming, (GDestroyNotify)g_bytes_unref);
    g_free(channel);
}

/* What was spawned may speak before the start that spawned it was heard. */
static Channel *
channel_expect(Link *link, guint32 number)
{
    if (number < CHANNEL_SPAWNED || link->ready
        || g_hash_table_size(link->channels) >= CHANNELS_LIMIT)
        return NULL;
    Channel *channel = channel_new(link, number);
    channel->early = TRUE;
    channel->patience = CLOCK_NEVER;
    return channel;
}

Channel *
channel_adopt(Link *link, guint32 number)
{
    Channel *channel =
        g_hash_table_lookup(link->channels, GUINT_TO_POINTER(number));
    if (channel == NULL && !link->ended)
        channel = channel_expect(link, number);
    if (channel == NULL || !channel->early)
        return NULL;
    channel->early = FALSE;
    return channel;
}

/* A number that is free. NULL: too many are taken. */
static Channel *
channel_open(Link *link)
{
    if (g_hash_table_size(link->channels) >= CHANNELS_LIMIT)
        return NULL;
    do
        link->last = link->last % (CHANNEL_SPAWNED - 1) + 1;
    while (g_hash_table_contains(link->channels, GUINT_TO_POINTER(link->last)));
    return channel_new(link, link->last);
}

static void
channel_close(Channel *channel)
{
    if (!channel->lost)
        g_hash_table_remove(channel->link->channels,
                            GUINT_TO_POINTER(channel->number));
    channel_free(channel);
}

/* The hook goes on by itself, to its end. */
static void
channel_abandon(Channel *channel)
{
    if (channel->lost) {
        channel_close(channel);
        return;
    }
    channel_send(channel, frame_end(frame_new(FRAME_CANCEL, channel->number)));
    channel->orphan = TRUE;
    g_queue_clear_full(&channel->coming, (GDestroyNotify)g_bytes_unref);
}

void
channel_drop(Channel *channel)
{
    channel_close(channel);
}

void
channel_finish(Channel *channel)
{
    if (channel->returned)
        channel_close(channel);
    else
        channel_abandon(channel);
}

Link *
channel_link(const Channel *channel)
{
    return channel->link;
}

guint32
channel_number(const Channel *channel)
{
    return channel->number;
}

void
channel_send(Channel *channel, GByteArray *frame)
{
    if (channel->lost || channel->link->peer == NULL)
        g_byte_array_unref(frame);
    else
        peer_send(channel->link->peer, frame);
}

/* All that a hook is waited for is within its patience. */
static FiberWake
wait_for_news(Channel *channel)
{
    FiberWake wake = FIBER_WOKEN;
    gboolean patient = channel->patience == CLOCK_NEVER;
    int64_t begun = clock_monotonic();
    int64_t deadline = patient ? CLOCK_NEVER : begun + channel->patience;
    while (wake == FIBER_WOKEN && channel->coming.length == 0 && !channel->lost)
        wake = fiber_queue_wait(&channel->news, deadline);
    if (!patient)
        channel->patience -= MIN(clock_monotonic() - begun, channel->patience);
    return wake;
}

/* NULL with an error, but without one if cancelled. */
static GBytes *
channel_take(Channel *channel, GError **error)
{
    FiberWake wake = wait_for_news(channel);
    GBytes *frame =
        wake == FIBER_CANCELLED ? NULL : g_queue_pop_head(&channel->coming);
    if (frame != NULL)
        channel->queued -= g_bytes_get_size(frame);
    else if (channel->lost)
        g_set_error_literal(error, HOST_LOST_ERROR, 0,
                            "the process of the plugin ended");
    else if (wake == FIBER_TIMEOUT)
        g_set_error(error, HOST_LOST_ERROR, 0,
                    "the process of the plugin took more than %d s",
                    LINK_HOOK_TIME / 1000);
    return frame;
}

/* ---- the process -------------------------------------------------------- */

static gboolean
lied(GError **error, const Frame *frame)
{
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                "a frame of type %u that nobody waits for", frame->type);
    return FALSE;
}

/* So many lines in a second, and others are lost. */
static gboolean
may_log(Link *link)
{
    int64_t now = clock_monotonic();
    if (now >= link->second + 1000) {
        link->second = now;
        link->lines = 0;
    }
    return ++link->lines <= LINES_LIMIT;
}

static gboolean
on_frame(void *data, const Frame *frame, GError **error)
{
    Link *link = data;
    Channel *channel =
        g_hash_table_lookup(link->channels, GUINT_TO_POINTER(frame->channel));
    if (frame->type < FRAME_RETURN)
        return lied(error, frame);
    if (frame->type == FRAME_CAST && frame->length > 0
        && (*frame->content == CAST_LOG || *frame->content == CAST_HELD)
        && !may_log(link))
        return TRUE;
    if (frame->channel == 0)
        return service_aside(link->instance, frame) || lied(error, frame);
    if (channel == NULL)
        channel = channel_expect(link, frame->channel);
    if (channel == NULL || channel->queued > LINK_CHANNEL_LIMIT)
        return lied(error, frame);
    if (channel->orphan) {
        if (frame->type == FRAME_RETURN)
            channel_close(channel);
        return TRUE;
    }
    g_queue_push_tail(
        &channel->coming,
        g_bytes_new(frame->content - FRAME_HEAD, FRAME_HEAD + frame->length));
    channel->queued += FRAME_HEAD + frame->length;
    fiber_queue_wake_all(&channel->news);
    return TRUE;
}

static void
lose_channels(Link *link)
{
    GHashTableIter all;
    gpointer value;
    g_hash_table_iter_init(&all, link->channels);
    while (g_hash_table_iter_next(&all, NULL, &value)) {
        Channel *channel = value;
        g_hash_table_iter_steal(&all);
        channel->lost = TRUE;
        if (channel->orphan || channel->early)
            channel_free(channel);
        else
            fiber_queue_wake_all(&channel->news);
    }
}

static void
on_end(void *data, const GError *lie)
{
    Link *link = data;
    gboolean known = link->ended;
    link->ready = FALSE;
    link->ended = TRUE;
    lose_channels(link);
    if (lie == NULL || known)
        return;
    LogLine line;
    log_begin(&line, FILTERD_LOG_WARNING, "plugin");
    log_text(&line, "plugin", link->use->name);
    log_text(&line, "text", "its process said what it cannot mean");
    log_text(&line, "reason", lie->message);
    log_end(&line);
    link->useless(link->data);
}

/* ---- the keeper --------------------------------------------------------- */

static void
meet(Link *link)
{
    const PeerClient client = {
        .data = link, .limit = FRAME_LIMIT, .frame = on_frame, .ended = on_end};
    if (link->peer != NULL) {
        on_end(link, NULL);
        peer_free(link->peer);
    }
    g_hash_table_remove_all(link->servers);
    link->ended = FALSE;
    link->epoch++;
    link->peer = peer_new(link->fd, &client);
    link->fd = -1;
}

/* The plugin's start, with what its options are. */
static gboolean
start_plugin(Link *link, FilterdCall *call, GError **error)
{
    Channel *channel = channel_open(link);
    GByteArray *frame = frame_new(FRAME_START, channel->number);
    frame_put_text(frame, link->use->name);
    options_put(frame, link->use->plugin, link->use->config);
    options_put_facts(frame, link->use->asked);
    return link_run(channel, call, frame, error);
}

static void
report_refusal(const Link *link, const GError *error)
{
    LogLine line;
    log_begin(&line, FILTERD_LOG_WARNING, "plugin");
    log_text(&line, "plugin", link->use->name);
    log_text(&line, "text", "it does not start again");
    log_text(&line, "reason",
             error != NULL ? error->message : "failed without a reason");
    log_end(&line);
}

static void
begin_process(Link *link)
{
    HostCall call;
    g_autoptr(GError) error = NULL;
    meet(link);
    host_call_init(&call, link->instance, NULL);
    gboolean started = start_plugin(link, &call.call, &error);
    link->ready = started && !link->ended;
    host_call_end_hook(&call);
    host_call_clear(&call);
    if (!started && link->epoch > 1 && !fiber_cancelled()) {
        report_refusal(link, error);
        link->useless(link->data);
    }
    link->begun = link->begun || started;
    g_clear_error(&link->refused);
    link->refused = started ? NULL : g_steal_pointer(&error);
    fiber_queue_wake_all(&link->starts);
}

static void
keep(void *data)
{
    Link *link = data;
    while (!fiber_cancelled())
        if (link->fd >= 0)
            begin_process(link);
        else
            fiber_queue_wait(&link->news, CLOCK_NEVER);
}

/* ---- life --------------------------------------------------------------- */

Link *
link_new(const PolicyUse *use, void (*useless)(void *data), void *data)
{
    Link *link = g_new0(Link, 1);
    link->use = use;
    link->useless = useless;
    link->data = data;
    link->fd = -1;
    link->channels = g_hash_table_new(NULL, NULL);
    link->servers =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return link;
}

void
link_free(Link *link)
{
    if (link->fd >= 0)
        close(link->fd);
    g_clear_error(&link->refused);
    g_hash_table_unref(link->channels);
    g_hash_table_unref(link->servers);
    g_free(link);
}

const PolicyUse *
link_use(const Link *link)
{
    return link->use;
}

void
link_attach(Link *link, int fd)
{
    if (link->fd >= 0)
        close(link->fd);
    link->fd = fd;
    fiber_queue_wake_all(&link->news);
}

static gboolean
fail_start(const Link *link, FiberWake wake, GError **error)
{
    if (link->refused != NULL)
        g_propagate_error(error, g_error_copy(link->refused));
    else if (wake == FIBER_TIMEOUT)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                    "its process has not started within %d s",
                    LINK_START_TIME / 1000);
    else
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                            "its process does not start");
    return FALSE;
}

gboolean
link_start(Link *link, FilterdCall *call, GError **error)
{
    FiberWake wake = FIBER_WOKEN;
    int64_t deadline = clock_after(LINK_START_TIME);
    link->instance = ((HostCall *)call)->instance;
    link->keeper = fiber_start("isolation", keep, link);
    while (!link->begun && link->refused == NULL && wake == FIBER_WOKEN)
        wake = fiber_queue_wait(&link->starts, deadline);
    if (link->begun)
        return TRUE;
    fail_start(link, wake, error);
    link_stop(link);
    return FALSE;
}

void
link_stop(Link *link)
{
    fiber_cancel(link->keeper);
    fiber_join(link->keeper);
    link->keeper = NULL;
    if (link->peer != NULL)
        peer_free(g_steal_pointer(&link->peer));
    link->ready = FALSE;
    lose_channels(link);
}

gboolean
link_allow(Link *link, const char *server)
{
    if (link->ready || g_hash_table_size(link->servers) >= SERVERS_LIMIT)
        return FALSE;
    g_hash_table_add(link->servers, g_strdup(server));
    return TRUE;
}

gboolean
link_allows(const Link *link, const char *server)
{
    return g_hash_table_contains(link->servers, server);
}

unsigned
link_epoch(const Link *link)
{
    return link->epoch;
}

/* ---- hooks -------------------------------------------------------------- */

GByteArray *
link_begin(Link *link, ProtocolHook hook, Channel **channel, GError **error)
{
    *channel = link->ready ? channel_open(link) : NULL;
    if (*channel == NULL) {
        g_set_error_literal(error, HOST_LOST_ERROR, 0,
                            "no process of the plugin is there");
        return NULL;
    }
    GByteArray *frame = frame_new(FRAME_HOOK, (*channel)->number);
    frame_put_u8(frame, (guint8)hook);
    return frame;
}

static gboolean
read_return(const Frame *frame, gboolean *ok, GError **error)
{
    g_auto(FrameReader) reader;
    frame_reader_init(&reader, frame);
    *ok = frame_get_u8(&reader) == 1;
    const char *text = frame_get_text(&reader);
    if (!frame_reader_done(&reader))
        return FALSE;
    if (!*ok && text != NULL)
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, text);
    return TRUE;
}

/* What it cannot mean: its process ends, and all hooks there. */
static void
end_process(Link *link, const char *why)
{
    g_autoptr(GError) lie =
        g_error_new_literal(G_FILE_ERROR, G_FILE_ERROR_INVAL, why);
    if (!link->ended)
        on_end(link, lie);
}

gboolean
channel_serve(Channel *channel, FilterdCall *call, GError **error)
{
    channel->returned = FALSE;
    for (;;) {
        Frame frame;
        gboolean ok = FALSE, meant;
        g_autoptr(GBytes) bytes = channel_take(channel, error);
        if (bytes == NULL)
            return FALSE;
        gsize length;
        const guint8 *octets = g_bytes_get_data(bytes, &length);
        frame_parse(octets, length, FRAME_LIMIT, &frame, NULL);
        if (frame.type == FRAME_RETURN)
            meant = read_return(&frame, &ok, error);
        else
            meant = service_frame(channel, call, &frame);
        if (!meant)
            end_process(channel->link, "content that does not fit its type");
        channel->returned = meant && frame.type == FRAME_RETURN;
        if (channel->returned)
            return ok;
    }
}

gboolean
link_run(Channel *channel, FilterdCall *call, GByteArray *frame, GError **error)
{
    channel_send(channel, frame_end(frame));
    if (channel->link->peer != NULL)
        peer_wait_for_room(channel->link->peer);
    gboolean ok = channel_serve(channel, call, error);
    channel_finish(channel);
    return ok;
}

void
link_tell(Link *link, GByteArray *frame)
{
    if (link->ready)
        peer_send(link->peer, frame_end(frame));
    else
        g_byte_array_unref(frame);
}
