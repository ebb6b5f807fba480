/* body.h: the body, as the signatures of a chain want it hashed. (RFC 6376
 * 3.4.3, 3.4.4)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/arc/chain.h"
#include "plugins/dkim/canon.h"
#include "plugins/dkim/length.h"

#define BODY_KINDS 2 /* simple, relaxed */

/* Zero bytes are none. */
typedef struct Body {
    BodyHash *hashes[BODY_KINDS]; /* NULL: nobody wants it */
    BodyLength lengths[BODY_KINDS];
    bool measured[BODY_KINDS]; /* somebody has an l= */
} Body;

/* Begins for the pending message signatures of the chain. */
void body_begin(Body *body, Chain *chain);
/* CRLF line ends, in pieces of any size. */
void body_add(Body *body, const char *bytes, size_t length);
/* Settles those whose body it is not, or not all of it. */
void body_end(Body *body, Chain *chain);
void body_clear(Body *body);
