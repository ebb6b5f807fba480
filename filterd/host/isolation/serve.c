/* serve.c: the process of a plugin: hooks run as a worker says.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/isolation/serve.h"

#include "filterd/base/loop.h"
#include "filterd/host/canary.h"
#include "filterd/host/isolation/options.h"
#include "filterd/host/isolation/turn.h"
#include "policy/describe.h"

#include <string.h>

/* A hook that holds the loop for longer is told of, milliseconds. */
#define SERVE_HOLD 50

/* ---- what is kept until a hook returns ---------------------------------- */

typedef struct Kept {
    void *memory;
    GDestroyNotify destroy;
} Kept;

static void
kept_free(void *data)
{
    Kept *kept = data;
    kept->destroy(kept->memory);
    g_free(kept);
}

void *
turn_keep(Turn *turn, void *memory, GDestroyNotify destroy)
{
    Kept *kept = g_new(Kept, 1);
    *kept = (Kept){memory, destroy};
    if (turn->kept == NULL)
        turn->kept = g_ptr_array_new_with_free_func(kept_free);
    g_ptr_array_add(turn->kept, kept);
    return memory;
}

void
turn_forget(Turn *turn)
{
    g_clear_pointer(&turn->kept, g_ptr_array_unref);
}

/* ---- asking the worker -------------------------------------------------- */

/* Where states end nobody listens but to this. */
static gboolean
is_heard(const Turn *turn, const GByteArray *frame)
{
    guint8 function = frame->data[FRAME_HEAD];
    return turn->channel != 0 || function == CAST_LOG || function == CAST_COUNT;
}

/* What is too long for a frame would be taken for a lie. */
void
turn_cast(Turn *turn, GByteArray *frame)
{
    if (frame->len - FRAME_HEAD > FRAME_LIMIT || !is_heard(turn, frame))
        g_byte_array_unref(frame);
    else
        peer_send(turn->server->peer, frame_end(frame));
}

GBytes *
turn_take(Turn *turn)
{
    while (turn->coming.length == 0)
        if (fiber_queue_wait(&turn->news, CLOCK_NEVER) == FIBER_CANCELLED)
            return NULL;
    return g_queue_pop_head(&turn->coming);
}

static void
reader_free(void *data)
{
    frame_reader_clear(data);
    g_free(data);
}

FrameReader *
turn_call(Turn *turn, GByteArray *frame)
{
    Frame answer;
    gsize length;
    gboolean possible = turn->channel != 0 && !fiber_cancelled()
                        && frame->len - FRAME_HEAD <= FRAME_LIMIT;
    if (!possible) {
        g_byte_array_unref(frame);
        return NULL;
    }
    peer_send(turn->server->peer, frame_end(frame));
    GBytes *bytes = turn_take(turn);
    if (bytes == NULL)
        return NULL;
    turn_keep(turn, bytes, (GDestroyNotify)g_bytes_unref);
    const guint8 *octets = g_bytes_get_data(bytes, &length);
    frame_parse(octets, length, FRAME_TOLD_LIMIT, &answer, NULL);
    FrameReader *reader = turn_keep(turn, g_new0(FrameReader, 1), reader_free);
    frame_reader_init(reader, &answer);
    return reader;
}

/* ---- turns -------------------------------------------------------------- */

static Turn *
turn_new(Server *server, Seat *seat, guint32 channel)
{
    Turn *turn = g_new0(Turn, 1);
    turn->call = (FilterdCall){.host = remote_host(),
                               .config = server->config,
                               .instance = server->instance};
    turn->server = server;
    turn->seat = seat;
    turn->channel = channel;
    turn->doing.what = server->name;
    turn->doing.whose = seat != NULL ? seat->session : NULL;
    if (channel != 0)
        g_hash_table_insert(server->turns, GUINT_TO_POINTER(channel), turn);
    return turn;
}

