/* reader.c: a message read by the letter of RFC 5321, octet by octet.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/fuzz/reader.h"

#include <string.h>

static const char *
find(const char *bytes, gsize length, const char *what)
{
    return memmem(bytes, length, what, strlen(what));
}

gsize
reader_end(const char *bytes, gsize length)
{
    if (length >= 3 && memcmp(bytes, ".\r\n", 3) == 0)
        return 3;
    const char *end = find(bytes, length, "\r\n.\r\n");
    return end != NULL ? (gsize)(end - bytes) + 5 : 0;
}

/* Of octets without CRLF. */
static gboolean
read_line(GString *out, const char *line, gsize length)
{
    gboolean odd = memchr(line, '\0', length) != NULL;
    for (gsize i = 0; i < length; i++) {
        gboolean ends = line[i] == '\r' || line[i] == '\n';
        odd |= ends;
        if (ends)
            g_string_append(out, "\r\n");
        else
            g_string_append_c(out, line[i]);
    }
    return odd;
}

gboolean
reader_content(GString *out, const char *bytes, gsize length, gboolean dots)
{
    gboolean odd = FALSE;
    const char *end = bytes + length;
    while (bytes < end) {
        const char *crlf = find(bytes, (gsize)(end - bytes), "\r\n");
        const char *stop = crlf != NULL ? crlf : end;
        if (dots && *bytes == '.')
            bytes++;
        odd |= read_line(out, bytes, (gsize)(stop - bytes));
        if (crlf != NULL
            || (stop > bytes && stop[-1] != '\r' && stop[-1] != '\n'))
            g_string_append(out, "\r\n");
        bytes = stop + (crlf != NULL ? 2 : 0);
    }
    return odd;
}

void
reader_part(GString *content)
{
    if (!g_str_has_prefix(content->str, "\r\n")
        && find(content->str, content->len, "\r\n\r\n") == NULL)
        g_string_append(content, "\r\n");
}

GString *
reader_stuff(const char *bytes, gsize length)
{
    GString *out = g_string_new(NULL);
    for (gsize i = 0; i < length; i++) {
        if (bytes[i] == '.' && (i == 0 || bytes[i - 1] == '\n'))
            g_string_append_c(out, '.');
        g_string_append_c(out, bytes[i]);
    }
    return g_string_append(out, ".\r\n");
}

gboolean
reader_canonical(const char *bytes, gsize length)
{
    if (length > 0 && bytes[length - 1] != '\n')
        return FALSE;
    for (gsize i = 0; i < length; i++) {
        gboolean after_cr = i > 0 && bytes[i - 1] == '\r';
        if (bytes[i] == '\0' || (bytes[i] == '\n') != after_cr)
            return FALSE;
    }
    return TRUE;
}

gboolean
reader_eightbit(const char *bytes, gsize length)
{
    for (gsize i = 0; i < length; i++)
        if (bytes[i] & 0x80)
            return TRUE;
    return FALSE;
}
