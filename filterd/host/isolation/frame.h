/* frame.h: what a worker and the process of a plugin say to each other: frames
 * on a socket, written here, and read without believing a length in them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A frame is the length of its content, its type, its channel, its content.
 * Both ends are of one program on one machine: integers are as memory has them.
 */
#pragma once

#include <filterd/plugin.h>

/* Octets of a content: of what the plugin's process says, and of what it is
 * told, which may have whole files in it. */
#define FRAME_LIMIT (1024 * 1024)
#define FRAME_TOLD_LIMIT (512 * 1024 * 1024)
#define FRAME_HEAD 9
/* Values of a list, records of an answer. */
#define FRAME_ITEMS_LIMIT 10000

typedef enum FrameType {
    /* To the plugin's process. */
    FRAME_START,  /* its options */
    FRAME_HOOK,   /* a hook is to run */
    FRAME_ANSWER, /* to FRAME_CALL */
    FRAME_FIELD,  /* of the message that it wants to hear; it answers … */
    FRAME_PIECE,  /* likewise, of the body */
    FRAME_CANCEL, /* nobody waits for what that hook returns */
    /* From it. */
    FRAME_RETURN, /* … with this; so does a hook, and the start */
    FRAME_CALL,   /* of a function of the host, which answers */
    FRAME_CAST,   /* of one that has no answer */
    FRAME_TYPES,
} FrameType;

typedef struct Frame {
    FrameType type;
    guint32 channel; /* of a hook, from HOOK to RETURN; 0: nobody listens */
    const guint8 *content;
    gsize length;
} Frame;

/* ---- writing ------------------------------------------------------------ */

GByteArray *frame_new(FrameType type, guint32 channel);
/* Now its length is known. */
GByteArray *frame_end(GByteArray *frame);

void frame_put_u8(GByteArray *frame, guint8 value);
void frame_put_u32(GByteArray *frame, guint32 value);
void frame_put_i64(GByteArray *frame, int64_t value);
void frame_put_bytes(GByteArray *frame, const void *bytes, gsize length);
void frame_put_text(GByteArray *frame, const char *text); /* or NULL */
void frame_put_value(GByteArray *frame, const FilterdValue *value);
void frame_put_answer(GByteArray *frame, const FilterdDnsAnswer *answer);

/* ---- reading ------------------------------------------------------------ */

/* Whether a whole frame begins there. FALSE with an error: its head lies. */
gboolean frame_parse(const guint8 *bytes, gsize length, gsize limit,
                     Frame *frame, GError **error);

/* Once something did not fit, everything is zero, empty or NULL. */
typedef struct FrameReader {
    const guint8 *at, *end;
    gboolean bad;
    GPtrArray *memory; /* of lists and answers, until frame_reader_clear() */
} FrameReader;

void frame_reader_init(FrameReader *reader, const Frame *frame);
void frame_reader_clear(FrameReader *reader);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FrameReader, frame_reader_clear)
/* Whether all fitted, and nothing is left. */
gboolean frame_reader_done(const FrameReader *reader);

guint8 frame_get_u8(FrameReader *reader);
guint32 frame_get_u32(FrameReader *reader);
int64_t frame_get_i64(FrameReader *reader);
/* Borrowed of the frame, like texts, also those in values. */
const char *frame_get_bytes(FrameReader *reader, gsize *length);
const char *frame_get_text(FrameReader *reader);
FilterdValue frame_get_value(FrameReader *reader);
const FilterdDnsAnswer *frame_get_answer(FrameReader *reader);
/* A count of things of so many octets at least. */
guint32 frame_get_count(FrameReader *reader, gsize least);
/* Zeroed, the reader's. */
void *frame_reader_allocate(FrameReader *reader, gsize size);
