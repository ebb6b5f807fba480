/* json.c: JSON (RFC 8259), written from octets that may be anything, and read
 * within limits.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/json.h"

#include "filterd/base/text.h"

#include <string.h>

/* Where octets that are not UTF-8 go. */
#define OCTETS 0xef00
#define OCTETS_FIRST (OCTETS + 0x80)
#define OCTETS_LAST (OCTETS + 0xff)

/* ---- writing ------------------------------------------------------------ */

/* Octets that do not stand for themselves, or are not one character. */
static const guint8 odd[256] = {
    [0 ... ' ' - 1] = TRUE,
    ['"'] = TRUE,
    ['\\'] = TRUE,
    [0x7f ... 0xff] = TRUE,
};

static gboolean
is_control(gunichar c)
{
    return c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029
           || (c >= 0x200e && c <= 0x200f) || (c >= 0x202a && c <= 0x202e)
           || (c >= 0x2066 && c <= 0x2069);
}

/* One that begins with such; how many octets it takes. */
static gsize
append_odd(GString *out, const char *text, gsize length)
{
    gunichar c = g_utf8_get_char_validated(text, (gssize)length);

    if (*text == '\0')
        c = 0;
    if (c >= (gunichar)-2 || (c >= OCTETS_FIRST && c <= OCTETS_LAST)) {
        g_string_append_unichar(out, OCTETS + (guint8)*text);
        return 1;
    }
    if (c == '"' || c == '\\') {
        g_string_append_c(out, '\\');
        g_string_append_c(out, (char)c);
    } else if (is_control(c)) {
        g_string_append_printf(out, "\\u%04x", c);
    } else {
        g_string_append_len(out, text, g_utf8_skip[(guint8)*text]);
    }
    return (gsize)g_utf8_skip[(guint8)*text];
}

void
json_append(GString *out, const char *text, gsize length)
{
    const char *end = text + length;

    g_string_append_c(out, '"');
    while (text < end) {
        const char *run = text;

        while (text < end && !odd[(guint8)*text])
            text++;
        text_append_len(out, run, (size_t)(text - run));
        if (text < end)
            text += append_odd(out, text, (gsize)(end - text));
    }
    g_string_append_c(out, '"');
}

void
json_member(GString *out, const char *name)
{
    char last = out->len > 0 ? out->str[out->len - 1] : '{';

    if (last != '{')
        g_string_append_c(out, ',');
    json_append(out, name, strlen(name));
    g_string_append_c(out, ':');
}

void
json_member_text(GString *out, const char *name, const char *text)
{
    json_member(out, name);
    if (text != NULL)
        json_append(out, text, strlen(text));
    else
        g_string_append(out, "null");
}

void
json_member_integer(GString *out, const char *name, int64_t integer)
{
    json_member(out, name);
    text_append_integer(out, integer);
}

void
json_member_boolean(GString *out, const char *name, gboolean boolean)
{
    json_member(out, name);
    g_string_append(out, boolean ? "true" : "false");
}

/* ---- reading ------------------------------------------------------------ */

#define BLOCK 256

struct JsonReader {
    GString *octets;   /* of all texts, in their places */
    GPtrArray *blocks; /* arrays of BLOCK values */
    guint used;        /* values of them */
    char *at, *end;
    unsigned depth;
};

JsonReader *
json_reader_new(void)
{
    JsonReader *reader = g_new0(JsonReader, 1);

    reader->octets = g_string_new(NULL);
    reader->blocks = g_ptr_array_new_with_free_func(g_free);
    return reader;
}

void
json_reader_free(JsonReader *reader)
{
    g_string_free(reader->octets, TRUE);
    g_ptr_array_unref(reader->blocks);
    g_free(reader);
}

static JsonValue *
value_new(JsonReader *reader)
{
    guint block = reader->used / BLOCK;

    if (block == reader->blocks->len)
        g_ptr_array_add(reader->blocks, g_new(JsonValue, BLOCK));
    JsonValue *values = g_ptr_array_index(reader->blocks, block);
    JsonValue *value = &values[reader->used++ % BLOCK];
    *value = (JsonValue){.type = JSON_NULL};
    return value;
}

static void
skip_space(JsonReader *reader)
{
    while (reader->at < reader->end && strchr(" \t\r\n", *reader->at) != NULL
           && *reader->at != '\0')
        reader->at++;
}

/* Behind white space; NUL is the end, or never what anybody wants. */
static char
peek(JsonReader *reader)
{
    skip_space(reader);
    return reader->at < reader->end ? *reader->at : '\0';
}

static gboolean
take(JsonReader *reader, char c)
{
    if (peek(reader) != c)
        return FALSE;
    reader->at++;
    return TRUE;
}

static gboolean
take_word(JsonReader *reader, const char *word)
{
    gsize length = strlen(word);

    if ((gsize)(reader->end - reader->at) < length
        || memcmp(reader->at, word, length) != 0)
        return FALSE;
    reader->at += length;
    return TRUE;
}

/* Four digits behind \u; -1. */
static int
take_hex(JsonReader *reader)
{
    int code = 0;

    for (unsigned i = 0; i < 4; i++) {
        if (reader->at >= reader->end || !g_ascii_isxdigit(*reader->at))
            return -1;
        code = code * 16 + g_ascii_xdigit_value(*reader->at++);
    }
    return code;
}

/* What stands behind \u, with the other half of a pair; 0: nothing that a text
 * can have. */
