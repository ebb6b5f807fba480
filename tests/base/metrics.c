/* metrics.c: tests of base/metrics.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/metrics.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
without_table(void)
{
    metrics_add(METRIC_MESSAGES, 2);
    g_assert_cmpint(metrics_sum(METRIC_MESSAGES), ==, 2);
}

static void
in_child(unsigned worker, int64_t messages)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        metrics_use_row(worker);
        metrics_add(METRIC_MESSAGES, messages);
        metrics_add(METRIC_SESSIONS, 3);
        _exit(0);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
}

static void
rows_of_processes(void)
{
    metrics_init(2);
    in_child(0, 5);
    in_child(1, 7);
    metrics_add(METRIC_MESSAGES, 100);
    g_assert_cmpint(metrics_sum(METRIC_MESSAGES), ==, 112);
    g_assert_cmpint(metrics_sum(METRIC_SESSIONS), ==, 6);
}

static void
successor(void)
{
    metrics_init(2);
    in_child(0, 5);
    in_child(0, 1);
    g_assert_cmpint(metrics_sum(METRIC_MESSAGES), ==, 6);
    g_assert_cmpint(metrics_sum(METRIC_SESSIONS), ==, 3);
}

static void
prometheus(void)
{
    g_autofree char *text = NULL;

    metrics_init(1);
    metrics_add(METRIC_SESSIONS, 2);
    metrics_add(METRIC_RELOADS, 1);
    text = metrics_format();
    g_assert_nonnull(strstr(text, "# HELP filterd_sessions Sessions open now.\n"
                                  "# TYPE filterd_sessions gauge\n"
                                  "filterd_sessions 2\n"));
    g_assert_nonnull(strstr(text, "# TYPE filterd_reloads_total counter\n"
                                  "filterd_reloads_total 1\n"));
    g_assert_null(strstr(text, "(null)"));
}

static void
count_in_child(unsigned worker, const MetricName *name, int64_t delta)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        metrics_use_row(worker);
        _exit(metrics_add_named(name, delta) ? 0 : 1);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
}

static void
names_of_their_own(void)
{
    static const MetricName hits = {"bl_hits_total", "zone=\"a\"", "Hits.",
                                    FALSE};
    static const MetricName more = {"bl_hits_total", "zone=\"b\"", "Hits.",
                                    FALSE};
    static const MetricName dead = {"bl_dead", "zone=\"a\"", "Dead.", TRUE};
    g_autofree char *text = NULL;

    metrics_init(2);
    count_in_child(0, &hits, 5);
    count_in_child(1, &dead, 1);
    count_in_child(1, &more, 1);
    count_in_child(1, &hits, 2);
    text = metrics_format();
    g_assert_nonnull(strstr(text, "# HELP filterd_bl_dead Dead.\n"
                                  "# TYPE filterd_bl_dead gauge\n"
                                  "filterd_bl_dead{zone=\"a\"} 0\n"
                                  "# HELP filterd_bl_hits_total Hits.\n"
                                  "# TYPE filterd_bl_hits_total counter\n"
                                  "filterd_bl_hits_total{zone=\"a\"} 7\n"
                                  "filterd_bl_hits_total{zone=\"b\"} 1\n"));
}

static void
too_many_names(void)
{
    g_autofree char *longish = g_strnfill(1000, 'x');
    const MetricName wordy = {"x", longish, "X.", FALSE};

    metrics_init(1);
    metrics_use_row(0);
    g_assert_false(metrics_add_named(&wordy, 1));
    for (unsigned i = 0; i <= METRIC_NAMED_LIMIT; i++) {
        g_autofree char *labels = g_strdup_printf("n=\"%u\"", i);
        const MetricName name = {"x", labels, "X.", FALSE};

        g_assert_true(metrics_add_named(&name, 1) == (i < METRIC_NAMED_LIMIT));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/metrics/count-without-a-table", without_table);
    g_test_add_func("/base/metrics/rows-of-processes-add-up",
                    rows_of_processes);
    g_test_add_func("/base/metrics/a-successor-keeps-counters-not-gauges",
                    successor);
    g_test_add_func("/base/metrics/are-said-as-prometheus-reads-them",
                    prometheus);
    g_test_add_func("/base/metrics/of-a-name-add-up-by-their-labels",
                    names_of_their_own);
    g_test_add_func("/base/metrics/names-have-a-limit", too_many_names);
    return g_test_run();
}
