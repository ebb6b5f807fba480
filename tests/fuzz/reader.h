/* reader.h: a message read by the letter of RFC 5321, octet by octet, by code
 * that has nothing in common with filterd's.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

/* Octets up to and with the final dot's line; 0 without one. */
gsize reader_end(const char *bytes, gsize length);
/* Appends the content of `length` octets, the final dot's line not among them;
 * each bare CR or LF in it becomes a line end, and a last line gets one.
 * `dots`: they are unstuffed. TRUE: there was a bare one, or a NUL. */
gboolean reader_content(GString *out, const char *bytes, gsize length,
                        gboolean dots);
/* Appends the empty line behind a header without body. */
void reader_part(GString *content);
/* Stuffed, and with the final dot's line. */
GString *reader_stuff(const char *bytes, gsize length);
/* Lines that end with CRLF, and no other CR, LF or NUL. */
gboolean reader_canonical(const char *bytes, gsize length);
gboolean reader_eightbit(const char *bytes, gsize length);
