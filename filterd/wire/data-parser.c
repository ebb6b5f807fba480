/* data-parser.c: what stands between DATA and the final dot, or in the chunks
 * of BDAT, made canonical (RFC 5321 2.3.8, 4.1.1.4, 4.5.2, RFC 3030).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/data-parser.h"

#include "filterd/mail/header.h"

#include <string.h>

/* How much of a possible end of data has been seen. Lines begin in START; a dot
 * there is never content by itself: it is stuffing, or part of the end. */
typedef enum DataState {
    LINE_START,
    LINE_DOT,    /* "." */
    LINE_DOT_CR, /* ".\r" */
    LINE_MIDDLE,
    LINE_CR, /* "…\r" */
} DataState;

struct DataParser {
    DataClient client;
    gsize limit, size;
    unsigned flags;
    DataState state;
    gboolean in_body;
    gsize line; /* octets of the header line so far */
    GString *header;
    DataProblem problem;
};

DataParser *
data_parser_new(const DataClient *client, gsize size_limit, unsigned flags)
{
    DataParser *parser = g_new0(DataParser, 1);
    parser->client = *client;
    parser->limit = size_limit;
    parser->flags = flags;
    parser->header = g_string_sized_new(4096);
    return parser;
}

void
data_parser_free(DataParser *parser)
{
    if (parser->header != NULL)
        g_string_free(parser->header, TRUE);
    g_free(parser);
}

DataProblem
data_parser_problem(const DataParser *parser)
{
    return parser->problem;
}

static void
note(DataParser *parser, DataProblem problem)
{
    if (parser->problem == DATA_OK)
        parser->problem = problem;
}

/* ---- out ---------------------------------------------------------------- */

static void
end_header(DataParser *parser)
{
    if (parser->problem == DATA_OK)
        parser->client.header(parser->client.data, parser->header->str,
                              parser->header->len);
    g_string_free(parser->header, TRUE);
    parser->header = NULL;
    parser->in_body = TRUE;
}

static void
put_header(DataParser *parser, const char *bytes, gsize length)
{
    if (parser->header->len + length > MAIL_HEADER_LIMIT)
        note(parser, DATA_HEADER_LARGE);
    else
        g_string_append_len(parser->header, bytes, (gssize)length);
    parser->line += length;
}

static void
put(DataParser *parser, const char *bytes, gsize length)
{
    if (length == 0 || parser->problem != DATA_OK)
        return;
    parser->size += length;
    if (parser->size > parser->limit)
        note(parser, DATA_TOO_LARGE);
    else if (!parser->in_body)
        put_header(parser, bytes, length);
    else if (!parser->client.body(parser->client.data, bytes, length))
        note(parser, DATA_NOT_KEPT);
}

/* A line has ended. In the header, an empty one ends it. */
static void
put_line_end(DataParser *parser)
{
    gboolean empty = !parser->in_body && parser->line == 0;
    parser->state = LINE_START;
    if (empty) {
        end_header(parser);
        return;
    }
    put(parser, "\r\n", 2);
    parser->line = 0;
}

/* A dot behind a bare newline is content: it neither ends the data nor was it
 * stuffed. In chunks no dot is. */
static void
put_bare(DataParser *parser)
{
    if (parser->flags & DATA_NORMALIZE)
        put_line_end(parser);
    else
        note(parser, DATA_BARE_NEWLINE);
    parser->state = parser->flags & DATA_CHUNKED ? LINE_START : LINE_MIDDLE;
}

/* ---- in ----------------------------------------------------------------- */

static gboolean
has_eightbit(const char *bytes, gsize length)
{
    guchar any = 0;
    for (gsize i = 0; i < length; i++)
        any |= (guchar)bytes[i];
    return any > 127;
}

static void
put_noting(DataParser *parser, const char *bytes, gsize length)
{
    if (memchr(bytes, '\0', length) != NULL)
        note(parser, DATA_BARE_NEWLINE);
    if ((parser->flags & DATA_SEVEN_BIT) && has_eightbit(bytes, length))
        note(parser, DATA_EIGHTBIT);
    put(parser, bytes, length);
}

