/* guest.c: an instance in a visit: its state, its hooks, one at a time.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/guest.h"

#include "filterd/base/value.h"
#include "filterd/host/canary.h"
#include "filterd/host/stream.h"
#include "filterd/host/table.h"

#include <string.h>

static const char *const hook_names[FILTERD_STAGES] = {
    "connect", "helo", "mail", "rcpt", "data", "eom",
};

/* ---- results ------------------------------------------------------------ */

static void
result_free(void *data)
{
    HostResult *result = data;
    g_free(result->method);
    g_free(result->text);
    g_free(result);
}

void
guest_add_result(HostCall *call, HostResult *result)
{
    HostRun *run = ((Guest *)call)->current;
    if (run->results == NULL)
        run->results = g_ptr_array_new_with_free_func(result_free);
    g_ptr_array_add(run->results, result);
}

static unsigned
add_results(const HostRun *run, const char *method, MailAuthres *authres)
{
    unsigned added = 0;
    for (unsigned i = 0; i < run->results->len; i++) {
        const HostResult *result = g_ptr_array_index(run->results, i);
        if (strcmp(result->method, method) != 0)
            continue;
        mail_authres_add_result(authres, result->text);
        added++;
    }
    return added;
}

/* What a hook says before it has ended may be the half of it. */
unsigned
guest_add_results(const Guest *guest, const char *method, MailAuthres *authres)
{
    unsigned added = 0;
    for (unsigned stage = 0; stage < FILTERD_STAGES; stage++) {
        const HostRun *run = guest_find_run(guest, (FilterdStage)stage);
        if (run != NULL && run->state == HOST_RUN_DONE && run->results != NULL)
            added += add_results(run, method, authres);
    }
    return added;
}

/* ---- runs --------------------------------------------------------------- */

static void
run_empty(HostRun *run)
{
    for (unsigned i = 0; run->values != NULL && i < run->length; i++)
        value_clear(&run->values[i]);
    g_clear_pointer(&run->values, g_free);
    g_clear_pointer(&run->results, g_ptr_array_unref);
}

static void
run_clear(HostRun *run)
{
    g_assert(run->state != HOST_RUN_BUSY);
    run_empty(run);
    run->lost = FALSE;
    run->state = HOST_RUN_IDLE;
}

static void
run_free(HostRun *run)
{
    run_clear(run);
    g_free(run);
}

static HostRun *
recipient_run(Guest *guest, unsigned recipient)
{
    if (guest->recipients == NULL)
        guest->recipients = g_ptr_array_new();
    while (guest->recipients->len <= recipient)
        g_ptr_array_add(guest->recipients, g_new0(HostRun, 1));
    return g_ptr_array_index(guest->recipients, recipient);
}

static HostRun *
get_run(Guest *guest, FilterdStage stage)
{
    if (stage == FILTERD_RCPT)
        return recipient_run(guest, visit_recipient(guest->host.visit));
    if (guest->runs[stage] == NULL)
        guest->runs[stage] = g_new0(HostRun, 1);
    return guest->runs[stage];
}

const HostRun *
guest_find_run(const Guest *guest, FilterdStage stage)
{
    if (stage != FILTERD_RCPT)
        return guest->runs[stage];
    unsigned recipient = visit_recipient(guest->host.visit);
    if (guest->recipients == NULL || recipient >= guest->recipients->len)
        return NULL;
    return g_ptr_array_index(guest->recipients, recipient);
}

static void
forget_recipients(Guest *guest)
{
    for (unsigned i = 0;
         guest->recipients != NULL && i < guest->recipients->len; i++)
        run_free(g_ptr_array_index(guest->recipients, i));
    g_clear_pointer(&guest->recipients, g_ptr_array_unref);
}

void
guest_forget_recipient(Guest *guest, unsigned recipient)
{
    if (guest->recipients != NULL && recipient < guest->recipients->len)
        run_clear(recipient_run(guest, recipient));
}

void
guest_forget_stage(Guest *guest, FilterdStage stage)
{
    if (stage == FILTERD_RCPT)
        forget_recipients(guest);
    else if (guest->runs[stage] != NULL)
        run_clear(guest->runs[stage]);
}

/* ---- one hook at a time ------------------------------------------------- */

gboolean
guest_lost(const Guest *guest, GError **error)
{
    if (!guest->lost && !guest->host.instance->spoiled)
        return FALSE;
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAULT,
                        "the plugin spoilt its own state");
    return TRUE;
}

/* Whatever its hooks said for this message is not to be relied on. */
static void
check_states(Guest *guest)
{
    if (guest_lost(guest, NULL) || host_call_check(&guest->host))
        return;
    guest->lost = TRUE;
    if (guest->current != NULL)
        run_empty(guest->current);
}

