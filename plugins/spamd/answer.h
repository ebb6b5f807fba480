/* answer.h: what spamd and rspamd answer. (SPAMC protocol 1.5; rspamd's
 * /checkv2)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Both have a first line, header fields, an empty line, and a body whose
 * Content-length is told, or which goes on until the server closes.
 */
#pragma once

#include <glib.h>

/* Octets, symbols, octets of a symbol: of more, the first. */
#define ANSWER_LIMIT 1048576
#define ANSWER_SYMBOLS 500
#define ANSWER_SYMBOL 100

typedef enum AnswerAction {
    NO_ACTION,
    GREYLIST,
    ADD_HEADER,
    REWRITE_SUBJECT,
    SOFT_REJECT,
    QUARANTINE,
    DISCARD,
    REJECT,
    ACTIONS, /* another one, or none was told */
} AnswerAction;

typedef struct Answer {
    double score;
    gboolean spam;
    AnswerAction action;
    GPtrArray *symbols; /* printable ASCII, without a comma or a blank */
    char *problem;      /* why there is no answer; NULL: there is one */
} Answer;

/* Whether the body has come as far as it was announced. */
gboolean answer_is_complete(const char *bytes, gsize length);
/* Nothing of it may be missing. */
Answer answer_parse_spamd(const char *bytes, gsize length);
Answer answer_parse_rspamd(const char *bytes, gsize length);
void answer_clear(Answer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answer, answer_clear)
