/* explain-text.c: pages as text of 80 columns.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/explain.h"

#include <string.h>

#define COLUMNS 79
#define STEP 4 /* from a term to what is said of it */

static unsigned
indent_of(const ExplainPage *page)
{
    return 2 + page->depth * STEP;
}

static void
append_blanks(GString *out, unsigned count)
{
    g_string_append_printf(out, "%*s", (int)count, "");
}

/* Words of `text` in lines from column `indent` on; the first one goes where
 * the line at hand ends, at `column`. */
static void
fill(GString *out, const char *text, unsigned indent, unsigned column)
{
    g_auto(GStrv) words = g_strsplit_set(text, " \n", -1);
    gboolean first = TRUE;
    for (char **word = words; *word != NULL; word++) {
        unsigned length = (unsigned)g_utf8_strlen(*word, -1);
        if (length == 0)
            continue;
        if (!first && column + 1 + length > COLUMNS) {
            g_string_append_c(out, '\n');
            append_blanks(out, indent);
            column = indent;
        } else if (!first) {
            g_string_append_c(out, ' ');
            column++;
        }
        g_string_append(out, *word);
        column += length;
        first = FALSE;
    }
    g_string_append_c(out, '\n');
}

static void
write_title(ExplainPage *page, const FilterdPlugin *plugin)
{
    g_string_append_printf(page->out, "%s: ", plugin->name);
    fill(page->out, explain_summary(plugin), 2,
         (unsigned)strlen(plugin->name) + 2);
}

static void
write_section(ExplainPage *page, const char *title)
{
    g_string_append_printf(page->out, "%s%s\n", page->out->len > 0 ? "\n" : "",
                           title);
    page->begun = FALSE;
}

static void
write_group(ExplainPage *page, const char *title)
{
    g_string_append_printf(page->out, "%s  %s\n", page->begun ? "\n" : "",
                           title);
    page->begun = FALSE;
}

static void
write_begin(ExplainPage *page)
{
    page->depth++;
}

static void
write_end(ExplainPage *page)
{
    page->depth--;
    page->begun = TRUE;
}

/* `word` as it is, <value> in capitals. */
static char *
format_token(const char *token)
{
    g_autofree char *bare = g_strndup(token + 1, strlen(token) - 1);
    if (*token != '`' && *token != '<')
        return g_strdup(token);
    bare[strlen(bare) - 1] = '\0';
    return *token == '`' ? g_steal_pointer(&bare) : g_ascii_strup(bare, -1);
}

/* No blanks within brackets. */
static char *
format_term(const char *term)
{
    GString *out = g_string_new(NULL);
    g_auto(GStrv) tokens = g_strsplit(term, " ", -1);
    gboolean glued = TRUE;
    for (char **token = tokens; *token != NULL; token++) {
        g_autofree char *shown = format_token(*token);
        if (!glued && strchr("]),", *shown) == NULL)
            g_string_append_c(out, ' ');
        g_string_append(out, shown);
        glued = *shown == '[' || g_str_has_suffix(shown, "(");
    }
    return g_string_free(out, FALSE);
}

static void
write_item(ExplainPage *page, const char *term, const char *aside)
{
    unsigned indent = indent_of(page) - STEP;
    g_autofree char *shown = format_term(term);
    g_autofree char *line = aside != NULL
                                ? g_strdup_printf("%s (%s)", shown, aside)
                                : g_strdup(shown);
    if (page->begun)
        g_string_append_c(page->out, '\n');
    append_blanks(page->out, indent);
    if (aside != NULL && page->column > 0)
        g_string_append_printf(page->out, "%-*s%s\n", (int)page->column, shown,
                               aside);
    else
        fill(page->out, line, indent + 2 * STEP, indent);
    page->begun = FALSE;
}

static void
write_text(ExplainPage *page, const char *text)
{
    if (page->begun)
        g_string_append_c(page->out, '\n');
    append_blanks(page->out, indent_of(page));
    fill(page->out, text, indent_of(page), indent_of(page));
    page->begun = TRUE;
}

static void
write_literal(ExplainPage *page, const char *lines)
{
    g_auto(GStrv) each = g_strsplit(lines, "\n", -1);
    if (page->begun)
        g_string_append_c(page->out, '\n');
    for (char **line = each; *line != NULL; line++) {
        if (**line != '\0')
            append_blanks(page->out, indent_of(page));
        g_string_append_printf(page->out, "%s\n", *line);
    }
    page->begun = TRUE;
}

static void
write_finish(ExplainPage *page, const FilterdPlugin *plugin)
{
    if (plugin->example == NULL)
        return;
    write_section(page, "EXAMPLE");
    g_autofree char *lines = g_strchomp(g_strdup(plugin->example));
    write_literal(page, lines);
}

const ExplainStyle explain_text = {
    .title = write_title,
    .section = write_section,
    .group = write_group,
    .begin = write_begin,
    .item = write_item,
    .end = write_end,
    .text = write_text,
    .literal = write_literal,
    .finish = write_finish,
};
