/* mime.c: the texts of a message, as its octets come (RFC 2045, 2046).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/uribl/mime.h"

#include "plugins/uribl/mime-type.h"

#include <string.h>

void
mime_init(Mime *mime, const MimeSink *sink)
{
    *mime = (Mime){.sink = *sink, .fresh = true};
    mime_type_init(&mime->type, false);
}

void
mime_field(Mime *mime, const char *name, size_t name_length, const char *value,
           size_t length)
{
    mime_type_field(&mime->type, name, name_length, value, length);
}

/* ---- parts -------------------------------------------------------------- */

static void
part_close(Mime *mime)
{
    if (mime->open)
        mime->sink.end(mime->sink.data);
    mime->open = false;
}

static void
header_begin(Mime *mime, bool digest)
{
    mime->in_header = true;
    mime->field_length = 0;
    mime_type_init(&mime->type, digest);
}

static void
level_push(Mime *mime)
{
    MimeLevel *level = &mime->levels[mime->depth];

    mime->type.kind = MIME_OTHER;
    if (mime->depth == MIME_DEPTH) {
        mime->too_deep = true;
        return;
    }
    memcpy(level->boundary, mime->type.boundary, sizeof level->boundary);
    level->digest = mime->type.digest;
    mime->depth++;
}

/* A message that is encoded is against RFC 2046 5.2.1, and not looked into. */
static void
body_begin(Mime *mime)
{
    MimeType *type = &mime->type;

    mime->in_header = false;
    if (type->message && type->encoding == ENCODING_NONE) {
        header_begin(mime, false);
        return;
    }
    if (type->multipart && *type->boundary != '\0')
        level_push(mime);
    else if (type->multipart)
        type->kind = MIME_PLAIN;
    mime->decoder = (Decoder){.encoding = type->encoding};
    if (type->kind == MIME_OTHER)
        return;
    mime->open = true;
    mime->sink.begin(mime->sink.data, type->kind);
}

/* ---- boundaries --------------------------------------------------------- */

static bool
is_blank(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isspace(text[i]))
            return false;
    return true;
}

/* `text` is what stands behind "--". */
static bool
is_boundary(const MimeLevel *level, const char *text, size_t length, bool *last)
{
    size_t own = strlen(level->boundary);

    if (length < own || memcmp(text, level->boundary, own) != 0)
        return false;
    *last = length >= own + 2 && memcmp(text + own, "--", 2) == 0;
    return *last || is_blank(text + own, length - own);
}

/* A boundary further out ends all that is inside. */
static bool
boundary_take(Mime *mime, const char *line, size_t length)
{
    bool last;

    if (length < 2 || line[0] != '-' || line[1] != '-')
        return false;
    for (unsigned i = mime->depth; i-- > 0;) {
        if (!is_boundary(&mime->levels[i], line + 2, length - 2, &last))
            continue;
        part_close(mime);
        mime->depth = last ? i : i + 1;
        mime->in_header = false;
        mime->type.kind = MIME_OTHER;
        if (!last)
            header_begin(mime, mime->levels[i].digest);
        return true;
    }
    return false;
}

/* ---- lines -------------------------------------------------------------- */

static void
field_take(Mime *mime)
{
    const char *colon = memchr(mime->field, ':', mime->field_length);

    if (colon != NULL) {
        size_t name = (size_t)(colon - mime->field);

        while (name > 0 && g_ascii_isspace(mime->field[name - 1]))
            name--;
        mime_type_field(&mime->type, mime->field, name, colon + 1,
                        mime->field_length - (size_t)(colon - mime->field) - 1);
    }
    mime->field_length = 0;
}

static void
header_line(Mime *mime, const char *line, size_t length)
{
    if (mime->fresh && is_blank(line, length) && length <= 2) {
        field_take(mime);
        body_begin(mime);
        return;
    }
    if (mime->fresh && *line != ' ' && *line != '\t')
        field_take(mime);

    size_t room = sizeof mime->field - mime->field_length;
    size_t taken = MIN(room, length);

    memcpy(mime->field + mime->field_length, line, taken);
    mime->field_length += taken;
}

static void
body_line(Mime *mime, const char *line, size_t length)
{
    char out[2 * DECODE_PIECE];

    while (length > 0) {
        size_t piece = MIN(length, DECODE_PIECE);
        size_t made = decoder_step(&mime->decoder, line, piece, out);

        mime->sink.text(mime->sink.data, out, made);
        line += piece;
        length -= piece;
    }
}

/* A line, or the next piece of one that is long. */
static void
line_take(Mime *mime, const char *line, size_t length)
{
    bool ends = length > 0 && line[length - 1] == '\n';

    if (mime->fresh && boundary_take(mime, line, length))
        ;
    else if (mime->in_header)
        header_line(mime, line, length);
    else if (mime->open)
        body_line(mime, line, length);
    mime->fresh = ends;
}

/* A line that comes in one is not copied. */
static void
piece_take(Mime *mime, const char *bytes, size_t length, bool ends)
{
    while (length > 0) {
        if (mime->line_length == 0 && ends) {
            line_take(mime, bytes, length);
            return;
        }

        size_t room = sizeof mime->line - mime->line_length;
        size_t taken = MIN(room, length);

        memcpy(mime->line + mime->line_length, bytes, taken);
        mime->line_length += taken;
        bytes += taken;
        length -= taken;
        if (mime->line_length < sizeof mime->line && !(ends && length == 0))
            return;
        line_take(mime, mime->line, mime->line_length);
        mime->line_length = 0;
    }
}

void
mime_begin(Mime *mime)
{
    mime->begun = true;
    body_begin(mime);
}

void
mime_feed(Mime *mime, const char *bytes, size_t length)
{
    while (length > 0) {
        const char *lf = memchr(bytes, '\n', length);
        size_t taken = lf != NULL ? (size_t)(lf - bytes) + 1 : length;

        piece_take(mime, bytes, taken, lf != NULL);
        bytes += taken;
        length -= taken;
    }
}

void
mime_end(Mime *mime)
{
    if (mime->line_length > 0)
        line_take(mime, mime->line, mime->line_length);
    mime->line_length = 0;
    part_close(mime);
}
