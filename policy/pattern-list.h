/* pattern-list.h: thousands of patterns, of which few are tried.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A pattern is tried where the text has three octets in a row that it needs,
 * see pattern-needs.h; where it needs none, always.
 */
#pragma once

#include "policy/pattern.h"

typedef struct PatternList PatternList;

/* Patterns of one list that have no answer for a text; then it has none. */
#define PATTERN_LIST_GIVE_UPS 32

PatternList *pattern_list_new(void);
void pattern_list_free(PatternList *list);

/* FALSE as pattern_new(). The text is not kept. */
gboolean pattern_list_add(PatternList *list, const char *text, char **message,
                          gsize *offset);
/* Behind the last of them. */
void pattern_list_finish(PatternList *list);

/* YES if one of them matches; else GAVE_UP if one of them gave up. */
PatternAnswer pattern_list_match(PatternList *list, const char *text);
/* Of the last text, how many were tried. */
unsigned pattern_list_tried(const PatternList *list);
