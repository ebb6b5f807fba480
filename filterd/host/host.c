/* host.c: the plugin instances of a worker: started, their needs resolved.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/host.h"

#include "filterd/base/fiber.h"
#include "filterd/host/call.h"
#include "filterd/host/canary.h"
#include "filterd/host/fault.h"
#include "policy/judge.h"

#include <string.h>

struct Host {
    const PolicyConfig *config;
    const FilterdFact *core_facts;
    Store *store;
    gboolean brief;
    GPtrArray *instances;
    HostStreams streams;
    unsigned ahead[FILTERD_STAGES];
};

unsigned
host_instances(const Host *host)
{
    return host->instances->len;
}

HostInstance *
host_instance(const Host *host, unsigned index)
{
    return g_ptr_array_index(host->instances, index);
}

Store *
host_store(const Host *host)
{
    return host->store;
}

HostStreams *
host_streams(Host *host)
{
    return &host->streams;
}

gboolean
host_is_brief(const Host *host)
{
    return host->brief;
}

int64_t
host_dns_budget(const Host *host)
{
    return host->config->dns.budget;
}

unsigned
host_ahead(const Host *host, FilterdStage passed)
{
    return host->ahead[passed];
}

HostFact
host_fact(const Host *host, const PolicyFact *fact)
{
    const HostInstance *instance = NULL;
    for (unsigned i = 0; fact->use != NULL && i < host->instances->len; i++)
        if (host_instance(host, i)->use == fact->use)
            instance = host_instance(host, i);
    return (HostFact){instance, fact->row, fact->index};
}

/* ---- needs -------------------------------------------------------------- */

static gboolean
find_row(const FilterdFact *rows, const char *name, HostFact *found)
{
    for (unsigned i = 0; rows != NULL && rows[i].name != NULL; i++)
        if (strcmp(rows[i].name, name) == 0) {
            found->row = &rows[i];
            found->index = i;
            return TRUE;
        }
    return FALSE;
}

/* An instance is known by its own name; failing that by its plugin's. */
static const HostInstance *
find_instance(const Host *host, const char *name, size_t length)
{
    const HostInstance *found = NULL;
    for (unsigned i = 0; i < host->instances->len; i++) {
        const HostInstance *instance = host_instance(host, i);
        const char *own = instance->use->name;
        if (strlen(own) == length && strncmp(own, name, length) == 0)
            return instance;
        own = instance->plugin->name;
        if (found == NULL && strlen(own) == length
            && strncmp(own, name, length) == 0)
            found = instance;
    }
    return found;
}

static HostFact
find_fact(const Host *host, const char *name)
{
    HostFact found = {0};
    const char *dot = strchr(name, '.');
    if (find_row(host->core_facts, name, &found) || dot == NULL)
        return found;
    const HostInstance *instance =
        find_instance(host, name, (size_t)(dot - name));
    if (instance != NULL && find_row(instance->plugin->facts, dot + 1, &found))
        found.instance = instance;
    return found;
}

static void
count_needs(HostInstance *instance)
{
    const FilterdNeed *needs = instance->plugin->needs;
    while (needs != NULL && needs[instance->need_count].fact != NULL)
        instance->need_count++;
}

/* The compiler has seen to it that they are there, and of the right type. */
static void
resolve_needs(const Host *host, HostInstance *instance)
{
    count_needs(instance);
    instance->needs = g_new0(HostFact, instance->need_count + 1);
    for (unsigned i = 0; i < instance->need_count; i++) {
        g_autofree char *name = g_strdup(instance->plugin->needs[i].fact);
        if (g_str_has_suffix(name, "?"))
            name[strlen(name) - 1] = '\0';
        instance->needs[i] = find_fact(host, name);
    }
}

/* Whether `from` is reached by the needs of `instance`: then two hooks could
 * wait for each other. */
static gboolean
reaches(const HostInstance *instance, const HostInstance *from, unsigned depth)
{
    if (depth == 0)
        return TRUE;
    for (unsigned i = 0; i < instance->need_count; i++) {
        const HostInstance *next = instance->needs[i].instance;
        if (next != NULL && (next == from || reaches(next, from, depth - 1)))
            return TRUE;
    }
    return FALSE;
}

static gboolean
check_cycles(const Host *host, GError **error)
{
    for (unsigned i = 0; i < host->instances->len; i++) {
        const HostInstance *instance = host_instance(host, i);
        if (!reaches(instance, instance, host->instances->len))
            continue;
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "plugin “%s” needs facts that in turn need its own",
                    instance->use->name);
        return FALSE;
    }
    return TRUE;
}

/* ---- effects ------------------------------------------------------------ */

/* Hooks that may look such a fact up have its effect. */
static void
spread_effect(HostInstance *instance)
{
    for (unsigned i = 0; i < instance->need_count; i++) {
        const HostFact *need = &instance->needs[i];
        if (need->instance == NULL || !need->instance->effect[need->row->since])
            continue;
        for (unsigned s = need->row->since; s < FILTERD_STAGES; s++)
            instance->effect[s] = TRUE;
    }
}

