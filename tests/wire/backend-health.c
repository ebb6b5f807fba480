/* backend-health.c: tests of what workers know together about backends.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/backend-health.h"

#include "filterd/base/clock.h"
#include "filterd/base/log.h"

#include <string.h>

static unsigned lines;

static void
count_line(FilterdLogLevel level G_GNUC_UNUSED, const char *line G_GNUC_UNUSED)
{
    lines++;
}

static BackendHealth *
enter(uint16_t port)
{
    Endpoint endpoint = {.port = port};
    g_assert_true(ip_parse("192.0.2.1", &endpoint.ip));
    return backend_health_enter(&endpoint);
}

static void
begin(unsigned workers)
{
    lines = 0;
    log_set_sink(count_line);
    clock_stop(0);
    clock_advance(100000);
    backend_health_init(workers);
}

static void
end(void)
{
    backend_health_clear();
    clock_start();
    log_set_sink(NULL);
}

static gboolean
has_line(const char *line)
{
    g_autofree char *text = backend_health_format();
    return strstr(text, line) != NULL;
}

static void
fail(BackendHealth *health, gboolean claimed, int64_t longest)
{
    const BackendFailure failure = {claimed, longest, HEALTH_QUICK, "silence"};
    backend_health_failed(health, &failure);
}

/* As another worker. */
static BackendHealth *
enter_as(unsigned worker, uint16_t port)
{
    backend_health_use_row(worker);
    return enter(port);
}

static void
test_shared(void)
{
    begin(2);
    BackendHealth *health = enter_as(0, 25);
    fail(health, FALSE, 0);
    g_assert_true(enter_as(1, 25) == health);
    g_assert_false(backend_health_up(health));
    fail(health, FALSE, 0);
    g_assert_cmpuint(lines, ==, 1);
    g_assert_true(enter(26) != health);
    end();
}

static void
test_claim(void)
{
    begin(2);
    BackendHealth *health = enter_as(0, 25);
    g_assert_false(backend_health_claim(health, FALSE));
    fail(health, FALSE, 0);
    g_assert_false(backend_health_claim(health, FALSE));
    clock_advance(HEALTH_FIRST_PAUSE * 6 / 5);
    g_assert_true(backend_health_claim(health, FALSE));
    enter_as(1, 25);
    g_assert_false(backend_health_claim(health, FALSE));
    backend_health_unclaim(health, TRUE);
    g_assert_true(backend_health_claim(health, FALSE));
    backend_health_worked(health, TRUE);
    g_assert_true(backend_health_up(health));
    g_assert_cmpuint(lines, ==, 2);
    end();
}

static void
test_claim_of_the_dead(void)
{
    begin(2);
    BackendHealth *health = enter_as(0, 25);
    enter_as(1, 25);
    fail(health, FALSE, 0);
    clock_advance(HEALTH_FIRST_PAUSE * 2);
    g_assert_true(backend_health_claim(health, FALSE));
    backend_health_use_row(0);
    g_assert_false(backend_health_claim(health, FALSE));
    backend_health_forget(1);
    g_assert_true(backend_health_claim(health, FALSE));
    end();
}

/* The pause doubles; late news of the first failure does not count. */
static void
test_pauses(void)
{
    static const int64_t pauses[] = {1000,  2000,  4000, 8000,
                                     16000, 25000, 25000};
    begin(1);
    BackendHealth *health = enter(25);
    fail(health, FALSE, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(pauses); i++) {
        fail(health, FALSE, 0);
        clock_advance(pauses[i] - 1);
        g_assert_false(backend_health_claim(health, FALSE));
        clock_advance(pauses[i] / 5 + 1);
        g_assert_true(backend_health_claim(health, FALSE));
        fail(health, TRUE, 0);
    }
    end();
}

