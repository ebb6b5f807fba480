/* decode.h: the content of a part as octets again, piece by piece (RFC 2045
 * 6.7, 6.8).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define DECODE_PIECE 1024

typedef enum Encoding {
    ENCODING_NONE, /* 7bit, 8bit, binary */
    ENCODING_QUOTED_PRINTABLE,
    ENCODING_BASE64,
} Encoding;

/* Zero bytes and the encoding at first. */
typedef struct Decoder {
    Encoding encoding;
    gint state; /* base64: GLib's; quoted-printable: octets of =XX so far */
    guint save;
    char digit;
} Decoder;

/* The word of Content-Transfer-Encoding; what is none of them is none. */
Encoding encoding_parse(const char *text, size_t length);
/* At most DECODE_PIECE octets, of which no more come out; `out` has room for
 * twice as many. What is not legal comes out as it is. */
size_t decoder_step(Decoder *decoder, const char *bytes, size_t length,
                    char *out);
