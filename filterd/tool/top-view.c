/* top-view.c: what filterctl top shows of two answers.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/top.h"

#include <inttypes.h>
#include <string.h>

#define NAME_WIDTH 44
#define VALUE_WIDTH 10

/* A count and how much of it is new. */
typedef struct Row {
    const char *name;
    int64_t total, fresh;
} Row;

static int64_t
count_of(const GPtrArray *counts, const char *name)
{
    for (unsigned i = 0; counts != NULL && i < counts->len; i++) {
        const TopCount *count = g_ptr_array_index(counts, i);
        if (strcmp(count->name, name) == 0)
            return count->value;
    }
    return 0;
}

static GArray *
rows_of(const GPtrArray *now, const GPtrArray *before)
{
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(Row));
    for (unsigned i = 0; i < now->len; i++) {
        const TopCount *count = g_ptr_array_index(now, i);
        Row row = {count->name, count->value,
                   count->value - count_of(before, count->name)};
        g_array_append_val(rows, row);
    }
    return rows;
}

static int
by_freshness(const void *left, const void *right)
{
    const Row *a = left, *b = right;
    if (a->fresh != b->fresh)
        return a->fresh < b->fresh ? 1 : -1;
    if (a->total != b->total)
        return a->total < b->total ? 1 : -1;
    return strcmp(a->name, b->name);
}

/* ---- lines -------------------------------------------------------------- */

static void
head(GString *out, const char *name, const char *const *columns)
{
    g_string_append_printf(out, "\n%-*s", NAME_WIDTH, name);
    for (; *columns != NULL; columns++)
        g_string_append_printf(out, "%*s", VALUE_WIDTH, *columns);
    g_string_append_c(out, '\n');
}

static void
append_rate(GString *out, int64_t fresh, int64_t ms)
{
    double rate = ms > 0 ? (double)fresh * 1000 / (double)ms : 0;
    g_string_append_printf(out, "%*.1f", VALUE_WIDTH, rate);
}

static void
append_rows(GString *out, const GArray *rows, unsigned most, int64_t ms)
{
    for (unsigned i = 0; i < rows->len && i < most; i++) {
        const Row *row = &g_array_index(rows, Row, i);
        g_string_append_printf(out, "%-*s", NAME_WIDTH, row->name);
        append_rate(out, row->fresh, ms);
        g_string_append_printf(out, "%*" PRId64 "\n", VALUE_WIDTH, row->total);
    }
    if (rows->len > most)
        g_string_append_printf(out, "and %u more\n", rows->len - most);
}

static void
append_bound(GString *out, int64_t bound)
{
    g_autofree char *text =
        bound == 0 ? g_strdup("<1")
        : bound > 0
            ? g_strdup_printf("%" PRId64, bound)
            : g_strdup_printf(">%" PRId64, timing_bound(TIMING_BUCKETS - 2));
    g_string_append_printf(out, "%*s", VALUE_WIDTH, text);
}

static void
append_timing(GString *out, const TopTiming *now, const TopTiming *before,
              int64_t ms)
{
    int64_t counts[TIMING_BUCKETS], all = 0;
    for (unsigned i = 0; i < TIMING_BUCKETS; i++) {
        counts[i] =
            MAX(now->counts[i] - (before != NULL ? before->counts[i] : 0), 0);
        all += counts[i];
    }
    g_string_append_printf(out, "%-*s", NAME_WIDTH, now->name);
    append_rate(out, all, ms);
    if (all > 0) {
        append_bound(out, timing_quantile(counts, 50));
        append_bound(out, timing_quantile(counts, 99));
    } else {
        g_string_append_printf(out, "%*s%*s", VALUE_WIDTH, "-", VALUE_WIDTH,
                               "-");
    }
    g_string_append_c(out, '\n');
}

static const TopTiming *
find_timing(const GPtrArray *timings, const char *name)
{
    for (unsigned i = 0; i < timings->len; i++) {
        const TopTiming *timing = g_ptr_array_index(timings, i);
        if (strcmp(timing->name, name) == 0)
            return timing;
    }
    return NULL;
}

/* ---- all of it ---------------------------------------------------------- */

char *
top_format(const TopSample *now, const TopSample *before, unsigned rules)
{
    static const char *const counts[] = {"per s", "total", NULL};
    static const char *const times[] = {"per s", "p50 ms", "p99 ms", NULL};
    int64_t ms = now->ms - (before != NULL ? before->ms : 0);
    GString *out = g_string_new(NULL);
    g_autoptr(GArray) all =
        rows_of(now->counts, before != NULL ? before->counts : NULL);
    g_autoptr(GArray) fired =
        rows_of(now->rules, before != NULL ? before->rules : NULL);
    g_string_append_printf(out,
                           "filterd %s, generation %" PRId64 ", %" PRId64
                           " sessions; the last %" PRId64 " s\n",
                           now->version != NULL ? now->version : "-",
                           now->generation, now->sessions, (ms + 500) / 1000);
    head(out, "", counts);
    append_rows(out, all, TOP_ROWS, ms);
    head(out, "times", times);
    for (unsigned i = 0; i < now->timings->len; i++) {
        const TopTiming *timing = g_ptr_array_index(now->timings, i);
        append_timing(
            out, timing,
            before != NULL ? find_timing(before->timings, timing->name) : NULL,
            ms);
    }
    g_array_sort(fired, by_freshness);
    head(out, "rules", counts);
    append_rows(out, fired, rules, ms);
    return g_string_free(out, FALSE);
}
