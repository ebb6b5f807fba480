/* data-parser.c: tests of what stands between DATA and the final dot.
 * (RFC 5321 2.3.8, 4.5.2)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/data-parser.h"

#include "filterd/mail/header.h"

#include <string.h>
#include <time.h>

#define NO_LIMIT (1024 * 1024)

typedef struct Result {
    GString *header, *body;
    unsigned headers;
    gboolean full; /* nothing more is kept */
    gboolean ended;
    gsize taken;
    DataProblem problem;
} Result;

static void
take_header(void *data, const char *bytes, gsize length)
{
    Result *result = data;
    g_string_append_len(result->header, bytes, (gssize)length);
    result->headers++;
}

static gboolean
take_body(void *data, const char *bytes, gsize length)
{
    Result *result = data;
    g_assert_cmpuint(result->headers, ==, 1);
    g_string_append_len(result->body, bytes, (gssize)length);
    return !result->full;
}

static void
result_init(Result *result)
{
    *result =
        (Result){.header = g_string_new(NULL), .body = g_string_new(NULL)};
}

static void
result_clear(Result *result)
{
    g_string_free(result->header, TRUE);
    g_string_free(result->body, TRUE);
}

/* Feeds the octets before `cut`, then the others in pieces of `step`. */
static void
parse(Result *result, const GString *input, gsize cut, gsize step,
      unsigned flags, gsize limit)
{
    const DataClient client = {result, take_header, take_body};
    g_autoptr(DataParser) parser = data_parser_new(&client, limit, flags);
    gsize at = 0, piece = cut > 0 ? cut : step;
    while (at < input->len && !result->ended) {
        gsize length = MIN(piece, input->len - at);
        /* Of that size: a reader that goes too far is caught. */
        g_autofree char *exact = g_memdup2(input->str + at, length);
        gsize taken = data_parser_feed(parser, exact, length, &result->ended);
        g_assert_true(result->ended ? taken <= length : taken == length);
        at += taken;
        piece = step;
    }
    result->taken = at;
    result->problem = data_parser_problem(parser);
}

/* ---- look-alikes of the end --------------------------------------------- */

typedef struct Octets {
    const char *bytes;
    gsize length;
} Octets;

#define OCTETS(text)           \
    {                          \
        text, sizeof(text) - 1 \
    }

static const Octets before[] = {
    OCTETS("\r\n"), OCTETS("\n"),     OCTETS("\r"),     OCTETS("\r\r\n"),
    OCTETS("\n\r"), OCTETS("\r\n\0"), OCTETS("\r\0\n"), OCTETS("\0\r\n"),
    OCTETS("\v"),   OCTETS("\f"),     OCTETS("\x85"),
};
static const Octets after[] = {
    OCTETS("\r\n"),   OCTETS("\n"),     OCTETS("\r"),     OCTETS("\r\r\n"),
    OCTETS("\n\r"),   OCTETS("\0\r\n"), OCTETS("\r\0\n"), OCTETS(" \r\n"),
    OCTETS("\t\r\n"), OCTETS("\v"),     OCTETS(".\r\n"),
};

/* Where the data ends, told in another way than the parser's: behind the first
 * CRLF.CRLF. */
static gsize
true_end(const GString *input)
{
    g_autoptr(GString) whole = g_string_new("\r\n");
    g_string_append_len(whole, input->str, (gssize)input->len);
    const char *end = memmem(whole->str, whole->len, "\r\n.\r\n", 5);
    return end != NULL ? (gsize)(end + 5 - whole->str) - 2 : 0;
}

/* Its content: dots behind CRLF dropped, every CRLF, CR and LF a CRLF. */
static GString *
reference(const GString *input, gsize end, gboolean *odd)
{
    GString *out = g_string_new(NULL);
    gsize length = end - strlen(".\r\n");
    const char *p = input->str;
    *odd = FALSE;
    for (gsize i = 0; i < length; i++) {
        gboolean start =
            i == 0 || (i >= 2 && p[i - 2] == '\r' && p[i - 1] == '\n');
        gboolean pair = p[i] == '\r' && i + 1 < length && p[i + 1] == '\n';
        if (start && p[i] == '.')
            continue;
        if (p[i] == '\0' || ((p[i] == '\r' || p[i] == '\n') && !pair))
            *odd = TRUE;
        if (p[i] == '\r' || p[i] == '\n')
            g_string_append(out, "\r\n");
        else
            g_string_append_c(out, p[i]);
        i += pair ? 1 : 0;
    }
    return out;
}

