/* isolated.h: the process that a plugin has to itself: its limits, its loop.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>
#include <stdint.h>

/* The first argument of a filterd that is to be such a process. */
#define ISOLATED_WORD "--isolated"
/* Descriptors it may have open, threads for its blocking work, seconds of the
 * processor between two turns of its loop, seconds for the plugin's stop. */
#define ISOLATED_FILES 64
#define ISOLATED_THREADS 2
#define ISOLATED_CPU 30
#define ISOLATED_STOP 5

/* Its exit status where its worker is gone, and it has nothing left to do. */
#define ISOLATED_LEFT 3

/* What it tells the master on its control socket. */
typedef enum IsolatedWord {
    ISOLATED_BEAT = 'b',  /* its loop turned */
    ISOLATED_CRASH = 'c', /* a BoardDoing follows: the signal comes */
} IsolatedWord;

typedef struct IsolatedStart {
    const char *plugin, *name;
    int64_t memory;
    int fd; /* to its worker */
} IsolatedStart;

/* In a child of the master: executes this program anew, so that nothing of the
 * master's memory is there. `data` is an IsolatedStart. */
int isolated_exec(int control, void *data);
/* What that program does. The exit status. */
int isolated_run(char **arguments);
