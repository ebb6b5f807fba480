/* report-rows.c: what has been counted, by policy domain and policy.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/report.h"

#include <stdio.h>
#include <string.h>

#define UNIQUE_LENGTH 12

/* Rows are gathered by the text of domain and policy. */
typedef struct Reading {
    Store *store;
    const ReportIssuer *issuer;
    GHashTable *reports; /* Report, which the array owns */
    GPtrArray *all;
    gboolean failed;
} Reading;

static void
row_free(void *data)
{
    ReportRow *row = data;
    g_free(row->words);
    g_free(row);
}

static void
report_free(void *data)
{
    Report *report = data;
    g_free(report->domain);
    g_free(report->policy);
    g_free(report->unique);
    g_ptr_array_unref(report->rows);
    g_free(report);
}

/* A letter first: some take what is all digits for a number. */
static char *
name_report(const char *text)
{
    g_autofree char *hash =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
    return g_strdup_printf("r%.*s", UNIQUE_LENGTH, hash);
}

static Report *
get_report(Reading *reading, const char *domain, const char *policy)
{
    g_autofree char *key = g_strdup_printf("%s %s", domain, policy);
    Report *report = g_hash_table_lookup(reading->reports, key);
    if (report != NULL)
        return report;
    report = g_new0(Report, 1);
    report->domain = g_strdup(domain);
    report->policy = g_strdup(policy);
    report->unique = name_report(key);
    report->rows = g_ptr_array_new_with_free_func(row_free);
    g_ptr_array_add(reading->all, report);
    g_hash_table_insert(reading->reports, g_steal_pointer(&key), report);
    return report;
}

/* It becomes a part of a file's name. */
static gboolean
is_domain(const char *text)
{
    return *text != '\0' && *text != '.'
           && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-_")
                  == strlen(text);
}

/* Words up to ip= are the policy. */
static void
add_row(Reading *reading, const char *domain, const char *words, int64_t count)
{
    words += strspn(words, " ");
    const char *row = strstr(words, " ip=");
    if (row == NULL || count <= 0 || !is_domain(domain))
        return;
    g_autofree char *policy = g_strndup(words, (gsize)(row - words));
    Report *report = get_report(reading, domain, policy);
    if (report->rows->len >= REPORT_ROW_LIMIT) {
        report->cut = TRUE;
        return;
    }
    ReportRow *kept = g_new(ReportRow, 1);
    *kept = (ReportRow){g_strdup(row), count};
    g_ptr_array_add(report->rows, kept);
    report->messages += count;
}

/* A long row, whose words stand elsewhere; NULL: they do no more. */
static char *
find_detail(Reading *reading, const char *domain, const char *hash)
{
    GBytes *bytes = NULL;
    g_autofree char *key =
        g_strdup_printf("detail %s %s %s", reading->issuer->day, domain, hash);
    FilterdStoreStatus status =
        store_get(reading->store, reading->issuer->space, key, &bytes);
    reading->failed |= status == FILTERD_STORE_FAILED;
    if (status != FILTERD_STORE_OK)
        return NULL;
    char *words = g_strdup(g_bytes_get_data(bytes, NULL));
    g_bytes_unref(bytes);
    return words;
}

/* "report DAY DOMAIN WORDS" */
static gboolean
on_entry(const char *key, GBytes *value, void *data)
{
    Reading *reading = data;
    g_auto(GStrv) parts = g_strsplit(key, " ", 4);
    int64_t count = g_ascii_strtoll(g_bytes_get_data(value, NULL), NULL, 10);
    if (g_strv_length(parts) < 4)
        return TRUE;
    g_autofree char *detail =
        *parts[3] == '#' ? find_detail(reading, parts[2], parts[3]) : NULL;
    if (detail != NULL || *parts[3] != '#')
        add_row(reading, parts[2], detail != NULL ? detail : parts[3], count);
    return !reading->failed;
}

GPtrArray *
report_read(Store *store, const ReportIssuer *issuer, const char *domain)
{
    g_autofree char *prefix = g_strdup_printf("report %s %s%s", issuer->day,
                                              domain != NULL ? domain : "",
                                              domain != NULL ? " " : "");
    g_autoptr(GHashTable) reports =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(report_free);
    Reading reading = {
        .store = store, .issuer = issuer, .reports = reports, .all = all};
    FilterdStoreStatus status =
        store_each(store, issuer->space, prefix, on_entry, &reading);
    if (status != FILTERD_STORE_OK || reading.failed)
        return NULL;
    return g_steal_pointer(&all);
}
