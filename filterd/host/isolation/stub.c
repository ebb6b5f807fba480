/* stub.c: what stands in a worker for a plugin that runs in a process of its
 * own.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/isolation/stub.h"

#include <string.h>

/* A table, and behind it whose it is. */
typedef struct Stub {
    FilterdPlugin plugin; /* first */
    Link *link;
} Stub;

/* What there is of a session and a transaction here: where their states are. */
typedef struct Seat {
    guint32 number;
    unsigned epoch; /* 0: there is none yet */
} Seat;

typedef struct Transaction {
    unsigned epoch;
} Transaction;

static Link *
link_of(const FilterdCall *call)
{
    const HostInstance *instance = ((const HostCall *)call)->instance;
    return ((const Stub *)instance->plugin)->link;
}

/* ---- seats -------------------------------------------------------------- */

/* What the hook is to find there. FALSE: what this transaction left there is
 * gone. */
static gboolean
take_seat(const FilterdCall *call, Link *link, unsigned *flags, GError **error)
{
    static guint32 last;
    Seat *seat = call->session;
    Transaction *transaction = call->message;
    unsigned epoch = link_epoch(link);
    *flags = transaction != NULL ? SEAT_MESSAGE : 0;
    if (transaction != NULL && transaction->epoch == 0)
        *flags |= SEAT_NEW_MESSAGE;
    else if (transaction != NULL && transaction->epoch != epoch) {
        g_set_error_literal(error, HOST_LOST_ERROR, 0,
                            "what it knew of this transaction ended with its "
                            "process");
        return FALSE;
    }
    if (seat->epoch != epoch) {
        *flags |= SEAT_NEW;
        seat->number = ++last;
        seat->epoch = epoch;
    }
    if (transaction != NULL)
        transaction->epoch = epoch;
    return TRUE;
}

static void
put_seat(GByteArray *frame, const FilterdCall *call, unsigned flags)
{
    const HostCall *host = (const HostCall *)call;
    const Seat *seat = call->session;
    frame_put_u32(frame, seat->number);
    frame_put_u8(frame, (guint8)flags);
    frame_put_u8(frame, (guint8)host->running);
    if ((flags & SEAT_NEW) != 0)
        frame_put_text(frame, visit_session_id(host->visit));
}

/* A frame to which what the hook is given is added. */
static GByteArray *
begin(FilterdCall *call, ProtocolHook hook, Channel **channel, GError **error)
{
    unsigned flags;
    Link *link = link_of(call);
    GByteArray *frame = link_begin(link, hook, channel, error);
    if (frame == NULL)
        return NULL;
    if (!take_seat(call, link, &flags, error)) {
        g_byte_array_unref(frame);
        channel_drop(*channel);
        return NULL;
    }
    put_seat(frame, call, flags);
    return frame;
}

static bool
run(FilterdCall *call, ProtocolHook hook, GError **error)
{
    Channel *channel;
    GByteArray *frame = begin(call, hook, &channel, error);
    return frame != NULL && link_run(channel, call, frame, error);
}

/* ---- hooks of a stage --------------------------------------------------- */

static bool
run_connect(FilterdCall *call, GError **error)
{
    return run(call, HOOK_CONNECT, error);
}

static bool
run_helo(FilterdCall *call, GError **error)
{
    return run(call, HOOK_HELO, error);
}

static bool
run_mail(FilterdCall *call, GError **error)
{
    return run(call, HOOK_MAIL, error);
}

static bool
run_rcpt(FilterdCall *call, GError **error)
{
    return run(call, HOOK_RCPT, error);
}

static bool
run_data(FilterdCall *call, GError **error)
{
    return run(call, HOOK_DATA, error);
}

static bool
run_eom(FilterdCall *call, GError **error)
{
    return run(call, HOOK_EOM, error);
}

static bool
run_sign_end(FilterdCall *call, GError **error)
{
    return run(call, HOOK_SIGN_END, error);
}

/* ---- the message -------------------------------------------------------- */

static bool
send_field(FilterdCall *call, ProtocolHook hook, const FilterdField *field,
           GError **error)
{
    Channel *channel;
    GByteArray *frame = begin(call, hook, &channel, error);
    if (frame == NULL)
        return false;
    frame_put_bytes(frame, field->bytes, field->length);
    frame_put_u32(frame, (guint32)field->name_length);
    frame_put_u32(frame, (guint32)field->value);
    return link_run(channel, call, frame, error);
}

/* In frames of a bounded size; each is waited for. */
static bool
send_piece(FilterdCall *call, ProtocolHook hook, const char *bytes,
           size_t length, GError **error)
{
    bool ok = true;
    while (ok && length > 0) {
        Channel *channel;
        gsize part = MIN(length, STUB_PIECE);
        GByteArray *frame = begin(call, hook, &channel, error);
        if (frame == NULL)
            return false;
        frame_put_bytes(frame, bytes, part);
        ok = link_run(channel, call, frame, error);
        bytes += part;
        length -= part;
    }
    return ok;
}

static bool
run_header(FilterdCall *call, const FilterdField *field, GError **error)
{
    return send_field(call, HOOK_HEADER, field, error);
}

static bool
run_body(FilterdCall *call, const char *bytes, size_t length, GError **error)
{
    return send_piece(call, HOOK_BODY, bytes, length, error);
}

static bool
run_sign_header(FilterdCall *call, const FilterdField *field, GError **error)
{
    return send_field(call, HOOK_SIGN_HEADER, field, error);
}

