/* message.c: a message fed to a plugin, field by field and piece by piece.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/harness/internal.h"

#include <string.h>

static char *
crlf_normalize(const char *text)
{
    GString *out = g_string_sized_new(strlen(text) + 64);

    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\n' && (at == text || at[-1] != '\r'))
            g_string_append_c(out, '\r');
        g_string_append_c(out, *at);
    }
    return g_string_free(out, FALSE);
}

/* Where the field that begins at `bytes` ends, its CRLF included. */
static gsize
field_end(const char *bytes, gsize length)
{
    gsize at = 0;

    while (at < length) {
        const char *lf = memchr(bytes + at, '\n', length - at);

        if (lf == NULL)
            return length;
        at = (gsize)(lf - bytes) + 1;
        if (at >= length || (bytes[at] != ' ' && bytes[at] != '\t'))
            return at;
    }
    return at;
}

static FilterdField
field_parse(const char *bytes, gsize length)
{
    const char *colon = memchr(bytes, ':', length);
    FilterdField field = {.bytes = bytes, .length = length};
    gsize name = colon ? (gsize)(colon - bytes) : 0;

    while (name > 0 && (bytes[name - 1] == ' ' || bytes[name - 1] == '\t'))
        name--;
    for (gsize i = 0; i < name; i++)
        if (bytes[i] <= ' ' || bytes[i] > '~')
            return field;
    if (name > 0) {
        field.name_length = name;
        field.value = (gsize)(colon - bytes) + 1;
    }
    return field;
}

GPtrArray *
harness_fields_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
}

/* The hooks that a message goes to. */
typedef struct Ears {
    bool (*header)(FilterdCall *call, const FilterdField *field,
                   GError **error);
    bool (*body)(FilterdCall *call, const char *bytes, size_t length,
                 GError **error);
    gboolean received; /* not the one that goes out */
} Ears;

/* Exactly its octets, so that reading behind them is found out. */
static gboolean
field_feed(Harness *harness, const Ears *ears, const char *bytes, gsize length)
{
    GError *error = NULL;

    if (length >= 2 && memcmp(bytes + length - 2, "\r\n", 2) == 0)
        length -= 2;
    if (ears->received)
        g_ptr_array_add(harness->fields, g_bytes_new(bytes, length));
    if (ears->header == NULL)
        return TRUE;
    if (harness->session.cancelled)
        return FALSE;

    g_autofree char *copy = g_memdup2(bytes, length);
    const FilterdField field = field_parse(copy, length);
    gboolean ok = ears->header(&harness->session.call, &field, &error);

    return harness_hook_check(harness, ok, error);
}

static gboolean
piece_feed(Harness *harness, const Ears *ears, const char *bytes, gsize length)
{
    GError *error = NULL;

    if (ears->received)
        g_string_append_len(harness->body, bytes, (gssize)length);
    if (ears->body == NULL)
        return TRUE;
    if (harness->session.cancelled)
        return FALSE;

    g_autofree char *copy = g_memdup2(bytes, length);
    gboolean ok = ears->body(&harness->session.call, copy, length, &error);

    return harness_hook_check(harness, ok, error);
}

static gboolean
body_feed(Harness *harness, const Ears *ears, const char *bytes, gsize length,
          gsize chunk)
{
    for (gsize at = 0; at < length;) {
        gsize piece = chunk > 0 ? MIN(chunk, length - at) : length;

        if (!piece_feed(harness, ears, bytes + at, piece))
            return FALSE;
        at += piece;
    }
    return TRUE;
}

static gboolean
message_feed(Harness *harness, const Ears *ears, const char *text, gsize chunk)
{
    gsize at = 0, length = strlen(text);

    while (at < length && strncmp(text + at, "\r\n", 2) != 0) {
        gsize taken = field_end(text + at, length - at);

        if (!field_feed(harness, ears, text + at, taken))
            return FALSE;
        at += taken;
    }
    at = MIN(at + 2, length);
    return body_feed(harness, ears, text + at, length - at, chunk);
}

static Ears
message_begin(Harness *harness)
{
    harness_message_begin(harness);
    harness->session.stage = FILTERD_MESSAGE;
    return (Ears){harness->plugin->header, harness->plugin->body, TRUE};
}

void
harness_field(Harness *harness, const char *field)
{
    const Ears ears = message_begin(harness);

    if (!harness->broken)
        harness->broken = !field_feed(harness, &ears, field, strlen(field));
}

void
harness_body(Harness *harness, const char *bytes, size_t length)
{
    const Ears ears = message_begin(harness);

    if (!harness->broken)
        harness->broken = !piece_feed(harness, &ears, bytes, length);
}

void
harness_message(Harness *harness, const char *text, size_t chunk)
{
    const Ears ears = message_begin(harness);
    g_autofree char *bytes = crlf_normalize(text);

    if (message_feed(harness, &ears, bytes, chunk))
        harness_hook_run(harness, FILTERD_MESSAGE, harness->plugin->eom);
    harness->fed = TRUE;
}

/* Pieces as small as they can be and still be pieces. */
#define PIECE 1000

bool
harness_host_hear(FilterdCall *call,
                  bool (*header)(FilterdCall *call, const FilterdField *field,
                                 GError **error),
                  bool (*body)(FilterdCall *call, const char *bytes,
                               size_t length, GError **error),
                  GError **error)
{
    const Harness *harness = harness_call_get(call)->harness;
    gboolean ok = TRUE;

    for (guint i = 0; header != NULL && ok && i < harness->fields->len; i++) {
        gsize length;
        const char *bytes =
            g_bytes_get_data(harness->fields->pdata[i], &length);
        g_autofree char *copy = g_memdup2(bytes, length);
        const FilterdField field = field_parse(copy, length);

        ok = header(call, &field, error);
    }
    for (gsize at = 0; body != NULL && ok && at < harness->body->len;
         at += PIECE) {
        gsize length = MIN(PIECE, harness->body->len - at);
        g_autofree char *copy = g_memdup2(harness->body->str + at, length);

        ok = body(call, copy, length, error);
    }
    return ok;
}

bool
harness_sign(Harness *harness, const char *text, size_t chunk)
{
    const Ears ears = {harness->plugin->sign_header,
                       harness->plugin->sign_body};
    g_autofree char *bytes = crlf_normalize(text);
    GError *error = NULL;

    if (!message_feed(harness, &ears, bytes, chunk))
        return false;

    gboolean ok = harness->plugin->sign_end(&harness->session.call, &error);

    return harness_hook_check(harness, ok, error);
}
