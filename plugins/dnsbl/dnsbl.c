/* dnsbl.c: asks DNS lists about the client, all at once, and adds up what they
 * weigh. (RFC 5782)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dnsbl/dnsbl.h"

#include "plugins/dnsbl/query.h"
#include "plugins/dnsbl/self-test.h"

#include <string.h>

enum { SCORE, LISTED, ZONES, REASON, FAILED };
enum { CLIENT };

/* What the lists said, while they are read. */
typedef struct Finding {
    int64_t score;
    const char *accuser;                  /* the first that is no allow list */
    FilterdValue zones[DNSBL_ZONE_LIMIT]; /* that have the client */
    FilterdValue failed[DNSBL_ZONE_LIMIT];
    size_t listing, failing, failed_options;
} Finding;

/* ---- start -------------------------------------------------------------- */

static bool
answers_check(const DnsblZone *zone, GError **error)
{
    const FilterdIp *answers = zone->answers.items;

    for (size_t i = 0; i < zone->answers.length; i++) {
        if (!query_code_is_error(&answers[i]))
            continue;
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "zone %s: an answer has to be in 127.0.0.0/8, and neither "
                    "127.0.0.1 nor in 127.255.255.0/24, which are errors",
                    zone->name);
        return false;
    }
    return true;
}

static bool
zone_check(const DnsblZone *zone, GError **error)
{
    if (strlen(zone->name) <= QUERY_ZONE_LIMIT)
        return answers_check(zone, error);
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "zone %s: the name may have %d octets, so that an address "
                "fits in front of it",
                zone->name, QUERY_ZONE_LIMIT);
    return false;
}

static bool
start(FilterdCall *call, GError **error)
{
    const DnsblConfig *config = call->config;

    if (config->zones.length > DNSBL_ZONE_LIMIT) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "there may be %d zones", DNSBL_ZONE_LIMIT);
        return false;
    }
    for (size_t i = 0; i < config->zones.length; i++)
        if (!zone_check(dnsbl_zone(config, i), error))
            return false;
    if (config->self_test)
        call->host->spawn(call, self_test_run, NULL);
    return true;
}

/* ---- connect ------------------------------------------------------------ */

static bool
is_suspended(FilterdCall *call, size_t index)
{
    const DnsblInstance *instance = call->instance;

    return instance->suspended[index];
}

static void
all_prefetch(FilterdCall *call, const FilterdIp *client)
{
    const DnsblConfig *config = call->config;

    for (size_t i = 0; i < config->zones.length; i++) {
        g_autofree char *name = query_name(client, dnsbl_zone(config, i)->name);

        if (!is_suspended(call, i))
            call->host->prefetch(call, name, FILTERD_DNS_A);
    }
}

/* Once, though several options may name the same list. */
static void
name_add(FilterdValue *names, size_t *length, const char *name)
{
    for (size_t i = 0; i < *length; i++)
        if (strcmp(names[i].text, name) == 0)
            return;
    names[(*length)++] = filterd_text(name);
}

static void
finding_add(Finding *finding, const DnsblZone *zone, QueryResult result)
{
    switch (result) {
    case QUERY_CLEAR:
        break;
    case QUERY_LISTED:
        finding->score += zone->weight;
        name_add(finding->zones, &finding->listing, zone->name);
        if (finding->accuser == NULL && zone->weight >= 0)
            finding->accuser = zone->name;
        break;
    case QUERY_NO_ANSWER:
    case QUERY_WRONG:
        finding->failed_options++;
        name_add(finding->failed, &finding->failing, zone->name);
    }
}

/* FALSE: cancelled. The first that accuses is asked why while the others are
 * waited for. */
static bool
zone_ask(FilterdCall *call, const FilterdIp *client, const DnsblZone *zone,
         Finding *finding)
{
    g_autofree char *name = query_name(client, zone->name);
    const FilterdDnsAnswer *answer = call->host->dns(call, name, FILTERD_DNS_A);
    const char *before = finding->accuser;

    if (answer->status == FILTERD_DNS_CANCELLED)
        return false;
    finding_add(finding, zone, query_judge(zone, answer));
    if (finding->accuser != before)
        call->host->prefetch(call, name, FILTERD_DNS_TXT);
    return true;
}

static bool
all_ask(FilterdCall *call, const FilterdIp *client, Finding *finding)
{
    const DnsblConfig *config = call->config;

    for (size_t i = 0; i < config->zones.length; i++) {
        const DnsblZone *zone = dnsbl_zone(config, i);

        if (is_suspended(call, i))
            finding_add(finding, zone, QUERY_NO_ANSWER);
        else if (!zone_ask(call, client, zone, finding))
            return false;
    }
    return true;
}

static void
reason_publish(FilterdCall *call, const FilterdIp *client, const char *zone)
{
    g_autofree char *name = query_name(client, zone);
    g_autofree char *reason =
        query_reason(call->host->dns(call, name, FILTERD_DNS_TXT));
    g_autofree char *plain = g_strdup_printf("listed in %s", zone);

    call->host->publish(call, REASON, filterd_text(reason ? reason : plain));
}

