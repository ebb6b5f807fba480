/* metrics.h: counters and histograms in memory that the processes share.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The table is made by the master before it forks; each worker adds to a row of
 * its own, without locks; the observer sums the rows.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

/* The fixed ones, rows of a table in metrics.c with name and help. */
typedef enum Metric {
    METRIC_CONNECTIONS,
    METRIC_SESSIONS, /* a gauge: open now */
    METRIC_LIMITED,
    METRIC_MESSAGES,
    METRIC_ACCEPTED,
    METRIC_REJECTED,
    METRIC_TEMPFAILED,
    METRIC_DISCARDED,
    METRIC_QUARANTINED,
    METRIC_BACKEND_FAULTS,
    METRIC_DNS_QUESTIONS,
    METRIC_DNS_CACHED,
    METRIC_DNS_FAILED,
    METRIC_STORE_FAILED,
    METRIC_WORKERS_LOST,
    METRIC_PLUGINS_LOST,
    METRIC_RELOADS,
    METRIC_DECISIONS_LOGGED,
    METRIC_DECISIONS_LOST,
    METRICS,
} Metric;

/* Shared memory for so many workers and, behind them, for the master; before
 * the first fork. Without it a process counts for itself. */
void metrics_init(unsigned workers);
/* The row that this process adds to from now on; its gauges become 0. */
void metrics_use_row(unsigned worker);
void metrics_add(Metric metric, int64_t delta);
/* Over all rows. */
int64_t metrics_sum(Metric metric);

/* How many that have a name of their own (those of plugins) a process counts;
 * what comes after them is not counted. */
#define METRIC_NAMED_LIMIT 256

typedef struct MetricName {
    const char *name;   /* without filterd_; a counter's ends with _total */
    const char *labels; /* as Prometheus writes them: a="b",c="d" */
    const char *help;
    gboolean gauge;
} MetricName;

/* FALSE: there are too many, or a text of it is too long. */
gboolean metrics_add_named(const MetricName *name, int64_t delta);
/* Appends name="value", with a comma before it if it is not the first. */
void metrics_append_label(GString *labels, const char *name, const char *value);

/* Those that are found once and then only added to, such as rules'; beside the
 * ones above. Of more than so many, those that an earlier process of this row
 * had make room; NULL: there are too many still, or a text is too long. */
#define METRIC_COUNTER_LIMIT 4096
int64_t *metrics_find_counter(const MetricName *name);
/* NULL is fine. */
void metrics_count(int64_t *counter);

/* Each that has a name of its own, over all rows; `name` is valid for the call.
 */
void metrics_each_named(void (*func)(const MetricName *name, int64_t value,
                                     void *data),
                        void *data);

/* The Prometheus text of all of them. Caller frees. */
char *metrics_format(void);
