/* judge.h: how a client's try is judged by what the store remembers.
 * (RFC 6647 2.2)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/greylist/entry.h"
#include "plugins/greylist/ladder.h"

typedef enum State {
    NEW,
    EARLY,
    PASSED,
    KNOWN,
} State;

/* What the store counts for a client; read once a transaction. */
typedef struct White {
    bool read, counted;
    Key key;
    Entry entry;
} White;

typedef struct Try {
    const Client *client;
    const char *sender;    /* as key_sender() has it */
    const char *recipient; /* NULL: whoever it is */
    White *white;
} Try;

typedef struct Verdict {
    State state;
    int64_t wait;
    int64_t age; /* since the first try; -1: not remembered */
    bool white;  /* known by the count */
} Verdict;

/* False: the store failed, nothing is known. */
bool judge_try(FilterdCall *call, const Try *try, Verdict *verdict);
/* The client has passed by other means: remembers that. False: as above. */
bool judge_confirm(FilterdCall *call, const Try *try);
