/* metrics.c: one row of counters a process, all in shared memory.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/metrics.h"

#include "filterd/base/shared.h"

#include <string.h>

#define NAME_SIZE 64
#define LABELS_SIZE 384
#define HELP_SIZE 128

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

typedef struct NamedMetric {
    char name[NAME_SIZE], labels[LABELS_SIZE], help[HELP_SIZE];
    gboolean gauge;
    int64_t value;
} NamedMetric;

/* A row ends with its cache line: rows of two processes share none. `used` is
 * raised when the texts behind it are there. */
typedef struct MetricRow {
    int64_t values[METRICS];
    unsigned used;
    NamedMetric named[METRIC_NAMED_LIMIT];
} __attribute__((aligned(64))) MetricRow;

static MetricRow own;
static MetricRow *rows = &own;
static MetricRow *row = &own;
static unsigned row_count = 1;

void
metrics_init(unsigned workers)
{
    if (rows != &own)
        shared_unmap(rows, row_count * sizeof(MetricRow));
    rows = shared_map("the counters", (workers + 1) * sizeof(MetricRow));
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
    for (unsigned i = 0; i < row->used; i++)
        if (row->named[i].gauge)
            __atomic_store_n(&row->named[i].value, 0, __ATOMIC_RELAXED);
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

/* ---- with names of their own -------------------------------------------- */

static NamedMetric *
named_find(const MetricName *name)
{
    for (unsigned i = 0; i < row->used; i++)
        if (strcmp(row->named[i].name, name->name) == 0
            && strcmp(row->named[i].labels, name->labels) == 0)
            return &row->named[i];
    return NULL;
}

static NamedMetric *
named_new(const MetricName *name)
{
    NamedMetric *named = &row->named[row->used];

    if (row->used == METRIC_NAMED_LIMIT
        || g_strlcpy(named->name, name->name, NAME_SIZE) >= NAME_SIZE
        || g_strlcpy(named->labels, name->labels, LABELS_SIZE) >= LABELS_SIZE)
        return NULL;
    g_strlcpy(named->help, name->help, HELP_SIZE);
    named->gauge = name->gauge;
    named->value = 0;
    __atomic_store_n(&row->used, row->used + 1, __ATOMIC_RELEASE);
    return named;
}

gboolean
metrics_add_named(const MetricName *name, int64_t delta)
{
    NamedMetric *named = named_find(name);

    if (named == NULL)
        named = named_new(name);
    if (named == NULL)
        return FALSE;
    __atomic_fetch_add(&named->value, delta, __ATOMIC_RELAXED);
    return TRUE;
}

/* ---- told --------------------------------------------------------------- */

static int
named_compare(const void *left, const void *right)
{
    const NamedMetric *a = *(NamedMetric *const *)left;
    const NamedMetric *b = *(NamedMetric *const *)right;
    int order = strcmp(a->name, b->name);

    return order != 0 ? order : strcmp(a->labels, b->labels);
}

static GPtrArray *
named_sorted(void)
{
    GPtrArray *all = g_ptr_array_new();

    for (unsigned i = 0; i < row_count; i++) {
        unsigned used = __atomic_load_n(&rows[i].used, __ATOMIC_ACQUIRE);

        for (unsigned j = 0; j < used; j++)
            g_ptr_array_add(all, &rows[i].named[j]);
    }
    g_ptr_array_sort(all, named_compare);
    return all;
}

static void
describe(GString *out, const char *name, const char *help, gboolean gauge)
{
    g_string_append_printf(out, "# HELP filterd_%s %s\n", name, help);
    g_string_append_printf(out, "# TYPE filterd_%s %s\n", name,
                           gauge ? "gauge" : "counter");
}

static void
named_format(GString *out)
{
    g_autoptr(GPtrArray) all = named_sorted();
    const NamedMetric *before = NULL;

    for (guint i = 0; i < all->len;) {
        const NamedMetric *named = all->pdata[i];
        int64_t sum = 0;

        if (before == NULL || strcmp(before->name, named->name) != 0)
            describe(out, named->name, named->help, named->gauge);
        before = named;
        for (; i < all->len && named_compare(&all->pdata[i], &before) == 0; i++)
            sum += __atomic_load_n(&((NamedMetric *)all->pdata[i])->value,
                                   __ATOMIC_RELAXED);
        g_string_append_printf(out, "filterd_%s{%s} %" G_GINT64_FORMAT "\n",
                               named->name, named->labels, sum);
    }
}

char *
metrics_format(void)
{
    GString *out = g_string_new(NULL);

    for (size_t i = 0; i < METRICS; i++) {
        const MetricInfo *info = &infos[i];

        describe(out, info->name, info->help, info->gauge);
        g_string_append_printf(out, "filterd_%s %" G_GINT64_FORMAT "\n",
                               info->name, metrics_sum((Metric)i));
    }
    named_format(out);
    return g_string_free(out, FALSE);
}
