/* decode.c: the content of a part as octets again (RFC 2045 6.7, 6.8).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/uribl/decode.h"

#include <string.h>

static const struct {
    const char *name;
    Encoding encoding;
} encodings[] = {
    {"quoted-printable", ENCODING_QUOTED_PRINTABLE},
    {"base64", ENCODING_BASE64},
};

Encoding
encoding_parse(const char *text, size_t length)
{
    for (gsize i = 0; i < G_N_ELEMENTS(encodings); i++)
        if (strlen(encodings[i].name) == length
            && g_ascii_strncasecmp(encodings[i].name, text, length) == 0)
            return encodings[i].encoding;
    return ENCODING_NONE;
}

/* Behind "=": an octet, or the end of a line that is none. */
static size_t
quoted_first(Decoder *decoder, char c, char *out)
{
    if (g_ascii_isxdigit(c)) {
        decoder->digit = c;
        decoder->state = 2;
        return 0;
    }
    if (c == '\r' || c == ' ' || c == '\t')
        return 0;
    decoder->state = 0;
    if (c == '\n')
        return 0;
    out[0] = '=';
    out[1] = c;
    return 2;
}

static size_t
quoted_second(Decoder *decoder, char c, char *out)
{
    decoder->state = 0;
    if (g_ascii_isxdigit(c)) {
        out[0] = (char)(g_ascii_xdigit_value(decoder->digit) << 4
                        | g_ascii_xdigit_value(c));
        return 1;
    }
    out[0] = '=';
    out[1] = decoder->digit;
    out[2] = c;
    return 3;
}

static size_t
quoted_step(Decoder *decoder, const char *bytes, size_t length, char *out)
{
    size_t made = 0;

    for (size_t i = 0; i < length; i++) {
        if (decoder->state == 1)
            made += quoted_first(decoder, bytes[i], out + made);
        else if (decoder->state == 2)
            made += quoted_second(decoder, bytes[i], out + made);
        else if (bytes[i] == '=')
            decoder->state = 1;
        else
            out[made++] = bytes[i];
    }
    return made;
}

size_t
decoder_step(Decoder *decoder, const char *bytes, size_t length, char *out)
{
    g_assert(length <= DECODE_PIECE);
    switch (decoder->encoding) {
    case ENCODING_QUOTED_PRINTABLE:
        return quoted_step(decoder, bytes, length, out);
    case ENCODING_BASE64:
        return g_base64_decode_step(bytes, length, (guchar *)out,
                                    &decoder->state, &decoder->save);
    case ENCODING_NONE:
        break;
    }
    memcpy(out, bytes, length);
    return length;
}