static void
turn_free(Turn *turn)
{
    if (turn->channel != 0)
        g_hash_table_remove(turn->server->turns,
                            GUINT_TO_POINTER(turn->channel));
    g_queue_clear_full(&turn->coming, (GDestroyNotify)g_bytes_unref);
    turn_forget(turn);
    remote_free_streams(turn->streams, TRUE);
    g_clear_pointer(&turn->streams, g_ptr_array_unref);
    frame_reader_clear(&turn->reader);
    g_clear_pointer(&turn->frame, g_bytes_unref);
    g_free(turn);
}

static void
turn_return(Turn *turn, gboolean ok, const GError *error)
{
    GByteArray *frame = frame_new(FRAME_RETURN, turn->channel);
    frame_put_u8(frame, ok);
    frame_put_text(frame, error != NULL ? error->message : NULL);
    turn_cast(turn, frame);
}

static void
run_spawned(void *data)
{
    Turn *turn = data;
    turn->doing.part = "spawn";
    fiber_set_doing(&turn->doing);
    turn->run(&turn->call, turn->data);
    fiber_set_doing(NULL);
    turn_return(turn, TRUE, NULL);
    turn_free(turn);
}

Turn *
turn_spawn(Turn *turn, void (*run)(FilterdCall *call, void *data), void *data)
{
    Server *server = turn->server;
    Turn *spawned = turn_new(server, NULL, CHANNEL_SPAWNED + server->spawned++);
    spawned->run = run;
    spawned->data = data;
    spawned->fiber = fiber_start(server->name, run_spawned, spawned);
    fiber_detach(spawned->fiber);
    return spawned;
}

/* ---- states ------------------------------------------------------------- */

static void
begin_message(Turn *turn)
{
    Seat *seat = turn->seat;
    gsize size = turn->server->plugin->message_size;
    if (seat->message != NULL)
        canary_free(seat->message, size);
    seat->message = canary_new(size);
}

static void
end_message(Turn *turn)
{
    Seat *seat = turn->seat;
    if (seat->message != NULL)
        canary_free(g_steal_pointer(&seat->message),
                    turn->server->plugin->message_size);
    remote_free_streams(seat->streams, FALSE);
}

static void
seat_free(Server *server, Seat *seat)
{
    g_hash_table_remove(server->seats, GUINT_TO_POINTER(seat->number));
    canary_free(seat->state, server->plugin->session_size);
    if (seat->message != NULL)
        canary_free(seat->message, server->plugin->message_size);
    remote_free_streams(seat->streams, TRUE);
    g_clear_pointer(&seat->streams, g_ptr_array_unref);
    g_free(seat->session);
    g_free(seat);
}

static gboolean
is_lost(const Turn *turn, GError **error)
{
    if (!turn->server->lost && (turn->seat == NULL || !turn->seat->lost))
        return FALSE;
    g_set_error_literal(
        error, G_FILE_ERROR, G_FILE_ERROR_FAULT,
        "the plugin wrote beyond a state of its own, whose size "
        "is in its table; it is asked no more");
    return TRUE;
}

static void
check_states(Turn *turn)
{
    const FilterdPlugin *plugin = turn->server->plugin;
    Seat *seat = turn->seat;
    if (!canary_lives(turn->server->instance, plugin->instance_size))
        turn->server->lost = TRUE;
    if (seat == NULL)
        return;
    if (!canary_lives(seat->state, plugin->session_size)
        || (seat->message != NULL
            && !canary_lives(seat->message, plugin->message_size)))
        seat->lost = TRUE;
}

/* ---- hooks -------------------------------------------------------------- */

static gboolean
run_stage(Turn *turn, GError **error)
{
    const FilterdPlugin *plugin = turn->server->plugin;
    FilterdHook *const hooks[] = {
        [HOOK_CONNECT] = plugin->connect, [HOOK_HELO] = plugin->helo,
        [HOOK_MAIL] = plugin->mail,       [HOOK_RCPT] = plugin->rcpt,
        [HOOK_DATA] = plugin->data,       [HOOK_EOM] = plugin->eom,
    };
    return hooks[turn->hook] == NULL || hooks[turn->hook](&turn->call, error);
}

