/* bucket.h: a bucket that leaks, kept in the store.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Kept is one number: when the bucket will be empty. What is poured in is added
 * to it, by one operation that is whole over all workers and gateways of a
 * store; so nothing that two of them count is lost, but where they find the
 * bucket empty at the same moment, which counts once. Of one worker, one hook
 * pours into a bucket at a time.
 */
#pragma once

#include <filterd/plugin.h>

typedef struct BucketSize {
    int64_t count, period; /* it leaks so much in so many milliseconds */
    int64_t burst;         /* and holds so much */
} BucketSize;

typedef struct BucketLevel {
    bool exceeded; /* it did not fit, and was not poured in */
    int64_t level; /* what is in it now, rounded up */
    int64_t wait;  /* milliseconds until it, or the next one, fits */
} BucketLevel;

/* How long a full one takes to be empty, in milliseconds, rounded up; -1: it
 * leaks too fast, or too slowly, to be measured. */
int64_t bucket_time(const BucketSize *size);
/* Pours `amount` in; of more than it holds, what it holds. Waits. False: the
 * store failed. */
bool bucket_pour(FilterdCall *call, const char *key, const BucketSize *size,
                 int64_t amount, BucketLevel *level);