/* A chain of needs is no longer than there are instances. */
static void
mark_effects(Host *host)
{
    for (unsigned i = 0; i < host->instances->len; i++) {
        HostInstance *instance = host_instance(host, i);
        for (unsigned f = 0; f < instance->facts; f++) {
            const FilterdFact *row = &instance->plugin->facts[f];
            if ((row->flags & FILTERD_EFFECT) != 0)
                instance->effect[row->since] = TRUE;
        }
    }
    for (unsigned round = 0; round < host->instances->len; round++)
        for (unsigned i = 0; i < host->instances->len; i++)
            spread_effect(host_instance(host, i));
}

/* ---- what is certainly needed ------------------------------------------- */

static void
mark(HostInstance *instance, const FilterdFact *row, FilterdStage asker)
{
    unsigned bit = 1u << asker;
    if (instance->effect[row->since] || (instance->needed[row->since] & bit))
        return;
    instance->needed[row->since] |= bit;
    for (unsigned i = 0; i < instance->need_count; i++) {
        const HostFact *need = &instance->needs[i];
        if (need->instance != NULL && need->row->since <= row->since)
            mark((HostInstance *)need->instance, need->row, asker);
    }
}

static void
mark_certain(Host *host, FilterdStage stage)
{
    g_autoptr(GPtrArray) facts = policy_certain_facts(host->config, stage);
    for (unsigned i = 0; i < facts->len; i++) {
        HostFact fact = host_fact(host, g_ptr_array_index(facts, i));
        if (fact.instance != NULL)
            mark((HostInstance *)fact.instance, fact.row, stage);
    }
}

/* Authentication-Results asks when the message has not been accepted before. */
static void
mark_methods(Host *host)
{
    for (unsigned i = 0; i < host->instances->len; i++) {
        HostInstance *instance = host_instance(host, i);
        const FilterdMethod *m = instance->plugin->methods;
        for (; m != NULL && m->method != NULL; m++)
            if (m->fact != FILTERD_UNASKED)
                mark(instance, &instance->plugin->facts[m->fact],
                     FILTERD_MESSAGE);
    }
}

/* Whether a rule of that stage may take the client out of the policy. */
static gboolean
may_settle(const PolicyConfig *config, FilterdStage stage)
{
    const GPtrArray *rules = policy_rules(config);
    for (unsigned i = 0; i < rules->len; i++) {
        const PolicyRule *rule = g_ptr_array_index(rules, i);
        if (rule->stage == stage && !rule->would
            && (rule->kind == POLICY_ACCEPT || rule->kind == POLICY_DISCARD))
            return TRUE;
    }
    return FALSE;
}

static void
look_ahead(Host *host)
{
    for (unsigned stage = FILTERD_MESSAGE; stage > FILTERD_CONNECT; stage--) {
        host->ahead[stage - 1] = 1u << stage;
        if (!may_settle(host->config, (FilterdStage)stage))
            host->ahead[stage - 1] |= host->ahead[stage];
    }
}

/* ---- life --------------------------------------------------------------- */

static const FilterdPlugin *
plugin_of(const HostStart *start, const PolicyUse *use)
{
    const FilterdPlugin *other =
        start->stand_in != NULL ? start->stand_in(start->data, use) : NULL;
    return other != NULL ? other : use->plugin;
}

static void
count_facts(HostInstance *instance)
{
    const FilterdFact *facts = instance->use->plugin->facts;
    while (facts != NULL && facts[instance->facts].name != NULL)
        instance->facts++;
    instance->slots = g_new(unsigned, instance->facts + 1);
    for (unsigned i = 0; i < instance->facts; i++)
        instance->slots[i] = instance->stage_facts[facts[i].since]++;
}

static HostInstance *
instance_new(Host *host, const HostStart *start, const PolicyUse *use)
{
    HostInstance *instance = g_new0(HostInstance, 1);
    instance->use = use;
    instance->timing = timing_find(TIMING_CHECK, use->name);
    instance->plugin = plugin_of(start, use);
    instance->host = host;
    instance->index = host->instances->len;
    instance->state = canary_new(instance->plugin->instance_size);
    instance->fibers = g_ptr_array_new();
    count_facts(instance);
    return instance;
}

/* A hook of the instance by itself. */
static const FiberDoing *
enter(HostInstance *instance, HostCall *call, const char *hook)
{
    host_call_init(call, instance, NULL);
    call->doing.part = hook;
    return fiber_set_doing(&call->doing);
}

static void
leave(HostCall *call, const FiberDoing *before)
{
    fiber_set_doing(before);
    host_call_end_hook(call);
    host_call_check(call);
    host_call_clear(call);
}

static const PolicyPlace *
place_of(const HostCall *call)
{
    const PolicyUse *use = call->instance->use;
    const PolicyPlace *place = NULL;
    if (call->blamed != NULL)
        place = policy_option_place(use, call->blamed, call->blamed_index);
    return place != NULL ? place : &use->place;
}

