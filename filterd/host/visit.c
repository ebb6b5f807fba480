/* visit.c: one connection as its plugins see it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/visit.h"

#include "filterd/base/value.h"
#include "filterd/host/call.h"

#include <string.h>

/* An instance in this visit. */
typedef struct Guest {
    HostCall host; /* first */
    HostRun runs[FILTERD_STAGES];
    GPtrArray *recipients; /* HostRun of the rcpt hook, one a recipient */
    GPtrArray *results;    /* HostResult */
    Fiber *owner;          /* whose hook of this instance is running */
    FiberQueue queue;      /* of those who want to be the next owner */
    gboolean listening;    /* to the message as it comes */
    gboolean heard;        /* has been given the message, in one way or other */
    gboolean broken;       /* a header or body hook failed: no eom */
    gboolean finished;     /* eom has run */
} Guest;

typedef struct Early {
    Visit *visit;
    Guest *guest;
    FilterdStage stage;
    Fiber *fiber;
} Early;

/* Each has DNS answers of its own, which live as long as it does. */
typedef enum Scope {
    SCOPE_CONNECTION,
    SCOPE_HELO,
    SCOPE_MESSAGE,
    SCOPES,
} Scope;

struct Visit {
    Host *host;
    VisitClient client;
    Guest *guests;
    unsigned length;
    unsigned recipient;
    MailMessage *message; /* borrowed */
    gboolean in_message;
    GPtrArray *early; /* Early */
    DnsBudget budgets[SCOPES];
    unsigned questions; /* of budgets that are gone */
};

static const FilterdValue unknown = {.type = FILTERD_UNKNOWN};

static const Scope scopes[FILTERD_STAGES] = {
    [FILTERD_CONNECT] = SCOPE_CONNECTION, [FILTERD_HELO] = SCOPE_HELO,
    [FILTERD_MAIL] = SCOPE_MESSAGE,       [FILTERD_RCPT] = SCOPE_MESSAGE,
    [FILTERD_DATA] = SCOPE_MESSAGE,       [FILTERD_MESSAGE] = SCOPE_MESSAGE,
};

/* What the watchdog says when a hook holds the loop is `instance hook`. */
static const char *const hook_names[FILTERD_STAGES] = {
    "connect", "helo", "mail", "rcpt", "data", "eom",
};

const char *
visit_session_id(const Visit *visit)
{
    return visit->client.session_id;
}

const VisitClient *
visit_client(const Visit *visit)
{
    return &visit->client;
}

DnsBudget *
visit_budget(Visit *visit)
{
    return &visit->budgets[SCOPE_CONNECTION];
}

unsigned
visit_questions(const Visit *visit)
{
    unsigned sum = visit->questions;
    for (unsigned i = 0; i < SCOPES; i++)
        sum += visit->budgets[i].questions;
    return sum;
}

static void
budget_start(Visit *visit, Scope scope)
{
    DnsBudget *budget = &visit->budgets[scope];
    visit->questions += budget->questions;
    dns_budget_clear(budget);
    *budget = (DnsBudget){0};
    dns_budget_init(budget, host_dns_budget(visit->host));
}

/* ---- results ------------------------------------------------------------ */

static void
result_free(void *data)
{
    HostResult *result = data;
    for (size_t i = 0; i < result->length; i++) {
        g_free((char *)result->properties[i].ptype);
        g_free((char *)result->properties[i].property);
        g_free((char *)result->properties[i].value);
    }
    g_free(result->properties);
    g_free(result->method);
    g_free(result->result);
    g_free(result->comment);
    g_free(result);
}

void
visit_add_result(HostCall *call, HostResult *result)
{
    Guest *guest = (Guest *)call;
    if (guest->results == NULL)
        guest->results = g_ptr_array_new_with_free_func(result_free);
    g_ptr_array_add(guest->results, result);
}

static void
forget_results(Guest *guest, FilterdStage stage)
{
    for (unsigned i = guest->results != NULL ? guest->results->len : 0; i > 0;
         i--) {
        const HostResult *result = g_ptr_array_index(guest->results, i - 1);
        if (result->stage == stage)
            g_ptr_array_remove_index(guest->results, i - 1);
    }
}

/* ---- runs --------------------------------------------------------------- */

