/* fuzz-reply.c: a line of a reply has a code, or is none.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/lookup/reply.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const char *line = (const char *)bytes;
    ReplyLine parsed;

    if (!reply_parse_line(line, length, &parsed))
        return 0;
    g_assert_cmpint(parsed.code, >=, 200);
    g_assert_cmpint(parsed.code, <, 560);
    g_assert_true(parsed.text >= line
                  && parsed.text + parsed.length == line + length);

    g_autofree char *text = g_strndup(parsed.text, parsed.length);
    Standing standing = reply_standing(parsed.code, text);

    g_assert_cmpint(standing == EXISTS, ==, parsed.code < 300);
    if (standing == MISSING)
        g_assert_cmpint(parsed.code, >=, 500);
    g_assert_cmpint(standing, !=, CATCH_ALL);
    return 0;
}
