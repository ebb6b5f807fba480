/* wire-data.c: fuzzes what stands between DATA and the final dot, against a
 * reader of another make.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The first octet says whether to normalize and how the rest is cut into
 * pieces.
 */
#include "filterd/wire/data-parser.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define LIMIT 4096

typedef struct Taken {
    GString *text; /* the header, an empty line, the body */
    gsize size;    /* without that line */
} Taken;

static void
take_header(void *data, const char *bytes, gsize length)
{
    Taken *taken = data;
    g_assert_cmpuint(taken->text->len, ==, 0);
    g_string_append_len(taken->text, bytes, (gssize)length);
    g_string_append(taken->text, "\r\n");
    taken->size += length;
}

static gboolean
take_body(void *data, const char *bytes, gsize length)
{
    Taken *taken = data;
    g_assert_cmpuint(taken->text->len, >=, 2);
    g_string_append_len(taken->text, bytes, (gssize)length);
    taken->size += length;
    return TRUE;
}

/* ---- the other reader --------------------------------------------------- */

static const char *
find(const char *bytes, gsize length, const char *what)
{
    return memmem(bytes, length, what, strlen(what));
}

/* Octets up to and with the final dot's line; 0 without one. */
static gsize
end_of_data(const char *bytes, gsize length)
{
    if (length >= 3 && memcmp(bytes, ".\r\n", 3) == 0)
        return 3;
    const char *end = find(bytes, length, "\r\n.\r\n");
    return end != NULL ? (gsize)(end - bytes) + 5 : 0;
}

/* A line, its CRLF cut off; whatever else ends lines somewhere becomes CRLF.
 * TRUE: there was such a thing, or a NUL. */
static gboolean
read_line(GString *out, const char *line, gsize length)
{
    gboolean odd = memchr(line, '\0', length) != NULL;
    if (length > 0 && *line == '.') {
        line++;
        length--;
    }
    for (gsize i = 0; i < length; i++) {
        gboolean ends = line[i] == '\r' || line[i] == '\n';
        odd |= ends;
        if (ends)
            g_string_append(out, "\r\n");
        else
            g_string_append_c(out, line[i]);
    }
    g_string_append(out, "\r\n");
    return odd;
}

static gboolean
read_all(GString *out, const char *bytes, gsize length)
{
    gboolean odd = FALSE;
    const char *end = bytes + length;
    while (bytes < end) {
        const char *crlf = find(bytes, (gsize)(end - bytes), "\r\n");
        odd |= read_line(out, bytes, (gsize)(crlf - bytes));
        bytes = crlf + 2;
    }
    if (!g_str_has_prefix(out->str, "\r\n")
        && find(out->str, out->len, "\r\n\r\n") == NULL)
        g_string_append(out, "\r\n");
    return odd;
}

/* ---- comparing ---------------------------------------------------------- */

static gboolean
feed(DataParser *parser, const uint8_t *bytes, gsize length, gsize piece,
     gsize *taken)
{
    gboolean ended = FALSE;
    for (*taken = 0; *taken < length && !ended;) {
        gsize size = MIN(piece, length - *taken);
        g_autofree char *exact = g_memdup2(bytes + *taken, size);
        *taken += data_parser_feed(parser, exact, size, &ended);
    }
    return ended;
}

static void
compare(const Taken *taken, const char *bytes, gsize length, gboolean normalize,
        DataProblem problem)
{
    g_autoptr(GString) expected = g_string_new(NULL);
    gboolean odd = read_all(expected, bytes, length);
    gboolean nul = memchr(bytes, '\0', length) != NULL;
    if (problem == DATA_TOO_LARGE)
        return;
    g_assert_cmpint(problem == DATA_BARE_NEWLINE, ==, normalize ? nul : odd);
    if (problem == DATA_OK)
        g_assert_cmpmem(taken->text->str, taken->text->len, expected->str,
                        expected->len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    Taken taken = {.text = g_string_new(NULL)};
    const DataClient client = {&taken, take_header, take_body};
    uint8_t how = length > 0 ? *bytes : 0;
    gsize used, skip = MIN(length, 1);
    const char *rest = (const char *)bytes + skip;
    DataParser *parser = data_parser_new(&client, LIMIT, how & 1);
    gboolean ended =
        feed(parser, bytes + skip, length - skip, 1 + (how >> 1) % 64, &used);
    gsize end = end_of_data(rest, length - skip);
    g_assert_cmpint(ended, ==, end > 0);
    g_assert_cmpuint(used, ==, ended ? end : length - skip);
    g_assert_cmpuint(taken.size, <=, LIMIT);
    if (ended)
        compare(&taken, rest, end - 3, how & 1, data_parser_problem(parser));
    data_parser_free(parser);
    g_string_free(taken.text, TRUE);
    return 0;
}