static void
set_part(Guest *guest, const char *hook)
{
    fiber_set_doing(&guest->host.doing);
    guest->host.doing.part = hook;
}

gboolean
guest_enter(Guest *guest, FilterdStage stage, const char *hook)
{
    while (guest->owner != NULL)
        if (fiber_queue_wait(&guest->queue, CLOCK_NEVER) == FIBER_CANCELLED)
            return FALSE;
    guest->owner = fiber_self();
    guest->host.doing.part = hook;
    guest->before = fiber_set_doing(&guest->host.doing);
    guest->host.running = stage;
    guest->host.budget = visit_stage_budget(guest->host.visit, stage);
    return TRUE;
}

void
guest_leave(Guest *guest)
{
    host_call_end_hook(&guest->host);
    check_states(guest);
    guest->current = NULL;
    guest->owner = NULL;
    fiber_set_doing(guest->before);
    fiber_queue_wake_all(&guest->queue);
}

/* ---- the message -------------------------------------------------------- */

static void
hear_field(Guest *guest, const FilterdField *field)
{
    g_autoptr(GError) error = NULL;
    const FilterdPlugin *plugin = guest->host.instance->plugin;
    if (guest->broken || plugin->header == NULL || guest_lost(guest, NULL))
        return;
    set_part(guest, "header");
    if (!plugin->header(&guest->host.call, field, &error)) {
        guest->broken = TRUE;
        host_call_failed(&guest->host, "header", &error);
    }
    host_call_end_hook(&guest->host);
    check_states(guest);
}

static gboolean
hear_body(const char *bytes, gsize length, void *data, GError **unused)
{
    (void)unused;
    Guest *guest = data;
    g_autoptr(GError) error = NULL;
    const FilterdPlugin *plugin = guest->host.instance->plugin;
    if (guest_lost(guest, NULL))
        return FALSE;
    set_part(guest, "body");
    if (!plugin->body(&guest->host.call, bytes, length, &error)) {
        guest->broken = TRUE;
        host_call_failed(&guest->host, "body", &error);
    }
    host_call_end_hook(&guest->host);
    check_states(guest);
    return !guest->broken && !guest->lost;
}

/* One that did not listen hears the whole of it, from the spool. */
static void
hear_late(Guest *guest)
{
    MailMessage *message = visit_message(guest->host.visit);
    if (guest->heard || message == NULL)
        return;
    guest->heard = TRUE;
    for (guint i = 0; i < mail_message_fields(message); i++)
        hear_field(guest, mail_message_field(message, i));
    if (guest->broken || guest->host.instance->plugin->body == NULL)
        return;
    g_autoptr(GError) error = NULL;
    if (!mail_message_each_body(message, hear_body, guest, &error)
        && error != NULL) {
        guest->broken = TRUE;
        host_call_failed(&guest->host, "spool", &error);
    }
}

gboolean
guest_listens(const HostInstance *instance)
{
    const FilterdPlugin *plugin = instance->plugin;
    return (plugin->header != NULL || plugin->body != NULL)
           && instance->needed[FILTERD_MESSAGE] != 0;
}

void
guest_listen(Guest *guest, gboolean listen)
{
    guest->listening = guest->heard = listen;
}

/* The message is not known before its end: hooks hear it at stage data. */
void
guest_hear_field(Guest *guest, const FilterdField *field)
{
    if (!guest->listening || !guest_enter(guest, FILTERD_DATA, "header"))
        return;
    hear_field(guest, field);
    guest_leave(guest);
}

void
guest_hear_body(Guest *guest, const char *bytes, gsize length)
{
    if (!guest->listening || guest->broken
        || guest->host.instance->plugin->body == NULL
        || !guest_enter(guest, FILTERD_DATA, "body"))
        return;
    hear_body(bytes, length, guest, NULL);
    guest_leave(guest);
}

/* ---- hooks -------------------------------------------------------------- */

/* Whatever a hook said before it failed is not to be relied on. */
static void
call_hook(Guest *guest, FilterdHook *hook, HostRun *run)
{
    g_autoptr(GError) error = NULL;
    run->length = guest->host.instance->stage_facts[guest->host.running];
    run->values = g_new0(FilterdValue, run->length + 1);
    guest->host.values = run->values;
    guest->current = run;
    set_part(guest, hook_names[guest->host.running]);
    if (hook(&guest->host.call, &error))
        return;
    run->lost = error != NULL && error->domain == HOST_LOST_ERROR
                && guest->host.instance->use->own.isolation_lost
                       == POLICY_LOST_TEMPFAIL;
    host_call_failed(&guest->host, hook_names[guest->host.running], &error);
    run_empty(run);
}