/* The empty line may be missing where the body is, too. */
static void
check_content(const Result *result, const GString *expected)
{
    g_autoptr(GString) got = g_string_new(NULL);
    g_string_append_len(got, result->header->str, (gssize)result->header->len);
    g_string_append(got, "\r\n");
    g_string_append_len(got, result->body->str, (gssize)result->body->len);
    gboolean parted = g_str_has_prefix(expected->str, "\r\n")
                      || memmem(expected->str, expected->len, "\r\n\r\n", 4);
    g_assert_cmpmem(got->str, parted ? got->len : got->len - 2, expected->str,
                    expected->len);
}

static GString *
stuff(const GString *content)
{
    GString *out = g_string_new(NULL);
    for (gsize i = 0; i < content->len; i++) {
        if (content->str[i] == '.' && (i == 0 || content->str[i - 1] == '\n'))
            g_string_append_c(out, '.');
        g_string_append_c(out, content->str[i]);
    }
    return g_string_append(out, ".\r\n");
}

/* What came out, sent on, is the same message to the strict. */
static void
check_again(const GString *content)
{
    g_autoptr(GString) wire = stuff(content);
    Result result;
    g_assert_cmpuint(true_end(wire), ==, wire->len);
    result_init(&result);
    parse(&result, wire, 0, wire->len, FALSE, NO_LIMIT);
    g_assert_true(result.ended);
    g_assert_cmpint(result.problem, ==, DATA_OK);
    check_content(&result, content);
    result_clear(&result);
}

static void
check_cut(const GString *input, gsize cut, gsize step, gboolean normalize)
{
    gboolean odd;
    gsize end = true_end(input);
    g_autoptr(GString) expected = reference(input, end, &odd);
    gboolean nul = memchr(input->str, '\0', end) != NULL;
    Result result;
    result_init(&result);
    parse(&result, input, cut, step, normalize, NO_LIMIT);
    g_assert_true(result.ended);
    g_assert_cmpuint(result.taken, ==, end);
    g_assert_cmpint(result.problem, ==,
                    (normalize ? nul : odd) ? DATA_BARE_NEWLINE : DATA_OK);
    if (result.problem == DATA_OK) {
        check_content(&result, expected);
        check_again(expected);
    }
    result_clear(&result);
}

static void
check_everywhere(const GString *input)
{
    for (unsigned normalize = 0; normalize < 2; normalize++) {
        check_cut(input, 0, 1, normalize == 1);
        for (gsize cut = 1; cut <= input->len; cut++)
            check_cut(input, cut, input->len, normalize == 1);
    }
}

static void
check_pair(const char *head, const Octets *first, const Octets *last)
{
    g_autoptr(GString) input = g_string_new(head);
    g_string_append_len(input, first->bytes, (gssize)first->length);
    g_string_append_c(input, '.');
    g_string_append_len(input, last->bytes, (gssize)last->length);
    g_string_append(input, "MAIL FROM:<x@y>\r\n.\r\nQUIT\r\n");
    check_everywhere(input);
}

static void
test_lookalikes(gconstpointer head)
{
    for (gsize i = 0; i < G_N_ELEMENTS(before); i++)
        for (gsize j = 0; j < G_N_ELEMENTS(after); j++)
            check_pair(head, &before[i], &after[j]);
}

/* ---- other shapes ------------------------------------------------------- */

static void
test_shapes(void)
{
    static const char *const shapes[] = {
        ".\r\n",
        "\r\n.\r\n",
        "\r\n\r\n.\r\n",
        "A: b\r\n.\r\n",
        "A: b\r\n\r\n.\r\n",
        "A: b\r\n\r\nc\r\n.\r\n",
        "..A: b\r\n\r\n..c\r\n...\r\n.\r\n",
        "A: b\r\n c\r\n\r\nd\r\n..\r\n.\r\nRSET\r\n",
        "A: b\r\r\n\r\n\n.\n.\r\n.\r\n",
        "\n\r\n\r\r\n.\r\n",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(shapes); i++) {
        g_autoptr(GString) input = g_string_new(shapes[i]);
        check_everywhere(input);
    }
}

static void
test_dot_and_pieces(void)
{
    static const gsize borders[] = {4096, 8192, 65536};
    for (gsize i = 0; i < G_N_ELEMENTS(borders); i++)
        for (gsize off = 0; off < 8; off++) {
            g_autoptr(GString) input = g_string_new("A: b\r\n\r\n");
            while (input->len < borders[i] - off)
                g_string_append_c(input, 'x');
            g_string_append(input, "\r\n..\r\n.\r\nNOOP\r\n");
            check_cut(input, borders[i], borders[i], FALSE);
        }
}

