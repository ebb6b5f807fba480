/* isolation.c: what goes to the process of a plugin and comes back is what it
 * was, and what cannot be is refused.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/isolation/frame.h"
#include "filterd/host/isolation/options.h"

#include <string.h>

static Frame
whole(GByteArray *bytes)
{
    Frame frame;
    frame_end(bytes);
    g_assert_true(
        frame_parse(bytes->data, bytes->len, FRAME_LIMIT, &frame, NULL));
    return frame;
}

static void
test_values(void)
{
    const FilterdValue parts[] = {filterd_text("a"), filterd_text("b")};
    const FilterdValue values[] = {
        filterd_unknown(),
        filterd_bool(true),
        filterd_int(-7),
        filterd_duration(60),
        filterd_text("two words"),
        filterd_word("pass"),
        filterd_string(FILTERD_DOMAIN, "example.com"),
        filterd_list(parts, 2),
    };
    g_autoptr(GByteArray) bytes = frame_new(FRAME_ANSWER, 9);
    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++)
        frame_put_value(bytes, &values[i]);
    Frame frame = whole(bytes);
    g_auto(FrameReader) reader;
    frame_reader_init(&reader, &frame);
    g_assert_cmpuint(frame.channel, ==, 9);
    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++) {
        FilterdValue value = frame_get_value(&reader);
        g_assert_cmpint(value.type, ==, values[i].type);
        if (value.type == FILTERD_INT)
            g_assert_cmpint(value.integer, ==, -7);
        if (value.type == FILTERD_TEXT)
            g_assert_cmpstr(value.text, ==, "two words");
        if (value.type == FILTERD_LIST)
            g_assert_cmpstr(value.list.items[1].text, ==, "b");
    }
    g_assert_true(frame_reader_done(&reader));
}

static void
test_answer(void)
{
    const FilterdDnsRecord record = {
        .bytes = "a\0b", .length = 3, .name = "mx.example", .preference = 10};
    const FilterdDnsAnswer answer = {.status = FILTERD_DNS_ANSWER,
                                     .secure = true,
                                     .ttl = 300,
                                     .length = 1,
                                     .records = &record};
    g_autoptr(GByteArray) bytes = frame_new(FRAME_ANSWER, 1);
    frame_put_answer(bytes, &answer);
    Frame frame = whole(bytes);
    g_auto(FrameReader) reader;
    frame_reader_init(&reader, &frame);
    const FilterdDnsAnswer *read = frame_get_answer(&reader);
    g_assert_true(frame_reader_done(&reader));
    g_assert_cmpuint(read->length, ==, 1);
    g_assert_true(read->secure);
    g_assert_cmpmem(read->records[0].bytes, read->records[0].length, "a\0b", 3);
    g_assert_cmpuint(read->records[0].preference, ==, 10);
}

static void
test_cut(void)
{
    const FilterdValue parts[] = {filterd_text("abc"), filterd_text("def")};
    const FilterdValue list = filterd_list(parts, 2);
    g_autoptr(GByteArray) bytes = frame_new(FRAME_ANSWER, 1);
    frame_put_value(bytes, &list);
    Frame frame = whole(bytes);
    for (gsize length = 0; length < frame.length; length++) {
        Frame cut = frame;
        cut.length = length;
        g_auto(FrameReader) reader;
        frame_reader_init(&reader, &cut);
        FilterdValue value = frame_get_value(&reader);
        g_assert_cmpint(value.type, ==, FILTERD_UNKNOWN);
        g_assert_false(frame_reader_done(&reader));
    }
}

static void
test_head(void)
{
    Frame frame;
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) bytes = frame_new(FRAME_RETURN, 1);
    frame_put_text(bytes, "a");
    frame_end(bytes);
    for (guint i = 0; i < bytes->len; i++)
        g_assert_false(
            frame_parse(bytes->data, i, FRAME_LIMIT, &frame, &error));
    g_assert_no_error(error);
    g_assert_false(frame_parse(bytes->data, bytes->len, 5, &frame, &error));
    g_assert_nonnull(error);
    g_clear_error(&error);
    bytes->data[4] = FRAME_TYPES;
    g_assert_false(
        frame_parse(bytes->data, bytes->len, FRAME_LIMIT, &frame, &error));
    g_assert_nonnull(error);
}

/* ---- options ------------------------------------------------------------ */

typedef struct Item {
    const char *name;
    int64_t weight;
} Item;

typedef struct Config {
    bool on;
    int word;
    FilterdIp ip;
    const char *text;
    FilterdFile file;
    FilterdArray names, items;
} Config;

