/* quarantine-letter.h: what is known about a message that is kept: its
 * envelope, whose it was, and why it is there.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>
#include <stdint.h>

/* A wire text without <>, and what stood behind it in RCPT, with the blank
 * before it. */
typedef struct QuarantineRecipient {
    char *address, *parameters;
    gboolean taken; /* by the backend, in a release */
    gsize mark;     /* where the file says so */
} QuarantineRecipient;

/* Texts that are not known are NULL. */
typedef struct QuarantineLetter {
    char *id; /* letters and digits of ours: the file's name */
    int64_t time;
    char *rule, *stage, *reason, *facts;
    char *session, *protocol, *client, *name, *helo, *auth;
    char *reverse_path, *parameters; /* of MAIL */
    GPtrArray *recipients;           /* QuarantineRecipient */
} QuarantineLetter;

QuarantineLetter *quarantine_letter_new(void);
void quarantine_letter_free(QuarantineLetter *letter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(QuarantineLetter, quarantine_letter_free)

/* `parameters` may be NULL. */
void quarantine_letter_add(QuarantineLetter *letter, const char *address,
                           const char *parameters);

/* Lines, then an empty one. */
void quarantine_letter_format(const QuarantineLetter *letter, GString *out);
/* From the beginning of a file; `taken` is where its message begins. NULL: it
 * is none of ours. */
QuarantineLetter *quarantine_letter_parse(const char *bytes, gsize length,
                                          gsize *taken);

/* Whether it has the form of an id. */
gboolean quarantine_id_valid(const char *text);
