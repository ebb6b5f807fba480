/* length.c: how long a canonicalized body is. (RFC 6376 3.4.3, 3.4.4)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dkim/length.h"

#define LINE_END 2 /* CRLF */

static void
add_octet(BodyLength *length, char octet)
{
    if (octet == '\n') {
        length->lines++;
        length->space = false;
    } else if (length->relaxed && (octet == ' ' || octet == '\t')) {
        length->space = true;
    } else if (octet != '\r') {
        length->total += length->lines * LINE_END + length->space + 1;
        length->lines = 0;
        length->space = false;
    }
}

void
body_length_add(BodyLength *length, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_octet(length, bytes[i]);
}

gint64
body_length_end(const BodyLength *length)
{
    if (length->total == 0)
        return length->relaxed ? 0 : LINE_END;
    return length->total + LINE_END;
}
