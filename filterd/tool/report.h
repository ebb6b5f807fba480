/* report.h: the parts of `filterctl report`: what the plugin dmarc has counted,
 * as aggregate reports (RFC 9990).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/mail/message.h"
#include "filterd/service/dns.h"
#include "filterd/service/store.h"
#include "policy/config.h"

#define REPORT_ROW_LIMIT 100000        /* records of one report */
#define REPORT_DESTINATION_LIMIT 10    /* addresses that get one report */
#define REPORT_KEEP INT64_C(691200000) /* how long it is known who got it */

/* "name=value" words, parted by spaces, as plugins/dmarc/reporting.h has
 * them. */
typedef struct ReportRow {
    char *words;
    int64_t count;
} ReportRow;

/* Of one policy domain and one policy in one day. */
typedef struct Report {
    char *domain;
    char *policy;    /* its words */
    char *unique;    /* letters and digits, the same whenever it is made */
    GPtrArray *rows; /* ReportRow */
    int64_t messages;
    gboolean cut; /* there were more rows */
} Report;

/* Whose reports they are, and of which day. */
typedef struct ReportIssuer {
    const char *space; /* of the store: the instance's name */
    const char *organization, *contact, *sender, *hostname;
    char day[11];       /* "2026-11-22" */
    int64_t begin, end; /* seconds since 1970 */
} ReportIssuer;

/* ---- report-words.c ----------------------------------------------------- */

/* The value of the first word of that name behind `*at`, or of all if that is
 * the text's beginning; `at` moves behind it. NULL: no more. Caller frees. */
char *report_word_next(const char **at, const char *name);
char *report_word(const char *words, const char *name);
/* What its escapes mean; what is no printable ASCII is a question mark. */
char *report_unescape(const char *value);
/* The value's parts, unescaped. Caller frees. */
char **report_parts(const char *value, const char *separator);

/* ---- report-rows.c ------------------------------------------------------ */

/* All of that day, of `domain` only if it is not NULL; in a fiber. NULL: the
 * store cannot be read. Elements are Report. */
GPtrArray *report_read(Store *store, const ReportIssuer *issuer,
                       const char *domain);

/* ---- report-xml.c ------------------------------------------------------- */

/* RFC 9990 3.5.1, without <>; 3.5.2. Caller frees. */
char *report_id(const ReportIssuer *issuer, const Report *report);
char *report_file_name(const ReportIssuer *issuer, const Report *report);
/* The document, and the same compressed. */
GString *report_xml(const ReportIssuer *issuer, const Report *report);
GBytes *report_compress(const GString *text, GError **error);

/* ---- report-destination.c ----------------------------------------------- */

typedef struct ReportDestination {
    char *address;
    int64_t limit; /* octets of a message; 0: any */
} ReportDestination;

/* Where that report may go (RFC 9990 3.5, 4); asks the DNS, so it waits. What
 * is left out is told on standard error. `again`: some could not be found out
 * for now. Elements are ReportDestination. */
GPtrArray *report_destinations(const Report *report, DnsBudget *budget,
                               gboolean *again);

/* ---- report-mail.c ------------------------------------------------------ */

MailMessage *report_mail(const ReportIssuer *issuer, const Report *report,
                         const char *address, GBytes *attachment);
