/* comment.c: comments and folding white space (RFC 5322 3.2.2).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/arc/comment.h"

#include <stdbool.h>
#include <stddef.h>

static bool
is_folding(char octet)
{
    return octet == '\r' || octet == '\n';
}

static bool
is_space(char octet)
{
    return octet == ' ' || octet == '\t' || is_folding(octet);
}

/* NULL: it does not end. */
static const char *
skip_one(const char *at, const char *end)
{
    size_t depth = 0;
    for (; at < end; at++) {
        if (*at == '\\' && at + 1 < end)
            at++;
        else if (*at == '(')
            depth++;
        else if (*at == ')' && --depth == 0)
            return at + 1;
    }
    return NULL;
}

const char *
comment_skip(const char *at, const char *end)
{
    while (at < end && (is_space(*at) || *at == '(')) {
        const char *next = *at == '(' ? skip_one(at, end) : at + 1;
        if (next == NULL)
            break;
        at = next;
    }
    return at;
}

void
comment_blank(char *at, const char *end)
{
    while (at < end) {
        const char *next = *at == '(' ? skip_one(at, end) : NULL;
        if (next == NULL)
            at++;
        else
            for (; at < next; at++)
                if (!is_folding(*at))
                    *at = ' ';
    }
}
