/* frame.c: what a worker and the process of a plugin say to each other.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/isolation/frame.h"

#include <string.h>

/* ---- writing ------------------------------------------------------------ */

GByteArray *
frame_new(FrameType type, guint32 channel)
{
    GByteArray *frame = g_byte_array_new();
    frame_put_u32(frame, 0);
    frame_put_u8(frame, (guint8)type);
    frame_put_u32(frame, channel);
    return frame;
}

GByteArray *
frame_end(GByteArray *frame)
{
    guint32 length = frame->len - FRAME_HEAD;
    memcpy(frame->data, &length, sizeof length);
    return frame;
}

void
frame_put_u8(GByteArray *frame, guint8 value)
{
    g_byte_array_append(frame, &value, 1);
}

void
frame_put_u32(GByteArray *frame, guint32 value)
{
    g_byte_array_append(frame, (const guint8 *)&value, sizeof value);
}

void
frame_put_i64(GByteArray *frame, int64_t value)
{
    g_byte_array_append(frame, (const guint8 *)&value, sizeof value);
}

void
frame_put_bytes(GByteArray *frame, const void *bytes, gsize length)
{
    frame_put_u32(frame, (guint32)length);
    g_byte_array_append(frame, bytes, (guint)length);
}

/* With its NUL; NULL has no octet. */
void
frame_put_text(GByteArray *frame, const char *text)
{
    frame_put_bytes(frame, text, text != NULL ? strlen(text) + 1 : 0);
}

static void
put_ip(GByteArray *frame, const FilterdIp *ip)
{
    g_byte_array_append(frame, ip->bytes, sizeof ip->bytes);
    frame_put_u8(frame, ip->prefix);
}

void
frame_put_value(GByteArray *frame, const FilterdValue *value)
{
    frame_put_u8(frame, (guint8)value->type);
    if (value->type == FILTERD_BOOL)
        frame_put_u8(frame, value->boolean);
    else if (value->type == FILTERD_INT || value->type == FILTERD_DURATION)
        frame_put_i64(frame, value->integer);
    else if (value->type >= FILTERD_TEXT && value->type <= FILTERD_ADDRESS)
        frame_put_text(frame, value->text);
    else if (value->type == FILTERD_IP)
        put_ip(frame, &value->ip);
    if (value->type != FILTERD_LIST)
        return;
    frame_put_u32(frame, (guint32)value->list.length);
    for (size_t i = 0; i < value->list.length; i++)
        frame_put_value(frame, &value->list.items[i]);
}

static void
put_record(GByteArray *frame, const FilterdDnsRecord *record)
{
    put_ip(frame, &record->ip);
    frame_put_text(frame, record->name);
    frame_put_bytes(frame, record->bytes, record->length);
    frame_put_u8(frame, record->bytes != NULL);
    frame_put_u32(frame, record->preference);
}

void
frame_put_answer(GByteArray *frame, const FilterdDnsAnswer *answer)
{
    frame_put_u8(frame, (guint8)answer->status);
    frame_put_u8(frame, answer->secure);
    frame_put_u32(frame, answer->ttl);
    frame_put_u32(frame, (guint32)answer->length);
    for (size_t i = 0; i < answer->length; i++)
        put_record(frame, &answer->records[i]);
}

/* ---- reading ------------------------------------------------------------ */

gboolean
frame_parse(const guint8 *bytes, gsize length, gsize limit, Frame *frame,
            GError **error)
{
    guint32 size;
    if (length < FRAME_HEAD)
        return FALSE;
    memcpy(&size, bytes, sizeof size);
    frame->type = (FrameType)bytes[4];
    memcpy(&frame->channel, bytes + 5, sizeof frame->channel);
    if (size > limit || frame->type >= FRAME_TYPES) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "a frame of type %u and %u octets", frame->type, size);
        return FALSE;
    }
    frame->content = bytes + FRAME_HEAD;
    frame->length = size;
    return length - FRAME_HEAD >= size;
}

void
frame_reader_init(FrameReader *reader, const Frame *frame)
{
    *reader = (FrameReader){.at = frame->content,
                            .end = frame->content + frame->length};
}

void
frame_reader_clear(FrameReader *reader)
{
    g_clear_pointer(&reader->memory, g_ptr_array_unref);
}

gboolean
frame_reader_done(const FrameReader *reader)
{
    return !reader->bad && reader->at == reader->end;
}

void *
frame_reader_allocate(FrameReader *reader, gsize size)
{
    if (reader->memory == NULL)
        reader->memory = g_ptr_array_new_with_free_func(g_free);
    void *memory = g_malloc0(MAX(size, 1));
    g_ptr_array_add(reader->memory, memory);
    return memory;
}

/* NULL: there are not so many. */
static const guint8 *
take(FrameReader *reader, gsize length)
{
    const guint8 *taken = reader->at;
    if (reader->bad || (gsize)(reader->end - reader->at) < length) {
        reader->bad = TRUE;
        return NULL;
    }
    reader->at += length;
    return taken;
}

