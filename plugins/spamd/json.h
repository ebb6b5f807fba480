/* json.h: reads the JSON of a stranger, a member at a time. (RFC 8259)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

#define JSON_DEPTH 32

typedef struct Json {
    const char *at, *end;
    unsigned depth;
} Json;

/* Each takes one value, and white space in front of it; FALSE: it is another
 * one, or none, and nothing is to be taken any more. */
gboolean json_skip(Json *json);
/* In front of a number that is finite. */
gboolean json_number(Json *json, double *number);
/* Appends, in UTF-8; of a lone surrogate a `?`. */
gboolean json_string(Json *json, GString *out);
/* Calls with each member of an object; `member` takes the value. */
gboolean json_object(Json *json,
                     gboolean (*member)(Json *json, const char *name,
                                        void *data),
                     void *data);
