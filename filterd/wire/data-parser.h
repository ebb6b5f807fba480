/* data-parser.h: what stands between DATA and the final dot, or in the chunks
 * of BDAT, made canonical (RFC 5321 2.3.8, 4.1.1.4, 4.5.2, RFC 3030).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * It ends at CRLF.CRLF and nothing else. Bare CR, bare LF and NUL never come
 * out: they are noted (reject) or made line ends (normalize; NUL is noted all
 * the same). Does no I/O; takes octets in pieces of any size.
 */
#pragma once

#include <glib.h>

typedef struct DataParser DataParser;

/* What the message was found guilty of; the first one stays. */
typedef enum DataProblem {
    DATA_OK,
    DATA_BARE_NEWLINE, /* bare CR or LF, or NUL */
    DATA_HEADER_LARGE,
    DATA_TOO_LARGE,
    DATA_NOT_KEPT, /* `body` returned FALSE */
    DATA_EIGHTBIT, /* although DATA_SEVEN_BIT */
} DataProblem;

typedef struct DataClient {
    void *data;
    /* The header section as it is, without the empty line, CRLF at each end.
     */
    void (*header)(void *data, const char *bytes, gsize length);
    /* Dots unstuffed, CRLF line ends; FALSE: it could not be kept. */
    gboolean (*body)(void *data, const char *bytes, gsize length);
} DataClient;

typedef enum DataFlags {
    DATA_NORMALIZE = 1 << 0, /* bare CR and LF end lines */
    DATA_SEVEN_BIT = 1 << 1, /* no octet over 127 is taken */
    DATA_CHUNKED = 1 << 2,   /* dots mean nothing; data_parser_end() ends it */
    DATA_BINARY = 1 << 3,    /* in chunks: the body is octets (BINARYMIME) */
} DataFlags;

/* `flags` are of DataFlags. */
DataParser *data_parser_new(const DataClient *client, gsize size_limit,
                            unsigned flags);
void data_parser_free(DataParser *parser);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DataParser, data_parser_free)

/* Takes octets; `ended` tells whether the final dot has come. Returns how many
 * were taken: all of them, unless it ended. */
gsize data_parser_feed(DataParser *parser, const char *bytes, gsize length,
                       gboolean *ended);
/* The last chunk has come. A last line without CRLF gets one. */
void data_parser_end(DataParser *parser);
DataProblem data_parser_problem(const DataParser *parser);
