/* units.c: tag lists, fields and body lengths by themselves: what no text of a
 * message can hold, and borders. (RFC 6376 3.2, 3.4)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <string.h>

#include "plugins/dkim/canon.h"
#include "plugins/dkim/header.h"
#include "plugins/dkim/length.h"
#include "plugins/dkim/name.h"
#include "plugins/dkim/signature.h"

static Span
span_of(const char *text)
{
    return (Span){text, strlen(text)};
}

static void
test_tag_lists(void)
{
    static const struct {
        const char *text;
        const char *problem; /* NULL: fine */
        size_t length;
    } rows[] = {
        {"a=b", NULL, 1},
        {"a=b;", NULL, 1},
        {" a = b ; c = d e ;\t", NULL, 2},
        {"a=\r\n\tb;\r\n c=\r\n d\r\n\te", NULL, 2},
        {"a=;b=", NULL, 2},
        {"a==b=;A=c", NULL, 2},
        {"", "tag without a value", 0},
        {"  ", "tag without a value", 0},
        {"a", "tag without a value", 0},
        {";a=b", "tag without a value", 0},
        {"a=b;;", "tag without a value", 0},
        {"a=b;;c=d", "tag without a value", 0},
        {"=b", "malformed tag name", 0},
        {"1=b", "malformed tag name", 0},
        {"a b=c", "malformed tag name", 0},
        {"a-b=c", "malformed tag name", 0},
        {"a=b;a=c", "duplicate tag", 0},
        {"a=b\r\nc=d", "malformed folding", 0},
        {"a=b\n c", "malformed folding", 0},
        {"a=b\r c", "malformed folding", 0},
        {"a=b\x7f", "octet that is not printable ASCII", 0},
        {"a=\xc3\xa9", "octet that is not printable ASCII", 0},
        {"a=b\vc", "octet that is not printable ASCII", 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        Tags tags;
        const char *problem = tags_parse(&tags, span_of(rows[i].text));
        g_assert_cmpstr(problem, ==, rows[i].problem);
        if (problem == NULL)
            g_assert_cmpuint(tags.length, ==, rows[i].length);
    }
}

