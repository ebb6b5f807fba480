/* dnsbl.c: asks DNS lists about the client and its domains, all at once, and
 * adds up what they weigh. (RFC 5782)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dnsbl/dnsbl.h"

#include "plugins/dnsbl/domains.h"
#include "plugins/dnsbl/manual.h"
#include "plugins/dnsbl/self-test.h"
#include "plugins/dnsbl/tables.h"

#include <string.h>

/* ---- start and stop ----------------------------------------------------- */

static const ListMetrics metrics_of_lists = {
    DNSBL_SUSPENDED_METRIC, DNSBL_LISTED_METRIC, DNSBL_FAILED_METRIC};

static void
self_test_run(FilterdCall *call, void *data)
{
    DnsblInstance *instance = data;

    instance->addresses->testing = instance->domains->testing = true;
    while (self_test(call, instance->addresses)
           && self_test(call, instance->domains)
           && call->host->sleep(call, SELF_TEST_PAUSE))
        ;
}

/* Anybody may claim to be somebody good; only the reverse name that leads back
 * and a signature that passed prove it. */
static bool
proof_check(const DnsblConfig *config, GError **error)
{
    const ListZone *zones = config->domain_zones.items;

    for (size_t i = 0; i < config->domain_zones.length; i++) {
        const int *on = zones[i].on.items;

        for (size_t j = 0; j < zones[i].on.length; j++) {
            if (zones[i].weight >= 0 || on[j] == DNSBL_NAME
                || on[j] == DNSBL_DKIM)
                continue;
            g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                        "zone %s: anybody can write such a domain: a weight "
                        "less than 0 is for `name` and `dkim` alone",
                        zones[i].name);
            return false;
        }
    }
    return true;
}

static void
stop(FilterdCall *call)
{
    DnsblInstance *instance = call->instance;

    g_clear_pointer(&instance->addresses, list_set_free);
    g_clear_pointer(&instance->domains, list_set_free);
    g_clear_pointer(&instance->psl, psl_free);
}

static bool
start(FilterdCall *call, GError **error)
{
    const DnsblConfig *config = call->config;
    DnsblInstance *instance = call->instance;

    instance->addresses = list_set_new(LIST_OF_ADDRESSES, &config->zones,
                                       metrics_of_lists, error);
    if (instance->addresses != NULL)
        instance->domains = list_set_new(LIST_OF_DOMAINS, &config->domain_zones,
                                         metrics_of_lists, error);
    if (instance->domains == NULL || !proof_check(config, error)) {
        stop(call);
        return false;
    }
    if (instance->domains->length > 0)
        instance->psl = name_suffixes_new();
    if (config->self_test)
        call->host->spawn(call, self_test_run, instance);
    return true;
}

/* ---- what was found ----------------------------------------------------- */

typedef struct Outlet {
    DnsblFact score, zones, reason, problem;
} Outlet;

static void
finding_publish(FilterdCall *call, const ListFinding *finding,
                const Outlet *outlet)
{
    const FilterdHost *host = call->host;

    if (*finding->problem != '\0')
        host->publish(call, outlet->problem, filterd_text(finding->problem));
    if (list_found_nothing(finding))
        return;
    host->publish(call, outlet->score, filterd_int(finding->score));
    host->publish(call, outlet->zones,
                  filterd_list(finding->zones, finding->listing));

    g_autofree char *reason = list_reason(call, finding);

    host->publish(call, outlet->reason, filterd_text(reason));
}

/* ---- connect ------------------------------------------------------------ */

static const char *
address_prefix(void *data, const List *list, size_t subject)
{
    (void)list;
    (void)subject;
    return data;
}

/* The name that leads back to the address: any other is a claim. */
static void
name_add(FilterdCall *call, Domains *domains)
{
    const FilterdValue *confirmed;

    if (!domains_wanted(call->instance, DNSBL_NAME))
        return;
    confirmed = call->host->lookup(call, DNSBL_NEED_CONFIRMED);
    if (confirmed->type == FILTERD_BOOL && confirmed->boolean)
        domains_add(domains, DNSBL_NAME,
                    call->host->lookup(call, DNSBL_NEED_NAME));
}