/* Ten times what the failure took, and no longer than the pause. */
static void
test_eager(void)
{
    begin(1);
    BackendHealth *health = enter(25);
    const BackendFailure quick = {FALSE, 0, HEALTH_QUICK - 1, "refused"};
    backend_health_failed(health, &quick);
    g_assert_false(backend_health_claim(health, FALSE));
    g_assert_true(backend_health_claim(health, TRUE));
    fail(health, TRUE, 0);
    clock_advance(999);
    g_assert_false(backend_health_claim(health, TRUE));
    fail(health, FALSE, 0);
    clock_advance(201);
    g_assert_true(backend_health_claim(health, TRUE));
    clock_advance(9999);
    backend_health_failed(
        health,
        &(BackendFailure){.claimed = TRUE, .took = 9999, .why = "silence"});
    clock_advance(1999);
    g_assert_false(backend_health_claim(health, TRUE));
    clock_advance(401);
    g_assert_true(backend_health_claim(health, TRUE));
    end();
}

static void
test_longest_pause(void)
{
    begin(1);
    BackendHealth *health = enter(25);
    fail(health, FALSE, 3000);
    for (unsigned i = 0; i < 5; i++) {
        clock_advance(3000);
        g_assert_true(backend_health_claim(health, FALSE));
        fail(health, TRUE, 3000);
    }
    end();
}

static void
test_metrics(void)
{
    begin(2);
    BackendHealth *health = enter_as(0, 25);
    backend_health_count_open(health, 2);
    backend_health_count_use(health);
    enter_as(1, 25);
    backend_health_count_open(health, 1);
    backend_health_count_fault(health);
    g_assert_true(has_line("filterd_backend_up{backend=\"192.0.2.1:25\"} 1\n"));
    g_assert_true(
        has_line("filterd_backend_connections{backend=\"192.0.2.1:25\"} 3\n"));
    g_assert_true(
        has_line("filterd_backend_uses_total{backend=\"192.0.2.1:25\"} 1\n"));
    g_assert_true(has_line(
        "filterd_backend_failures_total{backend=\"192.0.2.1:25\"} 1\n"));
    fail(health, FALSE, 0);
    backend_health_forget(0);
    g_assert_true(has_line("filterd_backend_up{backend=\"192.0.2.1:25\"} 0\n"));
    g_assert_true(
        has_line("filterd_backend_connections{backend=\"192.0.2.1:25\"} 1\n"));
    backend_health_leave(health);
    g_assert_false(has_line("192.0.2.1"));
    end();
}

/* Those who have no row do without others. */
static void
test_full(void)
{
    BackendHealth *rows[HEALTH_LIMIT + 1];
    begin(1);
    for (unsigned i = 0; i <= HEALTH_LIMIT; i++)
        rows[i] = enter((uint16_t)(i + 1));
    g_assert_true(backend_health_up(rows[HEALTH_LIMIT]));
    fail(rows[HEALTH_LIMIT], FALSE, 0);
    g_assert_false(backend_health_up(rows[HEALTH_LIMIT]));
    backend_health_leave(rows[HEALTH_LIMIT]);
    g_assert_true(backend_health_up(rows[HEALTH_LIMIT - 1]));
    backend_health_leave(rows[0]);
    g_assert_true(enter(999) == rows[0]);
    end();
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wire/backend-health/what-one-worker-finds-all-know",
                    test_shared);
    g_test_add_func("/wire/backend-health/one-of-all-tries", test_claim);
    g_test_add_func("/wire/backend-health/a-dead-worker-tries-nothing",
                    test_claim_of_the_dead);
    g_test_add_func("/wire/backend-health/its-pause-doubles", test_pauses);
    g_test_add_func("/wire/backend-health/mail-may-be-eager", test_eager);
    g_test_add_func("/wire/backend-health/its-pause-has-an-end",
                    test_longest_pause);
    g_test_add_func("/wire/backend-health/metrics-of-each", test_metrics);
    g_test_add_func("/wire/backend-health/more-than-the-table-has-room-for",
                    test_full);
    return g_test_run();
}
