/* wire-data.c: fuzzes what stands between DATA and the final dot, or in chunks,
 * against a reader of another make: what comes out is the content, canonical,
 * and one message to the strict.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The first octet is of DataFlags and says how the rest is cut into pieces.
 */
#include "filterd/wire/data-parser.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/reader.h"

#include <string.h>

#define LIMIT 4096
/* Of the first octet. */
#define FLAGS (DATA_NORMALIZE | DATA_SEVEN_BIT | DATA_CHUNKED)
#define PIECE_SHIFT 3

typedef struct Taken {
    GString *text; /* the header, an empty line, the body */
    gsize size;    /* without that line */
    unsigned headers;
} Taken;

static void
take_header(void *data, const char *bytes, gsize length)
{
    Taken *taken = data;
    g_assert_cmpuint(taken->text->len, ==, 0);
    g_string_append_len(taken->text, bytes, (gssize)length);
    g_string_append(taken->text, "\r\n");
    taken->size += length;
    taken->headers++;
}

static gboolean
take_body(void *data, const char *bytes, gsize length)
{
    Taken *taken = data;
    g_assert_cmpuint(taken->headers, ==, 1);
    g_string_append_len(taken->text, bytes, (gssize)length);
    taken->size += length;
    return TRUE;
}

static gboolean
feed(DataParser *parser, const uint8_t *bytes, gsize length, gsize piece,
     gsize *used)
{
    gboolean ended = FALSE;
    for (*used = 0; *used < length && !ended;) {
        gsize size = MIN(piece, length - *used);
        g_autofree char *exact = g_memdup2(bytes + *used, size);
        *used += data_parser_feed(parser, exact, size, &ended);
    }
    return ended;
}

/* What is sent to a mail server, stuffed, is this message and no other. */
static void
check_sent(const GString *content)
{
    g_autoptr(GString) wire = reader_stuff(content->str, content->len);
    g_autoptr(GString) again = g_string_new(NULL);
    g_assert_true(reader_canonical(content->str, content->len));
    g_assert_cmpuint(reader_end(wire->str, wire->len), ==, wire->len);
    g_assert_false(reader_content(again, wire->str, wire->len - 3, TRUE));
    g_assert_cmpmem(again->str, again->len, content->str, content->len);
}

static void
check_refused(const DataParser *parser, unsigned flags, gboolean odd,
              const char *bytes, gsize length)
{
    gboolean nul = memchr(bytes, '\0', length) != NULL;
    gboolean wrong = flags & DATA_NORMALIZE ? nul : odd;
    gboolean eightbit =
        (flags & DATA_SEVEN_BIT) && reader_eightbit(bytes, length);
    DataProblem problem = data_parser_problem(parser);
    if (problem == DATA_OK)
        g_assert_false(wrong || eightbit);
    else if (problem == DATA_BARE_NEWLINE)
        g_assert_true(wrong);
    else if (problem == DATA_EIGHTBIT)
        g_assert_true(eightbit);
    else
        g_assert_cmpint(problem, ==, DATA_TOO_LARGE);
    if (problem == DATA_TOO_LARGE)
        g_assert_cmpuint(length, >, LIMIT / 2 - 2);
}

static void
compare(const DataParser *parser, const Taken *taken, unsigned flags,
        const char *bytes, gsize length)
{
    g_autoptr(GString) expected = g_string_new(NULL);
    gboolean odd =
        reader_content(expected, bytes, length, !(flags & DATA_CHUNKED));
    reader_part(expected);
    check_refused(parser, flags, odd, bytes, length);
    if (data_parser_problem(parser) != DATA_OK)
        return;
    g_assert_cmpmem(taken->text->str, taken->text->len, expected->str,
                    expected->len);
    check_sent(taken->text);
}

static gsize
content_length(DataParser *parser, unsigned flags, const char *bytes,
               gsize length, gboolean ended, gsize used)
{
    gsize end = flags & DATA_CHUNKED ? 0 : reader_end(bytes, length);
    g_assert_cmpint(ended, ==, end > 0);
    g_assert_cmpuint(used, ==, ended ? end : length);
    if (flags & DATA_CHUNKED)
        data_parser_end(parser);
    return flags & DATA_CHUNKED ? length : ended ? end - 3 : 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    Taken taken = {.text = g_string_new(NULL)};
    const DataClient client = {&taken, take_header, take_body};
    uint8_t how = length > 0 ? *bytes : 0;
    unsigned flags = how & FLAGS;
    gsize used, left = length > 0 ? length - 1 : 0;
    const uint8_t *rest = bytes + (length > 0 ? 1 : 0);
    const char *text = (const char *)rest;
    DataParser *parser = data_parser_new(&client, LIMIT, flags);
    gboolean ended = feed(parser, rest, left, 1 + (how >> PIECE_SHIFT), &used);
    gsize content = content_length(parser, flags, text, left, ended, used);
    g_assert_cmpuint(taken.size, <=, LIMIT);
    if (ended || (flags & DATA_CHUNKED))
        compare(parser, &taken, flags, text, content);
    data_parser_free(parser);
    g_string_free(taken.text, TRUE);
    return 0;
}
