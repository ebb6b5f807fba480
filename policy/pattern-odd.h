/* pattern-odd.h: patterns that are right and probably not meant.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

typedef enum PatternOddity {
    PATTERN_PLAIN,
    PATTERN_SLASHES, /* `/…/i`, as Perl and Postfix write them */
    PATTERN_ALL,     /* whatever the text is, it matches */
} PatternOddity;

PatternOddity pattern_oddity(const char *text);

/* What was meant by one in slashes, `(?i)…`. Caller frees. */
char *pattern_without_slashes(const char *text);
