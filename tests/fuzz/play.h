/* play.h: a client's octets said to a gateway, and what came of them held
 * against them: the strict backend behind gets commands in their place, and the
 * messages, with the recipients, that the octets and the replies to them amount
 * to.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "tests/wire/gateway.h"

typedef struct PlayInput {
    const char *bytes;
    gsize length;
    gsize first, piece; /* octets of the first packet (0: as others), others */
    gboolean normalize;
} PlayInput;

/* Returns how many messages the backend took. Whatever else may come of it is
 * asserted. Not in a fiber. */
unsigned play_run(const PlayInput *input);
/* It is never freed. A recipient `d` is discarded. */
Gateway *play_gateway(void);