static bool
run_sign_body(FilterdCall *call, const char *bytes, size_t length,
              GError **error)
{
    return send_piece(call, HOOK_SIGN_BODY, bytes, length, error);
}

/* ---- what a rule asks for, and what became of it ------------------------ */

static unsigned
count_arguments(const FilterdAction *action)
{
    unsigned length = 0;
    while (action->arguments[length] != FILTERD_UNKNOWN)
        length++;
    return length;
}

static bool
run_action(FilterdCall *call, const FilterdValue *arguments, GError **error)
{
    Channel *channel;
    const HostCall *host = (const HostCall *)call;
    const FilterdAction *action = call->action;
    GByteArray *frame = begin(call, HOOK_ACTION, &channel, error);
    if (frame == NULL)
        return false;
    frame_put_u32(frame, (guint32)(action - host->instance->plugin->actions));
    for (unsigned i = 0; i < count_arguments(action); i++)
        frame_put_value(frame, &arguments[i]);
    return link_run(channel, call, frame, error);
}

static void
run_done(FilterdCall *call, const FilterdOutcome *outcome)
{
    Channel *channel;
    g_autoptr(GError) error = NULL;
    GByteArray *frame = begin(call, HOOK_DONE, &channel, &error);
    if (frame == NULL)
        return;
    frame_put_u8(frame, (guint8)outcome->fate);
    frame_put_u8(frame, (guint8)outcome->stage);
    frame_put_text(frame, outcome->rule);
    frame_put_u8(frame, outcome->asked);
    link_run(channel, call, frame, &error);
}

/* ---- ends --------------------------------------------------------------- */

/* Whether there is a state to end, in the process that is there. */
static gboolean
is_known(const FilterdCall *call, Link *link)
{
    const Seat *seat = call->session;
    const Transaction *transaction = call->message;
    return seat->epoch == link_epoch(link)
           && (transaction == NULL || transaction->epoch == seat->epoch);
}

static void
run_end(FilterdCall *call, ProtocolHook hook)
{
    g_autoptr(GError) error = NULL;
    if (is_known(call, link_of(call)))
        run(call, hook, &error);
}

static void
run_abort(FilterdCall *call)
{
    run_end(call, HOOK_ABORT);
}

static void
run_close(FilterdCall *call)
{
    run_end(call, HOOK_CLOSE);
}

/* Nobody waits for the end of a state. */
static void
tell_end(FilterdCall *call, ProtocolHook hook)
{
    Link *link = link_of(call);
    if (!is_known(call, link))
        return;
    GByteArray *frame = frame_new(FRAME_HOOK, 0);
    frame_put_u8(frame, (guint8)hook);
    put_seat(frame, call, call->message != NULL ? SEAT_MESSAGE : 0);
    link_tell(link, frame);
}

static void
clear_message(FilterdCall *call)
{
    tell_end(call, HOOK_CLEAR_MESSAGE);
}

static void
clear_session(FilterdCall *call)
{
    tell_end(call, HOOK_CLEAR_SESSION);
}

static bool
start(FilterdCall *call, GError **error)
{
    return link_start(link_of(call), call, error);
}

static void
stop(FilterdCall *call)
{
    link_stop(link_of(call));
}

/* ---- the table ---------------------------------------------------------- */

static const FilterdAction *
copy_actions(const FilterdAction *rows)
{
    unsigned length = 0;
    while (rows != NULL && rows[length].name != NULL)
        length++;
    if (length == 0)
        return rows;
    FilterdAction *copy = g_memdup2(rows, (length + 1) * sizeof *rows);
    for (unsigned i = 0; i < length; i++)
        copy[i].run = run_action;
    return copy;
}

/* A hook that the plugin has. */
#define STAND_IN(hook, function) \
    (plugin->hook = plugin->hook != NULL ? (function) : NULL)

static void
stand_in(FilterdPlugin *plugin)
{
    STAND_IN(connect, run_connect);
    STAND_IN(helo, run_helo);
    STAND_IN(mail, run_mail);
    STAND_IN(rcpt, run_rcpt);
    STAND_IN(data, run_data);
    STAND_IN(eom, run_eom);
    STAND_IN(header, run_header);
    STAND_IN(body, run_body);
    STAND_IN(sign_header, run_sign_header);
    STAND_IN(sign_body, run_sign_body);
    STAND_IN(sign_end, run_sign_end);
    STAND_IN(done, run_done);
    STAND_IN(abort, run_abort);
    STAND_IN(close, run_close);
}

/* Its actions were checked with the configuration. */
FilterdPlugin *
stub_new(Link *link)
{
    Stub *stub = g_new0(Stub, 1);
    FilterdPlugin *plugin = &stub->plugin;
    *plugin = *link_use(link)->plugin;
    stub->link = link;
    stand_in(plugin);
    plugin->actions = copy_actions(plugin->actions);
    plugin->instance_size = 0;
    plugin->session_size = sizeof(Seat);
    plugin->message_size = sizeof(Transaction);
    plugin->clear_message = clear_message;
    plugin->clear_session = clear_session;
    plugin->check_action = NULL;
    plugin->start = start;
    plugin->stop = stop;
    return plugin;
}

void
stub_free(FilterdPlugin *stub)
{
    if (stub->actions != link_use(((Stub *)stub)->link)->plugin->actions)
        g_free((FilterdAction *)stub->actions);
    g_free(stub);
}
