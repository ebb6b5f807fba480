/* generation.h: the processes that serve one configuration: started, watched,
 * started again, drained, ended.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/process/configuration.h"
#include "filterd/process/listeners.h"
#include "filterd/process/member.h"

/* A process that does not serve by then has failed, milliseconds. */
#define GENERATION_START_TIME 60000
/* Between WORKER_END and SIGKILL. */
#define GENERATION_END_TIME 2000
/* Who lives shorter dies young, and waits before it is started again: from a
 * second up to this. */
#define GENERATION_YOUNG 30000
#define GENERATION_PAUSE 30000
/* The same of plugins in processes of their own; the first pauses are shorter.
 */
#define GENERATION_PLUGIN_YOUNG 10000
#define GENERATION_PLUGIN_PAUSE 5000
/* Seconds that a loop may not turn before SIGABRT. */
#define GENERATION_PATIENCE 10

typedef struct Generation Generation;

typedef struct GenerationStart {
    unsigned number;
    Configuration *configuration; /* the generation's from now on */
    Listeners *listeners;         /* likewise */
    const char *memory_store;
} GenerationStart;

Generation *generation_new(const GenerationStart *start);
/* No process may be left. */
void generation_free(Generation *generation);

unsigned generation_number(const Generation *generation);
const Configuration *generation_configuration(const Generation *generation);
const Listeners *generation_listeners(const Generation *generation);
/* Since when it is there, milliseconds since 1970. */
int64_t generation_since(const Generation *generation);
/* Milliseconds that its sessions have left; -1: nobody hurries them. */
int64_t generation_left(const Generation *generation);
/* Its processes, also those that are not there now. */
const Member *generation_members(const Generation *generation,
                                 unsigned *length);
/* Processes that are there. */
unsigned generation_count(const Generation *generation);
/* All of them serve. */
gboolean generation_ready(const Generation *generation);
/* One ended before all served. */
gboolean generation_failed(const Generation *generation);

/* Adds a pollfd for each process that has something to tell. */
void generation_poll(const Generation *generation, GArray *polls);
/* Takes what processes told and how they ended; starts lost ones again. */
void generation_look(Generation *generation);
/* Once a second: whether loops turn, and whether it is time to end. */
void generation_tick(Generation *generation);

/* No more sessions; after `patience` milliseconds those left are ended. Its
 * sockets are closed; `successor` has those that stay. */
void generation_drain(Generation *generation, int64_t patience,
                      const Listeners *successor);
/* Each worker that is there has said that it takes no more connections. */
gboolean generation_drains(const Generation *generation);
/* Names those in the log that have not. */
void generation_blame(const Generation *generation);
/* Now. */
void generation_end(Generation *generation);
