/* bodies.h: the body of one message as its signatures see it: a hash for each
 * canonical form and length that one of them names. (RFC 6376 3.4, 3.7)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Nothing here waits.
 */
#pragma once

#include "plugins/dkim/signature.h"

typedef struct Bodies Bodies;

Bodies *bodies_new(void);
void bodies_free(Bodies *bodies);
/* Before the body. */
void bodies_want(Bodies *bodies, const Signature *signature);
/* CRLF line ends, in pieces of any size. */
void bodies_add(Bodies *bodies, const char *bytes, size_t length);
/* After the last piece: whether bh= is the hash of a body that was wanted. */
bool bodies_match(Bodies *bodies, const Signature *signature);
