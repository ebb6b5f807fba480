/* observer.h: a process that shows the metrics of all others over HTTP.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/config.h"

typedef struct ObserverStart {
    const PolicyConfig *config;
    const int *fds; /* in the order of the `listen` statements */
} ObserverStart;

/* Runs until anything is said over `control`; the process' exit status. `data`
 * is an ObserverStart. */
int observer_run(int control, void *data);
