/* mime-type.c: what Content-Type and its sister say of a part (RFC 2045 5, 6).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/uribl/mime-type.h"

#include <string.h>

typedef struct Cursor {
    const char *at, *end;
} Cursor;

void
mime_type_init(MimeType *type, bool digest)
{
    *type =
        (MimeType){.kind = digest ? MIME_OTHER : MIME_PLAIN, .message = digest};
}

static bool
equal(const char *text, size_t length, const char *word)
{
    return strlen(word) == length
           && g_ascii_strncasecmp(text, word, length) == 0;
}

static void
skip_blank(Cursor *cursor)
{
    while (cursor->at < cursor->end && g_ascii_isspace(*cursor->at))
        cursor->at++;
}

/* Up to one of `ends`, without blanks behind it. */
static size_t
take_word(Cursor *cursor, const char *ends, const char **word)
{
    skip_blank(cursor);
    *word = cursor->at;
    while (cursor->at < cursor->end && *cursor->at != '\0'
           && strchr(ends, *cursor->at) == NULL)
        cursor->at++;

    size_t length = (size_t)(cursor->at - *word);

    while (length > 0 && g_ascii_isspace((*word)[length - 1]))
        length--;
    return length;
}

/* ---- types -------------------------------------------------------------- */

static void
kind_set(MimeType *type, const char *text, size_t length)
{
    bool plain = length >= 5 && g_ascii_strncasecmp(text, "text/", 5) == 0;

    if (memchr(text, '/', length) == NULL)
        return;
    type->message = equal(text, length, "message/rfc822")
                    || equal(text, length, "message/global");
    type->multipart =
        length >= 10 && g_ascii_strncasecmp(text, "multipart/", 10) == 0;
    type->digest = equal(text, length, "multipart/digest");
    type->kind = plain ? MIME_PLAIN : MIME_OTHER;
    if (equal(text, length, "text/html")
        || equal(text, length, "application/xhtml+xml"))
        type->kind = MIME_HTML;
}

/* "value", with its quoted pairs, into the boundary. */
static void
quoted_take(Cursor *cursor, MimeType *type)
{
    size_t length = 0;

    for (cursor->at++; cursor->at < cursor->end && *cursor->at != '"';
         cursor->at++) {
        if (*cursor->at == '\\' && cursor->at + 1 < cursor->end)
            cursor->at++;
        if (length < MIME_BOUNDARY)
            type->boundary[length++] = *cursor->at;
    }
    type->boundary[length] = '\0';
}

static void
boundary_take(Cursor *cursor, MimeType *type)
{
    const char *word;

    skip_blank(cursor);
    if (cursor->at < cursor->end && *cursor->at == '"') {
        quoted_take(cursor, type);
        return;
    }

    size_t length = take_word(cursor, "; \t", &word);

    length = MIN(length, MIME_BOUNDARY);
    memcpy(type->boundary, word, length);
    type->boundary[length] = '\0';
}

/* Quoted values of other parameters may hold anything. */
static void
value_skip(Cursor *cursor)
{
    bool quoted = false;

    for (; cursor->at < cursor->end && (quoted || *cursor->at != ';');
         cursor->at++) {
        if (*cursor->at == '"')
            quoted = !quoted;
        else if (*cursor->at == '\\' && quoted && cursor->at + 1 < cursor->end)
            cursor->at++;
    }
}

static void
content_type(MimeType *type, Cursor *cursor)
{
    const char *word;
    size_t length = take_word(cursor, ";", &word);

    kind_set(type, word, length);
    while (cursor->at < cursor->end) {
        cursor->at++;
        length = take_word(cursor, "=;", &word);
        if (cursor->at == cursor->end || *cursor->at != '=')
            continue;
        cursor->at++;
        if (equal(word, length, "boundary") && *type->boundary == '\0')
            boundary_take(cursor, type);
        value_skip(cursor);
    }
}

void
mime_type_field(MimeType *type, const char *name, size_t name_length,
                const char *value, size_t length)
{
    Cursor cursor = {value, value + length};

    if (equal(name, name_length, "content-type")) {
        content_type(type, &cursor);
    } else if (equal(name, name_length, "content-transfer-encoding")) {
        const char *word;
        size_t taken = take_word(&cursor, " \t;(", &word);

        type->encoding = encoding_parse(word, taken);
    }
}