/* RFC 8616 5 lets values hold UTF-8. */
static void
test_tag_lists_with_utf8(void)
{
    static const struct {
        const char *text, *problem;
    } rows[] = {
        {"a=\xc3\xa9; b=c", NULL},
        {"a=\xc3", "octet that is neither printable ASCII nor UTF-8"},
        {"a=\xed\xa0\x80", "octet that is neither printable ASCII nor UTF-8"},
        {"a=\xc0\xaf", "octet that is neither printable ASCII nor UTF-8"},
        {"a=b\x7f", "octet that is neither printable ASCII nor UTF-8"},
        {"a=b\x01", "octet that is neither printable ASCII nor UTF-8"},
        {"a\xc3\xa9=b", "malformed tag name"},
        {"a=b\r\nc=d", "malformed folding"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        Tags tags;
        g_assert_cmpstr(tags_parse_utf8(&tags, span_of(rows[i].text)), ==,
                        rows[i].problem);
    }
}

static void
test_names_become_a_labels(void)
{
    static const struct {
        const char *text, *name;
    } rows[] = {
        {"Example.ORG", "example.org"},
        {"b\xc3\xbc"
         "cher.example",
         "xn--bcher-kva.example"},
        {"B\xc3\x9c"
         "cher.Example",
         "xn--bcher-kva.example"},
        {"stra\xc3\x9f"
         "e",
         "xn--strae-oqa"},
        {"k_\xc3\xa9", "xn--k_-cja"},
        {"a\xe3\x80\x82"
         "b",
         NULL},
        {"\xc3\xa9\xe2\x80\xa4"
         "b",
         NULL},
        {"\xc3\xa9..b", NULL},
        {"\xc3\xa9 b", NULL},
        {"\xc3\xa9\"b", NULL},
        {"-\xc3\xa9", NULL},
        {"\xc3", NULL},
        {"xn--\xc3\xa9", NULL},
        {"example.org.", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *name = name_normalize(span_of(rows[i].text));
        g_assert_cmpstr(name, ==, rows[i].name);
    }
    g_autofree char *many = g_strnfill(60, 'a');
    g_autofree char *longer = g_strconcat("\xc3\xa9", many, NULL);
    g_assert_null(name_normalize(span_of(longer)));
    g_assert_null(name_normalize((Span){"\xc3\xa9\0b", 4}));
}

static void
test_nul_is_no_printable_octet(void)
{
    Tags tags;
    g_assert_nonnull(tags_parse(&tags, (Span){"d=a\0.b", 6}));
}

static void
test_tags_are_limited(void)
{
    Tags tags;
    g_autoptr(GString) text = g_string_new(NULL);
    for (int i = 0; i < TAGS_LIMIT; i++)
        g_string_append_printf(text, "t%d=;", i);
    g_assert_null(tags_parse(&tags, (Span){text->str, text->len}));
    g_string_append(text, "one=more");
    g_assert_cmpstr(tags_parse(&tags, (Span){text->str, text->len}), ==,
                    "too many tags");
}

static void
test_numbers(void)
{
    static const struct {
        const char *text;
        gint64 number; /* -1: none */
    } rows[] = {
        {"0", 0},     {"000", 0},  {"999", 999},  {"0000999", 999},
        {"1000", -1}, {"", -1},    {"-1", -1},    {"+1", -1},
        {"1 1", -1},  {"0x1", -1}, {"12abc", -1}, {"18446744073709551617", -1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        gint64 number = -1;
        bool fine = span_number(span_of(rows[i].text), 999, &number);
        g_assert_cmpint(number, ==, rows[i].number);
        g_assert_true(fine == (rows[i].number >= 0));
    }
}

static void
test_names(void)
{
    static const char *const good[] = {"a",    "a.b", "xn--a-0",
                                       "k1_x", "1.2", "A-b.C"};
    static const char *const bad[] = {
        "",     ".",   "a.",  ".a",   "a..b", "-a",   "a-",        "a b",
        "a\"b", "a@b", "a/b", "a\\b", "a;b",  "a(b)", "a\xc3\xa9", "a.-b"};
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_true(span_is_name(span_of(good[i])));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(span_is_name(span_of(bad[i])));
    g_assert_false(span_is_name((Span){"a\0b", 3}));
}

static void
test_base64(void)
{
    static const char *const bad[] = {"",         "A",       "AAA",  "AAAA=",
                                      "A===",     "====",    "AA=A", "AA-A",
                                      "AA==AAAA", "AAAA AAA"};
    size_t length;
    g_autofree guint8 *bytes = span_decode(span_of("A A\r\n\tA="), &length);
    g_assert_cmpmem(bytes, length, "\0\0", 2);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_null(span_decode(span_of(bad[i]), &length));
}

/* ---- fields ------------------------------------------------------------- */

static void
test_field_that_hides_something_spoils_all(void)
{
    static const struct {
        const char *bytes;
        size_t length, name_length;
        const char *problem; /* NULL: none */
    } rows[] = {
        {"A: b", 4, 1, NULL},
        {"A : b", 5, 1, NULL},
        {"A: \xc3\xa9\tb", 7, 1, NULL},
        {"A: b\0c", 6, 1, "the header holds a control octet"},
        {"A: b\vc", 6, 1, "the header holds a control octet"},
        {"A: b\fc", 6, 1, "the header holds a control octet"},
        {"A\0: b", 5, 2, "the header holds a control octet"},
        {"no field", 8, 0, "the header holds a line that is no field"},
        {"A B: c", 6, 3, "the header holds a line that is no field"},
        {"A;B: c", 6, 3, "the header holds a line that is no field"},
        {"A\r\n : c", 5, 1, "the header holds a line that is no field"},
        {"\xc3\xa9: c", 5, 2, "the header holds a line that is no field"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        Span value;
        Header header = {0};
        const FilterdField field = {
            .bytes = rows[i].bytes,
            .length = rows[i].length,
            .name_length = rows[i].name_length,
            .value = rows[i].name_length + 1,
        };
        g_assert_false(header_add(&header, &field, &value));
        g_assert_cmpstr(header.problem, ==, rows[i].problem);
        header_clear(&header);
    }
}

static void
test_header_is_limited(void)
{
    Span value;
    Header header = {0};
    g_autofree char *bytes = g_strnfill(HEADER_LIMIT / 2, 'a');
    bytes[1] = ':';
    const FilterdField field = {bytes, HEADER_LIMIT / 2, 1, 2};
    header_add(&header, &field, &value);
    header_add(&header, &field, &value);
    g_assert_null(header.problem);
    header_add(&header, &field, &value);
    g_assert_cmpstr(header.problem, ==, "the header is too long");
    g_assert_cmpuint(header.bytes->len, ==, HEADER_LIMIT);
    header_clear(&header);
}

static void
test_origins_are_guessed_from_any_from(void)
{
    static const struct {
        const char *domain;
        bool own;
    } rows[] = {
        {"example.org", true},  {"mail.example.org", true},
        {"org", true},          {"news.example.org", true},
        {"other.net", true},    {"notexample.org", false},
        {"example.com", false}, {"example.org.evil.example", false},
        {"com", false},         {"xn--bcher-kva.example", true},
    };
    static const char text[] = "From: \"a@other.net\" <b@Mail.Example.ORG>, @, "
                               "d@mail.B\xc3\xbc"
                               "cher.example, c@";
    Span value;
    Header header = {0};
    const FilterdField field = {text, sizeof(text) - 1, 4, 5};
    header_add(&header, &field, &value);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_true(header_is_origin(&header, rows[i].domain) == rows[i].own);
    header_clear(&header);
}

/* ---- bodies ------------------------------------------------------------- */

static void
test_body_lengths(void)
{
    static const struct {
        const char *body;
        gint64 simple, relaxed;
    } rows[] = {
        {"", 2, 0},
        {"\r\n\r\n", 2, 0},
        {" \r\n", 3, 0},
        {"a\r\n", 3, 3},
        {"a\r\n\r\n\r\n", 3, 3},
        {"\r\n\r\na\r\n", 7, 7},
        {"a\r\n\r\n b\r\n", 9, 9},
        {" \t a \t b \t\r\n \r\n", 15, 6},
        {"a\r\n \t\r\nb\r\n", 10, 8},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        BodyLength simple = {.relaxed = false}, relaxed = {.relaxed = true};
        body_length_add(&simple, rows[i].body, strlen(rows[i].body));
        body_length_add(&relaxed, rows[i].body, strlen(rows[i].body));
        g_assert_cmpint(body_length_end(&simple), ==, rows[i].simple);
        g_assert_cmpint(body_length_end(&relaxed), ==, rows[i].relaxed);
    }
}

/* RFC 6376 3.4.3, 3.4.4, line by line. */
static GString *
canonicalize(const char *body, bool relaxed)
{
    GString *out = g_string_new(NULL);
    g_auto(GStrv) lines = g_strsplit(body, "\r\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        g_autoptr(GRegex) blanks = g_regex_new("[ \t]+", 0, 0, NULL);
        g_autofree char *line = relaxed ? g_strchomp(g_regex_replace_literal(
                                    blanks, lines[i], -1, 0, " ", 0, NULL))
                                        : g_strdup(lines[i]);
        g_string_append_printf(out, "%s\r\n", line);
    }
    while (g_str_has_suffix(out->str, "\r\n\r\n"))
        g_string_truncate(out, out->len - 2);
    if (relaxed && strcmp(out->str, "\r\n") == 0)
        g_string_truncate(out, 0);
    return out;
}

/* Words, and now and then what a canonical form has to change. */
static char *
make_body(GRand *random)
{
    static const char *const odd[] = {" ",    "  ",       "\t",    " \r\n",
                                      "\r\n", "\r\n\r\n", "\r\n ", "."};
    GString *body = g_string_new(NULL);
    int words = g_rand_int_range(random, 0, 120);
    int oddness = g_rand_int_range(random, 2, 60);
    for (int i = 0; i < words; i++) {
        g_string_append(body, "word" + g_rand_int_range(random, 0, 4));
        g_string_append(body, g_rand_int_range(random, 0, oddness) == 0
                                  ? odd[g_rand_int_range(random, 0, 8)]
                              : i % 12 == 11 ? "\r\n"
                                             : "-");
    }
    g_string_append(body, odd[g_rand_int_range(random, 4, 6)]);
    return g_string_free(body, FALSE);
}

static char *
hash_in_pieces(GRand *random, const char *body, bool relaxed)
{
    BodyHash *hash = body_hash_new(relaxed, -1);
    int most = g_rand_int_range(random, 1, 300);
    for (size_t left = strlen(body); left > 0;) {
        size_t piece = (size_t)g_rand_int_range(random, 1, most + 1);
        piece = MIN(piece, left);
        body_hash_add(hash, body, piece);
        body += piece;
        left -= piece;
    }
    char *encoded = g_strdup(body_hash_end(hash));
    body_hash_free(hash);
    return encoded;
}

static void
test_body_hashes(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(6376);
    for (int i = 0; i < 4000; i++) {
        bool relaxed = i % 2 == 0;
        g_autofree char *body = make_body(random);
        g_autofree char *hash = hash_in_pieces(random, body, relaxed);
        g_autoptr(GString) canonical = canonicalize(body, relaxed);
        guint8 digest[32];
        gsize length = sizeof(digest);
        g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
        g_checksum_update(checksum, (const guchar *)canonical->str,
                          (gssize)canonical->len);
        g_checksum_get_digest(checksum, digest, &length);
        g_autofree char *expected = g_base64_encode(digest, length);
        g_assert_cmpstr(hash, ==, expected);
    }
}

#define ADD(path, function) g_test_add_func("/dkim/" path, function)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("tags/lists-are-parsed-strictly", test_tag_lists);
    ADD("tags/values-may-hold-utf8", test_tag_lists_with_utf8);
    ADD("tags/names-become-a-labels", test_names_become_a_labels);
    ADD("tags/nul-is-no-printable-octet", test_nul_is_no_printable_octet);
    ADD("tags/tags-are-limited", test_tags_are_limited);
    ADD("tags/numbers-are-digits-and-bounded", test_numbers);
    ADD("tags/names-are-labels", test_names);
    ADD("tags/base64-is-whole", test_base64);
    ADD("header/field-that-hides-something-spoils-all",
        test_field_that_hides_something_spoils_all);
    ADD("header/header-is-limited", test_header_is_limited);
    ADD("header/origins-are-guessed-from-any-from",
        test_origins_are_guessed_from_any_from);
    ADD("length/bodies-are-measured-canonically", test_body_lengths);
    ADD("canon/a-body-has-one-hash-in-whatever-pieces", test_body_hashes);
    return g_test_run();
}
