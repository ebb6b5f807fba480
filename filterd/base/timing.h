/* timing.h: how long things take, counted by name in memory that the processes
 * share.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The table is made by the master before it forks; each worker counts in a row
 * of its own, without locks. A row outlives its worker: the next one goes on.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

/* Names of a row; what comes after them is not counted. */
#define TIMING_LIMIT 128
/* Octets of a name, with its end. */
#define TIMING_NAME 64
/* What took so long that no other has room for it is in the last. */
#define TIMING_BUCKETS 32

typedef enum TimingKind {
    TIMING_END_OF_DATA = 1, /* from the end of a message to its reply */
    TIMING_CHECK,           /* a hook of an instance, with what it waits for */
} TimingKind;

typedef struct Timing Timing;

/* For so many workers; before the first fork. Without it a process counts for
 * itself. */
void timings_init(unsigned workers);
void timings_clear(void);
/* The row that this process counts in from now on. */
void timings_use_row(unsigned worker);

/* NULL: there are too many, or the name is too long. */
Timing *timing_find(TimingKind kind, const char *name);
/* NULL is fine. */
void timing_add(Timing *timing, int64_t milliseconds);

/* Of all rows, by kind and name. */
typedef struct TimingSum {
    TimingKind kind;
    char name[TIMING_NAME];
    int64_t counts[TIMING_BUCKETS];
    int64_t total; /* milliseconds */
} TimingSum;

/* TimingSum. Caller frees. */
GArray *timings_sum(void);

/* The longest that is in that bucket, milliseconds; -1: there is no longest. */
int64_t timing_bound(unsigned bucket);
/* The bound of the bucket with the one that so many percent are not longer
 * than; -1 also where there is none at all. */
int64_t timing_quantile(const int64_t counts[TIMING_BUCKETS], unsigned percent);

/* All of them in Prometheus's text format, as histograms. Caller frees. */
char *timings_format(void);
