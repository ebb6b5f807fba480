/* launch.h: from a checked configuration to the processes that serve it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/process/control.h"
#include "filterd/process/generation.h"

/* Generations that drain at a time; a reload waits for its turn. */
#define LAUNCH_DRAINING 2

/* What generations have in common. */
typedef struct Launch {
    Listeners *inherited; /* until the first one serves */
    char *memory_store;
    Control *control; /* NULL: it could not be had */
    gboolean boarded;
    unsigned generations; /* so far */
} Launch;

void launch_init(Launch *launch);
/* Nobody commands any more, and another filterd may have the state directory.
 */
void launch_end(Launch *launch);
void launch_clear(Launch *launch);

/* Takes the configuration. `current` is NULL at the start. NULL: what `current`
 * has is untouched, `why` says what is wrong, as people read it. */
Generation *launch_generation(Launch *launch, Configuration *configuration,
                              const Generation *current, GString *why);
/* The first generation serves: what it did not take is closed. */
void launch_served(Launch *launch, const Generation *generation);
