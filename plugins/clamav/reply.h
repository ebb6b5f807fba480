/* reply.h: what clamd answers to INSTREAM. (clamd(8))
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

typedef enum Finding {
    CLEAN,
    INFECTED,
    TOO_LARGE,
    NO_FINDING, /* it could not scan, or says something else */
} Finding;

typedef struct Reply {
    Finding finding;
    char *text; /* INFECTED: the name; else all that it said, printable */
} Reply;

/* One line without its end: "stream: OK", "stream: NAME FOUND", "… ERROR". */
Reply reply_parse(const char *line, gsize length);
void reply_clear(Reply *reply);
