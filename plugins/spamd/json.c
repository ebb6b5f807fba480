/* json.c: reads the JSON of a stranger, a member at a time.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/spamd/json.h"

#include <math.h>
#include <string.h>

#define NUMBER_LIMIT 40 /* octets */
#define SURROGATE 0xd800
#define SURROGATES 0x800

static char
peek(Json *json)
{
    while (json->at < json->end && strchr(" \t\r\n", *json->at) != NULL
           && *json->at != '\0')
        json->at++;
    return json->at < json->end ? *json->at : '\0';
}

static gboolean
take(Json *json, char octet)
{
    if (peek(json) != octet || json->at == json->end)
        return FALSE;
    json->at++;
    return TRUE;
}

static gboolean
take_word(Json *json, const char *word)
{
    gsize length = strlen(word);

    if ((gsize)(json->end - json->at) < length
        || memcmp(json->at, word, length) != 0)
        return FALSE;
    json->at += length;
    return TRUE;
}

gboolean
json_number(Json *json, double *number)
{
    char text[NUMBER_LIMIT + 1], *end;
    gsize length = 0;

    peek(json);
    while (length < NUMBER_LIMIT && json->at + length < json->end
           && json->at[length] != '\0'
           && strchr("0123456789+-.eE", json->at[length]) != NULL)
        length++;
    memcpy(text, json->at, length);
    text[length] = '\0';
    *number = g_ascii_strtod(text, &end);
    json->at += length;
    return length > 0 && *end == '\0' && isfinite(*number);
}

/* Behind the "\u". */
static gboolean
take_unit(Json *json, GString *out)
{
    gunichar unit = 0;

    if (json->end - json->at < 4)
        return FALSE;
    for (int i = 0; i < 4; i++) {
        int digit = g_ascii_xdigit_value(*json->at++);

        if (digit < 0)
            return FALSE;
        unit = unit << 4 | (gunichar)digit;
    }
    if (unit == 0 || (unit >= SURROGATE && unit < SURROGATE + SURROGATES))
        g_string_append_c(out, '?');
    else
        g_string_append_unichar(out, unit);
    return TRUE;
}

static gboolean
take_escape(Json *json, GString *out)
{
    static const char letters[] = "\"\\/bfnrt", octets[] = "\"\\/\b\f\n\r\t";
    char letter = json->at < json->end ? *json->at++ : '\0';
    const char *found = letter != '\0' ? strchr(letters, letter) : NULL;

    if (letter == 'u')
        return take_unit(json, out);
    if (found == NULL)
        return FALSE;
    g_string_append_c(out, octets[found - letters]);
    return TRUE;
}

gboolean
json_string(Json *json, GString *out)
{
    if (!take(json, '"'))
        return FALSE;
    while (json->at < json->end) {
        char octet = *json->at++;

        if (octet == '"')
            return TRUE;
        if (octet == '\0' || (octet == '\\' && !take_escape(json, out)))
            return FALSE;
        if (octet != '\\')
            g_string_append_c(out, octet);
    }
    return FALSE;
}

gboolean
json_object(Json *json,
            gboolean (*member)(Json *json, const char *name, void *data),
            void *data)
{
    g_autoptr(GString) name = g_string_new(NULL);
    gboolean first = TRUE;

    if (!take(json, '{') || ++json->depth > JSON_DEPTH)
        return FALSE;
    while (!take(json, '}')) {
        g_string_truncate(name, 0);
        if ((!first && !take(json, ',')) || !json_string(json, name)
            || !take(json, ':') || !member(json, name->str, data))
            return FALSE;
        first = FALSE;
    }
    json->depth--;
    return TRUE;
}

static gboolean
skip_member(Json *json, G_GNUC_UNUSED const char *name,
            G_GNUC_UNUSED void *data)
{
    return json_skip(json);
}

static gboolean
skip_array(Json *json)
{
    gboolean first = TRUE;

    if (!take(json, '[') || ++json->depth > JSON_DEPTH)
        return FALSE;
    while (!take(json, ']')) {
        if ((!first && !take(json, ',')) || !json_skip(json))
            return FALSE;
        first = FALSE;
    }
    json->depth--;
    return TRUE;
}

static gboolean
skip_string(Json *json)
{
    g_autoptr(GString) nobody = g_string_new(NULL);

    return json_string(json, nobody);
}

gboolean
json_skip(Json *json)
{
    double number;

    switch (peek(json)) {
    case '{':
        return json_object(json, skip_member, NULL);
    case '[':
        return skip_array(json);
    case '"':
        return skip_string(json);
    case 't':
        return take_word(json, "true");
    case 'f':
        return take_word(json, "false");
    case 'n':
        return take_word(json, "null");
    default:
        return json_number(json, &number);
    }
}
