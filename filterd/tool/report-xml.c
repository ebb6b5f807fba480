/* report-xml.c: the document of an aggregate report (RFC 9990 3.1.1, appendix
 * A), its name and its compressed form.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/report.h"

#include <gio/gio.h>
#include <string.h>

#define NAMESPACE "urn:ietf:params:xml:ns:dmarc-2.0"

/* ---- elements ----------------------------------------------------------- */

static void
indent(GString *out, unsigned depth)
{
    g_string_append_printf(out, "%*s", (int)depth * 2, "");
}

static void
open_element(GString *out, unsigned depth, const char *name)
{
    indent(out, depth);
    g_string_append_printf(out, "<%s>\n", name);
}

static void
close_element(GString *out, unsigned depth, const char *name)
{
    indent(out, depth);
    g_string_append_printf(out, "</%s>\n", name);
}

static void
add_text(GString *out, unsigned depth, const char *name, const char *text)
{
    g_autofree char *escaped = g_markup_escape_text(text, -1);
    indent(out, depth);
    g_string_append_printf(out, "<%s>%s</%s>\n", name, escaped, name);
}

static void
add_number(GString *out, unsigned depth, const char *name, int64_t number)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, number);
    add_text(out, depth, name, text);
}

/* The element for a word, if that is there. */
static void
add_word(GString *out, unsigned depth, const char *name, const char *words,
         const char *word)
{
    g_autofree char *value = report_word(words, word);
    g_autofree char *text = value != NULL ? report_unescape(value) : NULL;
    if (text != NULL)
        add_text(out, depth, name, text);
}

/* Elements for the parts of a value; FALSE: it has others. */
static void
add_parts(GString *out, unsigned depth, const char *const *names,
          char *const *parts)
{
    for (unsigned i = 0; names[i] != NULL && parts[i] != NULL; i++)
        add_text(out, depth, names[i], parts[i]);
}

/* ---- the head ----------------------------------------------------------- */

char *
report_id(const ReportIssuer *issuer, const Report *report)
{
    return g_strdup_printf("%s.%s.%s@%s", issuer->day, report->unique,
                           report->domain, issuer->hostname);
}

char *
report_file_name(const ReportIssuer *issuer, const Report *report)
{
    return g_strdup_printf("%s!%s!%" G_GINT64_FORMAT "!%" G_GINT64_FORMAT
                           "!%s.xml.gz",
                           issuer->hostname, report->domain, issuer->begin,
                           issuer->end, report->unique);
}

static void
add_metadata(GString *out, const ReportIssuer *issuer, const Report *report)
{
    g_autofree char *id = report_id(issuer, report);
    open_element(out, 1, "report_metadata");
    add_text(out, 2, "org_name", issuer->organization);
    add_text(out, 2, "email", issuer->contact);
    add_text(out, 2, "report_id", id);
    open_element(out, 2, "date_range");
    add_number(out, 3, "begin", issuer->begin);
    add_number(out, 3, "end", issuer->end);
    close_element(out, 2, "date_range");
    add_text(out, 2, "generator", "filterd " FILTERD_VERSION);
    close_element(out, 1, "report_metadata");
}

static void
add_policy(GString *out, const Report *report)
{
    static const char *const names[][2] = {
        {"p", "p"},         {"sp", "sp"},     {"np", "np"},
        {"adkim", "adkim"}, {"aspf", "aspf"}, {"discovery_method", "m"},
        {"testing", "t"},
    };
    open_element(out, 1, "policy_published");
    add_text(out, 2, "domain", report->domain);
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        add_word(out, 2, names[i][0], report->policy, names[i][1]);
    close_element(out, 1, "policy_published");
}

/* ---- a record ----------------------------------------------------------- */

static void
add_reason(GString *out, const char *words)
{
    static const char *const names[] = {"type", "comment", NULL};
    g_autofree char *value = report_word(words, "why");
    if (value == NULL)
        return;
    g_auto(GStrv) parts = report_parts(value, "/");
    open_element(out, 4, "reason");
    add_parts(out, 5, names, parts);
    close_element(out, 4, "reason");
}

static void
add_evaluation(GString *out, const ReportRow *row)
{
    open_element(out, 2, "row");
    add_word(out, 3, "source_ip", row->words, "ip");
    add_number(out, 3, "count", row->count);
    open_element(out, 3, "policy_evaluated");
    add_word(out, 4, "disposition", row->words, "d");
    add_word(out, 4, "dkim", row->words, "k");
    add_word(out, 4, "spf", row->words, "s");
    add_reason(out, row->words);
    close_element(out, 3, "policy_evaluated");
    close_element(out, 2, "row");
}

static void
add_identifiers(GString *out, const ReportRow *row)
{
    open_element(out, 2, "identifiers");
    add_word(out, 3, "header_from", row->words, "h");
    add_word(out, 3, "envelope_from", row->words, "e");
    close_element(out, 2, "identifiers");
}

static void
add_signatures(GString *out, const ReportRow *row)
{
    static const char *const names[] = {"domain", "selector", "result", NULL};
    const char *at = row->words;
    char *value;
    while ((value = report_word_next(&at, "dkim")) != NULL) {
        g_auto(GStrv) parts = report_parts(value, "/");
        open_element(out, 3, "dkim");
        add_parts(out, 4, names, parts);
        close_element(out, 3, "dkim");
        g_free(value);
    }
}

static void
add_spf(GString *out, const ReportRow *row)
{
    g_autofree char *value = report_word(row->words, "spf");
    if (value == NULL)
        return;
    g_auto(GStrv) parts = report_parts(value, "/");
    if (g_strv_length(parts) < 2)
        return;
    open_element(out, 3, "spf");
    add_text(out, 4, "domain", parts[0]);
    add_text(out, 4, "scope", "mfrom");
    add_text(out, 4, "result", parts[1]);
    close_element(out, 3, "spf");
}

static void
add_record(GString *out, const ReportRow *row)
{
    open_element(out, 1, "record");
    add_evaluation(out, row);
    add_identifiers(out, row);
    open_element(out, 2, "auth_results");
    add_signatures(out, row);
    add_spf(out, row);
    close_element(out, 2, "auth_results");
    close_element(out, 1, "record");
}

/* ---- the document ------------------------------------------------------- */

GString *
report_xml(const ReportIssuer *issuer, const Report *report)
{
    GString *out = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                "<feedback xmlns=\"" NAMESPACE "\">\n");
    add_text(out, 1, "version", "1.0");
    add_metadata(out, issuer, report);
    add_policy(out, report);
    for (unsigned i = 0; i < report->rows->len; i++)
        add_record(out, g_ptr_array_index(report->rows, i));
    close_element(out, 0, "feedback");
    return out;
}

GBytes *
report_compress(const GString *text, GError **error)
{
    g_autoptr(GConverter) gzip =
        G_CONVERTER(g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, -1));
    g_autoptr(GOutputStream) memory = g_memory_output_stream_new_resizable();
    g_autoptr(GOutputStream) stream =
        g_converter_output_stream_new(memory, gzip);
    if (!g_output_stream_write_all(stream, text->str, text->len, NULL, NULL,
                                   error)
        || !g_output_stream_close(stream, NULL, error))
        return NULL;
    return g_memory_output_stream_steal_as_bytes(
        G_MEMORY_OUTPUT_STREAM(memory));
}
