/* explain-manual.c: pages as mdoc(7): filterd-spf(7) and its like.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/explain.h"

#include "filterd/host/loader.h"

#include <string.h>

/* ---- escaping ----------------------------------------------------------- */

/* One character of running text; a backquote begins or ends a word. */
static void
append_char(GString *out, char c, gboolean *bold)
{
    if (c == '\\') {
        g_string_append(out, "\\e");
    } else if (c == '`') {
        *bold = !*bold;
        g_string_append(out, *bold ? "\\fB" : "\\fR");
    } else {
        g_string_append_c(out, c);
    }
}

/* A sentence begins a line, and no line begins as a request would. */
static void
append_text(GString *out, const char *text)
{
    gboolean bold = FALSE, fresh = TRUE;
    for (const char *p = text; *p != '\0'; p++) {
        gboolean next = (*p == ' ' || *p == '\n') && p > text && p[-1] == '.'
                        && g_ascii_isupper(p[1]);
        if (fresh && strchr(".'", *p) != NULL)
            g_string_append(out, "\\&");
        if (next)
            g_string_append_c(out, '\n');
        else
            append_char(out, *p, &bold);
        fresh = next || *p == '\n';
    }
    g_string_append_c(out, '\n');
}

static void
append_literal(GString *out, const char *lines)
{
    gboolean fresh = TRUE;
    for (const char *p = lines; *p != '\0'; p++) {
        if (fresh && strchr(".'", *p) != NULL)
            g_string_append(out, "\\&");
        if (*p == '\\')
            g_string_append(out, "\\e");
        else
            g_string_append_c(out, *p);
        fresh = *p == '\n';
    }
    g_string_append(out, fresh ? "" : "\n");
}

/* ---- a page ------------------------------------------------------------- */

/* Packagers say when by SOURCE_DATE_EPOCH. */
static void
append_date(GString *out)
{
    const char *epoch = g_getenv("SOURCE_DATE_EPOCH");
    g_autoptr(GDateTime) when =
        epoch != NULL
            ? g_date_time_new_from_unix_utc(g_ascii_strtoll(epoch, NULL, 10))
            : g_date_time_new_now_utc();
    g_autofree char *text = g_date_time_format(when, "%Y-%m-%d");
    g_string_append_printf(out, ".Dd %s\n", text);
}

static void
write_title(ExplainPage *page, const FilterdPlugin *plugin)
{
    g_autofree char *upper = g_ascii_strup(plugin->name, -1);
    append_date(page->out);
    g_string_append_printf(page->out,
                           ".Dt FILTERD-%s 7\n.Os\n.Sh NAME\n"
                           ".Nm filterd-%s\n.Nd ",
                           upper, plugin->name);
    append_text(page->out, explain_summary(plugin));
    g_string_append(page->out, ".Sh SYNOPSIS\n");
    g_autofree char *bare = g_strdup_printf("use %s", plugin->name);
    page->style->literal(page,
                         plugin->example != NULL ? plugin->example : bare);
}

static void
write_section(ExplainPage *page, const char *title)
{
    g_string_append_printf(page->out, ".Sh %s\n", title);
    page->begun = FALSE;
}

static void
write_group(ExplainPage *page, const char *title)
{
    g_string_append_printf(page->out, ".Ss %s\n", title);
    page->begun = FALSE;
}

static void
write_begin(ExplainPage *page)
{
    g_string_append(page->out, ".Bl -tag -width Ds\n");
    page->depth++;
}

static void
write_end(ExplainPage *page)
{
    g_string_append(page->out, ".El\n");
    page->depth--;
    page->begun = TRUE;
}

/* A token of a term as macros. */
static void
append_token(GString *out, const char *token)
{
    static const struct {
        const char *token;
        const char *macro;
    } brackets[] = {{"[", " Oo"}, {"]", " Oc"}};
    size_t length = strlen(token);
    for (unsigned i = 0; i < G_N_ELEMENTS(brackets); i++) {
        if (strcmp(token, brackets[i].token) != 0)
            continue;
        g_string_append(out, brackets[i].macro);
        return;
    }
    if (*token == '`')
        g_string_append_printf(out, " Cm \\&%.*s", (int)length - 2, token + 1);
    else if (*token == '<')
        g_string_append_printf(out, " Ar %.*s", (int)length - 2, token + 1);
    else
        g_string_append_printf(out, " %s", token);
}

static void
write_item(ExplainPage *page, const char *term, const char *aside)
{
    g_auto(GStrv) tokens = g_strsplit(term, " ", -1);
    g_string_append(page->out, ".It");
    for (char **token = tokens; *token != NULL; token++)
        append_token(page->out, *token);
    if (aside != NULL)
        g_string_append_printf(page->out, " Pq %s", aside);
    g_string_append_c(page->out, '\n');
    page->begun = FALSE;
}

static void
write_text(ExplainPage *page, const char *text)
{
    if (page->begun)
        g_string_append(page->out, ".Pp\n");
    append_text(page->out, text);
    page->begun = TRUE;
}

static void
write_literal(ExplainPage *page, const char *lines)
{
    g_string_append(page->out, ".Bd -literal -offset 2n\n");
    append_literal(page->out, lines);
    g_string_append(page->out, ".Ed\n");
    page->begun = TRUE;
}

static void
write_finish(ExplainPage *page, const FilterdPlugin *plugin)
{
    g_autofree char *path = loader_installed_path(plugin->name);
    g_string_append_printf(page->out,
                           ".Sh FILES\n.Bl -tag -width Ds\n.It Pa %s\n"
                           "The plugin.\n.El\n"
                           ".Sh SEE ALSO\n.Xr filterctl 1 ,\n"
                           ".Xr filterd.conf 5 ,\n.Xr filterd 8\n",
                           path);
}

const ExplainStyle explain_manual = {
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
