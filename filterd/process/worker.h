/* worker.h: a process with one loop that serves every `listen` but http.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/process/configuration.h"

/* What the master says over the control socket; its end means WORKER_END. */
typedef enum WorkerCommand {
    WORKER_DRAIN = 'd', /* no new sessions; end when the last has ended */
    WORKER_END = 'e',   /* sessions end where they stand */
} WorkerCommand;
/* What a process answers when it serves. */
#define WORKER_READY 'r'
/* What a worker answers to both: it takes no more connections. */
#define WORKER_DRAINS 'a'

typedef struct WorkerStart {
    const Configuration *configuration;
    const int *fds; /* in the order of the `listen` statements */
    int row;        /* of the board */
    int post;       /* for plugins in processes of their own; -1: none */
    unsigned workers;
    unsigned index; /* among those of its generation; 0 does what one of them
                     * has to do */
    const char *memory_store;
} WorkerStart;

/* Runs to its end; the process' exit status. `data` is a WorkerStart. */
int worker_run(int control, void *data);
