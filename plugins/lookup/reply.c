/* reply.c: what a mail server says of a recipient.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/lookup/reply.h"

#include <string.h>

gboolean
reply_parse_line(const char *line, gsize length, ReplyLine *parsed)
{
    if (length < 3 || line[0] < '2' || line[0] > '5' || line[1] < '0'
        || line[1] > '5' || !g_ascii_isdigit(line[2])
        || (length > 3 && line[3] != ' ' && line[3] != '-'))
        return FALSE;
    *parsed = (ReplyLine){
        .code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0',
        .more = length > 3 && line[3] == '-',
        .text = line + MIN(length, 4),
        .length = length - MIN(length, 4),
    };
    return TRUE;
}

static gboolean
begins_with_one_of(const char *text, const char *const *words)
{
    g_autofree char *first = g_strndup(text, strcspn(text, " "));

    return g_strv_contains(words, first);
}

Standing
reply_standing(int code, const char *text)
{
    /* No such mailbox or domain, it moved, it is disabled. */
    static const char *const gone[] = {"5.1.1",  "5.1.2", "5.1.3", "5.1.6",
                                       "5.1.10", "5.2.1", NULL};
    gboolean enhanced = g_str_has_prefix(text, "5.");

    if (code / 100 == 2)
        return EXISTS;
    if (enhanced)
        return code / 100 == 5 && begins_with_one_of(text, gone) ? MISSING
                                                                 : UNSAID;
    return code == 550 || code == 551 || code == 553 ? MISSING : UNSAID;
}
