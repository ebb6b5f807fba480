/* json.h: JSON (RFC 8259), written from octets that may be anything, and read
 * within limits.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Nothing is lost on the way: an octet that is not UTF-8 is written as the
 * character U+EF00 plus that octet, and so is each octet of such a character
 * (U+EF80 to U+EFFF) itself. The reader turns it back.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

/* "text", of so many octets; control characters are escaped, also those that a
 * terminal could take for a command. */
void json_append(GString *out, const char *text, gsize length);

/* "name": of an object that is being written, with a comma before it if another
 * member is there. The others write a value, too; a NULL text is null. */
void json_member(GString *out, const char *name);
void json_member_text(GString *out, const char *name, const char *text);
void json_member_integer(GString *out, const char *name, int64_t integer);
void json_member_boolean(GString *out, const char *name, gboolean boolean);

/* Arrays and objects in one another. */
#define JSON_DEPTH_LIMIT 16

typedef enum JsonType {
    JSON_NULL,
    JSON_BOOL,   /* .boolean */
    JSON_NUMBER, /* .integer, without what it has of a fraction */
    JSON_TEXT,   /* .text */
    JSON_ARRAY,  /* .first and those next to it */
    JSON_OBJECT, /* the same, with names */
} JsonType;

typedef struct JsonValue JsonValue;

struct JsonValue {
    JsonType type;
    const char *name; /* of a member of an object, else NULL */
    union {
        gboolean boolean;
        int64_t integer;
        const char *text; /* ends with NUL and has none in it */
        JsonValue *first;
    };
    JsonValue *next;
};

/* Room that is used again for each text. */
typedef struct JsonReader JsonReader;

JsonReader *json_reader_new(void);
void json_reader_free(JsonReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JsonReader, json_reader_free)

/* The one value that the text is; NULL: it is none. Valid until the next. */
const JsonValue *json_read(JsonReader *reader, const char *text, gsize length);

/* The member of that name and type; NULL, also where `object` is NULL or no
 * object. */
const JsonValue *json_find(const JsonValue *object, const char *name,
                           JsonType type);
/* The same; NULL, FALSE or 0 where there is none. */
const char *json_text(const JsonValue *object, const char *name);
gboolean json_boolean(const JsonValue *object, const char *name);
int64_t json_integer(const JsonValue *object, const char *name);
