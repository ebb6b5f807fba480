/* report.c: filterctl report: aggregate reports of a day (RFC 9990).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/report.h"

#include "filterd/base/clock.h"
#include "filterd/process/configuration.h"
#include "filterd/session/engine.h"
#include "filterd/tool/run.h"
#include "filterd/tool/sender.h"
#include "filterd/tool/tool.h"

#include <gio/gio.h>
#include <stdio.h>
#include <string.h>

#define DAY INT64_C(86400)
#define DNS_TIME 120000 /* milliseconds that a report's destinations take */

typedef struct Request {
    char *config, *day, *directory, *domain;
    gboolean send, again, now;
} Request;

typedef struct Reporting {
    const Request *request;
    const PolicyConfig *config;
    Store *store;
    ReportIssuer issuer;
    Sender *sender;
    gboolean failed;
} Reporting;

/* ---- the request -------------------------------------------------------- */

static gboolean
wrong(const char *what, const char *why)
{
    fprintf(stderr, "filterctl report: %s: %s\n", what, why);
    return FALSE;
}

static void
request_clear(Request *request)
{
    g_free(request->config);
    g_free(request->day);
    g_free(request->directory);
    g_free(request->domain);
}

static gboolean
read_options(Request *request, int argc, char **argv)
{
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &request->config,
         "The configuration", "FILE"},
        {"day", 0, 0, G_OPTION_ARG_STRING, &request->day,
         "Which day, in UTC; yesterday unless given", "YYYY-MM-DD"},
        {"directory", 0, 0, G_OPTION_ARG_FILENAME, &request->directory,
         "Write the reports there", "DIRECTORY"},
        {"send", 0, 0, G_OPTION_ARG_NONE, &request->send,
         "Send the reports through the backend", NULL},
        {"domain", 0, 0, G_OPTION_ARG_STRING, &request->domain,
         "Only that of this policy domain", "DOMAIN"},
        {"again", 0, 0, G_OPTION_ARG_NONE, &request->again,
         "Send also what has been sent", NULL},
        {"now", 0, 0, G_OPTION_ARG_NONE, &request->now,
         "Do not wait for the end of the day", NULL},
        {NULL},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error))
        return wrong("arguments", error->message);
    if (argc > 1 || request->config == NULL)
        return wrong("arguments", "-c FILE and options, nothing else");
    return (request->send != (request->directory != NULL))
           || wrong("arguments", "one of --send and --directory DIRECTORY");
}

static gboolean
set_day(ReportIssuer *issuer, const Request *request)
{
    unsigned year, month, day;
    int64_t now = clock_real() / 1000;
    g_autofree char *stamp = g_strdup_printf(
        "%sT00:00:00Z", request->day != NULL ? request->day : "");
    g_autoptr(GDateTime) begin =
        request->day != NULL
            ? g_date_time_new_from_iso8601(stamp, NULL)
            : g_date_time_new_from_unix_utc(now - now % DAY - DAY);
    if (begin == NULL
        || (request->day != NULL
            && sscanf(request->day, "%4u-%2u-%2u", &year, &month, &day) != 3))
        return wrong("--day", "such as 2026-11-22");
    g_autofree char *text = g_date_time_format(begin, "%Y-%m-%d");
    g_strlcpy(issuer->day, text, sizeof issuer->day);
    issuer->begin = g_date_time_to_unix(begin);
    issuer->end = issuer->begin + DAY - 1;
    return issuer->end < now || request->now
           || wrong(issuer->day, "that day is not over yet; --now does not "
                                 "wait");
}

/* ---- one report --------------------------------------------------------- */

static void
tell(Reporting *reporting, const Report *report, const char *what,
     const char *where)
{
    printf("%s: %" G_GINT64_FORMAT " messages in %u rows: %s %s\n",
           report->domain, report->messages, report->rows->len, what, where);
    fflush(stdout);
    (void)reporting;
}

static void
fail(Reporting *reporting, const Report *report, const char *why)
{
    fprintf(stderr, "%s: %s\n", report->domain, why);
    reporting->failed = TRUE;
}

