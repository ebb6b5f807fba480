/* options.c: the options of an instance, from a worker to the process of the
 * plugin.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/isolation/options.h"

#include "policy/option-value.h"

#include <string.h>

/* ---- writing ------------------------------------------------------------ */

static void put_rows(GByteArray *frame, const FilterdOption *rows,
                     const char *base);

static void
put_file(GByteArray *frame, const FilterdFile *file)
{
    frame_put_text(frame, file->path);
    frame_put_u8(frame, file->bytes != NULL);
    frame_put_bytes(frame, file->bytes, file->length);
}

static gboolean
is_text(FilterdType type)
{
    return type == FILTERD_TEXT || type == FILTERD_DOMAIN
           || type == FILTERD_ADDRESS;
}

static void
put_slot(GByteArray *frame, const FilterdOption *row, const void *slot)
{
    if (row->type == FILTERD_GROUP)
        put_rows(frame, row->group, slot);
    else if (row->type == FILTERD_FILE)
        put_file(frame, slot);
    else if (is_text(row->type))
        frame_put_text(frame, *(const char *const *)slot);
    else
        frame_put_bytes(frame, slot, option_value_size(row));
}

static void
put_many(GByteArray *frame, const FilterdOption *row, const FilterdArray *array)
{
    gsize size = option_value_size(row);
    frame_put_u32(frame, (guint32)array->length);
    for (size_t i = 0; i < array->length; i++)
        put_slot(frame, row, (const char *)array->items + i * size);
}

static void
put_rows(GByteArray *frame, const FilterdOption *rows, const char *base)
{
    for (; rows != NULL && rows->name != NULL; rows++) {
        frame_put_text(frame, rows->name);
        if ((rows->flags & FILTERD_MANY) != 0)
            put_many(frame, rows,
                     (const FilterdArray *)(const void *)(base + rows->offset));
        else
            put_slot(frame, rows, base + rows->offset);
    }
    frame_put_text(frame, NULL);
}

void
options_put(GByteArray *frame, const FilterdPlugin *plugin, const void *config)
{
    frame_put_text(frame, plugin->version);
    frame_put_u32(frame, (guint32)plugin->config_size);
    put_rows(frame, plugin->options, config);
}

/* ---- reading ------------------------------------------------------------ */

static void get_rows(FrameReader *reader, const FilterdOption *rows,
                     char *base);

/* With a NUL behind it; the reader's. */
static const char *
keep(FrameReader *reader, const char *bytes, gsize length)
{
    char *kept = frame_reader_allocate(reader, length + 1);
    if (length > 0)
        memcpy(kept, bytes, length);
    return kept;
}

static const char *
get_text(FrameReader *reader)
{
    const char *text = frame_get_text(reader);
    return text != NULL ? keep(reader, text, strlen(text)) : NULL;
}

static void
get_file(FrameReader *reader, FilterdFile *file)
{
    file->path = get_text(reader);
    guint8 there = frame_get_u8(reader);
    const char *bytes = frame_get_bytes(reader, &file->length);
    file->bytes = there == 1 ? keep(reader, bytes, file->length) : NULL;
    reader->bad = reader->bad || there > 1 || (there == 0 && file->length > 0);
}

static void
get_plain(FrameReader *reader, void *slot, gsize size)
{
    gsize length;
    const char *bytes = frame_get_bytes(reader, &length);
    if (bytes != NULL && length == size)
        memcpy(slot, bytes, size);
    else
        reader->bad = TRUE;
}

static void
get_slot(FrameReader *reader, const FilterdOption *row, void *slot)
{
    if (row->type == FILTERD_GROUP)
        get_rows(reader, row->group, slot);
    else if (row->type == FILTERD_FILE)
        get_file(reader, slot);
    else if (is_text(row->type))
        *(const char **)slot = get_text(reader);
    else
        get_plain(reader, slot, option_value_size(row));
}

static void
get_many(FrameReader *reader, const FilterdOption *row, FilterdArray *array)
{
    gsize size = option_value_size(row);
    guint32 count = frame_get_u32(reader);
    if (count > (gsize)(reader->end - reader->at)) {
        reader->bad = TRUE;
        return;
    }
    char *items = frame_reader_allocate(reader, count * size);
    for (guint32 i = 0; i < count && !reader->bad; i++)
        get_slot(reader, row, items + i * size);
    *array = (FilterdArray){items, count};
}

static void
get_rows(FrameReader *reader, const FilterdOption *rows, char *base)
{
    const char *name = frame_get_text(reader);
    for (; rows != NULL && rows->name != NULL && !reader->bad; rows++) {
        if (g_strcmp0(name, rows->name) != 0)
            break;
        if ((rows->flags & FILTERD_MANY) != 0)
            get_many(reader, rows,
                     (FilterdArray *)(void *)(base + rows->offset));
        else
            get_slot(reader, rows, base + rows->offset);
        name = frame_get_text(reader);
    }
    if (name != NULL || (rows != NULL && rows->name != NULL))
        reader->bad = TRUE;
}

void *
options_get(FrameReader *reader, const FilterdPlugin *plugin)
{
    const char *version = frame_get_text(reader);
    guint32 size = frame_get_u32(reader);
    if (g_strcmp0(version, plugin->version) != 0 || size != plugin->config_size)
        return NULL;
    char *config = frame_reader_allocate(reader, size);
    get_rows(reader, plugin->options, config);
    return reader->bad ? NULL : config;
}

/* ---- facts of others ---------------------------------------------------- */

void
options_put_facts(GByteArray *frame, const FilterdFact *rows)
{
    for (; rows != NULL && rows->name != NULL; rows++) {
        frame_put_text(frame, rows->name);
        frame_put_u8(frame, (guint8)rows->type);
        frame_put_u8(frame, (guint8)rows->items);
        frame_put_u8(frame, (guint8)rows->since);
    }
    frame_put_text(frame, NULL);
}

const FilterdFact *
options_get_facts(FrameReader *reader)
{
    const char *name;
    g_autoptr(GArray) rows = g_array_new(TRUE, FALSE, sizeof(FilterdFact));
    while ((name = frame_get_text(reader)) != NULL) {
        FilterdFact row = {.name = name};
        row.type = frame_get_u8(reader);
        row.items = frame_get_u8(reader);
        row.since = frame_get_u8(reader);
        g_array_append_val(rows, row);
    }
    gsize size = (rows->len + 1) * sizeof(FilterdFact);
    return memcpy(frame_reader_allocate(reader, size), rows->data, size);
}
