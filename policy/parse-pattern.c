/* parse-pattern.c: the entries of a list of patterns.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Raw, as behind `matches`: a backslash is PCRE2's.
 */
#include "policy/parse.h"
#include "policy/remark.h"

#include <string.h>

/* FALSE: enough of it. */
static gboolean
add_pattern(Compile *compile, Declaration *list, const PolicyPlace *place,
            const Token *pattern)
{
    const char *text =
        compile_keep(compile, pattern->start, (gssize)pattern->length);
    const FilterdValue key = filterd_text(text);
    unsigned quote = pattern->kind == TOKEN_TEXT ? 1 : 0;
    PolicyPlace at = *place;
    g_autofree char *message = NULL;
    gsize offset = 0;

    if (lookup_size(list->lookup) >= COMPILE_PATTERNS) {
        compile_error(compile, place, NULL, "`%s` has more than %d patterns",
                      list->name, COMPILE_PATTERNS);
        return FALSE;
    }
    if (!lookup_add(list->lookup, &key, NULL)) {
        remark_twice(compile, list, place, text);
        return TRUE;
    }
    remark_pattern(compile, list, place, text);
    if (compile->skeleton
        || pattern_list_add(list->patterns, text, &message, &offset))
        return TRUE;
    at.column += quote + (unsigned)g_utf8_strlen(text, (gssize)offset);
    at.length = 1;
    compile_error(compile, &at, NULL, "the pattern is wrong: %s", message);
    return !compile->gave_up;
}

gboolean
parse_pattern(Compile *compile, Declaration *list, gboolean *told)
{
    const Token token = compile->token;

    if (token.kind != TOKEN_TEXT && !*told)
        compile_wanted(compile, "such as \"^[0-9]+$\"", "a pattern in quotes");
    *told = *told || token.kind != TOKEN_TEXT;
    compile_advance(compile);
    return token.kind != TOKEN_TEXT
           || add_pattern(compile, list, &token.place, &token);
}

gboolean
parse_pattern_line(Compile *compile, Declaration *list,
                   const PolicyPlace *place, const char *line)
{
    const Token whole = {
        .kind = TOKEN_BARE, .start = line, .length = strlen(line)};

    remark_quoted(compile, list, place, line);
    return add_pattern(compile, list, place, &whole);
}