/* ---- limits ------------------------------------------------------------- */

static DataProblem
problem_of(const GString *input, gsize limit, gboolean full)
{
    Result result;
    result_init(&result);
    result.full = full;
    parse(&result, input, 0, 777, FALSE, limit);
    g_assert_true(result.ended);
    g_assert_cmpuint(result.taken, ==, input->len);
    result_clear(&result);
    return result.problem;
}

static void
test_size_limit(void)
{
    g_autoptr(GString) input = g_string_new("A: b\r\n\r\n12345678\r\n.\r\n");
    gsize size = strlen("A: b\r\n12345678\r\n");
    g_assert_cmpint(problem_of(input, size, FALSE), ==, DATA_OK);
    g_assert_cmpint(problem_of(input, size - 1, FALSE), ==, DATA_TOO_LARGE);
}

static void
test_header_limit(void)
{
    g_autoptr(GString) input = g_string_new("A: ");
    while (input->len < MAIL_HEADER_LIMIT - 2)
        g_string_append_c(input, 'x');
    g_string_append(input, "\r\n\r\n.\r\n");
    g_assert_cmpint(problem_of(input, NO_LIMIT, FALSE), ==, DATA_OK);
    g_string_insert_c(input, 3, 'x');
    g_assert_cmpint(problem_of(input, NO_LIMIT, FALSE), ==, DATA_HEADER_LARGE);
}

static void
test_not_kept(void)
{
    g_autoptr(GString) input = g_string_new("A: b\r\n\r\nc\r\nd\r\n.\r\n");
    g_assert_cmpint(problem_of(input, NO_LIMIT, TRUE), ==, DATA_NOT_KEPT);
}

static void
test_first_problem_stays(void)
{
    g_autoptr(GString) input = g_string_new("A: b\n\r\n12345678\r\n.\r\n");
    g_assert_cmpint(problem_of(input, 4, FALSE), ==, DATA_BARE_NEWLINE);
}

/* ---- time --------------------------------------------------------------- */

/* Seconds for a piece as large as a stream's buffer. */
static double
seconds_for(const Octets *unit, const Octets *last)
{
    g_autoptr(GString) input = g_string_new("\r\n");
    while (input->len + unit->length + last->length < 65536)
        g_string_append_len(input, unit->bytes, (gssize)unit->length);
    g_string_append_len(input, last->bytes, (gssize)last->length);
    Result result;
    result_init(&result);
    clock_t start = clock();
    parse(&result, input, 0, input->len, TRUE, NO_LIMIT);
    result_clear(&result);
    return (double)(clock() - start) / CLOCKS_PER_SEC;
}

static void
test_no_octets_take_quadratic_time(void)
{
    static const Octets units[] = {
        OCTETS("\r\n"), OCTETS("a\r"), OCTETS("a\n"), OCTETS(".\n"),
        OCTETS(".\r"),  OCTETS("\r"),  OCTETS("a"),   OCTETS(".a\r\n"),
    };
    static const Octets last[] = {OCTETS("\0"), OCTETS("\r"), OCTETS("\n")};
    for (gsize i = 0; i < G_N_ELEMENTS(units); i++)
        for (gsize j = 0; j < G_N_ELEMENTS(last); j++)
            g_assert_cmpfloat(seconds_for(&units[i], &last[j]), <, 0.1);
}

/* ---- chunks ------------------------------------------------------------- */

/* Every CRLF, CR and LF a CRLF; one behind a last line without. */
static GString *
whole_lines(const char *bytes, gsize length, gboolean *odd)
{
    GString *out = g_string_new(NULL);
    *odd = FALSE;
    for (gsize i = 0; i < length; i++) {
        gboolean pair =
            bytes[i] == '\r' && i + 1 < length && bytes[i + 1] == '\n';
        gboolean line_end = bytes[i] == '\r' || bytes[i] == '\n';
        g_string_append_len(out, line_end ? "\r\n" : bytes + i,
                            line_end ? 2 : 1);
        *odd |= line_end && !pair;
        i += pair ? 1 : 0;
    }
    if (out->len > 0 && out->str[out->len - 1] != '\n')
        g_string_append(out, "\r\n");
    return out;
}

