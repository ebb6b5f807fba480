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

/* Whoever comes first. */
static void
later_rows_first(void)
{
    metrics_init(3);
    in_child(2, 5);
    g_assert_cmpint(metrics_sum(METRIC_MESSAGES), ==, 5);
    in_child(0, 7);
    g_assert_cmpint(metrics_sum(METRIC_MESSAGES), ==, 12);
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

/* Of so many rules of a policy; how many have a counter. */
static unsigned
count_rules(const char *policy, unsigned rules)
{
    unsigned counted = 0;

    metrics_use_row(0);
    for (unsigned i = 0; i < rules; i++) {
        g_autoptr(GString) labels = g_string_new(NULL);
        g_autofree char *rule = g_strdup_printf("%s-%u", policy, i);

        metrics_append_label(labels, "rule", rule);
        const MetricName name = {"rule_total", labels->str, "Rules.", FALSE};
        int64_t *counter = metrics_find_counter(&name);
        g_assert_true(counter == metrics_find_counter(&name));
        metrics_count(counter);
        counted += counter != NULL;
    }
    return counted;
}

static void
counters_make_room(void)
{
    metrics_init(1);
    g_assert_cmpuint(count_rules("old", 2500), ==, 2500);
    g_assert_cmpuint(count_rules("new", METRIC_COUNTER_LIMIT + 1), ==,
                     METRIC_COUNTER_LIMIT);
    g_autofree char *text = metrics_format();
    g_assert_null(strstr(text, "old-"));
    g_assert_nonnull(strstr(text, "filterd_rule_total{rule=\"new-7\"} 1\n"));
}

static void
counters_stay(void)
{
    metrics_init(1);
    count_rules("a", 3);
    count_rules("b", 3);
    count_rules("a", 2);
    g_autofree char *text = metrics_format();
    g_assert_nonnull(strstr(text, "{rule=\"a-0\"} 2\n"));
    g_assert_nonnull(strstr(text, "{rule=\"a-2\"} 1\n"));
    g_assert_nonnull(strstr(text, "{rule=\"b-2\"} 1\n"));
}

static void
labels_are_escaped(void)
{
    g_autoptr(GString) labels = g_string_new(NULL);

    metrics_append_label(labels, "a", "\"\\\n");
    metrics_append_label(labels, "b", "");
    g_assert_cmpstr(labels->str, ==, "a=\"\\\"\\\\ \",b=\"\"");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/metrics/count-without-a-table", without_table);
    g_test_add_func("/base/metrics/rows-of-processes-add-up",
                    rows_of_processes);
    g_test_add_func("/base/metrics/a-later-row-may-be-taken-first",
                    later_rows_first);
    g_test_add_func("/base/metrics/a-successor-keeps-counters-not-gauges",
                    successor);
    g_test_add_func("/base/metrics/are-said-as-prometheus-reads-them",
                    prometheus);
    g_test_add_func("/base/metrics/of-a-name-add-up-by-their-labels",
                    names_of_their_own);
    g_test_add_func("/base/metrics/names-have-a-limit", too_many_names);
    g_test_add_func("/base/metrics/counters-make-room-for-a-successors",
                    counters_make_room);
    g_test_add_func("/base/metrics/a-successor-counts-on", counters_stay);
    g_test_add_func("/base/metrics/labels-are-escaped", labels_are_escaped);
    return g_test_run();
}
