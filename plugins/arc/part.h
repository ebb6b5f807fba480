/* part.h: one ARC-Message-Signature or ARC-Seal field: a DKIM signature but
 * for a few tags. (RFC 8617 4.1.2, 4.1.3)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/dkim/verify.h"

typedef enum Status {
    STATUS_MALFORMED,
    STATUS_NONE,
    STATUS_FAIL,
    STATUS_PASS,
} Status;

typedef struct Part {
    size_t field;           /* which of the header it is */
    Signature *signature;   /* NULL: an ARC-Authentication-Results */
    bool relaxed;           /* header canonicalization */
    char *body_hash;        /* bh=, in base64 without white space */
    size_t cut, cut_length; /* of the field's value: where that of b= is */
    Status status;          /* cv= */
    guint8 digest[DIGEST_LENGTH]; /* of what is signed */
} Part;

/* Takes what stands behind the colon. Returns what makes the whole chain
 * invalid, or NULL: what else is wrong with it is in `signature`. */
const char *part_read_message(Part *part, Span value, gint64 *instance);
const char *part_read_seal(Part *part, Span value, gint64 *instance);
void part_clear(Part *part);
/* Whether it is what the key has signed: its result is PASS or FAIL then. */
void part_verify(Part *part);
