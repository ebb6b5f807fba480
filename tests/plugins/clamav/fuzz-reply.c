/* fuzz-reply.c: whatever clamd says, only its words count.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/clamav/reply.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const char *line = (const char *)bytes;
    Reply reply = reply_parse(line, length);

    g_assert_nonnull(reply.text);
    g_assert_cmpuint(strlen(reply.text), <=, 200);
    for (const char *c = reply.text; *c != '\0'; c++)
        g_assert_true(g_ascii_isprint(*c));
    if (reply.finding == CLEAN)
        g_assert_cmpmem(line, length, "stream: OK", 10);
    if (reply.finding == INFECTED) {
        g_assert_cmpuint(length, >, 14);
        g_assert_cmpmem(line + length - 6, 6, " FOUND", 6);
        g_assert_cmpuint(strlen(reply.text), >, 0);
    }
    reply_clear(&reply);
    return 0;
}
