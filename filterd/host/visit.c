/* visit.c: one connection as its plugins see it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/visit.h"

#include "filterd/host/guest.h"

typedef struct Early {
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
    unsigned recipient;
    MailMessage *message; /* borrowed */
    gboolean in_message;
    gboolean done;    /* the plugins hear of its end: no hook of a fact runs */
    gboolean missed;  /* what was asked could not be: its plugin is lost */
    gboolean ending;  /* states are being freed: no hook of a fact runs */
    GPtrArray *early; /* Early */
    DnsBudget budgets[SCOPES];
    unsigned length;
    Guest *guests[]; /* by the index of the instance; NULL: not yet asked */
};

static const FilterdValue unknown = {.type = FILTERD_UNKNOWN};

static const Scope scopes[FILTERD_STAGES] = {
    [FILTERD_CONNECT] = SCOPE_CONNECTION, [FILTERD_HELO] = SCOPE_HELO,
    [FILTERD_MAIL] = SCOPE_MESSAGE,       [FILTERD_RCPT] = SCOPE_MESSAGE,
    [FILTERD_DATA] = SCOPE_MESSAGE,       [FILTERD_MESSAGE] = SCOPE_MESSAGE,
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

unsigned
visit_recipient(const Visit *visit)
{
    return visit->recipient;
}

MailMessage *
visit_message(const Visit *visit)
{
    return visit->message;
}

DnsBudget *
visit_stage_budget(Visit *visit, FilterdStage stage)
{
    return &visit->budgets[scopes[stage]];
}

DnsBudget *
visit_budget(Visit *visit)
{
    return &visit->budgets[SCOPE_CONNECTION];
}

unsigned
visit_questions(const Visit *visit)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < SCOPES; i++)
        sum += visit->budgets[i].questions;
    return sum;
}

static void
budget_start(Visit *visit, Scope scope)
{
    DnsBudget *budget = &visit->budgets[scope];
    dns_budget_clear(budget);
    *budget = (DnsBudget){0};
    dns_budget_init(budget, host_dns_budget(visit->host));
}

/* Most connections end before most instances are asked anything. */
static Guest *
get_guest(Visit *visit, const HostInstance *instance)
{
    Guest **guest = &visit->guests[instance->index];
    if (*guest == NULL) {
        *guest = guest_new(host_instance(visit->host, instance->index), visit);
        if (visit->in_message)
            guest_begin_message(*guest);
    }
    return *guest;
}

/* ---- the message -------------------------------------------------------- */

void
visit_set_message(Visit *visit, MailMessage *message, gboolean listen)
{
    visit->message = message;
    for (unsigned i = 0; i < visit->length; i++) {
        const HostInstance *instance = host_instance(visit->host, i);
        if (guest_listens(instance))
            guest_listen(get_guest(visit, instance), listen);
    }
}

void
visit_field(Visit *visit, const FilterdField *field)
{
    for (unsigned i = 0; i < visit->length; i++)
        if (visit->guests[i] != NULL)
            guest_hear_field(visit->guests[i], field);
}

void
visit_body(Visit *visit, const char *bytes, gsize length)
{
    for (unsigned i = 0; i < visit->length; i++)
        if (visit->guests[i] != NULL)
            guest_hear_body(visit->guests[i], bytes, length);
}

/* ---- facts -------------------------------------------------------------- */

static const HostRun *
find_run(const Visit *visit, const HostInstance *instance, FilterdStage stage)
{
    const Guest *guest = visit->guests[instance->index];
    return guest != NULL ? guest_find_run(guest, stage) : NULL;
}

VisitKnown
visit_known(Visit *visit, HostFact fact, const FilterdValue **value)
{
    const HostRun *run = find_run(visit, fact.instance, fact.row->since);
    *value = &unknown;
    if (run == NULL || run->state != HOST_RUN_DONE)
        return VISIT_UNASKED;
    if (run->values == NULL)
        return VISIT_FAILED;
    *value = &run->values[fact.instance->slots[fact.index]];
    return VISIT_KNOWN;
}

const FilterdValue *
visit_peek(Visit *visit, HostFact fact)
{
    const FilterdValue *value;
    if (fact.instance == NULL)
        return visit->client.core_fact(visit->client.data, fact.index);
    visit_known(visit, fact, &value);
    return value;
}

void
visit_each_run(Visit *visit, gboolean (*func)(const VisitRun *run, void *data),
               void *data)
{
    for (unsigned i = 0; i < visit->length; i++)
        for (unsigned stage = 0; stage < FILTERD_STAGES; stage++) {
            const HostInstance *instance = host_instance(visit->host, i);
            const HostRun *run = find_run(visit, instance, (FilterdStage)stage);
            const VisitRun told = {instance, (FilterdStage)stage,
                                   run != NULL ? run->took : 0};
            if (run != NULL && run->state == HOST_RUN_DONE
                && !func(&told, data))
                return;
        }
}

