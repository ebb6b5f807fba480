/* dialogue.h: what an SMTP client said, read along with the replies to it: so
 * whatever the server took for the end of a line, chunk or message is known,
 * and can be held against the letter of the RFCs.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

/* A message that the server says it has passed on. */
typedef struct Letter {
    GString *content; /* as reader_content() reads it, and parted */
    unsigned recipients;
} Letter;

/* How a mail server replies that is behind; anything else comes from the
 * gateway itself. */
typedef struct DialogueWords {
    const char *rcpt, *queued; /* the whole line, without CRLF */
} DialogueWords;

void letter_free(Letter *letter);

/* Every line has one reply, until the server closes; asserted. Returns the
 * letters, of Letter. */
GPtrArray *dialogue_read(const DialogueWords *words, const char *said,
                         gsize length, const GString *replies);

/* What the mail server heard, a line each, "message" for one: every command in
 * its place. */
void dialogue_check_heard(const char *heard);
