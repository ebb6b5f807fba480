/* literal.h: values as they are written: 5m, 10M, 192.0.2.0/24, "a@b".
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/compile.h"

/* The type that `list … of WORD` names. */
gboolean literal_type(const char *word, FilterdType *type);
/* NULL-terminated. */
extern const char *const literal_type_words[];
/* "an ip", "a duration". */
const char *literal_phrase(FilterdType type);
/* "such as 5m"; NULL. */
const char *literal_example(FilterdType type);

/* What `text` means as that type. The value's text is kept. */
gboolean literal_parse(Compile *compile, FilterdType type, const char *text,
                       FilterdValue *value);
/* The same as a key of a list or map: a domain may be `.example.com`. */
gboolean literal_parse_key(Compile *compile, FilterdType type, const char *text,
                           FilterdValue *value);
/* What was probably meant: "5m" by "5min", "10M" by "10MB"; NULL. Caller frees.
 */
char *literal_near(FilterdType type, const char *text);
/* Of "192.0.2.1-192.0.2.9", which no address is; NULL. */
const char *literal_range_hint(const char *text);
/* Complains that `text` is no such thing. */
void literal_refuse(Compile *compile, const PolicyPlace *place,
                    FilterdType type, const char *text);
/* The same of a key. */
void literal_refuse_key(Compile *compile, const PolicyPlace *place,
                        FilterdType type, const char *text);

/* What a bare word is by its shape: a bool, a number, a size, a duration, an
 * address, a network. */
gboolean literal_guess(Compile *compile, const char *text, FilterdValue *value);
