/* entry.c: what the store says of a triplet or a client, and until when.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/greylist/entry.h"

#include <string.h>

#include "plugins/greylist/instance.h"

#define DAY (24 * 3600 * INT64_C(1000))

/* What is known is written again once that part of its lifetime is over, but
 * once a day at least. */
#define REFRESH_PART 8

/* What is known is read again after that time. */
#define TRUST (5 * 60 * INT64_C(1000))

/* No entry of ours has a larger number. */
#define NUMBER_LIMIT INT64_C(1000000000000000)

static bool
number_parse(const char *text, int64_t *number)
{
    return g_ascii_string_to_signed(text, 10, 0, NUMBER_LIMIT, number, NULL);
}

static Entry
entry_parse(const char *value, size_t length)
{
    static const Entry absent = {.count = -1};
    g_autofree char *text = g_strndup(value, length);
    char *space = strchr(text, ' ');
    Entry entry;

    if (space == NULL)
        return absent;
    *space = '\0';
    if (!number_parse(text, &entry.count)
        || !number_parse(space + 1, &entry.time))
        return absent;
    return entry;
}

bool
entry_recall(FilterdCall *call, const Key key, Entry *entry)
{
    const Instance *instance = call->instance;

    return memory_recall(instance->memory, key, call->host->now(call), entry);
}

bool
entry_read(FilterdCall *call, const Key key, Entry *entry)
{
    const char *value;
    size_t length;

    if (entry_recall(call, key, entry))
        return true;
    switch (call->host->store_get(call, key, &value, &length)) {
    case FILTERD_STORE_OK:
        *entry = entry_parse(value, length);
        return true;
    case FILTERD_STORE_ABSENT:
        *entry = (Entry){.count = -1};
        return true;
    default:
        return false;
    }
}

bool
entry_write(FilterdCall *call, const Key key, int64_t count, int64_t lifetime)
{
    const Instance *instance = call->instance;
    g_autofree char *text = g_strdup_printf(
        "%" G_GINT64_FORMAT " %" G_GINT64_FORMAT, count, call->host->now(call));

    memory_forget(instance->memory, key);
    return call->host->store_put(call, key, text, strlen(text), lifetime)
           == FILTERD_STORE_OK;
}

/* A clock set back makes times of the future, which are as good as now. */
static bool
renew(FilterdCall *call, const Key key, Entry *entry, int64_t lifetime)
{
    int64_t now = call->host->now(call);
    int64_t age = now - entry->time;

    if (age >= 0 && age < MIN(lifetime / REFRESH_PART, DAY))
        return true;
    entry->time = now;
    return entry_write(call, key, entry->count, lifetime);
}

bool
entry_refresh(FilterdCall *call, const Key key, Entry *entry, int64_t lifetime)
{
    const Instance *instance = call->instance;
    int64_t now = call->host->now(call);
    Entry known;

    if (!renew(call, key, entry, lifetime))
        return false;
    if (!memory_recall(instance->memory, key, now, &known))
        memory_keep(instance->memory, key, entry, now,
                    MIN(now + TRUST, entry->time + lifetime));
    return true;
}
