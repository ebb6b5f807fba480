/* runs.h: rules one after the other that each ask first whether the same fact
 * is a constant: of ten thousand those are judged that its value leaves.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What is left out could not have fired. Its other facts are not asked for, as
 * they would not have been.
 */
#pragma once

#include "policy/tree.h"

typedef struct Runs Runs;

/* Of a stage; NULL: it has none that are worth it. */
Runs *runs_new(const GPtrArray *rules);
void runs_free(Runs *runs);

/* Through the rules of a stage, in their order; by value. */
typedef struct RunsWalk {
    const Runs *runs; /* NULL: each rule in turn */
    const PolicyClient *client;
    unsigned run; /* the next one, or the one that it is in */
    gboolean within;
    unsigned at, end;
} RunsWalk;

RunsWalk runs_walk(const Runs *runs, const PolicyClient *client,
                   unsigned rules);
/* Whether there is one more; its index. May wait for the fact. */
gboolean runs_next(RunsWalk *walk, unsigned *index);