static gboolean
instance_start(HostInstance *instance, GError **error)
{
    HostCall call;
    g_autoptr(GError) problem = NULL;
    const FiberDoing *before = enter(instance, &call, "start");
    gboolean ok = instance->plugin->start == NULL
                  || instance->plugin->start(&call.call, &problem);
    leave(&call, before);
    if (ok && instance->spoiled) {
        g_set_error_literal(&problem, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                            "it writes beyond the instance_size of its table");
        ok = FALSE;
    }
    if (!ok)
        fault_set(error, instance->use->name, place_of(&call),
                  problem != NULL ? problem->message : "it does not start");
    return ok;
}

/* ---- what rules ask of them --------------------------------------------- */

static gboolean
check_action(HostInstance *instance, const PolicyRule *rule, GError **error)
{
    HostCall call;
    g_autoptr(GError) problem = NULL;
    g_autoptr(GStringChunk) memory = g_string_chunk_new(256);
    const FiberDoing *before = enter(instance, &call, "check_action");
    call.call.action = rule->action;
    gboolean ok = instance->plugin->check_action(
        &call.call, rule->action, policy_rule_constants(rule, memory),
        &problem);
    leave(&call, before);
    if (!ok)
        fault_set(error, instance->use->name, &rule->place,
                  problem != NULL ? problem->message : "it cannot do that");
    return ok;
}

static gboolean
check_actions(Host *host, GError **error)
{
    const GPtrArray *rules = policy_rules(host->config);
    for (unsigned i = 0; i < rules->len; i++) {
        const PolicyRule *rule = g_ptr_array_index(rules, i);
        if (rule->use == NULL || rule->action == NULL)
            continue;
        for (unsigned j = 0; j < host->instances->len; j++) {
            HostInstance *instance = host_instance(host, j);
            if (instance->use == rule->use
                && instance->plugin->check_action != NULL
                && !check_action(instance, rule, error))
                return FALSE;
        }
    }
    return TRUE;
}

/* ---- all of them -------------------------------------------------------- */

static void
instance_stop(HostInstance *instance)
{
    for (unsigned i = 0; i < instance->fibers->len; i++)
        fiber_cancel(g_ptr_array_index(instance->fibers, i));
    for (unsigned i = 0; i < instance->fibers->len; i++)
        fiber_join(g_ptr_array_index(instance->fibers, i));
    g_ptr_array_set_size(instance->fibers, 0);
    if (instance->plugin->stop == NULL || instance->spoiled)
        return;
    HostCall call;
    const FiberDoing *before = enter(instance, &call, "stop");
    instance->plugin->stop(&call.call);
    leave(&call, before);
}

static void
instance_free(void *data)
{
    HostInstance *instance = data;
    g_clear_pointer(&instance->turns, g_hash_table_unref);
    g_ptr_array_unref(instance->fibers);
    g_free(instance->needs);
    g_free(instance->slots);
    canary_free(instance->state, instance->plugin->instance_size);
    g_free(instance);
}

/* How many were started, all of them if no error. */
static unsigned
start_all(Host *host, GError **error)
{
    for (unsigned i = 0; i < host->instances->len; i++)
        if (!instance_start(host_instance(host, i), error))
            return i;
    return host->instances->len;
}

static void
stop_first(Host *host, unsigned started)
{
    while (started > 0)
        instance_stop(host_instance(host, --started));
}

static void
host_release(Host *host)
{
    g_ptr_array_unref(host->instances);
    g_free(host);
}

static gboolean
prepare(Host *host, GError **error)
{
    for (unsigned i = 0; i < host->instances->len; i++)
        resolve_needs(host, host_instance(host, i));
    if (!check_cycles(host, error))
        return FALSE;
    mark_effects(host);
    for (unsigned stage = 0; stage < FILTERD_STAGES; stage++)
        mark_certain(host, (FilterdStage)stage);
    if (host->config->settings.authentication_results)
        mark_methods(host);
    look_ahead(host);
    return TRUE;
}

Host *
host_new(const PolicyConfig *config, const HostStart *start, GError **error)
{
    Host *host = g_new0(Host, 1);
    host->config = config;
    host->core_facts = start->core_facts;
    host->store = start->store;
    host->brief = start->brief;
    host->instances = g_ptr_array_new_with_free_func(instance_free);
    for (unsigned i = 0; i < config->uses->len; i++)
        g_ptr_array_add(
            host->instances,
            instance_new(host, start, g_ptr_array_index(config->uses, i)));
    if (!prepare(host, error)) {
        host_release(host);
        return NULL;
    }
    unsigned started = start_all(host, error);
    if (started < host->instances->len || !check_actions(host, error)) {
        stop_first(host, started);
        host_release(host);
        return NULL;
    }
    return host;
}

void
host_free(Host *host)
{
    stop_first(host, host->instances->len);
    host_release(host);
}
