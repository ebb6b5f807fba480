/* header.c: tests of the header section, field by field. (RFC 5322 2.2)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/mail/header.h"

#include <string.h>

typedef struct Row {
    const char *name;
    const char *bytes;
    gsize length; /* 0: strlen */
    gsize taken;
    gsize name_length;
    gsize value;
} Row;

static const Row rows[] = {
    {"plain", "A: b\r\nC: d\r\n", 0, 6, 1, 2},
    {"folded", "A: b\r\n c\r\n\td\r\nE: f\r\n", 0, 14, 1, 2},
    {"without-crlf-at-the-end", "A: b", 0, 4, 1, 2},
    {"cut-in-the-crlf", "A: b\r", 0, 5, 1, 2},
    {"empty-value", "Abc:\r\n", 0, 6, 3, 4},
    {"empty-line", "\r\nA: b\r\n", 0, 0, 0, 0},
    {"space-before-the-colon", "From : a\r\n", 0, 10, 4, 6},
    {"fold-before-the-colon", "From\r\n : a\r\n", 0, 12, 4, 8},
    {"fold-and-tab-before-the-colon", "From \r\n\t: a\r\n", 0, 13, 4, 9},
    {"leading-space-is-no-field", " From: a\r\n", 0, 10, 0, 0},
    {"no-colon-is-no-field", "junk\r\nA: b\r\n", 0, 6, 0, 0},
    {"text-before-the-colon-is-no-field", "From x: a\r\n", 0, 11, 0, 0},
    {"colon-alone-is-no-field", ": a\r\n", 0, 5, 0, 0},
    {"nul-in-the-name-is-no-field", "Fr\0om: a\r\n", 10, 10, 0, 0},
    {"bom-is-no-field",
     "\xef\xbb\xbf"
     "From: a\r\n",
     0, 12, 0, 0},
    {"eightbit-name-is-no-field", "Fr\xc3\xb6m: a\r\n", 0, 10, 0, 0},
    {"cr-before-the-colon-is-no-field", "From\r: a\r\n", 0, 10, 0, 0},
    {"lf-does-not-end-it", "A: b\nC: d\r\n", 0, 11, 1, 2},
    {"cr-does-not-end-it", "A: b\rC: d\r\n", 0, 11, 1, 2},
    {"nul-does-not-end-it", "A: \0b\r\nC: d", 11, 7, 1, 2},
    {"fold-at-the-end", "A: b\r\n ", 0, 7, 1, 2},
    {"single-cr", "\r", 0, 1, 0, 0},
    {"nothing", "", 0, 0, 0, 0},
};

static void
test_next(gconstpointer data)
{
    const Row *row = data;
    gsize length = row->length > 0 ? row->length : strlen(row->bytes);
    /* A block of that size: ASan sees one octet read too many. */
    g_autofree char *bytes = g_memdup2(row->bytes, length);
    FilterdField field = {0};
    g_assert_cmpuint(mail_field_next(bytes, length, &field), ==, row->taken);
    g_assert_cmpuint(field.name_length, ==, row->name_length);
    g_assert_cmpuint(field.value, ==, row->value);
}

static void
test_walk_takes_all(void)
{
    static const char header[] =
        "A: 1\r\nB: 2\r\n 3\r\njunk\r\nC: 4\r\n\r\nD: 5";
    const char *at = header;
    unsigned fields = 0;
    FilterdField field;
    for (;;) {
        gsize taken = mail_field_next(at, header + strlen(header) - at, &field);
        if (taken == 0)
            break;
        at += taken;
        fields++;
    }
    g_assert_cmpuint(fields, ==, 4);
    g_assert_cmpstr(at, ==, "\r\nD: 5");
}

static FilterdField
field_of(const char *bytes)
{
    FilterdField field = {0};
    g_assert_cmpuint(mail_field_next(bytes, strlen(bytes), &field), >, 0);
    return field;
}

static void
test_is(void)
{
    FilterdField field = field_of("Subject : x\r\n");
    g_assert_true(mail_field_is(&field, "SUBJECT"));
    g_assert_false(mail_field_is(&field, "Subjec"));
    g_assert_false(mail_field_is(&field, "Subjects"));
}

static void
test_resembles(void)
{
    static const char *const good[] = {"From: a",
                                       "FROM: a",
                                       "From : a",
                                       " From: a",
                                       "F r o m: a",
                                       "From\r\n : a",
                                       "Fr\xc2\xad"
                                       "om: a",
                                       "\xef\xbb\xbf"
                                       "From:",
                                       "From\t:",
                                       "\x01"
                                       "From: a"};
    static const char *const bad[] = {"From",      "Fro: a",         "Froms: a",
                                      "X-From: a", "Resent-From: a", "Fr.om:"};
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        FilterdField field = field_of(good[i]);
        g_assert_true(mail_field_resembles(&field, "from"));
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        FilterdField field = field_of(bad[i]);
        g_assert_false(mail_field_resembles(&field, "from"));
    }
}

static void
test_unfold(void)
{
    static const char *const pairs[][2] = {
        {"A: b\r\n", "b"},
        {"A:\r\n b\r\n\tc  \r\n", "b c"},
        {"A: b\rc\nd\x7f"
         "e\r\n",
         "b c d e"},
        {"A: b\r\n \r\n c\r\n", "b  c"},
        {"A:\r\n", ""},
        {"A: b\xc3\xbc\r\n", "b\xc3\xbc"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
        FilterdField field = field_of(pairs[i][0]);
        g_autofree char *value = mail_field_unfold(&field);
        g_assert_cmpstr(value, ==, pairs[i][1]);
    }
    FilterdField field;
    mail_field_next("A: b\0c\r\n", 8, &field);
    g_autofree char *value = mail_field_unfold(&field);
    g_assert_cmpstr(value, ==, "b c");
}

static void
test_name_valid(void)
{
    g_assert_true(mail_field_name_valid("X-Spam"));
    g_assert_false(mail_field_name_valid(""));
    g_assert_false(mail_field_name_valid("X Spam"));
    g_assert_false(mail_field_name_valid("X:"));
    g_assert_false(mail_field_name_valid("X\r\nY"));
    g_assert_false(mail_field_name_valid("X\xc3\xbc"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path =
            g_strdup_printf("/mail/header/next/%s", rows[i].name);
        g_test_add_data_func(path, &rows[i], test_next);
    }
    g_test_add_func("/mail/header/walk-ends-at-the-empty-line",
                    test_walk_takes_all);
    g_test_add_func("/mail/header/names-compare-without-case", test_is);
    g_test_add_func("/mail/header/disguised-names-resemble", test_resembles);
    g_test_add_func("/mail/header/unfolded-value-is-one-clean-line",
                    test_unfold);
    g_test_add_func("/mail/header/name-is-visible-ascii", test_name_valid);
    return g_test_run();
}
