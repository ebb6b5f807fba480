/* entry.h: what the store says of a triplet or a client, and until when.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/greylist/key.h"

/* In the store "COUNT TIME". A triplet has count 0 from the first try, `time`,
 * until it passes. A client counts what passed. */
typedef struct Entry {
    int64_t count; /* -1: absent */
    int64_t time;  /* of the first try; of about the last one that passed */
} Entry;

/* False: the store failed. A spoilt entry is absent. One that is known need not
 * be asked for (memory.h). */
bool entry_read(FilterdCall *call, const Key key, Entry *entry);
/* The same of what is known; false also where the store would have to be asked.
 */
bool entry_recall(FilterdCall *call, const Key key, Entry *entry);
/* With the time that it is. */
bool entry_write(FilterdCall *call, const Key key, int64_t count,
                 int64_t lifetime);
/* Keeps what is known for another lifetime. Writes now and then only: most mail
 * costs no write. */
bool entry_refresh(FilterdCall *call, const Key key, Entry *entry,
                   int64_t lifetime);
