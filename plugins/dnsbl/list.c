/* list.c: the lists of an instance, made from its options. (RFC 5782 2)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dnsbl/list.h"

#include "plugins/dnsbl/name.h"

#include <string.h>

const char *const list_asks[] = {"registered", "host", NULL};

static bool
fail(GError **error, const ListZone *zone, const char *what)
{
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "zone %s: %s",
                zone->name, what);
    return false;
}

static bool
codes_parse(List *list, GError **error)
{
    const ListZone *zone = list->zone;
    const char *const *texts = zone->answers.items;

    list->length = zone->answers.length;
    list->codes = g_new0(Code, list->length);
    for (size_t i = 0; i < list->length; i++) {
        if (code_parse(texts[i], &list->codes[i]))
            continue;
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "zone %s: %s is no answer that could count: an address in "
                    "127.0.0.0/8, neither 127.0.0.1 nor in 127.255.255.0/24, "
                    "or 127.0.0.0/24, 127.0.0.2-11, 127.0.0.0&4",
                    zone->name, texts[i]);
        return false;
    }
    return true;
}

static bool
list_init(List *list, ListKind kind, const ListZone *zone, GError **error)
{
    list->zone = zone;
    if (strlen(zone->name) > NAME_ZONE_LIMIT)
        return fail(error, zone,
                    "the name may have " G_STRINGIFY(
                        NAME_ZONE_LIMIT) " octets, so that an address fits in "
                                         "front of it");
    if (kind == LIST_OF_DOMAINS && !name_valid(zone->test))
        return fail(error, zone, "its test entry is no name");
    return codes_parse(list, error);
}

ListSet *
list_set_new(ListKind kind, const FilterdArray *zones, ListMetrics metrics,
             GError **error)
{
    ListSet *set = g_new0(ListSet, 1);
    bool ok = zones->length <= LIST_ZONES_LIMIT;

    set->kind = kind;
    set->metrics = metrics;
    if (!ok)
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "there may be %d zones", LIST_ZONES_LIMIT);
    for (size_t i = 0; ok && i < zones->length; i++, set->length++)
        ok = list_init(&set->lists[i], kind,
                       &((const ListZone *)zones->items)[i], error);
    if (ok)
        return set;
    list_set_free(set);
    return NULL;
}

void
list_set_free(ListSet *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < LIST_ZONES_LIMIT; i++)
        g_free(set->lists[i].codes);
    g_free(set);
}