static const FilterdOption item_rows[] = {
    {"name", FILTERD_DOMAIN, FILTERD_POSITION, offsetof(Item, name)},
    {"weight", FILTERD_INT, 0, offsetof(Item, weight)},
    {NULL},
};
static const FilterdOption rows[] = {
    {"on", FILTERD_BOOL, 0, offsetof(Config, on)},
    {"word", FILTERD_WORD, 0, offsetof(Config, word)},
    {"ip", FILTERD_IP, 0, offsetof(Config, ip)},
    {"text", FILTERD_TEXT, 0, offsetof(Config, text)},
    {"file", FILTERD_FILE, 0, offsetof(Config, file)},
    {"names", FILTERD_TEXT, FILTERD_MANY, offsetof(Config, names)},
    {"items", FILTERD_GROUP, FILTERD_MANY, offsetof(Config, items), NULL, NULL,
     NULL, item_rows, sizeof(Item)},
    {NULL},
};

static void
compare(const Config *read, const Config *config)
{
    const char *const *names = read->names.items;
    const Item *items = read->items.items;
    g_assert_cmpint(read->on, ==, config->on);
    g_assert_cmpint(read->word, ==, config->word);
    g_assert_cmpmem(&read->ip, sizeof(FilterdIp), &config->ip,
                    sizeof(FilterdIp));
    g_assert_cmpstr(read->text, ==, config->text);
    g_assert_cmpstr(read->file.path, ==, config->file.path);
    g_assert_cmpmem(read->file.bytes, read->file.length + 1, config->file.bytes,
                    config->file.length + 1);
    g_assert_cmpuint(read->names.length, ==, 2);
    g_assert_cmpstr(names[1], ==, "two");
    g_assert_cmpuint(read->items.length, ==, 1);
    g_assert_cmpstr(items[0].name, ==, "bl.example");
    g_assert_cmpint(items[0].weight, ==, 5);
}

static void
test_options(void)
{
    static const char *const names[] = {"one", "two"};
    static const Item items[] = {{"bl.example", 5}};
    const Config config = {.on = true,
                           .word = 3,
                           .ip = {.bytes = {1, 2}, .prefix = 128},
                           .file = {"/a/path", "content", 7},
                           .names = {names, 2},
                           .items = {items, 1}};
    FilterdPlugin plugin = {
        .version = "1", .options = rows, .config_size = sizeof config};
    g_autoptr(GByteArray) bytes = frame_new(FRAME_START, 1);
    options_put(bytes, &plugin, &config);
    Frame frame = whole(bytes);
    g_auto(FrameReader) reader;
    frame_reader_init(&reader, &frame);
    compare(options_get(&reader, &plugin), &config);
    g_assert_true(frame_reader_done(&reader));
    frame_reader_clear(&reader);
    frame_reader_init(&reader, &frame);
    plugin.version = "2";
    g_assert_null(options_get(&reader, &plugin));
    frame_reader_clear(&reader);
    frame_reader_init(&reader, &frame);
    plugin.version = "1";
    plugin.options = rows + 1;
    g_assert_null(options_get(&reader, &plugin));
}

static void
test_facts(void)
{
    const FilterdFact facts[] = {
        {"client.ip", FILTERD_IP, FILTERD_CONNECT},
        {"dkim.domains", FILTERD_LIST, FILTERD_MESSAGE,
         .items = FILTERD_DOMAIN},
        {NULL},
    };
    g_autoptr(GByteArray) bytes = frame_new(FRAME_START, 1);
    options_put_facts(bytes, NULL);
    options_put_facts(bytes, facts);
    Frame frame = whole(bytes);
    g_auto(FrameReader) reader;
    frame_reader_init(&reader, &frame);
    g_assert_null(options_get_facts(&reader)->name);
    const FilterdFact *read = options_get_facts(&reader);
    g_assert_true(frame_reader_done(&reader));
    for (unsigned i = 0; i < 2; i++) {
        g_assert_cmpstr(read[i].name, ==, facts[i].name);
        g_assert_cmpint(read[i].type, ==, facts[i].type);
        g_assert_cmpint(read[i].items, ==, facts[i].items);
        g_assert_cmpint(read[i].since, ==, facts[i].since);
    }
    g_assert_null(read[2].name);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/isolation/values-arrive-as-they-were", test_values);
    g_test_add_func("/isolation/an-answer-arrives-as-it-was", test_answer);
    g_test_add_func("/isolation/a-value-that-is-cut-is-unknown", test_cut);
    g_test_add_func("/isolation/a-head-that-lies-is-an-error", test_head);
    g_test_add_func("/isolation/options-arrive-where-the-table-is-the-same",
                    test_options);
    g_test_add_func("/isolation/facts-that-describe-asked-for", test_facts);
    return g_test_run();
}