static gunichar
take_code(JsonReader *reader)
{
    int high = take_hex(reader);

    if (high < 0 || (high >= 0xdc00 && high < 0xe000))
        return 0;
    if (high < 0xd800 || high >= 0xe000)
        return (gunichar)high;
    int low = take_word(reader, "\\u") ? take_hex(reader) : -1;
    if (low < 0xdc00 || low >= 0xe000)
        return 0;
    return 0x10000 + (((gunichar)high & 0x3ff) << 10) + ((gunichar)low & 0x3ff);
}

/* Never longer than what it stood for. */
static char *
put(char *to, gunichar c)
{
    if (c < OCTETS_FIRST || c > OCTETS_LAST)
        return to + g_unichar_to_utf8(c, to);
    *to = (char)(c - OCTETS);
    return to + 1;
}

/* Behind the backslash. */
static gunichar
take_escape(JsonReader *reader)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char letter = reader->at < reader->end ? *reader->at++ : '\0';
    const char *found = letter != '\0' ? strchr(letters, letter) : NULL;

    if (letter == 'u')
        return take_code(reader);
    return found != NULL ? (gunichar)meanings[found - letters] : 0;
}

/* In its place; NULL: it is none. */
static const char *
take_text(JsonReader *reader)
{
    if (!take(reader, '"'))
        return NULL;
    char *text = reader->at, *to = text;
    while (reader->at < reader->end && *reader->at != '"') {
        gunichar c = (guint8)*reader->at;
        if (c == '\\') {
            reader->at++;
            c = take_escape(reader);
        } else if (c < 0x80) {
            reader->at++;
            c = c < ' ' ? 0 : c;
        } else {
            c = g_utf8_get_char_validated(reader->at, reader->end - reader->at);
            if (c >= (gunichar)-2)
                return NULL;
            reader->at = g_utf8_next_char(reader->at);
        }
        if (c == 0)
            return NULL;
        to = put(to, c);
    }
    if (reader->at >= reader->end)
        return NULL;
    reader->at++;
    *to = '\0';
    return text;
}

static gboolean read_value(JsonReader *reader, JsonValue *value);

/* The members of an object, or (no names) the elements of an array. */
static gboolean
read_members(JsonReader *reader, JsonValue *value, char close, gboolean named)
{
    JsonValue **next = &value->first;

    reader->at++;
    *next = NULL;
    if (take(reader, close))
        return TRUE;
    do {
        const char *name = named ? take_text(reader) : NULL;
        if (named && (name == NULL || !take(reader, ':')))
            return FALSE;
        JsonValue *member = *next = value_new(reader);
        if (!read_value(reader, member))
            return FALSE;
        member->name = name;
        next = &member->next;
    } while (take(reader, ','));
    return take(reader, close);
}

static gboolean
read_number(JsonReader *reader, JsonValue *value)
{
    char *start = reader->at;

    value->type = JSON_NUMBER;
    value->integer = g_ascii_strtoll(start, &reader->at, 10);
    if (reader->at == start || !g_ascii_isdigit(reader->at[-1]))
        return FALSE;
    while (reader->at < reader->end && *reader->at != '\0'
           && strchr("0123456789.eE+-", *reader->at) != NULL)
        reader->at++;
    return TRUE;
}

static gboolean
read_word(JsonReader *reader, JsonValue *value)
{
    if (take_word(reader, "null"))
        return TRUE;
    value->type = JSON_BOOL;
    value->boolean = take_word(reader, "true");
    return value->boolean || take_word(reader, "false");
}

static gboolean
read_deep(JsonReader *reader, JsonValue *value)
{
    gboolean object = *reader->at == '{';

    if (reader->depth == JSON_DEPTH_LIMIT)
        return FALSE;
    value->type = object ? JSON_OBJECT : JSON_ARRAY;
    reader->depth++;
    gboolean ok = read_members(reader, value, object ? '}' : ']', object);
    reader->depth--;
    return ok;
}

static gboolean
read_value(JsonReader *reader, JsonValue *value)
{
    char first = peek(reader);

    if (first == '{' || first == '[')
        return read_deep(reader, value);
    if (first == '-' || g_ascii_isdigit(first))
        return read_number(reader, value);
    if (first != '"')
        return read_word(reader, value);
    value->type = JSON_TEXT;
    value->text = take_text(reader);
    return value->text != NULL;
}

const JsonValue *
json_read(JsonReader *reader, const char *text, gsize length)
{
    g_string_truncate(reader->octets, 0);
    g_string_append_len(reader->octets, text, (gssize)length);
    reader->used = reader->depth = 0;
    reader->at = reader->octets->str;
    reader->end = reader->at + length;
    JsonValue *value = value_new(reader);
    if (!read_value(reader, value))
        return NULL;
    skip_space(reader);
    return reader->at == reader->end ? value : NULL;
}

/* ---- looking ------------------------------------------------------------ */

const JsonValue *
json_find(const JsonValue *object, const char *name, JsonType type)
{
    if (object == NULL || object->type != JSON_OBJECT)
        return NULL;
    for (const JsonValue *one = object->first; one != NULL; one = one->next)
        if (one->type == type && strcmp(one->name, name) == 0)
            return one;
    return NULL;
}

const char *
json_text(const JsonValue *object, const char *name)
{
    const JsonValue *found = json_find(object, name, JSON_TEXT);

    return found != NULL ? found->text : NULL;
}

gboolean
json_boolean(const JsonValue *object, const char *name)
{
    const JsonValue *found = json_find(object, name, JSON_BOOL);

    return found != NULL && found->boolean;
}

int64_t
json_integer(const JsonValue *object, const char *name)
{
    const JsonValue *found = json_find(object, name, JSON_NUMBER);

    return found != NULL ? found->integer : 0;
}