static gboolean
run_field(Turn *turn, GError **error)
{
    FilterdField field;
    const FilterdPlugin *plugin = turn->server->plugin;
    field.bytes = frame_get_bytes(&turn->reader, &field.length);
    field.name_length = frame_get_u32(&turn->reader);
    field.value = frame_get_u32(&turn->reader);
    if (turn->hook == HOOK_SIGN_HEADER)
        return plugin->sign_header == NULL
               || plugin->sign_header(&turn->call, &field, error);
    return plugin->header == NULL || plugin->header(&turn->call, &field, error);
}

static gboolean
run_piece(Turn *turn, GError **error)
{
    gsize length;
    const FilterdPlugin *plugin = turn->server->plugin;
    const char *bytes = frame_get_bytes(&turn->reader, &length);
    if (turn->hook == HOOK_SIGN_BODY)
        return plugin->sign_body == NULL
               || plugin->sign_body(&turn->call, bytes, length, error);
    return plugin->body == NULL
           || plugin->body(&turn->call, bytes, length, error);
}

static gboolean
run_sign_end(Turn *turn, GError **error)
{
    const FilterdPlugin *plugin = turn->server->plugin;
    return plugin->sign_end == NULL || plugin->sign_end(&turn->call, error);
}

static gboolean
run_action(Turn *turn, GError **error)
{
    const FilterdAction *action =
        &turn->server->plugin->actions[frame_get_u32(&turn->reader)];
    unsigned length = 0;
    while (action->arguments[length] != FILTERD_UNKNOWN)
        length++;
    g_autofree FilterdValue *arguments = g_new0(FilterdValue, length + 1);
    for (unsigned i = 0; i < length; i++)
        arguments[i] = frame_get_value(&turn->reader);
    turn->call.action = action;
    return action->run(&turn->call, arguments, error);
}

static gboolean
run_done(Turn *turn, GError **error)
{
    FilterdOutcome outcome = {.size = sizeof outcome};
    (void)error;
    outcome.fate = (FilterdFate)frame_get_u8(&turn->reader);
    outcome.stage = (FilterdStage)frame_get_u8(&turn->reader);
    outcome.rule = frame_get_text(&turn->reader);
    outcome.asked = frame_get_u8(&turn->reader) == 1;
    if (turn->server->plugin->done != NULL)
        turn->server->plugin->done(&turn->call, &outcome);
    return TRUE;
}

static gboolean
run_end(Turn *turn, GError **error)
{
    const FilterdPlugin *plugin = turn->server->plugin;
    void (*const hooks[HOOKS])(FilterdCall * call) = {
        [HOOK_ABORT] = plugin->abort,
        [HOOK_CLOSE] = plugin->close,
        [HOOK_CLEAR_MESSAGE] = plugin->clear_message,
        [HOOK_CLEAR_SESSION] = plugin->clear_session,
    };
    (void)error;
    if (hooks[turn->hook] != NULL)
        hooks[turn->hook](&turn->call);
    return TRUE;
}

static gboolean (*const runs[HOOKS])(Turn *turn, GError **error) = {
    [HOOK_CONNECT] = run_stage,     [HOOK_HELO] = run_stage,
    [HOOK_MAIL] = run_stage,        [HOOK_RCPT] = run_stage,
    [HOOK_DATA] = run_stage,        [HOOK_EOM] = run_stage,
    [HOOK_HEADER] = run_field,      [HOOK_BODY] = run_piece,
    [HOOK_SIGN_HEADER] = run_field, [HOOK_SIGN_BODY] = run_piece,
    [HOOK_SIGN_END] = run_sign_end, [HOOK_ACTION] = run_action,
    [HOOK_DONE] = run_done,         [HOOK_ABORT] = run_end,
    [HOOK_CLOSE] = run_end,         [HOOK_CLEAR_MESSAGE] = run_end,
    [HOOK_CLEAR_SESSION] = run_end,
};

static void next_turn(Seat *seat);

