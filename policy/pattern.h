/* pattern.h: the patterns of `matches`: PCRE2 within bounds.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

typedef struct Pattern Pattern;

/* Steps of one match; a pattern that needs more has no answer. */
#define PATTERN_MATCH_LIMIT 100000
#define PATTERN_HEAP_LIMIT 1024 /* KiB */

/* NULL with what PCRE2 says and the octet where it gave up. Caller frees the
 * message. `beside` may be NULL: a pattern whose stack it uses, too, and that
 * outlives it. */
Pattern *pattern_new(const char *text, const Pattern *beside, char **message,
                     gsize *offset);
void pattern_free(Pattern *pattern);

typedef enum PatternAnswer {
    PATTERN_NO,
    PATTERN_YES,
    PATTERN_GAVE_UP,
} PatternAnswer;

/* Does not wait; of one thread. */
PatternAnswer pattern_match(const Pattern *pattern, const char *text);
