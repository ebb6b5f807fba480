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
    [METRIC_PLUGINS_LOST] = {"plugin_processes_lost_total", FALSE,
                             "Processes of plugins that ended unasked."},
    [METRIC_RELOADS] = {"reloads_total", FALSE,
                        "Configurations put into force."},
    [METRIC_DECISIONS_LOGGED] = {"decisions_logged_total", FALSE,
                                 "Lines written into the decision log."},
    [METRIC_DECISIONS_LOST] = {"decisions_lost_total", FALSE,
                               "Lines that the decision log has no place for."},
};

typedef struct NamedMetric {
    char name[NAME_SIZE], labels[LABELS_SIZE], help[HELP_SIZE];
    gboolean gauge;
    int64_t value;
} NamedMetric;

/* One that may become another's; odd while it does. */
typedef struct Counter {
    unsigned version;
    NamedMetric named;
} Counter;

/* A row ends with its cache line: rows of two processes share none. `used` is
 * raised when the texts behind it are there. */
typedef struct MetricRow {
    int64_t values[METRICS];
    unsigned workers; /* in the last: the rows before that were ever taken */
    unsigned used;
    NamedMetric named[METRIC_NAMED_LIMIT];
    unsigned counters_used;
    Counter counters[METRIC_COUNTER_LIMIT];
} __attribute__((aligned(64))) MetricRow;

static MetricRow own;
static MetricRow *rows = &own;
static MetricRow *row = &own;
static unsigned row_count = 1;
/* Which counters of its row this process has found. */
static gboolean ours[METRIC_COUNTER_LIMIT];

void
metrics_init(unsigned workers)
{
    if (rows != &own)
        shared_unmap(rows, row_count * sizeof(MetricRow));
    rows = shared_map("the counters", (workers + 1) * sizeof(MetricRow));
    row_count = workers + 1;
    row = &rows[workers];
}

/* Of the process that made them all. */
static MetricRow *
last_row(void)
{
    return &rows[row_count - 1];
}

