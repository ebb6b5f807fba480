/* pattern-odd.c: patterns that are right and probably not meant.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/pattern-odd.h"

#include <string.h>

/* Flags behind the last slash, as in Perl. */
#define FLAGS "imsx"

/* The slash that ends it; NULL. `/…/ REJECT …` is a line of a Postfix map. */
static const char *
find_end(const char *text)
{
    const char *end = *text == '/' ? strpbrk(text, " \t") : NULL;

    if (*text != '/')
        return NULL;
    if (end == NULL || !g_ascii_isupper(end[strspn(end, " \t")]))
        end = text + strlen(text);
    while (end > text + 1 && strchr(FLAGS, end[-1]) != NULL)
        end--;
    return end > text + 2 && end[-1] == '/' && end[-2] != '\\' ? end - 1 : NULL;
}

PatternOddity
pattern_oddity(const char *text)
{
    static const char *const all[] = {"",     ".*", "^.*", ".*$",
                                      "^.*$", "^",  "$",   NULL};

    if (g_strv_contains(all, text))
        return PATTERN_ALL;
    return find_end(text) != NULL ? PATTERN_SLASHES : PATTERN_PLAIN;
}

char *
pattern_without_slashes(const char *text)
{
    const char *end = find_end(text);
    gsize flags = strspn(end + 1, FLAGS);
    g_autofree char *inner = g_strndup(text + 1, (gsize)(end - text - 1));

    return flags == 0
               ? g_steal_pointer(&inner)
               : g_strdup_printf("(?%.*s)%s", (int)flags, end + 1, inner);
}
