/* status.h: how filterd is, for those who ask: everything that the master and
 * the memory that all share know.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/process/generation.h"

/* What the master is about. */
typedef struct StatusSource {
    const Generation *current; /* NULL: none serves yet */
    const GPtrArray *leaving;  /* Generation */
    int64_t started;           /* milliseconds since 1970, as all times here */
    int64_t refused;           /* when the last reload was; 0: it was not */
    gboolean reloading;
} StatusSource;

/* A line of JSON, without its end. Caller frees. */
char *status_format(const StatusSource *source);

/* ---- for its parts ------------------------------------------------------ */

/* "name":"2026-11-22T12:00:00Z". */
void status_time(GString *out, const char *name, int64_t time);
/* {"number":…}; what is wrong with a process of it is a sentence more. `state`:
 * "serves" or "drains", with `problems` NULL: who is gone is not missed. */
void status_generation(GString *out, const Generation *generation,
                       const char *state, GPtrArray *problems);
/* Sessions of all its workers; of all generations. */
unsigned status_sessions(const Generation *generation);
unsigned status_all_sessions(const StatusSource *source);
/* "counts":{…}. */
void status_counts(GString *out);
