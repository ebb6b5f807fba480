/* pattern.h: Lua's patterns (reference manual 6.4.1), matched within a limit of
 * steps: what Lua itself has cannot be stopped.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATTERN_CAPTURES 32
/* Items within items. */
#define PATTERN_DEPTH 100
/* Characters looked at for one match. */
#define PATTERN_STEPS 2000000

typedef struct PatternCapture {
    const char *start;
    ptrdiff_t length; /* or one of these */
} PatternCapture;

#define PATTERN_OPEN ((ptrdiff_t)-1)
#define PATTERN_POSITION ((ptrdiff_t)-2)

typedef struct Pattern {
    const char *subject, *subject_end;
    const char *end; /* of the pattern */
    int64_t steps;   /* that were made; for the caller to add up */
    int depth;
    unsigned captures;
    PatternCapture capture[PATTERN_CAPTURES];
    const char *problem; /* what is wrong, if no match is no answer */
} Pattern;

/* The end of the match of `pattern` (its ^ behind it already) that begins at
 * `at`; NULL: there is none, or `problem`. */
const char *pattern_end(Pattern *pattern, const char *at, const char *item);