static void
run_clear(HostRun *run, unsigned facts)
{
    g_assert(run->state != HOST_RUN_BUSY);
    for (unsigned i = 0; run->values != NULL && i < facts; i++)
        value_clear(&run->values[i]);
    g_clear_pointer(&run->values, g_free);
    run->state = HOST_RUN_IDLE;
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
guest_run(Guest *guest, FilterdStage stage)
{
    if (stage == FILTERD_RCPT)
        return recipient_run(guest, guest->host.visit->recipient);
    return &guest->runs[stage];
}

static void
forget_recipients(Guest *guest)
{
    for (unsigned i = 0;
         guest->recipients != NULL && i < guest->recipients->len; i++) {
        HostRun *run = g_ptr_array_index(guest->recipients, i);
        run_clear(run, guest->host.instance->facts);
        g_free(run);
    }
    g_clear_pointer(&guest->recipients, g_ptr_array_unref);
}

static void
forget_stage(Guest *guest, FilterdStage stage)
{
    if (stage == FILTERD_RCPT)
        forget_recipients(guest);
    else
        run_clear(&guest->runs[stage], guest->host.instance->facts);
    forget_results(guest, stage);
}

/* ---- one hook at a time ------------------------------------------------- */

static gboolean
guest_enter(Guest *guest, FilterdStage stage)
{
    while (guest->owner != NULL)
        if (fiber_queue_wait(&guest->queue, CLOCK_NEVER) == FIBER_CANCELLED)
            return FALSE;
    guest->owner = fiber_self();
    guest->host.running = stage;
    guest->host.budget = &guest->host.visit->budgets[scopes[stage]];
    return TRUE;
}

static void
guest_leave(Guest *guest)
{
    host_call_end_hook(&guest->host);
    guest->owner = NULL;
    fiber_queue_wake_all(&guest->queue);
}

/* ---- the message, to those who listen ----------------------------------- */

static void
hear_field(Guest *guest, const FilterdField *field)
{
    g_autoptr(GError) error = NULL;
    const FilterdPlugin *plugin = guest->host.instance->plugin;
    if (guest->broken || plugin->header == NULL
        || plugin->header(&guest->host.call, field, &error))
        return;
    guest->broken = TRUE;
    host_call_failed(&guest->host, "header", &error);
}

static gboolean
hear_body(const char *bytes, gsize length, void *data, GError **unused)
{
    (void)unused;
    Guest *guest = data;
    g_autoptr(GError) error = NULL;
    const FilterdPlugin *plugin = guest->host.instance->plugin;
    if (plugin->body == NULL
        || plugin->body(&guest->host.call, bytes, length, &error))
        return plugin->body != NULL;
    guest->broken = TRUE;
    host_call_failed(&guest->host, "body", &error);
    return FALSE;
}

/* One that did not listen hears the whole of it, from the spool. */
static void
hear_late(Guest *guest)
{
    MailMessage *message = guest->host.visit->message;
    if (guest->heard || message == NULL)
        return;
    guest->heard = TRUE;
    for (guint i = 0; i < mail_message_fields(message); i++)
        hear_field(guest, mail_message_field(message, i));
    if (guest->broken || guest->host.instance->plugin->body == NULL)
        return;
    g_autoptr(GError) error = NULL;
    if (!mail_message_each_body(message, hear_body, guest, &error)
        && !guest->broken) {
        guest->broken = TRUE;
        host_call_failed(&guest->host, "spool", &error);
    }
}

void
visit_set_message(Visit *visit, MailMessage *message, gboolean listen)
{
    visit->message = message;
    for (unsigned i = 0; i < visit->length; i++) {
        Guest *guest = &visit->guests[i];
        const HostInstance *instance = guest->host.instance;
        gboolean hears =
            instance->plugin->header != NULL || instance->plugin->body != NULL;
        guest->listening =
            listen && hears && instance->certain[FILTERD_MESSAGE];
        guest->heard = guest->listening;
    }
}

void
visit_field(Visit *visit, const FilterdField *field)
{
    for (unsigned i = 0; i < visit->length; i++) {
        Guest *guest = &visit->guests[i];
        if (!guest->listening || !guest_enter(guest, FILTERD_MESSAGE))
            continue;
        hear_field(guest, field);
        guest_leave(guest);
    }
}

void
visit_body(Visit *visit, const char *bytes, gsize length)
{
    for (unsigned i = 0; i < visit->length; i++) {
        Guest *guest = &visit->guests[i];
        if (!guest->listening || guest->broken
            || guest->host.instance->plugin->body == NULL
            || !guest_enter(guest, FILTERD_MESSAGE))
            continue;
        hear_body(bytes, length, guest, NULL);
        guest_leave(guest);
    }
}

/* ---- hooks -------------------------------------------------------------- */

static FilterdHook *
find_hook(const FilterdPlugin *plugin, FilterdStage stage)
{
    FilterdHook *const hooks[FILTERD_STAGES] = {
        plugin->connect, plugin->helo, plugin->mail,
        plugin->rcpt,    plugin->data, plugin->eom,
    };
    return hooks[stage];
}

static void
call_hook(Guest *guest, FilterdStage stage)
{
    g_autoptr(GError) error = NULL;
    FilterdHook *hook = find_hook(guest->host.instance->plugin, stage);
    if (stage == FILTERD_MESSAGE)
        hear_late(guest);
    if (hook == NULL || guest->broken)
        return;
    if (!hook(&guest->host.call, &error))
        host_call_failed(&guest->host, hook_names[stage], &error);
    if (stage == FILTERD_MESSAGE)
        guest->finished = TRUE;
}

/* A run that was cut short is as good as none, for who asks later. */
static void
run_hook(Guest *guest, FilterdStage stage, HostRun *run)
{
    const char *doing = fiber_set_doing(guest->host.instance->use->name);
    run->state = HOST_RUN_BUSY;
    if (run->values == NULL)
        run->values = g_new0(FilterdValue, guest->host.instance->facts + 1);
    if (guest_enter(guest, stage)) {
        forget_results(guest, stage);
        guest->host.run = run;
        call_hook(guest, stage);
        guest_leave(guest);
    }
    run->state = HOST_RUN_DONE;
    if (fiber_cancelled() && stage < FILTERD_MAIL)
        run_clear(run, guest->host.instance->facts);
    fiber_queue_wake_all(&run->waiters);
    fiber_set_doing(doing);
}

/* Runs the hook, or waits for whoever runs it. */
static HostRun *
complete(Guest *guest, FilterdStage stage)
{
    HostRun *run = guest_run(guest, stage);
    while (run->state == HOST_RUN_BUSY)
        if (fiber_queue_wait(&run->waiters, CLOCK_NEVER) == FIBER_CANCELLED)
            return run;
    if (run->state == HOST_RUN_IDLE && !fiber_cancelled())
        run_hook(guest, stage, run);
    return run;
}

/* ---- facts -------------------------------------------------------------- */

const FilterdValue *
visit_peek(Visit *visit, HostFact fact)
{
    if (fact.instance == NULL)
        return visit->client.core_fact(visit->client.data, fact.index);
    Guest *guest = &visit->guests[fact.instance->index];
    const HostRun *run = guest_run(guest, fact.row->since);
    if (run->state != HOST_RUN_DONE || run->values == NULL)
        return &unknown;
    return &run->values[fact.index];
}

const FilterdValue *
visit_fact(Visit *visit, HostFact fact, gboolean shadow)
{
    if (fact.instance == NULL)
        return visit->client.core_fact(visit->client.data, fact.index);
    FilterdStage since = fact.row->since;
    gboolean ours = since < FILTERD_MAIL || visit->in_message;
    if (ours && !(shadow && (fact.row->flags & FILTERD_EFFECT) != 0))
        complete(&visit->guests[fact.instance->index], since);
    return visit_peek(visit, fact);
}

/* ---- early work --------------------------------------------------------- */

static void
run_early(void *data)
{
    Early *early = data;
    complete(early->guest, early->stage);
}

void
visit_start_early(Visit *visit, FilterdStage stage)
{
    for (unsigned i = 0; i < visit->length; i++) {
        Guest *guest = &visit->guests[i];
        if (!guest->host.instance->certain[stage]
            || guest_run(guest, stage)->state != HOST_RUN_IDLE)
            continue;
        Early *early = g_new(Early, 1);
        *early = (Early){visit, guest, stage, NULL};
        early->fiber =
            fiber_start(guest->host.instance->use->name, run_early, early);
        g_ptr_array_add(visit->early, early);
    }
}

/* Those of the stages from `first` to `last`: cancelled and gone. */
static void
end_early(Visit *visit, FilterdStage first, FilterdStage last)
{
    for (unsigned i = 0; i < visit->early->len; i++) {
        const Early *early = g_ptr_array_index(visit->early, i);
        if (early->stage >= first && early->stage <= last)
            fiber_cancel(early->fiber);
    }
    for (unsigned i = visit->early->len; i > 0; i--) {
        Early *early = g_ptr_array_index(visit->early, i - 1);
        if (early->stage < first || early->stage > last)
            continue;
        fiber_join(early->fiber);
        g_ptr_array_remove_index(visit->early, i - 1);
        g_free(early);
    }
}

/* ---- life --------------------------------------------------------------- */

Visit *
visit_new(Host *host, const VisitClient *client)
{
    Visit *visit = g_new0(Visit, 1);
    visit->host = host;
    visit->client = *client;
    visit->length = host_instances(host);
    visit->guests = g_new0(Guest, visit->length);
    visit->early = g_ptr_array_new();
    for (unsigned i = 0; i < SCOPES; i++)
        dns_budget_init(&visit->budgets[i], host_dns_budget(host));
    for (unsigned i = 0; i < visit->length; i++) {
        HostInstance *instance = host_instance(host, i);
        Guest *guest = &visit->guests[i];
        host_call_init(&guest->host, instance, visit);
        guest->host.call.session = g_malloc0(instance->plugin->session_size);
    }
    return visit;
}

void
visit_begin_message(Visit *visit)
{
    g_assert(!visit->in_message);
    visit->in_message = TRUE;
    visit->recipient = 0;
    for (unsigned i = 0; i < visit->length; i++) {
        Guest *guest = &visit->guests[i];
        guest->host.call.message =
            g_malloc0(MAX(guest->host.instance->plugin->message_size, 1));
        guest->listening = guest->heard = guest->broken = FALSE;
        guest->finished = FALSE;
    }
}

void
visit_begin_recipient(Visit *visit, unsigned recipient)
{
    visit->recipient = recipient;
    for (unsigned i = 0; i < visit->length; i++) {
        Guest *guest = &visit->guests[i];
        if (guest->recipients != NULL && recipient < guest->recipients->len)
            run_clear(recipient_run(guest, recipient),
                      guest->host.instance->facts);
    }
}

void
visit_set_recipient(Visit *visit, unsigned recipient)
{
    visit->recipient = recipient;
}

static void
guest_end_message(Guest *guest, gboolean aborted)
{
    const FilterdPlugin *plugin = guest->host.instance->plugin;
    for (unsigned stage = FILTERD_MAIL; stage < FILTERD_STAGES; stage++)
        forget_stage(guest, (FilterdStage)stage);
    if (aborted && !guest->finished && plugin->abort != NULL)
        plugin->abort(&guest->host.call);
    if (plugin->clear_message != NULL)
        plugin->clear_message(&guest->host.call);
    host_call_end_hook(&guest->host);
    g_clear_pointer(&guest->host.call.message, g_free);
}

void
visit_end_message(Visit *visit, gboolean aborted)
{
    if (!visit->in_message)
        return;
    end_early(visit, FILTERD_MAIL, FILTERD_MESSAGE);
    for (unsigned i = 0; i < visit->length; i++)
        guest_end_message(&visit->guests[i], aborted);
    visit->in_message = FALSE;
    visit->message = NULL;
    budget_start(visit, SCOPE_MESSAGE);
}

void
visit_forget_helo(Visit *visit)
{
    end_early(visit, FILTERD_HELO, FILTERD_HELO);
    for (unsigned i = 0; i < visit->length; i++)
        forget_stage(&visit->guests[i], FILTERD_HELO);
    budget_start(visit, SCOPE_HELO);
}

static void
guest_end_session(Guest *guest)
{
    const FilterdPlugin *plugin = guest->host.instance->plugin;
    forget_stage(guest, FILTERD_CONNECT);
    if (plugin->close != NULL)
        plugin->close(&guest->host.call);
    if (plugin->clear_session != NULL)
        plugin->clear_session(&guest->host.call);
    host_call_clear(&guest->host);
    g_free(guest->host.call.session);
    g_clear_pointer(&guest->results, g_ptr_array_unref);
}

void
visit_free(Visit *visit)
{
    g_assert(!visit->in_message);
    visit_forget_helo(visit);
    end_early(visit, FILTERD_CONNECT, FILTERD_CONNECT);
    for (unsigned i = 0; i < visit->length; i++)
        guest_end_session(&visit->guests[i]);
    for (unsigned i = 0; i < SCOPES; i++)
        dns_budget_clear(&visit->budgets[i]);
    g_ptr_array_unref(visit->early);
    g_free(visit->guests);
    g_free(visit);
}

/* ---- what becomes of it ------------------------------------------------- */

static unsigned
add_results(const Guest *guest, const char *method, MailAuthres *authres)
{
    unsigned added = 0;
    for (unsigned i = 0; guest->results != NULL && i < guest->results->len;
         i++) {
        const HostResult *result = g_ptr_array_index(guest->results, i);
        if (strcmp(result->method, method) != 0)
            continue;
        mail_authres_add(authres, result->method, result->result,
                         result->comment, result->properties, result->length);
        added++;
    }
    return added;
}

void
visit_authres(Visit *visit, MailAuthres *authres, gboolean evaluate)
{
    for (unsigned i = 0; i < visit->length; i++) {
        const HostInstance *instance = visit->guests[i].host.instance;
        const FilterdMethod *m = instance->plugin->methods;
        for (; m != NULL && m->method != NULL; m++) {
            const FilterdFact *row = &instance->plugin->facts[m->fact];
            if (evaluate)
                visit_fact(visit, (HostFact){instance, row, m->fact}, FALSE);
            if (add_results(&visit->guests[i], m->method, authres) == 0)
                mail_authres_add(authres, m->method, "none", NULL, NULL, 0);
        }
    }
}

gboolean
visit_act(Visit *visit, const HostInstance *instance,
          const FilterdAction *action, const FilterdValue *arguments,
          GError **error)
{
    Guest *guest = &visit->guests[instance->index];
    if (!guest_enter(guest, FILTERD_MESSAGE))
        return FALSE;
    gboolean ok = action->run(&guest->host.call, arguments, error);
    guest_leave(guest);
    return ok;
}