static void
call_hook(Turn *turn)
{
    g_autoptr(GError) error = NULL;
    Seat *seat = turn->seat;
    if ((turn->flags & SEAT_NEW_MESSAGE) != 0)
        begin_message(turn);
    turn->call.session = seat->state;
    turn->call.message =
        (turn->flags & SEAT_MESSAGE) != 0 ? seat->message : NULL;
    turn->doing.part = protocol_hook_name(turn->hook);
    fiber_set_doing(&turn->doing);
    gboolean ok = !is_lost(turn, &error) && runs[turn->hook](turn, &error);
    fiber_set_doing(NULL);
    check_states(turn);
    ok = ok && !is_lost(turn, &error);
    if (turn->channel != 0)
        turn_return(turn, ok, error);
}

static void
run_turn(void *data)
{
    Turn *turn = data;
    Seat *seat = turn->seat;
    gboolean last = turn->hook == HOOK_CLEAR_SESSION;
    call_hook(turn);
    if (turn->hook == HOOK_CLEAR_MESSAGE)
        end_message(turn);
    Server *server = turn->server;
    seat->now = NULL;
    turn_free(turn);
    if (last)
        seat_free(server, seat);
    else
        next_turn(seat);
}

static void
next_turn(Seat *seat)
{
    Turn *turn = g_queue_pop_head(&seat->waiting);
    if (turn == NULL)
        return;
    seat->now = turn;
    turn->fiber = fiber_start(turn->server->name, run_turn, turn);
    if (turn->cancelled)
        fiber_cancel(turn->fiber);
    fiber_detach(turn->fiber);
}

/* ---- frames ------------------------------------------------------------- */

static Seat *
seat_get(Server *server, guint32 number)
{
    Seat *seat = g_hash_table_lookup(server->seats, GUINT_TO_POINTER(number));
    if (seat != NULL)
        return seat;
    seat = g_new0(Seat, 1);
    seat->number = number;
    seat->state = canary_new(server->plugin->session_size);
    g_hash_table_insert(server->seats, GUINT_TO_POINTER(number), seat);
    return seat;
}

static gboolean
nonsense(GError **error)
{
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                        "the worker said what it cannot mean");
    return FALSE;
}

static GBytes *
copy_of(const Frame *frame)
{
    return g_bytes_new(frame->content - FRAME_HEAD, FRAME_HEAD + frame->length);
}

static gboolean
take_hook(Server *server, const Frame *frame, GError **error)
{
    Frame copy;
    gsize length;
    g_autoptr(GBytes) bytes = copy_of(frame);
    const guint8 *octets = g_bytes_get_data(bytes, &length);
    frame_parse(octets, length, FRAME_TOLD_LIMIT, &copy, NULL);
    FrameReader reader;
    frame_reader_init(&reader, &copy);
    guint8 hook = frame_get_u8(&reader);
    Seat *seat = seat_get(server, frame_get_u32(&reader));
    Turn *turn = turn_new(server, seat, frame->channel);
    turn->hook = (ProtocolHook)hook;
    turn->flags = frame_get_u8(&reader);
    turn->stage = (FilterdStage)frame_get_u8(&reader);
    if ((turn->flags & SEAT_NEW) != 0 && seat->session == NULL)
        seat->session = g_strdup(frame_get_text(&reader));
    turn->doing.whose = seat->session;
    turn->reader = reader;
    turn->frame = g_steal_pointer(&bytes);
    g_queue_push_tail(&seat->waiting, turn);
    if (hook >= HOOKS || reader.bad)
        return nonsense(error);
    if (seat->now == NULL)
        next_turn(seat);
    return TRUE;
}

static void
cancel(Turn *turn)
{
    turn->cancelled = TRUE;
    if (turn->fiber != NULL)
        fiber_cancel(turn->fiber);
}

static gboolean
start_plugin(Turn *turn, GError **error)
{
    Server *server = turn->server;
    server->starting = TRUE;
    gboolean ok = server->plugin->start == NULL
                  || server->plugin->start(&turn->call, error);
    server->starting = FALSE;
    check_states(turn);
    return ok && !is_lost(turn, error) && server->seal(error);
}