void
visit_each_question(const Visit *visit,
                    gboolean (*func)(const DnsQuestion *question, void *data),
                    void *data)
{
    for (unsigned i = 0; i < SCOPES; i++)
        dns_budget_each(&visit->budgets[i], func, data);
}

const FilterdValue *
visit_fact(Visit *visit, HostFact fact, gboolean shadow)
{
    if (fact.instance == NULL)
        return visit->client.core_fact(visit->client.data, fact.index);
    FilterdStage since = fact.row->since;
    gboolean ours =
        !visit->done
        && (visit->in_message || (since < FILTERD_MAIL && !visit->ending));
    if (ours && !(shadow && fact.instance->effect[since])) {
        Guest *guest = get_guest(visit, fact.instance);
        guest_complete(guest, since);
        const HostRun *run = guest_find_run(guest, since);
        visit->missed |= !shadow && run != NULL && run->lost;
    }
    return visit_peek(visit, fact);
}

gboolean
visit_take_missed(Visit *visit)
{
    gboolean missed = visit->missed;
    visit->missed = FALSE;
    return missed;
}

/* ---- early work --------------------------------------------------------- */

static void
run_early(void *data)
{
    Early *early = data;
    guest_complete(early->guest, early->stage);
}

/* Before its fiber has had its first turn no hook is running. */
static gboolean
has_started(const Visit *visit, const Guest *guest, FilterdStage stage)
{
    const HostRun *run = guest_find_run(guest, stage);
    if (run != NULL && run->state != HOST_RUN_IDLE)
        return TRUE;
    for (unsigned i = 0; i < visit->early->len; i++) {
        const Early *early = g_ptr_array_index(visit->early, i);
        if (early->guest == guest && early->stage == stage
            && !fiber_ended(early->fiber))
            return TRUE;
    }
    return FALSE;
}

/* Without room for it the fact is found out when it is asked for. */
static void
start_early(Visit *visit, Guest *guest, FilterdStage stage)
{
    if (has_started(visit, guest, stage))
        return;
    Early *early = g_new(Early, 1);
    *early = (Early){guest, stage, NULL};
    early->fiber =
        fiber_try_start(guest->host.instance->use->name, run_early, early);
    if (early->fiber != NULL)
        g_ptr_array_add(visit->early, early);
    else
        g_free(early);
}