static void
check_chunks(const char *bytes, gsize length, gsize cut, unsigned flags)
{
    Result result;
    gboolean odd, ended;
    result_init(&result);
    const DataClient client = {&result, take_header, take_body};
    g_autoptr(GString) expected = whole_lines(bytes, length, &odd);
    g_autoptr(DataParser) parser =
        data_parser_new(&client, NO_LIMIT, flags | DATA_CHUNKED);
    g_autofree char *first = g_memdup2(bytes, cut);
    g_autofree char *second = g_memdup2(bytes + cut, length - cut);
    data_parser_feed(parser, first, cut, &ended);
    g_assert_false(ended);
    data_parser_feed(parser, second, length - cut, &ended);
    g_assert_false(ended);
    data_parser_end(parser);
    gboolean refused = odd && !(flags & DATA_NORMALIZE);
    g_assert_cmpint(data_parser_problem(parser), ==,
                    refused ? DATA_BARE_NEWLINE : DATA_OK);
    if (!refused) {
        g_assert_cmpuint(result.headers, ==, 1);
        if (g_str_has_prefix(expected->str, "\r\n")
            || strstr(expected->str, "\r\n\r\n") != NULL)
            g_string_append(result.header, "\r\n");
        g_string_append(result.header, result.body->str);
        g_assert_cmpstr(result.header->str, ==, expected->str);
    }
    result_clear(&result);
}

/* Each text of up to so many octets of four kinds, cut at each octet. */
#define CHUNK_OCTETS 7

static void
test_chunks(gconstpointer flags)
{
    static const char octets[] = {'\r', '\n', '.', 'x'};
    for (gsize length = 0; length <= CHUNK_OCTETS; length++)
        for (gsize shape = 0; shape < (gsize)1 << (2 * length); shape++) {
            char bytes[CHUNK_OCTETS];
            for (gsize i = 0; i < length; i++)
                bytes[i] = octets[shape >> (2 * i) & 3];
            for (gsize cut = 0; cut <= length; cut++)
                check_chunks(bytes, length, cut, GPOINTER_TO_UINT(flags));
        }
}

static void
test_seven_bit(void)
{
    static const struct Text {
        const char *text;
        unsigned flags;
        DataProblem problem;
    } texts[] = {
        {"A: \x80\r\n\r\nb\r\n.\r\n", DATA_SEVEN_BIT, DATA_EIGHTBIT},
        {"A: b\r\n\r\n\xff\r\n.\r\n", DATA_SEVEN_BIT, DATA_EIGHTBIT},
        {"A: b\r\n\r\nc\xff\r\nx", DATA_SEVEN_BIT, DATA_EIGHTBIT},
        {"A: b\r\n\r\n\x7f\r\n.\r\n", DATA_SEVEN_BIT, DATA_OK},
        {"A: \x80\r\n\r\n\xff\r\n.\r\n", 0, DATA_OK},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        Result result;
        result_init(&result);
        g_autoptr(GString) input = g_string_new(texts[i].text);
        parse(&result, input, 0, 3, texts[i].flags, NO_LIMIT);
        g_assert_cmpint(result.problem, ==, texts[i].problem);
        result_clear(&result);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/wire/data/lookalikes-in-the-body-do-not-end-it",
                         "A: b\r\n\r\nc", test_lookalikes);
    g_test_add_data_func("/wire/data/lookalikes-in-the-header-do-not-end-it",
                         "A: b", test_lookalikes);
    g_test_add_data_func("/wire/data/lookalikes-at-the-start-do-not-end-it", "",
                         test_lookalikes);
    g_test_add_func("/wire/data/small-shapes-cut-anywhere", test_shapes);
    g_test_add_func("/wire/data/the-dot-at-the-border-of-pieces",
                    test_dot_and_pieces);
    g_test_add_data_func("/wire/data/chunks-cut-anywhere", NULL, test_chunks);
    g_test_add_data_func("/wire/data/chunks-cut-anywhere-and-made-whole",
                         GUINT_TO_POINTER(DATA_NORMALIZE), test_chunks);
    g_test_add_func("/wire/data/eight-bits-for-seven", test_seven_bit);
    g_test_add_func("/wire/data/size-is-limited-to-the-octet", test_size_limit);
    g_test_add_func("/wire/data/header-is-limited-to-the-octet",
                    test_header_limit);
    g_test_add_func("/wire/data/what-cannot-be-kept-is-told", test_not_kept);
    g_test_add_func("/wire/data/the-first-problem-stays",
                    test_first_problem_stays);
    g_test_add_func("/wire/data/no-octets-take-quadratic-time",
                    test_no_octets_take_quadratic_time);
    return g_test_run();
}
