/* timing.c: tests of base/timing.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/timing.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
test_quantiles(void)
{
    timings_init(1);
    Timing *timing = timing_find(TIMING_CHECK, "spf");
    for (unsigned i = 0; i < 98; i++)
        timing_add(timing, 5);
    timing_add(timing, 700);
    timing_add(timing, 100000);
    g_autoptr(GArray) sums = timings_sum();
    g_assert_cmpuint(sums->len, ==, 1);
    const TimingSum *sum = &g_array_index(sums, TimingSum, 0);
    g_assert_cmpint(timing_quantile(sum->counts, 50), ==, 6);
    g_assert_cmpint(timing_quantile(sum->counts, 98), ==, 6);
    g_assert_cmpint(timing_quantile(sum->counts, 99), ==, 768);
    g_assert_cmpint(timing_quantile(sum->counts, 100), ==, -1);
    timings_clear();
}

static void
test_bounds(void)
{
    for (unsigned i = 0; i + 2 < TIMING_BUCKETS; i++)
        g_assert_cmpint(timing_bound(i), <, timing_bound(i + 1));
    for (unsigned i = 0; i + 1 < TIMING_BUCKETS; i++) {
        int64_t counts[TIMING_BUCKETS] = {0};
        timings_init(1);
        timing_add(timing_find(TIMING_CHECK, "x"), timing_bound(i));
        g_autoptr(GArray) sums = timings_sum();
        counts[i] = 1;
        g_assert_cmpmem(counts, sizeof counts,
                        g_array_index(sums, TimingSum, 0).counts,
                        sizeof counts);
        timings_clear();
    }
}

static void
test_nothing(void)
{
    const int64_t none[TIMING_BUCKETS] = {0};
    g_assert_cmpint(timing_quantile(none, 50), ==, -1);
}

/* Buckets count those below them, too; each kind is described once. */
static void
test_histograms(void)
{
    timings_init(1);
    timing_add(timing_find(TIMING_END_OF_DATA, ""), 3);
    timing_add(timing_find(TIMING_CHECK, "spf"), 1500);
    timing_add(timing_find(TIMING_CHECK, "spf"), 40000);
    timing_find(TIMING_CHECK, "dkim");
    g_autofree char *text = timings_format();
    static const char *const lines[] = {
        "# TYPE filterd_end_of_data_seconds histogram\n",
        "filterd_end_of_data_seconds_bucket{le=\"0.002\"} 0\n",
        "filterd_end_of_data_seconds_bucket{le=\"0.003\"} 1\n",
        "filterd_end_of_data_seconds_bucket{le=\"+Inf\"} 1\n",
        "filterd_end_of_data_seconds_sum 0.003\n",
        "filterd_end_of_data_seconds_count 1\n",
        "filterd_check_seconds_bucket{check=\"dkim\",le=\"+Inf\"} 0\n",
        "filterd_check_seconds_bucket{check=\"spf\",le=\"1.024\"} 0\n",
        "filterd_check_seconds_bucket{check=\"spf\",le=\"1.536\"} 1\n",
        "filterd_check_seconds_bucket{check=\"spf\",le=\"+Inf\"} 2\n",
        "filterd_check_seconds_sum{check=\"spf\"} 41.500\n",
        "filterd_check_seconds_count{check=\"spf\"} 2\n",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++)
        if (strstr(text, lines[i]) == NULL)
            g_error("%s is not in\n%s", lines[i], text);
    const char *type = strstr(text, "# TYPE filterd_check_seconds");
    g_assert_nonnull(type);
    g_assert_null(strstr(type + 1, "# TYPE"));
    timings_clear();
}

static void
in_child(unsigned worker, TimingKind kind, const char *name)
{
    pid_t child = fork();
    int status;
    if (child == 0) {
        timings_use_row(worker);
        timing_add(timing_find(kind, name), 1);
        _exit(0);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
}

static void
test_rows(void)
{
    timings_init(2);
    in_child(0, TIMING_CHECK, "spf");
    in_child(1, TIMING_CHECK, "spf");
    in_child(1, TIMING_CHECK, "dkim");
    in_child(1, TIMING_END_OF_DATA, "");
    in_child(1, TIMING_CHECK, "spf");
    g_autoptr(GArray) sums = timings_sum();
    g_assert_cmpuint(sums->len, ==, 3);
    const TimingSum *sum = &g_array_index(sums, TimingSum, 0);
    g_assert_cmpint(sum[0].kind, ==, TIMING_END_OF_DATA);
    g_assert_cmpstr(sum[1].name, ==, "dkim");
    g_assert_cmpint(sum[1].counts[1], ==, 1);
    g_assert_cmpstr(sum[2].name, ==, "spf");
    g_assert_cmpint(sum[2].counts[1], ==, 3);
    timings_clear();
}

static void
test_too_many(void)
{
    timings_init(1);
    for (unsigned i = 0; i < TIMING_LIMIT; i++) {
        g_autofree char *name = g_strdup_printf("%u", i);
        g_assert_nonnull(timing_find(TIMING_CHECK, name));
    }
    g_assert_null(timing_find(TIMING_CHECK, "one more"));
    g_assert_nonnull(timing_find(TIMING_CHECK, "7"));
    timing_add(NULL, 5);
    timings_clear();
    g_autofree char *name = g_strnfill(TIMING_NAME, 'a');
    g_assert_null(timing_find(TIMING_CHECK, name));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/timing/a-quantile-is-the-bound-of-its-bucket",
                    test_quantiles);
    g_test_add_func("/base/timing/each-bound-is-in-its-bucket", test_bounds);
    g_test_add_func("/base/timing/of-nothing-there-is-no-quantile",
                    test_nothing);
    g_test_add_func("/base/timing/processes-add-up-by-name", test_rows);
    g_test_add_func("/base/timing/too-many-are-not-counted", test_too_many);
    g_test_add_func("/base/timing/histograms-are-told", test_histograms);
    return g_test_run();
}