static void
write_file(Reporting *reporting, const Report *report, GBytes *bytes)
{
    g_autoptr(GError) error = NULL;
    gsize length;
    const char *data = g_bytes_get_data(bytes, &length);
    g_autofree char *name = report_file_name(&reporting->issuer, report);
    g_autofree char *path =
        g_build_filename(reporting->request->directory, name, NULL);
    if (g_file_set_contents_full(path, data, (gssize)length,
                                 G_FILE_SET_CONTENTS_CONSISTENT, 0644, &error))
        tell(reporting, report, "written to", path);
    else
        fail(reporting, report, error->message);
}

/* A mark that this address got that report. Caller frees. */
static char *
sent_key(const Reporting *reporting, const Report *report, const char *address)
{
    g_autofree char *text =
        g_strdup_printf("%s %s %s", report->domain, report->unique, address);
    g_autofree char *hash =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
    return g_strdup_printf("sent %s %s", reporting->issuer.day, hash);
}

static gboolean
was_sent(Reporting *reporting, const char *key)
{
    GBytes *value = NULL;
    gboolean found =
        store_get(reporting->store, reporting->issuer.space, key, &value)
        == FILTERD_STORE_OK;
    g_clear_pointer(&value, g_bytes_unref);
    return found;
}

/* FALSE: the error says what the backend said; PERMISSION_DENIED if it refuses
 * that recipient for good, and not us. */
static gboolean
send_one(Reporting *reporting, const char *address, MailMessage *message,
         GError **error)
{
    const char *reverse_path = reporting->issuer.sender;
    SenderRecipient recipient = {.address = address};
    const SenderLetter letter = {.reverse_path =
                                     reverse_path != NULL ? reverse_path : "",
                                 .message = message,
                                 .recipients = &recipient,
                                 .length = 1};
    gboolean heard = sender_send(reporting->sender, &letter, error);
    gboolean sent = heard && recipient.reply.code / 100 == 2;
    if (heard && !sent) {
        g_autofree char *text = mail_reply_format(&recipient.reply);
        g_set_error(error, G_IO_ERROR,
                    recipient.reply.code / 100 == 5
                        ? G_IO_ERROR_PERMISSION_DENIED
                        : G_IO_ERROR_FAILED,
                    "RCPT TO:<%s>: %s", address, text);
    }
    mail_reply_clear(&recipient.reply);
    return sent;
}

