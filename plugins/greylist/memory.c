/* memory.c: entries of known senders that a worker need not read again.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/greylist/memory.h"

#include <string.h>

#define PLACES 4096

typedef struct Place {
    Key key; /* "": none */
    Entry entry;
    int64_t since, until;
} Place;

struct Memory {
    Place places[PLACES];
};

Memory *
memory_new(void)
{
    return g_new0(Memory, 1);
}

void
memory_free(Memory *memory)
{
    g_free(memory);
}

static guint
place_of(const Key key)
{
    return g_str_hash(key) % PLACES;
}

bool
memory_recall(const Memory *memory, const Key key, int64_t now, Entry *entry)
{
    const Place *place = &memory->places[place_of(key)];

    if (strcmp(place->key, key) != 0 || now < place->since
        || now >= place->until)
        return false;
    *entry = place->entry;
    return true;
}

void
memory_keep(Memory *memory, const Key key, const Entry *entry, int64_t since,
            int64_t until)
{
    Place *place = &memory->places[place_of(key)];

    memcpy(place->key, key, KEY_SIZE);
    place->entry = *entry;
    place->since = since;
    place->until = until;
}

void
memory_forget(Memory *memory, const Key key)
{
    Place *place = &memory->places[place_of(key)];

    if (strcmp(place->key, key) == 0)
        place->key[0] = '\0';
}