static gboolean
read_options(Turn *turn, GError **error)
{
    Server *server = turn->server;
    void *config = options_get(&turn->reader, server->plugin);
    if (config == NULL) {
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                            "its file is another than the worker's; reload");
        return FALSE;
    }
    const DescribeAlone alone = {server->name, config,
                                 options_get_facts(&turn->reader)};
    const FilterdPlugin *table = describe_alone(server->plugin, &alone, error);
    if (table == NULL)
        return FALSE;
    server->plugin = table;
    server->config = turn->call.config = config;
    server->memory = g_steal_pointer(&turn->reader.memory);
    return TRUE;
}

static void
run_start(void *data)
{
    Turn *turn = data;
    Server *server = turn->server;
    g_autoptr(GError) error = NULL;
    gboolean ok = FALSE;
    g_free(server->name);
    server->name = g_strdup(frame_get_text(&turn->reader));
    turn->doing = (FiberDoing){.what = server->name, .part = "start"};
    fiber_set_doing(&turn->doing);
    ok = read_options(turn, &error) && start_plugin(turn, &error);
    fiber_set_doing(NULL);
    turn_return(turn, ok, error);
    turn_free(turn);
}

static void
take_start(Server *server, const Frame *frame)
{
    Frame copy;
    gsize length;
    Turn *turn = turn_new(server, NULL, frame->channel);
    turn->frame = copy_of(frame);
    const guint8 *octets = g_bytes_get_data(turn->frame, &length);
    frame_parse(octets, length, FRAME_TOLD_LIMIT, &copy, NULL);
    frame_reader_init(&turn->reader, &copy);
    turn->fiber = fiber_start("start", run_start, turn);
    fiber_detach(turn->fiber);
}

static gboolean
on_frame(void *data, const Frame *frame, GError **error)
{
    Server *server = data;
    Turn *turn =
        g_hash_table_lookup(server->turns, GUINT_TO_POINTER(frame->channel));
    if (frame->type >= FRAME_RETURN)
        return nonsense(error);
    if (frame->type == FRAME_HOOK)
        return take_hook(server, frame, error);
    if (frame->type == FRAME_START) {
        take_start(server, frame);
    } else if (frame->type == FRAME_CANCEL) {
        if (turn != NULL)
            cancel(turn);
    } else if (turn != NULL) {
        g_queue_push_tail(&turn->coming, copy_of(frame));
        fiber_queue_wake_all(&turn->news);
    }
    return TRUE;
}

/* ---- the process -------------------------------------------------------- */

static Server *own;

static void
report_held(const char *name, const FiberDoing *doing, int64_t held)
{
    GByteArray *frame = frame_new(FRAME_CAST, 0);
    frame_put_u8(frame, CAST_HELD);
    frame_put_text(frame, doing != NULL ? doing->part : name);
    frame_put_text(frame, doing != NULL ? doing->whose : NULL);
    frame_put_i64(frame, held);
    peer_send(own->peer, frame_end(frame));
}

/* Nobody is left who would answer anything. */
static void
stop(void *data)
{
    Server *server = data;
    Turn *turn = turn_new(server, NULL, 0);
    turn->doing.part = "stop";
    fiber_set_doing(&turn->doing);
    if (server->plugin->stop != NULL && server->config != NULL && !server->lost)
        server->plugin->stop(&turn->call);
    fiber_set_doing(NULL);
    turn_free(turn);
    loop_stop();
}

static void
on_end(void *data, const GError *lie)
{
    (void)lie;
    fiber_detach(fiber_start("stop", stop, data));
}

void
serve_run(const ServeStart *start)
{
    Server *server = g_new0(Server, 1);
    const PeerClient client = {.data = server,
                               .limit = FRAME_TOLD_LIMIT,
                               .frame = on_frame,
                               .ended = on_end};
    server->plugin = start->plugin;
    server->seal = start->seal;
    server->name = g_strdup(start->plugin->name);
    server->instance = canary_new(start->plugin->instance_size);
    server->seats = g_hash_table_new(NULL, NULL);
    server->turns = g_hash_table_new(NULL, NULL);
    server->peer = peer_new(start->fd, &client);
    own = server;
    fiber_watch(SERVE_HOLD, report_held);
    loop_run();
}
