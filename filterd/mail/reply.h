/* reply.h: SMTP replies (RFC 5321 4.2, RFC 2034, RFC 3463).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

#define MAIL_REPLY_LINE 512
#define MAIL_REPLY_LINES 64
#define MAIL_REPLY_PARSE_LINE 2048 /* of somebody else's reply */
#define MAIL_REPLY_SUFFIX 128

/* A value. `text` is one line or several parted by LF; owned. */
typedef struct MailReply {
    int code;
    char enhanced[12]; /* "5.7.1", or "" */
    char *text;
} MailReply;

/* Replaces what was there. `enhanced` may be NULL, or has the class of `code`.
 * `text` is cleaned; formats as "550 5.7.1 text". */
void mail_reply_set(MailReply *reply, int code, const char *enhanced,
                    const char *text);
void mail_reply_clear(MailReply *reply);
/* What was in `to` is cleared. */
void mail_reply_copy(MailReply *to, const MailReply *from);

/* On the wire: every line with code and enhanced code, CRLF, at most 512
 * octets each; `suffix` (may be NULL), such as "[7f3a-2]", is kept whole at
 * the end of the last line. */
void mail_reply_append(GString *out, const MailReply *reply,
                       const char *suffix);
/* One line for people: "550 5.7.1 text". Caller frees. */
char *mail_reply_format(const MailReply *reply);

/* Collects the lines of a backend's reply. Zero bytes are an empty one. */
typedef struct MailReplyParser {
    MailReply reply;
    unsigned lines;
} MailReplyParser;

typedef enum MailReplyState {
    MAIL_REPLY_MORE,
    MAIL_REPLY_DONE,
    MAIL_REPLY_BROKEN, /* not a reply, codes differ, too many lines */
} MailReplyState;

/* One line without its CRLF. After DONE the next line begins another reply. */
MailReplyState mail_reply_parse_line(MailReplyParser *parser, const char *line,
                                     gsize length);
void mail_reply_parser_clear(MailReplyParser *parser);
