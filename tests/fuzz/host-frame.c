/* host-frame.c: fuzzes the frames between a worker and the process of a plugin:
 * what a frame holds is read within it, whatever it says of itself.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/isolation/frame.h"
#include "filterd/host/isolation/options.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

typedef struct Item {
    const char *name;
    int64_t weight;
} Item;

typedef struct Config {
    bool on;
    int word;
    int64_t number;
    const char *text;
    FilterdIp ip;
    FilterdFile file;
    FilterdArray names, items;
} Config;

static const char *const words[] = {"one", "two", NULL};
static const FilterdOption item_rows[] = {
    {"name", FILTERD_DOMAIN, FILTERD_POSITION, offsetof(Item, name)},
    {"weight", FILTERD_INT, 0, offsetof(Item, weight)},
    {NULL},
};
static const FilterdOption rows[] = {
    {"on", FILTERD_BOOL, 0, offsetof(Config, on)},
    {"word", FILTERD_WORD, 0, offsetof(Config, word), NULL, NULL, words},
    {"number", FILTERD_INT, 0, offsetof(Config, number)},
    {"text", FILTERD_TEXT, 0, offsetof(Config, text)},
    {"ip", FILTERD_IP, 0, offsetof(Config, ip)},
    {"file", FILTERD_FILE, 0, offsetof(Config, file)},
    {"names", FILTERD_TEXT, FILTERD_MANY, offsetof(Config, names)},
    {"items", FILTERD_GROUP, FILTERD_MANY, offsetof(Config, items), NULL, NULL,
     NULL, item_rows, sizeof(Item)},
    {NULL},
};
static const FilterdPlugin plugin = {
    .version = "1", .options = rows, .config_size = sizeof(Config)};

/* What was read can be written, and is then read as the same. */
static void
check_value(const FilterdValue *value)
{
    Frame frame;
    GByteArray *bytes = frame_new(FRAME_ANSWER, 1);
    frame_put_value(bytes, value);
    frame_end(bytes);
    g_assert_true(
        frame_parse(bytes->data, bytes->len, FRAME_LIMIT, &frame, NULL));
    g_auto(FrameReader) reader;
    frame_reader_init(&reader, &frame);
    FilterdValue again = frame_get_value(&reader);
    g_assert_true(frame_reader_done(&reader));
    g_assert_cmpint(again.type, ==, value->type);
    g_byte_array_unref(bytes);
}

static void
take_values(FrameReader *reader)
{
    while (!reader->bad && reader->at < reader->end) {
        FilterdValue value = frame_get_value(reader);
        if (!reader->bad)
            check_value(&value);
    }
}

static void
take_answer(FrameReader *reader)
{
    const FilterdDnsAnswer *answer = frame_get_answer(reader);
    for (size_t i = 0; i < answer->length; i++)
        if (answer->records[i].bytes != NULL)
            g_assert_cmpint(answer->records[i].bytes[answer->records[i].length],
                            ==, '\0');
}

static void
take_texts(FrameReader *reader)
{
    while (!reader->bad && reader->at < reader->end) {
        const char *text = frame_get_text(reader);
        g_assert_true(text == NULL
                      || text + strlen(text) < (char *)reader->end);
    }
}

/* What is read is written as it was; so are the facts behind it. */
static void
take_facts(FrameReader *reader)
{
    const guint8 *begin = reader->at;
    const FilterdFact *facts = options_get_facts(reader);
    if (reader->bad)
        return;
    GByteArray *again = frame_new(FRAME_START, 1);
    options_put_facts(again, facts);
    g_assert_cmpuint(again->len - FRAME_HEAD, ==, (gsize)(reader->at - begin));
    g_byte_array_unref(again);
}

static void
take_options(FrameReader *reader)
{
    const guint8 *begin = reader->at;
    const Config *config = options_get(reader, &plugin);
    if (config == NULL)
        return;
    GByteArray *again = frame_new(FRAME_START, 1);
    options_put(again, &plugin, config);
    g_assert_cmpuint(again->len - FRAME_HEAD, ==, (gsize)(reader->at - begin));
    g_byte_array_unref(again);
    take_facts(reader);
}

static void
take_frame(const Frame *frame)
{
    static void (*const takes[])(FrameReader * reader) = {
        take_values, take_answer, take_texts, take_options};
    g_auto(FrameReader) reader;
    frame_reader_init(&reader, frame);
    takes[frame->channel % G_N_ELEMENTS(takes)](&reader);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    g_autoptr(GError) error = NULL;
    Frame frame;
    gsize at = 0;
    while (frame_parse(bytes + at, length - at, FRAME_LIMIT, &frame, &error)) {
        g_assert_true(frame.content + frame.length <= bytes + length);
        at += FRAME_HEAD + frame.length;
        take_frame(&frame);
    }
    return 0;
}
