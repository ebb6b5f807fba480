/* reply.c: what clamd answers to INSTREAM.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/clamav/reply.h"

#include <string.h>

#define PREFIX "stream: "
#define TEXT_LIMIT 200

/* Bounded, and of printable ASCII: it goes into texts that people read. */
static char *
text_copy(const char *bytes, gsize length)
{
    char *text = g_strndup(length > 0 ? bytes : "", MIN(length, TEXT_LIMIT));

    for (gsize i = 0; i < MIN(length, TEXT_LIMIT); i++)
        if (!g_ascii_isprint(bytes[i]))
            text[i] = '?';
    return text;
}

static gboolean
ends_with(const char *line, gsize length, const char *end)
{
    gsize part = strlen(end);

    return length >= part && memcmp(line + length - part, end, part) == 0;
}

Reply
reply_parse(const char *line, gsize length)
{
    static const char found[] = " FOUND",
                      limit[] = "size limit exceeded. ERROR";
    gsize prefix = strlen(PREFIX);
    gboolean stream = length >= prefix && memcmp(line, PREFIX, prefix) == 0;

    if (stream && length == prefix + 2 && ends_with(line, length, "OK"))
        return (Reply){CLEAN, text_copy(line, length)};
    if (stream && length > prefix + strlen(found)
        && ends_with(line, length, found))
        return (Reply){INFECTED, text_copy(line + prefix,
                                           length - prefix - strlen(found))};
    if (ends_with(line, length, limit))
        return (Reply){TOO_LARGE, text_copy(line, length)};
    return (Reply){NO_FINDING, text_copy(line, length)};
}

void
reply_clear(Reply *reply)
{
    g_clear_pointer(&reply->text, g_free);
}