/* In the guest's turn. Nothing is found out of a message that is not shown. */
static void
run_stage(Guest *guest, FilterdStage stage, HostRun *run)
{
    FilterdHook *hook = table_hook(guest->host.instance->plugin, stage);
    if (stage == FILTERD_MESSAGE && visit_message(guest->host.visit) == NULL)
        return;
    if (stage == FILTERD_MESSAGE) {
        guest->host.running = FILTERD_DATA;
        hear_late(guest);
        guest->host.running = stage;
        guest->finished = !guest->broken;
    }
    if (hook != NULL && !guest_lost(guest, NULL)
        && (stage != FILTERD_MESSAGE || !guest->broken))
        call_hook(guest, hook, run);
}

/* A run that was cut short is as good as none, for who asks later. */
static void
run_hook(Guest *guest, FilterdStage stage, HostRun *run)
{
    int64_t began = clock_monotonic();
    run->state = HOST_RUN_BUSY;
    if (guest_enter(guest, stage, hook_names[stage])) {
        run_stage(guest, stage, run);
        guest_leave(guest);
    }
    run->state = HOST_RUN_DONE;
    run->took = clock_monotonic() - began;
    timing_add(guest->host.instance->timing, run->took);
    if (fiber_cancelled() && stage < FILTERD_MAIL)
        run_clear(run);
    fiber_queue_wake_all(&run->waiters);
}

void
guest_complete(Guest *guest, FilterdStage stage)
{
    HostRun *run = get_run(guest, stage);
    while (run->state == HOST_RUN_BUSY)
        if (fiber_queue_wait(&run->waiters, CLOCK_NEVER) == FIBER_CANCELLED)
            return;
    if (run->state == HOST_RUN_IDLE && !fiber_cancelled())
        run_hook(guest, stage, run);
}

/* ---- life --------------------------------------------------------------- */

Guest *
guest_new(HostInstance *instance, Visit *visit)
{
    Guest *guest = g_new0(Guest, 1);
    host_call_init(&guest->host, instance, visit);
    guest->host.call.session = canary_new(instance->plugin->session_size);
    return guest;
}

void
guest_begin_message(Guest *guest)
{
    gsize size = guest->host.instance->plugin->message_size;
    guest->host.call.message = canary_new(size);
    guest->listening = guest->heard = guest->broken = FALSE;
    guest->finished = FALSE;
}

void
guest_done(Guest *guest, const FilterdOutcome *outcome)
{
    const FilterdPlugin *plugin = guest->host.instance->plugin;
    if (plugin->done == NULL || guest_lost(guest, NULL)
        || !guest_enter(guest, FILTERD_MESSAGE, "done"))
        return;
    plugin->done(&guest->host.call, outcome);
    guest_leave(guest);
}

/* A hook that has no turn: nobody else is left who could run one. */
static void
call_end(Guest *guest, const char *name, void (*hook)(FilterdCall *call))
{
    if (hook == NULL || guest_lost(guest, NULL))
        return;
    guest->host.doing.part = name;
    const FiberDoing *before = fiber_set_doing(&guest->host.doing);
    hook(&guest->host.call);
    fiber_set_doing(before);
    host_call_end_hook(&guest->host);
    check_states(guest);
}

gboolean
guest_hears_message_end(const HostInstance *instance)
{
    return instance->plugin->abort != NULL
           || instance->plugin->clear_message != NULL;
}

gboolean
guest_hears_end(const HostInstance *instance)
{
    return instance->plugin->close != NULL
           || instance->plugin->clear_session != NULL;
}

void
guest_end_message(Guest *guest, gboolean aborted)
{
    const FilterdPlugin *plugin = guest->host.instance->plugin;
    for (unsigned stage = FILTERD_MAIL; stage < FILTERD_STAGES; stage++)
        guest_forget_stage(guest, (FilterdStage)stage);
    if (aborted && !guest->finished)
        call_end(guest, "abort", plugin->abort);
    call_end(guest, "clear_message", plugin->clear_message);
    host_streams_end_message(&guest->host);
    canary_free(g_steal_pointer(&guest->host.call.message),
                plugin->message_size);
}

void
guest_end(Guest *guest)
{
    const FilterdPlugin *plugin = guest->host.instance->plugin;
    guest_forget_stage(guest, FILTERD_CONNECT);
    call_end(guest, "close", plugin->close);
    call_end(guest, "clear_session", plugin->clear_session);
    host_call_clear(&guest->host);
    canary_free(g_steal_pointer(&guest->host.call.session),
                plugin->session_size);
}

void
guest_free(Guest *guest)
{
    for (unsigned stage = 0; stage < FILTERD_STAGES; stage++)
        if (guest->runs[stage] != NULL)
            run_free(guest->runs[stage]);
    g_free(guest);
}
