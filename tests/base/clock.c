/* clock.c: tests of base/clock.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/clock.h"

static void
mail_dates(void)
{
    static const struct {
        int64_t real;
        const char *text;
    } rows[] = {
        {0, "Thu, 01 Jan 1970 00:00:00 +0000"},
        {1795341600000, "Sun, 22 Nov 2026 10:00:00 +0000"},
        {1709210096789, "Thu, 29 Feb 2024 12:34:56 +0000"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = clock_format_mail(rows[i].real);

        g_assert_cmpstr(text, ==, rows[i].text);
    }
}

static void
dates(void)
{
    static const struct {
        int64_t real;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1795341600042, "2026-11-22T10:00:00.042Z"},
        {1709210096789, "2024-02-29T12:34:56.789Z"},
        {946684799999, "1999-12-31T23:59:59.999Z"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) text = g_string_new(NULL);

        clock_append(text, rows[i].real);
        g_assert_cmpstr(text->str, ==, rows[i].text);
    }
}

static void
deadlines(void)
{
    clock_stop(0);
    g_assert_cmpint(clock_after(5), ==, clock_monotonic() + 5);
    g_assert_cmpint(clock_after(0), ==, clock_monotonic());
    g_assert_cmpint(clock_after(-1), ==, CLOCK_NEVER);
    g_assert_cmpint(clock_after(INT64_MAX - 1), ==, CLOCK_NEVER);
    clock_start();
}

static void
stands_while_stopped(void)
{
    int64_t monotonic;

    clock_stop(1000000000000);
    monotonic = clock_monotonic();
    g_usleep(3000);
    g_assert_cmpint(clock_monotonic(), ==, monotonic);
    g_assert_cmpint(clock_real(), ==, 1000000000000);
    clock_advance(60000);
    g_assert_cmpint(clock_monotonic(), ==, monotonic + 60000);
    g_assert_cmpint(clock_real(), ==, 1000000060000);
    clock_start();
    g_assert_false(clock_stopped());
    g_usleep(3000);
    g_assert_cmpint(clock_monotonic(), >, monotonic + 60000);
    g_assert_cmpint(clock_real(), >, 1000000060000);
    g_assert_cmpint(clock_real(), <, 1000000070000);
}

static void
coarse(void)
{
    clock_stop(1000000000000);
    clock_advance(60000);
    g_assert_cmpint(ABS(clock_coarse() - g_get_monotonic_time() / 1000), <,
                    1000);
    clock_start();
}

static void
runs_by_itself(void)
{
    int64_t monotonic = clock_monotonic();

    g_usleep(3000);
    g_assert_cmpint(clock_monotonic(), >, monotonic);
    g_assert_cmpint(ABS(clock_real() - g_get_real_time() / 1000), <, 1000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/clock/runs-by-itself", runs_by_itself);
    g_test_add_func("/base/clock/dates-are-as-mail-has-them", mail_dates);
    g_test_add_func("/base/clock/dates-sort-as-they-are-written", dates);
    g_test_add_func("/base/clock/negative-and-huge-waits-never-end", deadlines);
    g_test_add_func("/base/clock/stands-until-advanced", stands_while_stopped);
    g_test_add_func("/base/clock/what-is-coarse-does-not-stand", coarse);
    return g_test_run();
}