/* Whoever does not take it today will not take it in an hour either. */
static void
give(Reporting *reporting, const Report *report, const char *address,
     MailMessage *message, const char *key)
{
    const ReportIssuer *issuer = &reporting->issuer;
    g_autoptr(GError) error = NULL;
    gboolean sent = send_one(reporting, address, message, &error);
    gboolean refused =
        g_error_matches(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
    if (!sent && !refused) {
        fail(reporting, report, error->message);
        return;
    }
    store_put(reporting->store, issuer->space, key, "1", 1, REPORT_KEEP);
    tell(reporting, report, sent ? "sent to" : error->message,
         sent ? address : "");
}

static void
send_to(Reporting *reporting, const Report *report,
        const ReportDestination *destination, GBytes *bytes)
{
    const ReportIssuer *issuer = &reporting->issuer;
    const char *address = destination->address;
    g_autofree char *key = sent_key(reporting, report, address);
    g_autoptr(MailMessage) message =
        report_mail(issuer, report, address, bytes);
    if (!reporting->request->again && was_sent(reporting, key)) {
        tell(reporting, report, "sent before to", address);
    } else if (destination->limit > 0
               && (int64_t)mail_message_size(message) > destination->limit) {
        tell(reporting, report, "too large for", address);
    } else {
        give(reporting, report, address, message, key);
    }
}

static void
send_report(Reporting *reporting, const Report *report, GBytes *bytes)
{
    DnsBudget budget = {0};
    dns_budget_init(&budget, DNS_TIME);
    g_autoptr(GPtrArray) destinations =
        report_destinations(report, &budget, &reporting->failed);
    for (unsigned i = 0; i < destinations->len; i++)
        send_to(reporting, report, g_ptr_array_index(destinations, i), bytes);
    dns_budget_clear(&budget);
}

static void
make(Reporting *reporting, const Report *report)
{
    g_autoptr(GError) error = NULL;
    if (report->cut)
        fprintf(stderr, "%s: more than %d rows, the others are left out\n",
                report->domain, REPORT_ROW_LIMIT);
    GString *xml = report_xml(&reporting->issuer, report);
    GBytes *bytes = report_compress(xml, &error);
    if (bytes == NULL)
        fail(reporting, report, error->message);
    else if (reporting->request->directory != NULL)
        write_file(reporting, report, bytes);
    else
        send_report(reporting, report, bytes);
    g_clear_pointer(&bytes, g_bytes_unref);
    g_string_free(xml, TRUE);
}

/* ---- all of them -------------------------------------------------------- */

static const char *
find_text(const PolicyUse *use, const char *name)
{
    const char *const *text = configuration_option(use, name);
    return text != NULL ? *text : NULL;
}

static void
report_instance(Reporting *reporting, const PolicyUse *use)
{
    ReportIssuer *issuer = &reporting->issuer;
    const char *organization = find_text(use, "report-organization");
    issuer->space = use->name;
    issuer->contact = find_text(use, "report-contact");
    issuer->sender = find_text(use, "report-sender");
    issuer->organization =
        organization != NULL ? organization : issuer->hostname;
    g_autoptr(GPtrArray) all =
        report_read(reporting->store, issuer, reporting->request->domain);
    if (all == NULL) {
        const char *problem = store_problem(reporting->store);
        wrong("the store", problem != NULL ? problem : "it cannot be read");
        reporting->failed = TRUE;
    }
    for (unsigned i = 0; all != NULL && i < all->len; i++)
        make(reporting, g_ptr_array_index(all, i));
}

static void
report_all(void *data)
{
    Reporting *reporting = data;
    const PolicyConfig *config = reporting->config;
    reporting->store =
        store_new_sqlite(config->store.where, config->store.max_entries);
    reporting->sender = sender_new(config, reporting->issuer.hostname, FALSE);
    for (unsigned i = 0; i < config->uses->len; i++) {
        const PolicyUse *use = g_ptr_array_index(config->uses, i);
        if (configuration_counts_reports(use))
            report_instance(reporting, use);
    }
    sender_free(reporting->sender);
    store_free(reporting->store);
}

/* ---- the command -------------------------------------------------------- */

static gboolean
fits(const PolicyConfig *config)
{
    gboolean on = FALSE;
    for (unsigned i = 0; i < config->uses->len; i++)
        on |= configuration_counts_reports(g_ptr_array_index(config->uses, i));
    if (!on)
        return wrong("the configuration",
                     "it has no `use dmarc { reports on }`");
    if (config->store.kind != POLICY_STORE_SQLITE)
        return wrong("the configuration",
                     "reports are made of a `store sqlite` only; what is "
                     "counted in another store cannot be listed");
    return config->settings.hostname != NULL
           || wrong("the configuration", "it has no `set hostname`");
}

static gboolean
become_user(const PolicyConfig *config)
{
    g_autoptr(GError) error = NULL;
    return tool_become_user(config, &error) || wrong("user", error->message);
}

static int
run(const Request *request)
{
    g_autoptr(Bundle) bundle = bundle_new();
    g_autoptr(PolicyConfig) config =
        tool_compile(bundle, request->config, TRUE);
    Reporting reporting = {.request = request, .config = config};
    g_autoptr(GError) error = NULL;
    if (!set_day(&reporting.issuer, request) || config == NULL || !fits(config)
        || !become_user(config))
        return TOOL_UNUSABLE;
    reporting.issuer.hostname = config->settings.hostname;
    if (!tool_run_fiber(&config->dns, FALSE, report_all, &reporting, &error)) {
        wrong("the configuration", error->message);
        return TOOL_UNUSABLE;
    }
    return reporting.failed ? TOOL_WRONG : TOOL_OK;
}

int
tool_report(int argc, char **argv)
{
    Request request = {0};
    int status =
        read_options(&request, argc, argv) ? run(&request) : TOOL_UNUSABLE;
    request_clear(&request);
    return status;
}