guint8
frame_get_u8(FrameReader *reader)
{
    const guint8 *from = take(reader, 1);
    return from != NULL ? *from : 0;
}

guint32
frame_get_u32(FrameReader *reader)
{
    guint32 value = 0;
    const guint8 *from = take(reader, sizeof value);
    if (from != NULL)
        memcpy(&value, from, sizeof value);
    return value;
}

int64_t
frame_get_i64(FrameReader *reader)
{
    int64_t value = 0;
    const guint8 *from = take(reader, sizeof value);
    if (from != NULL)
        memcpy(&value, from, sizeof value);
    return value;
}

const char *
frame_get_bytes(FrameReader *reader, gsize *length)
{
    *length = frame_get_u32(reader);
    const guint8 *from = take(reader, *length);
    if (from == NULL)
        *length = 0;
    return (const char *)from;
}

const char *
frame_get_text(FrameReader *reader)
{
    gsize length;
    const char *text = frame_get_bytes(reader, &length);
    if (length == 0)
        return NULL;
    if (memchr(text, '\0', length) == text + length - 1)
        return text;
    reader->bad = TRUE;
    return NULL;
}

guint32
frame_get_count(FrameReader *reader, gsize least)
{
    guint32 count = frame_get_u32(reader);
    if (count <= FRAME_ITEMS_LIMIT
        && count <= (gsize)(reader->end - reader->at) / least)
        return count;
    reader->bad = TRUE;
    return 0;
}

static bool
get_bool(FrameReader *reader)
{
    guint8 value = frame_get_u8(reader);
    reader->bad = reader->bad || value > 1;
    return value == 1;
}

static FilterdIp
get_ip(FrameReader *reader)
{
    FilterdIp ip = {.prefix = 0};
    const guint8 *from = take(reader, sizeof ip.bytes);
    if (from != NULL)
        memcpy(ip.bytes, from, sizeof ip.bytes);
    ip.prefix = frame_get_u8(reader);
    reader->bad = reader->bad || ip.prefix > 128;
    return ip;
}

static FilterdValue get_value(FrameReader *reader, gboolean inner);

static FilterdValue
get_list(FrameReader *reader)
{
    guint32 count = frame_get_count(reader, 1);
    FilterdValue *items =
        frame_reader_allocate(reader, count * sizeof(FilterdValue));
    for (guint32 i = 0; i < count && !reader->bad; i++)
        items[i] = get_value(reader, TRUE);
    return filterd_list(items, count);
}

static FilterdValue
get_value(FrameReader *reader, gboolean inner)
{
    guint8 type = frame_get_u8(reader);
    FilterdValue value = {.type = (FilterdType)type};
    if (type == FILTERD_BOOL)
        value.boolean = get_bool(reader);
    else if (type == FILTERD_INT || type == FILTERD_DURATION)
        value.integer = frame_get_i64(reader);
    else if (type >= FILTERD_TEXT && type <= FILTERD_ADDRESS)
        value = filterd_string((FilterdType)type, frame_get_text(reader));
    else if (type == FILTERD_IP)
        value.ip = get_ip(reader);
    else if (type == FILTERD_LIST && !inner)
        value = get_list(reader);
    else
        reader->bad = reader->bad || type != FILTERD_UNKNOWN;
    return reader->bad ? filterd_unknown() : value;
}

FilterdValue
frame_get_value(FrameReader *reader)
{
    return get_value(reader, FALSE);
}

static FilterdDnsRecord
get_record(FrameReader *reader)
{
    FilterdDnsRecord record = {.ip = get_ip(reader)};
    record.name = frame_get_text(reader);
    const char *bytes = frame_get_bytes(reader, &record.length);
    if (get_bool(reader) && bytes != NULL) {
        char *copy = frame_reader_allocate(reader, record.length + 1);
        memcpy(copy, bytes, record.length);
        record.bytes = copy;
    }
    record.preference = (uint16_t)frame_get_u32(reader);
    return record;
}

const FilterdDnsAnswer *
frame_get_answer(FrameReader *reader)
{
    FilterdDnsAnswer *answer = frame_reader_allocate(reader, sizeof *answer);
    guint8 status = frame_get_u8(reader);
    answer->secure = get_bool(reader);
    answer->ttl = frame_get_u32(reader);
    answer->length = frame_get_count(reader, 1);
    reader->bad = reader->bad || status > FILTERD_DNS_CANCELLED;
    FilterdDnsRecord *records =
        frame_reader_allocate(reader, answer->length * sizeof *records);
    for (size_t i = 0; i < answer->length && !reader->bad; i++)
        records[i] = get_record(reader);
    answer->records = records;
    answer->status =
        reader->bad ? FILTERD_DNS_SERVFAIL : (FilterdDnsStatus)status;
    if (reader->bad)
        answer->length = 0;
    return answer;
}
