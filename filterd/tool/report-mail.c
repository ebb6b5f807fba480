/* report-mail.c: the message that a report comes in (RFC 9990 3.5.2).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/clock.h"
#include "filterd/tool/report.h"

#include <string.h>

#define ENCODED_LINE 57 /* octets that make a line of 76 (RFC 2045 6.8) */

static void
add_field(MailMessage *message, const char *name, const char *value)
{
    g_autofree char *text = g_strdup_printf("%s: %s", name, value);
    const FilterdField field = {.bytes = text,
                                .length = strlen(text),
                                .name_length = strlen(name),
                                .value = strlen(name) + 1};
    mail_message_add_field(message, &field);
}

static void
add_header(MailMessage *message, const ReportIssuer *issuer,
           const Report *report, const char *address)
{
    g_autofree char *date = clock_format_mail(clock_real());
    g_autofree char *id = report_id(issuer, report);
    g_autofree char *in_brackets = g_strdup_printf("<%s>", id);
    g_autofree char *subject = g_strdup_printf(
        "Report Domain: %s\r\n\tSubmitter: %s\r\n\tReport-ID: %s",
        report->domain, issuer->hostname, in_brackets);
    g_autofree char *type = g_strdup_printf(
        "multipart/mixed;\r\n\tboundary=\"%s\"", report->unique);
    add_field(message, "From", issuer->contact);
    add_field(message, "To", address);
    add_field(message, "Subject", subject);
    add_field(message, "Date", date);
    add_field(message, "Message-ID", in_brackets);
    add_field(message, "Auto-Submitted", "auto-generated");
    add_field(message, "MIME-Version", "1.0");
    add_field(message, "Content-Type", type);
}

static void
append_encoded(GString *out, GBytes *bytes)
{
    gsize length;
    const guchar *data = g_bytes_get_data(bytes, &length);
    for (gsize at = 0; at < length; at += ENCODED_LINE) {
        g_autofree char *line =
            g_base64_encode(data + at, MIN(ENCODED_LINE, length - at));
        g_string_append_printf(out, "%s\r\n", line);
    }
}

/* `unique` is in no line that is encoded text: a hyphen goes before it. */
static GString *
format_body(const ReportIssuer *issuer, const Report *report,
            GBytes *attachment)
{
    g_autofree char *name = report_file_name(issuer, report);
    GString *out = g_string_new(NULL);
    g_string_append_printf(
        out,
        "--%s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
        "This is a DMARC aggregate report (RFC 9990) of %s\r\n"
        "about %" G_GINT64_FORMAT " messages from %s on %s (UTC).\r\n"
        "\r\n--%s\r\nContent-Type: application/gzip;\r\n\tname=\"%s\"\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        "Content-Disposition: attachment;\r\n\tfilename=\"%s\"\r\n\r\n",
        report->unique, issuer->hostname, report->messages, report->domain,
        issuer->day, report->unique, name, name);
    append_encoded(out, attachment);
    g_string_append_printf(out, "--%s--\r\n", report->unique);
    return out;
}

MailMessage *
report_mail(const ReportIssuer *issuer, const Report *report,
            const char *address, GBytes *attachment)
{
    GString *body = format_body(issuer, report, attachment);
    MailMessage *message = mail_message_new(body->len + 1, NULL);
    add_header(message, issuer, report, address);
    mail_message_add_body(message, body->str, body->len, NULL);
    g_string_free(body, TRUE);
    return message;
}
