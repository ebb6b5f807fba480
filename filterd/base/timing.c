/* timing.c: how long things take, counted by name in memory that the processes
 * share.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/timing.h"

#include "filterd/base/shared.h"

#include <string.h>

struct Timing {
    TimingKind kind;
    char name[TIMING_NAME];
    int64_t counts[TIMING_BUCKETS];
    int64_t total; /* milliseconds */
};

/* `used` is raised when the name behind it is there. */
typedef struct TimingRow {
    unsigned used;
    Timing timings[TIMING_LIMIT];
} __attribute__((aligned(64))) TimingRow;

/* Two to each doubling. */
static const int64_t bounds[TIMING_BUCKETS] = {
    0,    1,    2,    3,    4,    6,     8,     12,    16,    24,   32,
    48,   64,   96,   128,  192,  256,   384,   512,   768,   1024, 1536,
    2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768, -1};

static TimingRow own;
static TimingRow *rows = &own;
static TimingRow *row = &own;
static unsigned row_count = 1;

void
timings_init(unsigned workers)
{
    timings_clear();
    rows = shared_map("the timings", workers * sizeof(TimingRow));
    row_count = workers;
    row = rows;
}

void
timings_clear(void)
{
    if (rows != &own)
        shared_unmap(rows, row_count * sizeof(TimingRow));
    rows = row = &own;
    row_count = 1;
}

void
timings_use_row(unsigned worker)
{
    g_assert(worker < row_count);
    row = &rows[worker];
}

Timing *
timing_find(TimingKind kind, const char *name)
{
    for (unsigned i = 0; i < row->used; i++)
        if (row->timings[i].kind == kind
            && strcmp(row->timings[i].name, name) == 0)
            return &row->timings[i];
    if (row->used == TIMING_LIMIT || strlen(name) >= TIMING_NAME)
        return NULL;
    Timing *timing = &row->timings[row->used];
    timing->kind = kind;
    g_strlcpy(timing->name, name, TIMING_NAME);
    __atomic_store_n(&row->used, row->used + 1, __ATOMIC_RELEASE);
    return timing;
}

static unsigned
bucket_of(int64_t milliseconds)
{
    unsigned bucket = 0;
    while (bounds[bucket] >= 0 && milliseconds > bounds[bucket])
        bucket++;
    return bucket;
}

void
timing_add(Timing *timing, int64_t milliseconds)
{
    if (timing == NULL)
        return;
    __atomic_fetch_add(&timing->counts[bucket_of(milliseconds)], 1,
                       __ATOMIC_RELAXED);
    __atomic_fetch_add(&timing->total, milliseconds, __ATOMIC_RELAXED);
}

/* ---- told --------------------------------------------------------------- */

static TimingSum *
find_sum(GArray *sums, const Timing *timing)
{
    for (unsigned i = 0; i < sums->len; i++) {
        TimingSum *sum = &g_array_index(sums, TimingSum, i);
        if (sum->kind == timing->kind
            && strncmp(sum->name, timing->name, TIMING_NAME - 1) == 0)
            return sum;
    }
    TimingSum sum = {.kind = timing->kind};
    memcpy(sum.name, timing->name, TIMING_NAME - 1);
    g_array_append_val(sums, sum);
    return &g_array_index(sums, TimingSum, sums->len - 1);
}

static int
compare(const void *left, const void *right)
{
    const TimingSum *a = left, *b = right;
    return a->kind != b->kind ? (int)a->kind - (int)b->kind
                              : strcmp(a->name, b->name);
}

GArray *
timings_sum(void)
{
    GArray *sums = g_array_new(FALSE, TRUE, sizeof(TimingSum));
    for (unsigned i = 0; i < row_count; i++) {
        unsigned used = __atomic_load_n(&rows[i].used, __ATOMIC_ACQUIRE);
        for (unsigned j = 0; j < MIN(used, TIMING_LIMIT); j++) {
            const Timing *timing = &rows[i].timings[j];
            TimingSum *sum = find_sum(sums, timing);
            sum->total += __atomic_load_n(&timing->total, __ATOMIC_RELAXED);
            for (unsigned k = 0; k < TIMING_BUCKETS; k++)
                sum->counts[k] +=
                    __atomic_load_n(&timing->counts[k], __ATOMIC_RELAXED);
        }
    }
    g_array_sort(sums, compare);
    return sums;
}

int64_t
timing_bound(unsigned bucket)
{
    return bounds[bucket];
}

int64_t
timing_quantile(const int64_t counts[TIMING_BUCKETS], unsigned percent)
{
    int64_t all = 0, below = 0;
    for (unsigned i = 0; i < TIMING_BUCKETS; i++)
        all += counts[i];
    for (unsigned i = 0; all > 0 && i < TIMING_BUCKETS; i++) {
        below += counts[i];
        if (below * 100 >= all * percent)
            return bounds[i];
    }
    return -1;
}

/* ---- for Prometheus ------------------------------------------------------ */

static const struct Histogram {
    const char *name, *help, *label;
} histograms[] = {
    [TIMING_END_OF_DATA] = {"filterd_end_of_data_seconds",
                            "From the end of a message to its reply.", NULL},
    [TIMING_CHECK] = {"filterd_check_seconds",
                      "A hook of a check, with what it waits for.", "check"},
};

static void
append_sample(GString *out, const TimingSum *sum, const char *suffix,
              const char *le)
{
    const struct Histogram *histogram = &histograms[sum->kind];
    g_autoptr(GString) labels = g_string_new(NULL);
    if (histogram->label != NULL)
        g_string_append_printf(labels, "%s=\"%s\"", histogram->label,
                               sum->name);
    if (le != NULL)
        g_string_append_printf(labels, "%sle=\"%s\"",
                               labels->len > 0 ? "," : "", le);
    g_string_append_printf(out, "%s%s", histogram->name, suffix);
    if (labels->len > 0)
        g_string_append_printf(out, "{%s}", labels->str);
    g_string_append_c(out, ' ');
}

static void
append_seconds(GString *out, int64_t milliseconds)
{
    g_string_append_printf(out, "%" G_GINT64_FORMAT ".%03d",
                           milliseconds / 1000, (int)(milliseconds % 1000));
}

/* Each bucket counts those below it, too. */
static void
append_histogram(GString *out, const TimingSum *sum)
{
    int64_t below = 0;
    for (unsigned i = 0; i < TIMING_BUCKETS; i++) {
        g_autoptr(GString) le = g_string_new(NULL);
        if (bounds[i] >= 0)
            append_seconds(le, bounds[i]);
        below += sum->counts[i];
        append_sample(out, sum, "_bucket", bounds[i] >= 0 ? le->str : "+Inf");
        g_string_append_printf(out, "%" G_GINT64_FORMAT "\n", below);
    }
    append_sample(out, sum, "_sum", NULL);
    append_seconds(out, sum->total);
    append_sample(g_string_append_c(out, '\n'), sum, "_count", NULL);
    g_string_append_printf(out, "%" G_GINT64_FORMAT "\n", below);
}

char *
timings_format(void)
{
    GString *out = g_string_new(NULL);
    g_autoptr(GArray) sums = timings_sum();
    for (unsigned i = 0; i < sums->len; i++) {
        const TimingSum *sum = &g_array_index(sums, TimingSum, i);
        const struct Histogram *histogram = &histograms[sum->kind];
        if (i == 0 || sum[-1].kind != sum->kind)
            g_string_append_printf(out, "# HELP %s %s\n# TYPE %s histogram\n",
                                   histogram->name, histogram->help,
                                   histogram->name);
        append_histogram(out, sum);
    }
    return g_string_free(out, FALSE);
}