/* false: cancelled. */
static bool
client_ask(FilterdCall *call, const FilterdIp *client, ListFinding *finding)
{
    const DnsblInstance *instance = call->instance;
    char prefix[NAME_PREFIX_SIZE];
    const ListInquiry addresses = {.set = instance->addresses,
                                   .v6 = !name_is_v4(client),
                                   .subjects = name_is_public(client) ? 1 : 0,
                                   .prefix = address_prefix,
                                   .data = prefix};

    name_of_address(client, prefix);
    list_prefetch(call, &addresses);
    if (instance->domains->length == 0)
        return list_ask(call, &addresses, finding);

    Domains *domains = call->host->allocate(call, sizeof *domains);

    name_add(call, domains);

    const ListInquiry names = domains_inquiry(instance, domains);

    list_prefetch(call, &names);
    return list_ask(call, &addresses, finding)
           && list_ask(call, &names, finding);
}

static bool
connect_hook(FilterdCall *call, GError **error)
{
    static const Outlet outlet = {DNSBL_SCORE, DNSBL_ZONES, DNSBL_REASON,
                                  DNSBL_PROBLEM};
    const FilterdHost *host = call->host;
    const DnsblInstance *instance = call->instance;
    const FilterdValue *client = host->lookup(call, DNSBL_NEED_IP);
    ListFinding *finding = list_finding_new(
        call, instance->addresses->length + instance->domains->length);

    (void)error;
    if (client->type == FILTERD_UNKNOWN
        || !self_test_wait(call, instance->domains)
        || !client_ask(call, &client->ip, finding))
        return true;
    host->publish(call, DNSBL_FAILED,
                  filterd_list(finding->failed, finding->failing));
    if (!list_found_nothing(finding)) {
        host->publish(call, DNSBL_LISTED, filterd_bool(finding->listed));
        host->publish(call, DNSBL_ALLOWED, filterd_bool(finding->allowed));
    }
    finding_publish(call, finding, &outlet);
    return true;
}

/* ---- domains of later stages -------------------------------------------- */

static void
source_add(FilterdCall *call, Domains *domains, DnsblSource source,
           DnsblNeed need)
{
    if (domains_wanted(call->instance, source))
        domains_add(domains, source, call->host->lookup(call, need));
}

static bool
domains_ask(FilterdCall *call, Domains *domains, const Outlet *outlet)
{
    const DnsblInstance *instance = call->instance;
    ListFinding *finding = list_finding_new(call, instance->domains->length);
    const ListInquiry inquiry = domains_inquiry(instance, domains);

    if (!self_test_wait(call, instance->domains))
        return true;
    list_prefetch(call, &inquiry);
    if (list_ask(call, &inquiry, finding))
        finding_publish(call, finding, outlet);
    return true;
}

static bool
helo(FilterdCall *call, GError **error)
{
    static const Outlet outlet = {DNSBL_HELO_SCORE, DNSBL_HELO_ZONES,
                                  DNSBL_HELO_REASON, DNSBL_HELO_PROBLEM};
    Domains *domains = call->host->allocate(call, sizeof *domains);

    (void)error;
    source_add(call, domains, DNSBL_HELO, DNSBL_NEED_HELO);
    return domains_ask(call, domains, &outlet);
}

static bool
mail(FilterdCall *call, GError **error)
{
    static const Outlet outlet = {DNSBL_MAIL_SCORE, DNSBL_MAIL_ZONES,
                                  DNSBL_MAIL_REASON, DNSBL_MAIL_PROBLEM};
    Domains *domains = call->host->allocate(call, sizeof *domains);

    (void)error;
    source_add(call, domains, DNSBL_MAIL, DNSBL_NEED_MAIL);
    return domains_ask(call, domains, &outlet);
}

static bool
eom(FilterdCall *call, GError **error)
{
    static const Outlet outlet = {DNSBL_MESSAGE_SCORE, DNSBL_MESSAGE_ZONES,
                                  DNSBL_MESSAGE_REASON, DNSBL_MESSAGE_PROBLEM};
    Domains *domains = call->host->allocate(call, sizeof *domains);

    (void)error;
    source_add(call, domains, DNSBL_FROM, DNSBL_NEED_FROM);
    source_add(call, domains, DNSBL_DKIM, DNSBL_NEED_DKIM);
    return domains_ask(call, domains, &outlet);
}

FILTERD_PLUGIN(.name = "dnsbl", .version = "0.2",
               .summary = "ask DNS block and allow lists about the client and "
                          "its domains",
               .description = description, .example = example,
               .options = dnsbl_options, .config_size = sizeof(DnsblConfig),
               .facts = dnsbl_facts, .needs = dnsbl_needs,
               .methods = dnsbl_methods, .metrics = dnsbl_metrics,
               .instance_size = sizeof(DnsblInstance), .start = start,
               .stop = stop, .connect = connect_hook, .helo = helo,
               .mail = mail, .eom = eom);
