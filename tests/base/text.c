/* text.c: tests of base/text.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/text.h"

#include <string.h>

/* What `value` is after a parse that must fail. */
#define UNTOUCHED 4711

typedef struct Number {
    const char *text;
    int64_t value; /* UNTOUCHED: refused */
} Number;

static void
check_numbers(const Number *rows, size_t count,
              gboolean (*parse)(const char *, int64_t *))
{
    for (size_t i = 0; i < count; i++) {
        int64_t value = UNTOUCHED;

        g_test_message("\"%s\"", rows[i].text);
        g_assert_cmpint(parse(rows[i].text, &value), ==,
                        rows[i].value != UNTOUCHED);
        g_assert_cmpint(value, ==, rows[i].value);
    }
}

static void
durations(void)
{
    static const Number rows[] = {
        {"0", 0},
        {"5m", 300000},
        {"10s", 10000},
        {"500ms", 500},
        {"2h", 7200000},
        {"7d", 604800000},
        {"0s", 0},
        {"", UNTOUCHED},
        {"5", UNTOUCHED},
        {"m", UNTOUCHED},
        {"5 m", UNTOUCHED},
        {"5M", UNTOUCHED},
        {"5mm", UNTOUCHED},
        {"-5m", UNTOUCHED},
        {"+5m", UNTOUCHED},
        {"1.5h", UNTOUCHED},
        {"99999999999999999999s", UNTOUCHED},
        {"9223372036854775807d", UNTOUCHED},
    };

    check_numbers(rows, G_N_ELEMENTS(rows), text_parse_duration);
}

static void
sizes(void)
{
    static const Number rows[] = {
        {"4096", 4096},
        {"0", 0},
        {"512k", 524288},
        {"512K", 524288},
        {"10M", 10485760},
        {"1G", 1073741824},
        {"9223372036854775807", INT64_MAX},
        {"9223372036854775808", UNTOUCHED},
        {"9007199254740993G", UNTOUCHED},
        {"", UNTOUCHED},
        {"M", UNTOUCHED},
        {"-1", UNTOUCHED},
        {"10m", UNTOUCHED},
        {"10MB", UNTOUCHED},
        {"0x10", UNTOUCHED},
    };

    check_numbers(rows, G_N_ELEMENTS(rows), text_parse_size);
}

static gboolean
parse_within(const char *text, int64_t *value)
{
    return text_parse_int(text, -10, 65535, value);
}

static void
integers(void)
{
    static const Number rows[] = {
        {"0", 0},
        {"65535", 65535},
        {"-10", -10},
        {"0025", 25},
        {"65536", UNTOUCHED},
        {"-11", UNTOUCHED},
        {"", UNTOUCHED},
        {"-", UNTOUCHED},
        {"+1", UNTOUCHED},
        {" 1", UNTOUCHED},
        {"1 ", UNTOUCHED},
        {"1e3", UNTOUCHED},
        {"--1", UNTOUCHED},
        {"99999999999999999999", UNTOUCHED},
    };

    check_numbers(rows, G_N_ELEMENTS(rows), parse_within);
}

static void
largest_unit(void)
{
    static const Number rows[] = {
        {"0", 0},         {"5m", 300000},   {"90s", 90000},
        {"1500ms", 1500}, {"1d", 86400000}, {"36h", 129600000},
        {"-5m", -300000},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = text_format_duration(rows[i].value);

        g_assert_cmpstr(text, ==, rows[i].text);
    }
}

static void
cleaning(void)
{
    g_autoptr(GString) out = g_string_new("<");

    text_append_clean(out, "a\r\nb\t\x7f\xc3\xa9~ z", 100);
    g_assert_cmpstr(out->str, ==, "<a??b????~ z");
    g_string_truncate(out, 0);
    text_append_clean(out, "abcdef", 3);
    g_assert_cmpstr(out->str, ==, "abc");
    text_append_clean(out, "abcdef", 0);
    g_assert_cmpstr(out->str, ==, "abc");
}

