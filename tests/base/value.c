/* value.c: tests of base/value.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/value.h"

#include "filterd/base/ip.h"

static FilterdValue
address(const char *text)
{
    FilterdIp ip;

    g_assert_true(ip_parse_network(text, &ip));
    return filterd_ip(ip);
}

static void
both_forms(void)
{
    const FilterdValue words[] = {filterd_word("a"), filterd_word("b\"c")};
    const struct {
        FilterdValue value;
        const char *text, *json;
    } rows[] = {
        {filterd_unknown(), "-", "null"},
        {filterd_bool(true), "yes", "true"},
        {filterd_bool(false), "no", "false"},
        {filterd_int(-42), "-42", "-42"},
        {filterd_duration(300000), "5m", "300000"},
        {filterd_text("a b"), "a b", "\"a b\""},
        {filterd_string(FILTERD_ADDRESS, ""), "", "\"\""},
        {address("192.0.2.0/24"), "192.0.2.0/24", "\"192.0.2.0/24\""},
        {filterd_list(words, 2), "a,b\"c", "[\"a\",\"b\\\"c\"]"},
        {filterd_list(NULL, 0), "", "[]"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_autoptr(GString) json = g_string_new(NULL);

        value_append(text, &rows[i].value);
        value_append_json(json, &rows[i].value);
        g_assert_cmpstr(text->str, ==, rows[i].text);
        g_assert_cmpstr(json->str, ==, rows[i].json);
    }
}

static void
json_text(void)
{
    static const char *const rows[][2] = {
        {"", "\"\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\r\n\t\x01\x1b[0m", "\"\\u000d\\u000a\\u0009\\u0001\\u001b[0m\""},
        {"\x7f\xc2\x9b", "\"\\u007f\\u009b\""},
        {"gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\""},
        {"\xff\xc3", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) out = g_string_new(NULL);

        value_append_json_text(out, rows[i][0]);
        g_assert_cmpstr(out->str, ==, rows[i][1]);
    }
}

static void
copies(void)
{
    char text[] = "inner";
    FilterdValue inner[] = {filterd_text(text), filterd_text("other")};
    FilterdValue list = filterd_list(inner, 2), copy = value_copy(&list);
    g_autoptr(GString) out = g_string_new(NULL);

    text[0] = 'X';
    inner[1] = filterd_unknown();
    value_append(out, &copy);
    g_assert_cmpstr(out->str, ==, "inner,other");
    value_clear(&copy);
    g_assert_cmpint(copy.type, ==, FILTERD_UNKNOWN);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/value/unknown-is-a-dash-and-null", both_forms);
    g_test_add_func("/base/value/json-text-is-always-valid", json_text);
    g_test_add_func("/base/value/copies-are-deep", copies);
    return g_test_run();
}
