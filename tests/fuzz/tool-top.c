/* tool-top.c: fuzzes what filterctl top makes of an answer, alone and after
 * another one.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/top.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define RULES 10

static TopSample *
take(const char *text, size_t length)
{
    g_autoptr(JsonReader) reader = json_reader_new();
    return top_sample_new(json_read(reader, text, length));
}

static void
look(const TopSample *now, const TopSample *before)
{
    g_autofree char *text = top_format(now, before, RULES);
    g_assert_true(g_str_has_prefix(text, "filterd "));
}

/* Two answers, with a newline between. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const char *text = (const char *)bytes;
    const char *end = memchr(text, '\n', length);
    size_t first = end != NULL ? (size_t)(end - text) : length;
    TopSample *before = take(text, first);
    look(before, NULL);
    if (end != NULL) {
        TopSample *now = take(end + 1, length - first - 1);
        look(now, before);
        top_sample_free(now);
    }
    top_sample_free(before);
    return 0;
}