static void
suggestions(void)
{
    static const char *const words[] = {"certificate",  "key",          "tls",
                                        "max-sessions", "xclient-from", NULL};
    static const struct {
        const char *word, *suggestion;
    } rows[] = {
        {"certifcate", "certificate"},
        {"max-session", "max-sessions"},
        {"tsl", "tls"},
        {"kye", "key"},
        {"xclientfrom", "xclient-from"},
        {"banana", NULL},
        {"", NULL},
        {"a-word-that-is-longer-than-any-word-could-ever-be-here", NULL},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("%s", rows[i].word);
        g_assert_cmpstr(text_suggest(rows[i].word, words), ==,
                        rows[i].suggestion);
    }
}

static void
without_case(void)
{
    g_assert_true(text_equal_nocase("Helo x", 4, "HELO"));
    g_assert_false(text_equal_nocase("HELOX", 5, "HELO"));
    g_assert_false(text_equal_nocase("HEL", 3, "HELO"));
}

static void
plain(void)
{
    g_assert_true(text_is_plain("alice@example.org", 17));
    g_assert_true(text_is_plain("J\xc3\xb6rg", 5));
    g_assert_false(text_is_plain("a\nb", 3));
    g_assert_false(text_is_plain("a\0b", 3));
    g_assert_false(text_is_plain("\xc2\x85", 2));
    g_assert_false(text_is_plain("\xff", 1));
}

static void
test_integers(void)
{
    g_autoptr(GString) out = g_string_new(NULL);

    text_append_integer(out, 0);
    text_append(out, " ");
    text_append_integer(out, INT64_MAX);
    text_append(out, " ");
    text_append_integer(out, INT64_MIN);
    g_assert_cmpstr(out->str, ==, "0 9223372036854775807 -9223372036854775808");
}

static void
test_zeros_in_front(void)
{
    g_autoptr(GString) out = g_string_new(NULL);

    text_append_padded(out, 7, 2);
    text_append_padded(out, 0, 3);
    text_append_padded(out, 12345, 4);
    text_append_padded(out, UINT_MAX, 24);
    g_assert_cmpstr(out->str, ==, "0700012345000000000000004294967295");
}

static void
test_many(void)
{
    g_autoptr(GString) out = g_string_new("from");

    text_append_all(out, " ", "", "here", NULL);
    text_append_all(out, NULL);
    g_assert_cmpstr(out->str, ==, "from here");
}

/* Over each size that the memory behind it can have. */
static void
test_pieces(void)
{
    g_autoptr(GString) out = g_string_sized_new(1);
    g_autoptr(GString) expected = g_string_new(NULL);

    for (int i = 0; i < 300; i++) {
        text_append_len(out, "a", (size_t)(i % 3 > 0));
        g_string_append_len(expected, "a", i % 3 > 0);
        g_assert_cmpstr(out->str, ==, expected->str);
        g_assert_cmpuint(out->len, ==, expected->len);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/text/durations-need-a-unit", durations);
    g_test_add_func("/base/text/sizes-count-in-powers-of-1024", sizes);
    g_test_add_func("/base/text/integers-stay-within-their-bounds", integers);
    g_test_add_func("/base/text/durations-take-the-largest-unit", largest_unit);
    g_test_add_func("/base/text/cleaning-leaves-printable-ascii", cleaning);
    g_test_add_func("/base/text/only-near-words-are-suggested", suggestions);
    g_test_add_func("/base/text/case-does-not-count", without_case);
    g_test_add_func("/base/text/plain-is-utf-8-without-controls", plain);
    g_test_add_func("/base/text/integers-of-any-size", test_integers);
    g_test_add_func("/base/text/numbers-have-zeros-in-front",
                    test_zeros_in_front);
    g_test_add_func("/base/text/pieces-find-room", test_pieces);
    g_test_add_func("/base/text/many-texts-at-once", test_many);
    return g_test_run();
}
