/* demand.c: what a policy may ever ask of its plugins: what a mail server that
 * asks for advice has to send, and has to let us change.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/host.h"

#include "policy/judge.h"

typedef struct Demand {
    const Host *host;
    gboolean *asked; /* by the instance's index */
} Demand;

static void
ask(const Demand *demand, const HostInstance *instance)
{
    if (instance == NULL || demand->asked[instance->index])
        return;
    demand->asked[instance->index] = TRUE;
    for (unsigned i = 0; instance->plugin->needs != NULL
                         && instance->plugin->needs[i].fact != NULL;
         i++)
        ask(demand, instance->needs[i].instance);
}

static void
ask_for_facts(const Demand *demand, const PolicyConfig *config)
{
    for (unsigned i = 0; i < config->facts->len; i++) {
        const PolicyFact *fact = g_ptr_array_index(config->facts, i);
        if (fact->use != NULL && policy_mentions(config, fact))
            ask(demand, host_fact(demand->host, fact).instance);
    }
}

static void
ask_for_results(const Demand *demand, const PolicyConfig *config)
{
    if (!config->settings.authentication_results)
        return;
    for (unsigned i = 0; i < host_instances(demand->host); i++) {
        const HostInstance *instance = host_instance(demand->host, i);
        if (instance->plugin->methods != NULL)
            ask(demand, instance);
    }
}

static void
ask_for_actions(const Demand *demand, const PolicyConfig *config)
{
    const GPtrArray *rules = policy_rules(config);
    for (unsigned i = 0; i < rules->len; i++) {
        const PolicyRule *rule = g_ptr_array_index(rules, i);
        for (unsigned j = 0; j < host_instances(demand->host); j++)
            if (rule->use != NULL
                && host_instance(demand->host, j)->use == rule->use)
                ask(demand, host_instance(demand->host, j));
    }
}

static gboolean
takes_body(const HostInstance *instance)
{
    return instance->plugin->body != NULL
           || instance->plugin->sign_body != NULL;
}

HostDemand
host_demand(const Host *host, const PolicyConfig *config)
{
    HostDemand demanded = {FALSE, 0};
    g_autofree gboolean *asked = g_new0(gboolean, host_instances(host) + 1);
    const Demand demand = {host, asked};
    ask_for_facts(&demand, config);
    ask_for_results(&demand, config);
    ask_for_actions(&demand, config);
    for (unsigned i = 0; i < host_instances(host); i++) {
        const HostInstance *instance = host_instance(host, i);
        if (!asked[i])
            continue;
        demanded.body = demanded.body || takes_body(instance);
        demanded.edits |= instance->plugin->edits;
    }
    return demanded;
}
