/* mime.h: the texts of a message, as its octets come (RFC 2045, 2046).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One pass, bounded memory: no part is kept, and what lies deeper than
 * MIME_DEPTH multiparts is not looked into. A message in a message is more
 * header, so it takes no room.
 */
#pragma once

#include "plugins/uribl/decode.h"

#define MIME_DEPTH 10
#define MIME_BOUNDARY 250 /* octets: more than RFC 2046 5.1.1 allows */
#define MIME_FIELD 1024   /* octets of a field that are read */

typedef enum MimeKind {
    MIME_OTHER, /* nobody reads it */
    MIME_PLAIN, /* text of any sort */
    MIME_HTML,
} MimeKind;

typedef struct MimeSink {
    void (*begin)(void *data, MimeKind kind);
    void (*text)(void *data, const char *bytes, size_t length);
    void (*end)(void *data); /* of what began */
    void *data;
} MimeSink;

typedef struct MimeLevel {
    char boundary[MIME_BOUNDARY + 1];
    bool digest;
} MimeLevel;

/* What the header of a part says. */
typedef struct MimeType {
    MimeKind kind;
    Encoding encoding;
    bool multipart, digest, message;
    char boundary[MIME_BOUNDARY + 1];
} MimeType;

typedef struct Mime {
    MimeSink sink;
    MimeLevel levels[MIME_DEPTH];
    unsigned depth;
    bool begun; /* the body has */
    bool too_deep;
    bool in_header; /* of a part */
    bool fresh;     /* at the beginning of a line */
    bool open;      /* the sink has begun */
    MimeType type;
    Decoder decoder;
    char field[MIME_FIELD];
    size_t field_length;
    char line[DECODE_PIECE]; /* that has not ended yet */
    size_t line_length;
} Mime;

void mime_init(Mime *mime, const MimeSink *sink);
/* A field of the message's own header, by its name and value. */
void mime_field(Mime *mime, const char *name, size_t name_length,
                const char *value, size_t length);
/* Its header is over: the body, in pieces of any size, and its end. */
void mime_begin(Mime *mime);
void mime_feed(Mime *mime, const char *bytes, size_t length);
void mime_end(Mime *mime);
