/* metrics.c: one row of counters a process, all in shared memory.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/metrics.h"

#include <errno.h>
#include <sys/mman.h>

typedef struct MetricInfo {
    const char *name;
    gboolean gauge;
    const char *help;
} MetricInfo;

static const MetricInfo infos[METRICS] = {
    [METRIC_CONNECTIONS] = {"connections_total", FALSE,
                            "Connections accepted."},
    [METRIC_SESSIONS] = {"sessions", TRUE, "Sessions open now."},
    [METRIC_LIMITED] = {"limited_total", FALSE,
                        "Connections refused over a limit."},
    [METRIC_MESSAGES] = {"messages_total", FALSE, "Messages judged."},
    [METRIC_ACCEPTED] = {"accepted_total", FALSE,
                         "Messages that the backend took."},
    [METRIC_REJECTED] = {"rejected_total", FALSE, "Refusals with 5xx."},
    [METRIC_TEMPFAILED] = {"tempfailed_total", FALSE, "Refusals with 4xx."},
    [METRIC_DISCARDED] = {"discarded_total", FALSE,
                          "Messages accepted and dropped."},
    [METRIC_QUARANTINED] = {"quarantined_total", FALSE,
                            "Messages put in quarantine."},
    [METRIC_BACKEND_FAULTS] = {"backend_faults_total", FALSE,
                               "Backends down, slow or talking nonsense."},
    [METRIC_DNS_QUESTIONS] = {"dns_questions_total", FALSE,
                              "Questions to the DNS service."},
    [METRIC_DNS_CACHED] = {"dns_cached_total", FALSE,
                           "Questions answered from the cache."},
    [METRIC_DNS_FAILED] = {"dns_failed_total", FALSE,
                           "Questions without a usable answer."},
    [METRIC_STORE_FAILED] = {"store_failed_total", FALSE,
                             "Store operations that failed."},
    [METRIC_WORKERS_LOST] = {"workers_lost_total", FALSE,
                             "Workers that ended unasked."},
    [METRIC_RELOADS] = {"reloads_total", FALSE,
                        "Configurations put into force."},
};

/* A row ends with its cache line: rows of two processes share none. */
typedef struct MetricRow {
    int64_t values[METRICS];
} __attribute__((aligned(64))) MetricRow;

static MetricRow own;
static MetricRow *rows = &own;
static MetricRow *row = &own;
static unsigned row_count = 1;

void
metrics_init(unsigned workers)
{
    void *memory =
        mmap(NULL, (workers + 1) * sizeof(MetricRow), PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        g_error("no memory for the counters: %s", g_strerror(errno));
    if (rows != &own)
        munmap(rows, row_count * sizeof(MetricRow));
    rows = memory;
    row_count = workers + 1;
    row = &rows[workers];
}

void
metrics_use_row(unsigned worker)
{
    g_assert(worker < row_count);
    row = &rows[worker];
    for (size_t i = 0; i < METRICS; i++)
        if (infos[i].gauge)
            __atomic_store_n(&row->values[i], 0, __ATOMIC_RELAXED);
}

void
metrics_add(Metric metric, int64_t delta)
{
    __atomic_fetch_add(&row->values[metric], delta, __ATOMIC_RELAXED);
}

int64_t
metrics_sum(Metric metric)
{
    int64_t sum = 0;

    for (unsigned i = 0; i < row_count; i++)
        sum += __atomic_load_n(&rows[i].values[metric], __ATOMIC_RELAXED);
    return sum;
}

char *
metrics_format(void)
{
    GString *out = g_string_new(NULL);

    for (size_t i = 0; i < METRICS; i++) {
        const MetricInfo *info = &infos[i];

        g_string_append_printf(out, "# HELP filterd_%s %s\n", info->name,
                               info->help);
        g_string_append_printf(out, "# TYPE filterd_%s %s\n", info->name,
                               info->gauge ? "gauge" : "counter");
        g_string_append_printf(out, "filterd_%s %" G_GINT64_FORMAT "\n",
                               info->name, metrics_sum((Metric)i));
    }
    return g_string_free(out, FALSE);
}
