/* mail-reply.c: fuzzes a backend's reply, line by line; what comes of it is a
 * reply again.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/mail/reply.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void
check_written(const MailReply *reply)
{
    g_autoptr(GString) out = g_string_new(NULL);
    mail_reply_append(out, reply, "[7f3a-2]");
    g_auto(GStrv) lines = g_strsplit(out->str, "\r\n", -1);
    guint count = g_strv_length(lines) - 1;
    g_assert_cmpuint(count, <=, MAIL_REPLY_LINES);
    MailReplyParser parser = {0};
    for (guint i = 0; i < count; i++) {
        gsize length = strlen(lines[i]);
        g_assert_cmpuint(length + 2, <=, MAIL_REPLY_LINE);
        g_assert_cmpint(mail_reply_parse_line(&parser, lines[i], length), ==,
                        i + 1 < count ? MAIL_REPLY_MORE : MAIL_REPLY_DONE);
    }
    g_assert_cmpint(parser.reply.code, ==, reply->code);
    g_assert_true(g_str_has_suffix(parser.reply.text, "[7f3a-2]"));
    mail_reply_parser_clear(&parser);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const char *at = (const char *)bytes;
    const char *end = at + length;
    MailReplyParser parser = {0};
    while (at < end) {
        const char *line = memchr(at, '\n', end - at);
        gsize size = (line != NULL ? line : end) - at;
        if (mail_reply_parse_line(&parser, at, size) == MAIL_REPLY_DONE)
            check_written(&parser.reply);
        at += MIN((gsize)(end - at), size + 1);
    }
    mail_reply_parser_clear(&parser);
    return 0;
}