static void
finding_publish(FilterdCall *call, const Finding *finding)
{
    const DnsblConfig *config = call->config;
    const FilterdHost *host = call->host;

    host->publish(call, FAILED,
                  filterd_list(finding->failed, finding->failing));
    if (config->zones.length > 0
        && finding->failed_options == config->zones.length)
        return;
    host->publish(call, SCORE, filterd_int(finding->score));
    host->publish(call, LISTED, filterd_bool(finding->accuser != NULL));
    host->publish(call, ZONES, filterd_list(finding->zones, finding->listing));
}

static bool
connect_hook(FilterdCall *call, GError **error)
{
    const FilterdValue *client = call->host->lookup(call, CLIENT);
    Finding *finding = call->host->allocate(call, sizeof *finding);

    (void)error;
    if (client->type == FILTERD_UNKNOWN)
        return true;
    if (query_is_asked(&client->ip)) {
        all_prefetch(call, &client->ip);
        if (!all_ask(call, &client->ip, finding))
            return true;
    }
    finding_publish(call, finding);
    if (finding->accuser != NULL)
        reason_publish(call, &client->ip, finding->accuser);
    return true;
}

/* ---- tables ------------------------------------------------------------- */

static const FilterdOption zone_options[] = {
    {.name = "name",
     .type = FILTERD_DOMAIN,
     .flags = FILTERD_POSITION | FILTERD_REQUIRED,
     .offset = offsetof(DnsblZone, name),
     .doc = "the domain of the list"},
    {.name = "answer",
     .type = FILTERD_IP,
     .flags = FILTERD_POSITION | FILTERD_MANY,
     .offset = offsetof(DnsblZone, answers),
     .doc = "codes that count, addresses or networks in 127.0.0.0/8; without "
            "one, every code of the list"},
    {.name = "weight",
     .type = FILTERD_INT,
     .offset = offsetof(DnsblZone, weight),
     .fallback = "1",
     .doc = "what a listing adds to the score; less than 0 for a list of good "
            "clients",
     .low = -1000,
     .high = 1000},
    {NULL},
};

static const FilterdOption options[] = {
    {.name = "zone",
     .type = FILTERD_GROUP,
     .flags = FILTERD_MANY,
     .offset = offsetof(DnsblConfig, zones),
     .doc = "a list to ask, and which of its answers count; may be repeated, "
            "for one list too, to weigh its answers differently. Without a "
            "zone nobody is asked and the score is 0",
     .group = zone_options,
     .size = sizeof(DnsblZone)},
    {.name = "self-test",
     .type = FILTERD_BOOL,
     .offset = offsetof(DnsblConfig, self_test),
     .fallback = "off",
     .doc = "at start and every hour, check that each list has 127.0.0.2 and "
            "does not have 127.0.0.1, and do not ask it while that is not so "
            "(RFC 5782 section 5)"},
    {NULL},
};

static const FilterdFact facts[] = {
    {.name = "score",
     .type = FILTERD_INT,
     .since = FILTERD_CONNECT,
     .doc = "the sum of the weights of the lists that have the client; a list "
            "that failed counts as 0, see `failed`; unknown where every list "
            "failed. Error codes (127.0.0.1, 127.255.255.0/24, anything "
            "outside 127.0.0.0/8) are failures, never listings. Private, "
            "loopback and other special addresses are never asked for: 0"},
    {.name = "listed",
     .type = FILTERD_BOOL,
     .since = FILTERD_CONNECT,
     .doc = "whether a list whose weight is not negative has the client; "
            "unknown where every list failed"},
    {.name = "zones",
     .type = FILTERD_LIST,
     .since = FILTERD_CONNECT,
     .doc = "the lists that have the client, in the order of the options; "
            "unknown where every list failed",
     .items = FILTERD_TEXT},
    {.name = "reason",
     .type = FILTERD_TEXT,
     .since = FILTERD_CONNECT,
     .doc = "what the first list whose weight is not negative says of the "
            "client, cut at 200 octets, else \"listed in\" and its name; "
            "unknown where there is none"},
    {.name = "failed",
     .type = FILTERD_LIST,
     .since = FILTERD_CONNECT,
     .doc = "the lists that gave no answer or an error, or are suspended by "
            "the self-test",
     .items = FILTERD_TEXT},
    {NULL},
};

static const FilterdNeed needs[] = {
    [CLIENT] = {"client.ip", FILTERD_IP},
    {NULL},
};

FILTERD_PLUGIN(.name = "dnsbl", .version = "0.1",
               .summary = "ask DNS block and allow lists about the client",
               .options = options, .config_size = sizeof(DnsblConfig),
               .facts = facts, .needs = needs,
               .instance_size = sizeof(DnsblInstance), .start = start,
               .connect = connect_hook);
