/* length.h: how long a canonicalized body is, which tells whether l= leaves a
 * tail unsigned; the library tells only what it hashed. (RFC 6376 3.4)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Zero bytes begin, but for `relaxed`. */
typedef struct BodyLength {
    bool relaxed;
    bool space;
    gint64 lines; /* line ends that count once something follows */
    gint64 total;
} BodyLength;

void body_length_add(BodyLength *length, const char *bytes, size_t count);
gint64 body_length_end(const BodyLength *length);
