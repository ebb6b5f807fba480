/* top.h: what filterctl top keeps of an answer, and what it shows of two.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/base/json.h"
#include "filterd/base/timing.h"

/* What is taken of an answer of each kind. */
#define TOP_ROWS 8192

typedef struct TopCount {
    char *name;
    int64_t value;
} TopCount;

typedef struct TopTiming {
    char *name;
    int64_t counts[TIMING_BUCKETS];
} TopTiming;

typedef struct TopSample {
    char *version;
    int64_t generation, sessions;
    int64_t ms;         /* since filterd started */
    GPtrArray *counts;  /* TopCount */
    GPtrArray *rules;   /* TopCount: "rcpt reject listed" */
    GPtrArray *timings; /* TopTiming */
} TopSample;

/* Whatever the answer is. */
TopSample *top_sample_new(const JsonValue *line);
void top_sample_free(TopSample *sample);

/* `before` NULL: since filterd started. At most so many rules, those first that
 * fire most. Caller frees. */
char *top_format(const TopSample *now, const TopSample *before, unsigned rules);
