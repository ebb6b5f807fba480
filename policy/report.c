/* report.c: gathers notes and shows them with the line and a caret.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/report.h"

#include <string.h>

/* Octets of a source line that are kept. */
#define SOURCE_LIMIT 1000

static void
note_free(gpointer data)
{
    PolicyNote *note = data;

    g_free(note->file);
    g_free(note->source);
    g_free(note->message);
    g_free(note->hint);
    g_free(note->right);
    g_free(note);
}

void
policy_report_init(PolicyReport *report)
{
    report->notes = g_ptr_array_new_with_free_func(note_free);
    report->errors = 0;
}

void
policy_report_clear(PolicyReport *report)
{
    g_clear_pointer(&report->notes, g_ptr_array_unref);
    report->errors = 0;
}

/* The line as a terminal may see it. */
static char *
copy_line(const char *source)
{
    gsize length = strcspn(source, "\r\n");
    g_autofree char *line = g_strndup(source, MIN(length, SOURCE_LIMIT));
    char *shown = g_utf8_make_valid(line, -1);

    for (char *c = shown; *c != '\0'; c++)
        if (g_ascii_iscntrl(*c) && *c != '\t')
            *c = '?';
    return shown;
}

void
policy_report_add(PolicyReport *report, PolicySeverity severity,
                  const PolicyPlace *place, const char *source,
                  const char *message, const char *hint)
{
    PolicyNote *note = g_new0(PolicyNote, 1);

    note->severity = severity;
    note->file = g_strdup(place->file);
    note->line = place->line;
    note->column = place->column;
    note->length = place->length;
    note->source = source != NULL ? copy_line(source) : NULL;
    note->message = g_utf8_make_valid(message, -1);
    note->hint = hint != NULL ? g_utf8_make_valid(hint, -1) : NULL;
    g_ptr_array_add(report->notes, note);
    if (severity == POLICY_ERROR)
        report->errors++;
}

void
policy_report_suggest(PolicyReport *report, const char *right)
{
    PolicyNote *note = g_ptr_array_index(report->notes, report->notes->len - 1);

    g_free(note->right);
    note->right = g_strdup(right);
}

/* How many notes come before the first of that note's file. */
static guint
file_rank(const GPtrArray *notes, const PolicyNote *note)
{
    guint rank = 0;

    while (
        strcmp(((PolicyNote *)g_ptr_array_index(notes, rank))->file, note->file)
        != 0)
        rank++;
    return rank;
}

static int
compare_notes(gconstpointer a, gconstpointer b)
{
    const PolicyNote *one = *(PolicyNote *const *)a;
    const PolicyNote *other = *(PolicyNote *const *)b;

    if (one->rank != other->rank)
        return one->rank < other->rank ? -1 : 1;
    if (one->line != other->line)
        return one->line < other->line ? -1 : 1;
    return (one->column > other->column) - (one->column < other->column);
}

void
policy_report_sort(PolicyReport *report)
{
    for (guint i = 0; i < report->notes->len; i++) {
        PolicyNote *note = g_ptr_array_index(report->notes, i);

        note->rank = file_rank(report->notes, note);
    }
    /* A merge sort: notes of one place stay in their order. */
    g_ptr_array_sort(report->notes, compare_notes);
}

/* The caret under its column, whatever tabs stand before it. */
static void
append_caret(GString *out, const PolicyNote *note)
{
    const char *c = note->source;

    g_string_append(out, "    ");
    for (unsigned i = 1; i < note->column && *c != '\0'; i++) {
        g_string_append_c(out, *c == '\t' ? '\t' : ' ');
        c = g_utf8_next_char(c);
    }
    g_string_append_c(out, '^');
    if (*c != '\0')
        c = g_utf8_next_char(c);
    for (unsigned i = 1; i < note->length && *c != '\0'; i++) {
        g_string_append_c(out, '~');
        c = g_utf8_next_char(c);
    }
    g_string_append_c(out, '\n');
}

static void
append_note(GString *out, const PolicyNote *note)
{
    g_string_append_printf(
        out, "%s:%u:%u: %s: %s\n", note->file, note->line, note->column,
        note->severity == POLICY_ERROR ? "error" : "warning", note->message);
    if (note->source != NULL) {
        g_string_append_printf(out, "    %s\n", note->source);
        append_caret(out, note);
    }
    if (note->hint != NULL)
        g_string_append_printf(out, "    %s\n", note->hint);
}

char *
policy_report_format(const PolicyReport *report)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < report->notes->len; i++)
        append_note(out, g_ptr_array_index(report->notes, i));
    return g_string_free(out, FALSE);
}