void
visit_start_early(Visit *visit, FilterdStage known, FilterdStage passed)
{
    unsigned ahead = host_ahead(visit->host, passed);
    for (unsigned i = 0; i < visit->length; i++) {
        const HostInstance *instance = host_instance(visit->host, i);
        for (unsigned stage = 0; stage <= known; stage++)
            if (stage != FILTERD_RCPT && (instance->needed[stage] & ahead) != 0)
                start_early(visit, get_guest(visit, instance),
                            (FilterdStage)stage);
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
    unsigned length = host_instances(host);
    Visit *visit = g_malloc0(sizeof(Visit) + length * sizeof visit->guests[0]);
    visit->host = host;
    visit->client = *client;
    visit->length = length;
    visit->early = g_ptr_array_new();
    for (unsigned i = 0; i < SCOPES; i++)
        dns_budget_init(&visit->budgets[i], host_dns_budget(host));
    return visit;
}

void
visit_begin_message(Visit *visit)
{
    g_assert(!visit->in_message);
    visit->in_message = TRUE;
    visit->done = visit->missed = FALSE;
    visit->recipient = 0;
    for (unsigned i = 0; i < visit->length; i++)
        if (visit->guests[i] != NULL)
            guest_begin_message(visit->guests[i]);
}

void
visit_begin_recipient(Visit *visit, unsigned recipient)
{
    visit->recipient = recipient;
    for (unsigned i = 0; i < visit->length; i++)
        if (visit->guests[i] != NULL)
            guest_forget_recipient(visit->guests[i], recipient);
}

void
visit_set_recipient(Visit *visit, unsigned recipient)
{
    visit->recipient = recipient;
}

void
visit_done(Visit *visit, const FilterdOutcome *outcome, const PolicyRule *rule)
{
    FilterdOutcome told = *outcome;
    end_early(visit, FILTERD_MAIL, FILTERD_MESSAGE);
    visit->done = TRUE;
    for (unsigned i = 0; i < visit->length; i++) {
        const HostInstance *instance = host_instance(visit->host, i);
        if (instance->plugin->done == NULL)
            continue;
        told.asked = rule != NULL && policy_rule_asks(rule, instance->use);
        guest_done(get_guest(visit, instance), &told);
    }
    visit->done = FALSE;
}

void
visit_end_message(Visit *visit, gboolean aborted)
{
    if (!visit->in_message)
        return;
    end_early(visit, FILTERD_MAIL, FILTERD_MESSAGE);
    for (unsigned i = 0; i < visit->length; i++)
        if (guest_hears_message_end(host_instance(visit->host, i)))
            get_guest(visit, host_instance(visit->host, i));
    visit->in_message = FALSE;
    for (unsigned i = 0; i < visit->length; i++)
        if (visit->guests[i] != NULL)
            guest_end_message(visit->guests[i], aborted);
    visit->message = NULL;
    budget_start(visit, SCOPE_MESSAGE);
}

void
visit_forget_helo(Visit *visit)
{
    end_early(visit, FILTERD_HELO, FILTERD_HELO);
    for (unsigned i = 0; i < visit->length; i++)
        if (visit->guests[i] != NULL)
            guest_forget_stage(visit->guests[i], FILTERD_HELO);
    budget_start(visit, SCOPE_HELO);
}

void
visit_free(Visit *visit)
{
    g_assert(!visit->in_message);
    visit_forget_helo(visit);
    end_early(visit, FILTERD_CONNECT, FILTERD_CONNECT);
    visit->ending = TRUE;
    for (unsigned i = 0; i < visit->length; i++) {
        const HostInstance *instance = host_instance(visit->host, i);
        if (visit->guests[i] != NULL || guest_hears_end(instance))
            guest_end(get_guest(visit, instance));
    }
    for (unsigned i = 0; i < visit->length; i++)
        g_clear_pointer(&visit->guests[i], guest_free);
    for (unsigned i = 0; i < SCOPES; i++)
        dns_budget_clear(&visit->budgets[i]);
    g_ptr_array_unref(visit->early);
    g_free(visit);
}

/* ---- what becomes of it ------------------------------------------------- */

/* So that its hook has said its results. */
static void
evaluate_method(Visit *visit, const HostInstance *instance,
                const FilterdMethod *method)
{
    const FilterdFact *row = &instance->plugin->facts[method->fact];
    if (!instance->effect[row->since])
        visit_fact(visit, (HostFact){instance, row, method->fact}, FALSE);
}

static unsigned
add_results(const Visit *visit, const HostInstance *instance,
            const char *method, MailAuthres *authres)
{
    const Guest *guest = visit->guests[instance->index];
    return guest != NULL ? guest_add_results(guest, method, authres) : 0;
}

void
visit_authres(Visit *visit, MailAuthres *authres, gboolean evaluate)
{
    for (unsigned i = 0; i < visit->length; i++) {
        const HostInstance *instance = host_instance(visit->host, i);
        const FilterdMethod *m = instance->plugin->methods;
        for (; m != NULL && m->method != NULL; m++) {
            gboolean asked = m->fact != FILTERD_UNASKED;
            if (evaluate && asked)
                evaluate_method(visit, instance, m);
            if (add_results(visit, instance, m->method, authres) == 0 && asked)
                mail_authres_add(authres, m->method, "none", NULL, NULL, 0);
        }
    }
}

gboolean
visit_act(Visit *visit, const HostInstance *instance,
          const FilterdAction *action, const FilterdValue *arguments,
          GError **error)
{
    Guest *guest = get_guest(visit, instance);
    if (guest_lost(guest, error)
        || !guest_enter(guest, FILTERD_MESSAGE, action->name))
        return FALSE;
    guest->host.call.action =
        &instance->plugin->actions[action - instance->use->plugin->actions];
    gboolean ok =
        guest->host.call.action->run(&guest->host.call, arguments, error);
    guest->host.call.action = NULL;
    guest_leave(guest);
    return ok && !guest_lost(guest, error);
}

/* ---- signing ------------------------------------------------------------ */

/* Octets of a body that are signed before others have their turn. */
#define SIGN_TURN 1048576

typedef struct Signing {
    Guest *guest;
    gsize turn; /* octets since others had theirs */
} Signing;

static gboolean
sign_field(const FilterdField *field, void *data, GError **error)
{
    FilterdCall *call = &((Signing *)data)->guest->host.call;
    const FilterdPlugin *plugin =
        ((Signing *)data)->guest->host.instance->plugin;
    return plugin->sign_header == NULL
           || plugin->sign_header(call, field, error);
}

static gboolean
sign_body(const char *bytes, gsize length, void *data, GError **error)
{
    Signing *signing = data;
    const FilterdPlugin *plugin = signing->guest->host.instance->plugin;
    if (plugin->sign_body == NULL)
        return TRUE;
    signing->turn += length;
    if (signing->turn >= SIGN_TURN) {
        signing->turn = 0;
        fiber_yield();
    }
    return !fiber_cancelled()
           && plugin->sign_body(&signing->guest->host.call, bytes, length,
                                error);
}

gboolean
visit_sign(Visit *visit, const HostInstance *instance, MailMessage *message,
           GError **error)
{
    Signing signing = {.guest = get_guest(visit, instance)};
    if (guest_lost(signing.guest, error)
        || !guest_enter(signing.guest, FILTERD_MESSAGE, "sign"))
        return FALSE;
    gboolean ok =
        mail_message_write_parts(message, sign_field, sign_body, &signing,
                                 error)
        && instance->plugin->sign_end(&signing.guest->host.call, error);
    guest_leave(signing.guest);
    return ok && !guest_lost(signing.guest, error);
}
