/* reply.h: what a mail server says of a recipient. (RFC 5321 4.2, RFC 3463)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

typedef struct ReplyLine {
    int code;
    gboolean more;    /* another line follows */
    const char *text; /* in the line; not NUL-terminated */
    gsize length;
} ReplyLine;

/* Of a line without its end. FALSE: it is no reply. */
gboolean reply_parse_line(const char *line, gsize length, ReplyLine *parsed);

typedef enum Standing {
    EXISTS,
    MISSING,
    CATCH_ALL, /* not said in a reply: the domain takes whatever it is told */
    UNSAID,    /* it said neither */
    STANDINGS = UNSAID,
} Standing;

/* What a reply to RCPT means; `text` is that of its last line. A refusal for
 * reasons of policy, or because a mailbox is full, says nothing. */
Standing reply_standing(int code, const char *text);
