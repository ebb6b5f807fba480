/* self-test.c: suspends lists that have died, or list the whole world. (RFC
 * 5782 5)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dnsbl/self-test.h"

#include "plugins/dnsbl/query.h"

#include <string.h>

#define SELF_TEST_PAUSE INT64_C(3600000)

/* Any code will do, whichever of them the option counts. */
static QueryResult
test_address(FilterdCall *call, const char *name, uint8_t last)
{
    const FilterdIp client = {
        .bytes = {[10] = 0xff, [11] = 0xff, 127, 0, 0, last}, .prefix = 128};
    const DnsblZone zone = {.name = name};
    g_autofree char *question = query_name(&client, name);
    const FilterdDnsAnswer *answer =
        call->host->dns(call, question, FILTERD_DNS_A);

    return query_judge(&zone, answer);
}

static bool
is_suspended(FilterdCall *call, const char *name, bool before)
{
    QueryResult one = test_address(call, name, 1);
    QueryResult two = test_address(call, name, 2);
    const char *problem = NULL;

    if (one == QUERY_NO_ANSWER || two == QUERY_NO_ANSWER)
        return before;
    if (one != QUERY_CLEAR)
        problem = "it lists 127.0.0.1";
    else if (two != QUERY_LISTED)
        problem = "it does not list 127.0.0.2";
    if (problem != NULL && !before)
        call->host->log(call, FILTERD_LOG_WARNING, "%s is suspended: %s", name,
                        problem);
    if (problem == NULL && before)
        call->host->log(call, FILTERD_LOG_INFO, "%s is asked again", name);
    return problem != NULL;
}

/* The first option that names the same list. */
static size_t
first_find(const DnsblConfig *config, size_t index)
{
    const char *name = dnsbl_zone(config, index)->name;
    size_t first = 0;

    while (strcmp(dnsbl_zone(config, first)->name, name) != 0)
        first++;
    return first;
}

static void
test_all(FilterdCall *call)
{
    const DnsblConfig *config = call->config;
    DnsblInstance *instance = call->instance;

    for (size_t i = 0; i < config->zones.length; i++) {
        size_t first = first_find(config, i);

        instance->suspended[i] =
            first < i ? instance->suspended[first]
                      : is_suspended(call, dnsbl_zone(config, i)->name,
                                     instance->suspended[i]);
    }
}

void
self_test_run(FilterdCall *call, void *data)
{
    (void)data;
    do
        test_all(call);
    while (call->host->sleep(call, SELF_TEST_PAUSE));
}
