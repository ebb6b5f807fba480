/* value.h: copying, comparing and writing a FilterdValue.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

/* Deep; text and lists are the copy's own. */
FilterdValue value_copy(const FilterdValue *value);
/* Of a copy. Leaves it unknown. */
void value_clear(FilterdValue *value);

/* Whether `text` is what it is. */
gboolean value_has_text(const FilterdValue *value);

/* As a reply or a log shows it: `-` for unknown, yes/no, 5m, lists with commas.
 */
void value_append(GString *out, const FilterdValue *value);
/* As JSON: null for unknown, durations as milliseconds. */
void value_append_json(GString *out, const FilterdValue *value);
/* "text", octets that are not UTF-8 as U+FFFD. */
void value_append_json_text(GString *out, const char *text);
