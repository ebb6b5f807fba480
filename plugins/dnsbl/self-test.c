/* self-test.c: suspends lists that have died, or list the whole world. (RFC
 * 5782 5)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dnsbl/self-test.h"

#include "plugins/dnsbl/name.h"

#include <stdio.h>
#include <string.h>

/* Of ::ffff:7f00:1 and ::ffff:7f00:2, in nibbles as IPv6 is asked about. */
#define MAPPED ".0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"

/* For the first self-test, in milliseconds. */
#define PATIENCE 2000
#define STEP 5

#define IS(result) (1u << (result))

/* A question, and which answers (bits) bring the list into which state. */
typedef struct Probe {
    const char *prefix; /* NULL: the list's own test entry */
    unsigned bad;
    ListState state;
    const char *why;
} Probe;

typedef struct Probes {
    const Probe *probes;
    size_t length;
} Probes;

static const Probe of_addresses[] = {
    {"1.0.0.127", IS(LIST_HAS) | IS(LIST_WRONG), LIST_SUSPENDED,
     "is suspended: it lists 127.0.0.1"},
    {"2.0.0.127", IS(LIST_CLEAR) | IS(LIST_WRONG), LIST_SUSPENDED,
     "is suspended: it does not list 127.0.0.2"},
    {"1" MAPPED, IS(LIST_HAS) | IS(LIST_WRONG), LIST_SUSPENDED_V6,
     "is suspended for IPv6: it lists ::ffff:127.0.0.1"},
    /* A list that has nothing to say of IPv6 has not even this. */
    {"2" MAPPED, IS(LIST_WRONG), LIST_SUSPENDED_V6,
     "is suspended for IPv6: it answers with an error"},
};

static const Probe of_domains[] = {
    {"invalid", IS(LIST_HAS) | IS(LIST_WRONG), LIST_SUSPENDED,
     "is suspended: it lists invalid"},
    {NULL, IS(LIST_CLEAR) | IS(LIST_WRONG), LIST_SUSPENDED,
     "is suspended: it does not list its test entry"},
};

static const Probes probes[] = {
    [LIST_OF_ADDRESSES] = {of_addresses, G_N_ELEMENTS(of_addresses)},
    [LIST_OF_DOMAINS] = {of_domains, G_N_ELEMENTS(of_domains)},
};

static void
question_write(const Probe *probe, const List *list, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "%s.%s",
             probe->prefix != NULL ? probe->prefix : list->zone->test,
             list->zone->name);
}

static void
prefetch(FilterdCall *call, const Probes *all, const List *list)
{
    char name[NAME_SIZE];

    for (size_t i = 0; i < all->length; i++) {
        question_write(&all->probes[i], list, name);
        call->host->prefetch(call, name, FILTERD_DNS_A);
    }
}

/* false: cancelled. NULL in `found`: no answer is a bad one; `silent`: some
 * are missing. Any code will do, whichever of them the option counts. */
static bool
probe_all(FilterdCall *call, const Probes *all, const List *list,
          const Probe **found, bool *silent)
{
    const List any = {.zone = list->zone};
    char name[NAME_SIZE];

    for (size_t i = 0; i < all->length && *found == NULL; i++) {
        question_write(&all->probes[i], list, name);

        const FilterdDnsAnswer *answer =
            call->host->dns(call, name, FILTERD_DNS_A);
        ListResult result = list_judge(&any, answer);

        if (answer->status == FILTERD_DNS_CANCELLED)
            return false;
        if ((all->probes[i].bad & IS(result)) != 0)
            *found = &all->probes[i];
        *silent |= result == LIST_NO_ANSWER;
    }
    return true;
}

static void
state_set(FilterdCall *call, const ListSet *set, List *list, const Probe *probe)
{
    const char *name = list->zone->name;
    ListState state = probe != NULL ? probe->state : LIST_SOUND;
    int64_t change = (state != LIST_SOUND) - (list->state != LIST_SOUND);

    if (state != list->state && probe != NULL)
        call->host->log(call, FILTERD_LOG_WARNING, "%s %s", name, probe->why);
    else if (state != list->state)
        call->host->log(call, FILTERD_LOG_INFO, "%s is asked again", name);
    if (change != 0)
        call->host->count(call, set->metrics.suspended, name, change);
    list->state = state;
    list->why = probe != NULL ? probe->why : NULL;
}

/* The first option that names the same list. */
static List *
first_find(ListSet *set, const List *list)
{
    List *first = set->lists;

    while (strcmp(first->zone->name, list->zone->name) != 0)
        first++;
    return first;
}

static bool
list_test(FilterdCall *call, ListSet *set, List *list)
{
    const List *first = first_find(set, list);
    const Probe *found = NULL;
    bool silent = false;

    if (first != list) {
        list->state = first->state;
        list->why = first->why;
        return true;
    }
    if (!probe_all(call, &probes[set->kind], list, &found, &silent))
        return false;
    if (found != NULL || !silent)
        state_set(call, set, list, found);
    return true;
}

bool
self_test_wait(FilterdCall *call, const ListSet *set)
{
    for (int64_t waited = 0; set->testing && waited < PATIENCE; waited += STEP)
        if (!call->host->sleep(call, STEP))
            return false;
    return true;
}

static bool
all_test(FilterdCall *call, ListSet *set)
{
    for (size_t i = 0; i < set->length; i++)
        prefetch(call, &probes[set->kind], &set->lists[i]);
    for (size_t i = 0; i < set->length; i++)
        if (!list_test(call, set, &set->lists[i]))
            return false;
    return true;
}

bool
self_test(FilterdCall *call, ListSet *set)
{
    bool done = all_test(call, set);

    set->testing = false;
    return done;
}