/* The octets before the next CR or LF. What is scanned is taken: a search for
 * either alone would go over the same octets again and again. */
static gsize
put_run(DataParser *parser, const char *bytes, gsize length)
{
    gsize run = 0;
    while (run < length && bytes[run] != '\r' && bytes[run] != '\n')
        run++;
    put_noting(parser, bytes, run);
    return run;
}

/* Each takes the octets that decide its state and returns their number. */

static gsize
at_start(DataParser *parser, const char *bytes, gsize length)
{
    (void)length;
    parser->state = LINE_MIDDLE;
    if (*bytes != '.' || (parser->flags & DATA_CHUNKED))
        return 0;
    parser->state = LINE_DOT;
    return 1;
}

static gsize
at_dot(DataParser *parser, const char *bytes, gsize length)
{
    (void)length;
    parser->state = *bytes == '\r' ? LINE_DOT_CR : LINE_MIDDLE;
    return *bytes == '\r' ? 1 : 0;
}

/* "\r\n" was not the end of ".": the CR was bare. */
static gsize
at_dot_cr(DataParser *parser, const char *bytes, gsize length)
{
    (void)bytes;
    (void)length;
    put_bare(parser);
    return 0;
}

static gsize
in_line(DataParser *parser, const char *bytes, gsize length)
{
    if (*bytes == '\r') {
        parser->state = LINE_CR;
        return 1;
    }
    if (*bytes == '\n') {
        put_bare(parser);
        return 1;
    }
    return put_run(parser, bytes, length);
}

static gsize
at_cr(DataParser *parser, const char *bytes, gsize length)
{
    (void)length;
    if (*bytes == '\n') {
        put_line_end(parser);
        return 1;
    }
    put_bare(parser);
    return 0;
}

static gsize (*const steps[])(DataParser *parser, const char *bytes,
                              gsize length) = {
    [LINE_START] = at_start, [LINE_DOT] = at_dot, [LINE_DOT_CR] = at_dot_cr,
    [LINE_MIDDLE] = in_line, [LINE_CR] = at_cr,
};

/* In the body, whole lines without anything odd pass in one piece. Returns the
 * length of the longest such prefix: it ends behind a CRLF. */
static gsize
plain_lines(const char *bytes, gsize length)
{
    gsize taken = 0;
    while (taken < length && bytes[taken] != '.') {
        const char *line = bytes + taken;
        const char *lf = memchr(line, '\n', length - taken);
        if (lf == NULL || lf == line || lf[-1] != '\r'
            || memchr(line, '\r', (gsize)(lf - 1 - line)) != NULL)
            break;
        taken = (gsize)(lf + 1 - bytes);
    }
    return taken;
}

static gboolean
is_opaque(const DataParser *parser)
{
    return parser->in_body && (parser->flags & DATA_BINARY);
}

gsize
data_parser_feed(DataParser *parser, const char *bytes, gsize length,
                 gboolean *ended)
{
    gsize at = 0;
    *ended = FALSE;
    while (at < length) {
        if (is_opaque(parser)) {
            put(parser, bytes + at, length - at);
            return length;
        }
        if (parser->state == LINE_DOT_CR && bytes[at] == '\n') {
            if (!parser->in_body)
                end_header(parser);
            *ended = TRUE;
            return at + 1;
        }
        if (parser->state == LINE_START && parser->in_body) {
            gsize lines = plain_lines(bytes + at, length - at);
            put_noting(parser, bytes + at, lines);
            at += lines;
            if (at == length)
                break;
        }
        at += steps[parser->state](parser, bytes + at, length - at);
    }
    return at;
}

void
data_parser_end(DataParser *parser)
{
    if (parser->state == LINE_CR)
        put_bare(parser);
    else if (parser->state == LINE_MIDDLE)
        put_line_end(parser);
    if (!parser->in_body)
        end_header(parser);
}
