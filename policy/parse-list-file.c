/* parse-list-file.c: lists and maps in files of their own.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A list file has an entry a line, `#` comments; a map file a key, white space
 * and the value, which is the rest of the line.
 */
#include "policy/literal.h"
#include "policy/parse.h"
#include "policy/remark.h"

#include <string.h>

/* What stands on a line: an entry, a key, a value. */
typedef struct Part {
    const char *what;
    FilterdType type;
    PolicyPlace place;
    const char *text;
} Part;

/* In quotes or with a comma behind it, which would be right without. */
static gboolean
refuse_dressed(Compile *compile, const Part *part)
{
    FilterdValue value;

    if (strpbrk(part->text, "\"',;") == NULL)
        return FALSE;
    g_autofree char *plain = g_strdup(part->text + strspn(part->text, "\"'"));
    gsize length = strlen(plain);
    while (length > 0 && strchr("\"',;", plain[length - 1]) != NULL)
        plain[--length] = '\0';
    if (literal_parse_key(compile, part->type, part->text, &value)
        || !literal_parse_key(compile, part->type, plain, &value))
        return FALSE;
    const Complaint complaint = {.right = plain, .hint = plain};
    compile_complain(compile, &part->place, &complaint,
                     "%s file stands without quotes and commas", part->what);
    return TRUE;
}

/* FALSE: it is not to be taken. */
static gboolean
look_at(Compile *compile, Declaration *declaration, const Part *part)
{
    if (refuse_dressed(compile, part))
        return FALSE;
    if (part->type == FILTERD_TEXT || part->type == FILTERD_WORD)
        remark_quoted(compile, declaration, &part->place, part->text);
    return TRUE;
}

static gboolean
add_pair(Compile *compile, Declaration *map, const PolicyPlace *place,
         char *line)
{
    gsize length = strcspn(line, " \t");
    Part key = {"a key of a map", map->type, *place, line};
    Part value = {"a value of a map", map->gives, *place, line + length};

    if (line[length] == '\0') {
        compile_error(compile, place, "a key, white space, a value",
                      "`%s` has no value", line);
        return !compile->gave_up;
    }
    line[length] = '\0';
    for (value.text++; g_ascii_isspace(*value.text);)
        value.text++;
    key.place.length = (unsigned)g_utf8_strlen(line, -1);
    value.place.length = (unsigned)g_utf8_strlen(value.text, -1);
    value.place.column += place->length - value.place.length;
    gboolean right = look_at(compile, map, &key);
    if (look_at(compile, map, &value) && right)
        return parse_map_pair(compile, map, place, line, value.text);
    return !compile->gave_up;
}

/* One line of a file, without its comment, trimmed. */
static gboolean
add_line(Compile *compile, Declaration *declaration, const PolicyPlace *place,
         char *line)
{
    Part entry = {"an entry of a list", declaration->type, *place, line};

    if (declaration->patterns != NULL)
        return parse_pattern_line(compile, declaration, place, line);
    if (declaration->kind == DECLARATION_MAP)
        return add_pair(compile, declaration, place, line);
    if (!look_at(compile, declaration, &entry))
        return !compile->gave_up;
    return parse_list_entry(compile, declaration, place, line, NULL);
}

/* A `#` begins a comment where a word could begin. */
static void
cut_comment(char *line)
{
    for (char *c = line; *c != '\0'; c++)
        if (*c == '#' && (c == line || g_ascii_isspace(c[-1]))) {
            *c = '\0';
            return;
        }
}

void
parse_list_file(Compile *compile, Declaration *declaration,
                const Source *source)
{
    PolicyPlace place = {.file = source->name};
    const char *at = source->text;
    const char *end = source->text + source->length;
    gboolean more = TRUE;

    if (source->length >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
        at += 3;
    while (more && at < end) {
        const char *stop = memchr(at, '\n', (gsize)(end - at));
        gsize length = (gsize)((stop != NULL ? stop : end) - at);
        g_autofree char *line = g_strndup(at, length);

        place.line++;
        cut_comment(line);
        char *begin = g_strchomp(line);
        while (g_ascii_isspace(*begin))
            begin++;
        place.column = 1 + (unsigned)(begin - line);
        place.length = (unsigned)g_utf8_strlen(begin, -1);
        if (*begin != '\0')
            more = add_line(compile, declaration, &place, begin);
        at = stop != NULL ? stop + 1 : end;
    }
}
