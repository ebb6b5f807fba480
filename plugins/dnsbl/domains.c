/* domains.c: the domains of a stage that domain lists are asked about.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dnsbl/domains.h"

static bool
is_on(const ListZone *zone, DnsblSource source)
{
    const int *on = zone->on.items;

    for (size_t i = 0; i < zone->on.length; i++)
        if (on[i] == (int)source)
            return true;
    return false;
}

bool
domains_wanted(const DnsblInstance *instance, DnsblSource source)
{
    for (size_t i = 0; i < instance->domains->length; i++)
        if (is_on(instance->domains->lists[i].zone, source))
            return true;
    return false;
}

static void
add_one(Domains *domains, DnsblSource source, const FilterdValue *value)
{
    if (domains->length == DOMAINS_LIMIT || value->type == FILTERD_UNKNOWN
        || !name_of_domain(value->text, domains->names[domains->length]))
        return;
    domains->sources[domains->length++] = source;
}

void
domains_add(Domains *domains, DnsblSource source, const FilterdValue *value)
{
    if (value->type != FILTERD_LIST) {
        add_one(domains, source, value);
        return;
    }
    for (size_t i = 0; i < value->list.length; i++)
        add_one(domains, source, &value->list.items[i]);
}

static const char *
prefix(void *data, const List *list, size_t subject)
{
    const Domains *domains = data;
    const char *name = domains->names[subject];

    if (!is_on(list->zone, domains->sources[subject]))
        return NULL;
    return list->zone->ask == LIST_ASK_HOST
               ? name
               : name_registered(domains->psl, name);
}

ListInquiry
domains_inquiry(const DnsblInstance *instance, Domains *domains)
{
    domains->psl = instance->psl;
    return (ListInquiry){.set = instance->domains,
                         .subjects = domains->length,
                         .prefix = prefix,
                         .data = domains};
}
