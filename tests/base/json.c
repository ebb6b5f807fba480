/* json.c: what is written can be read again, whatever it was.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/json.h"

#include <string.h>

static void
test_written(void)
{
    static const struct {
        const char *text, *json;
    } rows[] = {
        {"", "\"\""},
        {"a@example.org", "\"a@example.org\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\x01\r\n\x7f", "\"\\u0001\\u000d\\u000a\\u007f\""},
        {"gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\""},
        {"\xc2\x85\xe2\x80\xa8\xe2\x80\xae", "\"\\u0085\\u2028\\u202e\""},
        {"\xff", "\"\xee\xbf\xbf\""},
        {"\xc3", "\"\xee\xbf\x83\""},
        {"\xee\xbe\x80", "\"\xee\xbf\xae\xee\xbe\xbe\xee\xbe\x80\""},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) out = g_string_new(NULL);

        json_append(out, rows[i].text, strlen(rows[i].text));
        g_assert_cmpstr(out->str, ==, rows[i].json);
    }
}

static void
test_members(void)
{
    g_autoptr(GString) out = g_string_new("{");

    json_member_text(out, "a", "{");
    json_member_text(out, "b", NULL);
    json_member_integer(out, "c", -7);
    json_member(out, "d");
    g_string_append_c(out, '{');
    json_member_boolean(out, "e", TRUE);
    g_string_append_c(out, '}');
    json_member_boolean(out, "f", FALSE);
    g_assert_cmpstr(out->str, ==,
                    "{\"a\":\"{\",\"b\":null,\"c\":-7,\"d\":{\"e\":true},"
                    "\"f\":false");
}

/* Any octets but NUL. */
static void
test_nothing_is_lost(void)
{
    g_autoptr(JsonReader) reader = json_reader_new();
    g_autoptr(GString) out = g_string_new(NULL);

    for (unsigned round = 0; round < 20000; round++) {
        char text[24] = {0};

        for (unsigned i = 0; i < sizeof text - 1; i++)
            text[i] = (char)(round % 3 == 0 ? g_random_int_range(1, 256)
                             : round % 3 == 1
                                 ? "\xee\xbe\xbf\x80\xc3\xa9x\""[round * i % 8]
                                 : g_random_int_range(0x20, 0x80));
        g_string_truncate(out, 0);
        json_append(out, text, strlen(text));
        g_assert_true(g_utf8_validate(out->str, -1, NULL));
        const JsonValue *value = json_read(reader, out->str, out->len);
        g_assert_nonnull(value);
        g_assert_cmpint(value->type, ==, JSON_TEXT);
        g_assert_cmpstr(value->text, ==, text);
    }
}

static void
test_read(void)
{
    static const char text[] =
        " {\"a\": [1, -2, 3.75e2, true, false, null], \"b\" :{\"c\":\"x\\n"
        "\\u00e9\\ud83d\\ude00\"},\"d\":{},\"e\":[]} ";
    g_autoptr(JsonReader) reader = json_reader_new();
    const JsonValue *value = json_read(reader, text, strlen(text));

    g_assert_nonnull(value);
    const JsonValue *a = json_find(value, "a", JSON_ARRAY);
    g_assert_cmpint(a->first->integer, ==, 1);
    g_assert_cmpint(a->first->next->integer, ==, -2);
    g_assert_cmpint(a->first->next->next->integer, ==, 3);
    g_assert_true(a->first->next->next->next->boolean);
    g_assert_null(json_find(value, "a", JSON_OBJECT));
    g_assert_cmpstr(json_text(json_find(value, "b", JSON_OBJECT), "c"), ==,
                    "x\n\xc3\xa9\xf0\x9f\x98\x80");
    g_assert_null(json_find(value, "d", JSON_OBJECT)->first);
    g_assert_null(json_find(value, "e", JSON_ARRAY)->first);
}

static void
test_not_read(void)
{
    static const char *const texts[] = {
        "",          "{",        "{}x",         "{\"a\"}",   "{\"a\":1,}",
        "[1 2]",     "\"a",      "\"\\q\"",     "\"\\u00\"", "\"\\u0000\"",
        "\"\x01\"",  "\"\xff\"", "\"\\udc00\"", "nul",       "-",
        "{\"a\":1]", "{'a':1}",  "[,]",         "\"a\\",     "\"\\ud800x\"",
        "+1",        "{\"a\":1", "\"\xc3\"",    "tru",       "[[]",
    };
    g_autoptr(JsonReader) reader = json_reader_new();
    g_autoptr(GString) deep = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_assert_null(json_read(reader, texts[i], strlen(texts[i])));
    }
    g_assert_null(json_read(reader, "\"a\0b\"", 5));
    g_assert_null(json_read(reader, "1\0", 2));
    for (unsigned i = 0; i < 100000; i++)
        g_string_append_c(deep, '[');
    g_assert_null(json_read(reader, deep->str, deep->len));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/json/written-as-others-read-it", test_written);
    g_test_add_func("/base/json/members-are-parted-by-commas", test_members);
    g_test_add_func("/base/json/no-octet-is-lost", test_nothing_is_lost);
    g_test_add_func("/base/json/objects-arrays-numbers-and-texts", test_read);
    g_test_add_func("/base/json/what-is-none-is-not-read", test_not_read);
    return g_test_run();
}