/* Others may be doing the same. */
static void
note_worker(unsigned worker)
{
    unsigned *workers = &last_row()->workers;
    unsigned known = __atomic_load_n(workers, __ATOMIC_RELAXED);

    while (known <= worker
           && !__atomic_compare_exchange_n(workers, &known, worker + 1, FALSE,
                                           __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
}

void
metrics_use_row(unsigned worker)
{
    g_assert(worker < row_count);
    row = &rows[worker];
    if (row != last_row())
        note_worker(worker);
    memset(ours, 0, sizeof(ours));
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

/* It is asked at each wait, and rows lie megabytes apart. */
int64_t
metrics_sum(Metric metric)
{
    const MetricRow *last = last_row();
    unsigned workers = __atomic_load_n(&last->workers, __ATOMIC_RELAXED);
    int64_t sum = __atomic_load_n(&last->values[metric], __ATOMIC_RELAXED);

    for (unsigned i = 0; i < workers; i++)
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

/* FALSE: a text of it is too long. */
static gboolean
named_set(NamedMetric *named, const MetricName *name)
{
    if (g_strlcpy(named->name, name->name, NAME_SIZE) >= NAME_SIZE
        || g_strlcpy(named->labels, name->labels, LABELS_SIZE) >= LABELS_SIZE)
        return FALSE;
    g_strlcpy(named->help, name->help, HELP_SIZE);
    named->gauge = name->gauge;
    named->value = 0;
    return TRUE;
}

static NamedMetric *
named_new(const MetricName *name)
{
    NamedMetric *named = &row->named[row->used];

    if (row->used == METRIC_NAMED_LIMIT || !named_set(named, name))
        return NULL;
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

void
metrics_append_label(GString *labels, const char *name, const char *value)
{
    g_string_append_printf(labels, "%s%s=\"", labels->len > 0 ? "," : "", name);
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\')
            g_string_append_c(labels, '\\');
        g_string_append_c(labels, g_ascii_iscntrl(*value) ? ' ' : *value);
    }
    g_string_append_c(labels, '"');
}

/* ---- found once --------------------------------------------------------- */

static gboolean
is_named(const NamedMetric *named, const MetricName *name)
{
    return strcmp(named->labels, name->labels) == 0
           && strcmp(named->name, name->name) == 0;
}

/* The index of that counter, or of one that can become it; else the limit. */
static unsigned
counter_find(const MetricName *name)
{
    unsigned room = row->counters_used;

    for (unsigned i = 0; i < row->counters_used; i++) {
        if (is_named(&row->counters[i].named, name))
            return i;
        if (row->counters_used == METRIC_COUNTER_LIMIT && !ours[i])
            room = MIN(room, i);
    }
    return room;
}

/* Somebody may be reading it. */
static gboolean
counter_set(Counter *counter, const MetricName *name)
{
    __atomic_store_n(&counter->version, counter->version | 1, __ATOMIC_SEQ_CST);
    gboolean fits = named_set(&counter->named, name);
    if (!fits)
        *counter->named.name = '\0';
    __atomic_store_n(&counter->version, counter->version + 1, __ATOMIC_SEQ_CST);
    return fits;
}

int64_t *
metrics_find_counter(const MetricName *name)
{
    unsigned index = counter_find(name);

    if (index == METRIC_COUNTER_LIMIT)
        return NULL;
    Counter *counter = &row->counters[index];
    if ((index == row->counters_used || !is_named(&counter->named, name))
        && !counter_set(counter, name))
        return NULL;
    if (index == row->counters_used)
        __atomic_store_n(&row->counters_used, index + 1, __ATOMIC_RELEASE);
    ours[index] = TRUE;
    return &counter->named.value;
}

void
metrics_count(int64_t *counter)
{
    if (counter != NULL)
        __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
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

/* Copies what is not being changed. */
static void
add_counters(GPtrArray *all, const MetricRow *of)
{
    unsigned used = __atomic_load_n(&of->counters_used, __ATOMIC_ACQUIRE);

    for (unsigned i = 0; i < used; i++) {
        const Counter *counter = &of->counters[i];
        unsigned version = __atomic_load_n(&counter->version, __ATOMIC_SEQ_CST);
        NamedMetric *copy = g_memdup2(&counter->named, sizeof(counter->named));

        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        if (version % 2 == 0 && *copy->name != '\0'
            && version == __atomic_load_n(&counter->version, __ATOMIC_SEQ_CST))
            g_ptr_array_add(all, copy);
        else
            g_free(copy);
    }
}

static GPtrArray *
named_sorted(void)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(g_free);

    for (unsigned i = 0; i < row_count; i++) {
        unsigned used = __atomic_load_n(&rows[i].used, __ATOMIC_ACQUIRE);

        for (unsigned j = 0; j < used; j++)
            g_ptr_array_add(all,
                            g_memdup2(&rows[i].named[j], sizeof(NamedMetric)));
        add_counters(all, &rows[i]);
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

void
metrics_each_named(void (*func)(const MetricName *name, int64_t value,
                                void *data),
                   void *data)
{
    g_autoptr(GPtrArray) all = named_sorted();

    for (guint i = 0; i < all->len;) {
        const NamedMetric *named = all->pdata[i];
        const MetricName name = {named->name, named->labels, named->help,
                                 named->gauge};
        int64_t sum = 0;

        for (; i < all->len && named_compare(&all->pdata[i], &named) == 0; i++)
            sum += ((NamedMetric *)all->pdata[i])->value;
        func(&name, sum, data);
    }
}

typedef struct NamedText {
    GString *out;
    char before[NAME_SIZE]; /* the one that was described */
} NamedText;

static void
named_format(const MetricName *name, int64_t value, void *data)
{
    NamedText *text = data;

    if (strcmp(text->before, name->name) != 0)
        describe(text->out, name->name, name->help, name->gauge);
    g_strlcpy(text->before, name->name, sizeof(text->before));
    g_string_append_printf(text->out, "filterd_%s{%s} %" G_GINT64_FORMAT "\n",
                           name->name, name->labels, value);
}

char *
metrics_format(void)
{
    GString *out = g_string_new(NULL);
    NamedText text = {.out = out};

    for (size_t i = 0; i < METRICS; i++) {
        const MetricInfo *info = &infos[i];

        describe(out, info->name, info->help, info->gauge);
        g_string_append_printf(out, "filterd_%s %" G_GINT64_FORMAT "\n",
                               info->name, metrics_sum((Metric)i));
    }
    metrics_each_named(named_format, &text);
    return g_string_free(out, FALSE);
}
