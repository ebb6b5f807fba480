/* offload.c: work in threads.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/offload.h"

#include "filterd/base/loop.h"
#include "tests/service/support.h"

#include <signal.h>

#define THREADS 3
#define JOBS 200

typedef struct Work {
    const void *lane;
    unsigned number;
    gboolean ran, result;
    GThread *thread;
    gint64 milliseconds;
} Work;

static GMutex mutex;
static unsigned inside, most_inside, order[JOBS], done;

static void
set_up(void)
{
    loop_init();
    offload_init(THREADS);
    inside = most_inside = done = 0;
}

static void
tear_down(void)
{
    offload_clear();
    fiber_pool_clear();
    loop_clear();
}

static void
work(void *data)
{
    Work *job = data;
    g_mutex_lock(&mutex);
    inside++;
    most_inside = MAX(most_inside, inside);
    g_mutex_unlock(&mutex);
    job->thread = g_thread_self();
    g_usleep((gulong)job->milliseconds * 1000);
    job->ran = TRUE;
    g_mutex_lock(&mutex);
    inside--;
    if (done < JOBS)
        order[done++] = job->number;
    g_mutex_unlock(&mutex);
}

static void
offload_in_fiber(void *data)
{
    Work *job = data;
    job->result = offload_run(job->lane, work, job);
    g_assert_cmpint(job->result, ==, job->ran);
}

static void
run_all(Work *jobs, unsigned count)
{
    g_autofree void **pointers = g_new(void *, count);
    for (unsigned i = 0; i < count; i++)
        pointers[i] = &jobs[i];
    support_run_many(offload_in_fiber, pointers, count);
}

static void
test_runs_elsewhere(void)
{
    Work job = {.milliseconds = 1};
    set_up();
    support_run(offload_in_fiber, &job);
    g_assert_true(job.result);
    g_assert_true(job.thread != g_thread_self());
    tear_down();
}

static void
test_parallel(void)
{
    Work jobs[THREADS * 2] = {0};
    set_up();
    for (unsigned i = 0; i < G_N_ELEMENTS(jobs); i++)
        jobs[i].milliseconds = 50;
    run_all(jobs, G_N_ELEMENTS(jobs));
    g_assert_cmpuint(most_inside, ==, THREADS);
    tear_down();
}

static void
test_lane(void)
{
    static Work jobs[JOBS];
    set_up();
    for (unsigned i = 0; i < JOBS; i++)
        jobs[i] = (Work){.lane = jobs, .number = i};
    run_all(jobs, JOBS);
    g_assert_cmpuint(most_inside, ==, 1);
    g_assert_cmpuint(done, ==, JOBS);
    for (unsigned i = 0; i < JOBS; i++)
        g_assert_cmpuint(order[i], ==, i);
    tear_down();
}

static void
test_cancel(void)
{
    Work jobs[3] = {
        {.lane = jobs, .milliseconds = 60}, {.lane = jobs}, {.lane = jobs}};
    Fiber *fibers[3];
    set_up();
    for (int i = 0; i < 3; i++)
        fibers[i] = fiber_start("test", offload_in_fiber, &jobs[i]);
    for (int i = 0; i < 10; i++) {
        loop_turn(FALSE);
        g_usleep(1000);
    }
    fiber_cancel(fibers[0]);
    fiber_cancel(fibers[1]);
    loop_turn(FALSE);
    g_assert_true(fiber_ended(fibers[1]));
    g_assert_false(fiber_ended(fibers[0]));
    for (int i = 0; i < 3; i++) {
        while (!fiber_ended(fibers[i]))
            loop_turn(TRUE);
        fiber_join(fibers[i]);
    }
    g_assert_true(jobs[0].result);
    g_assert_false(jobs[1].result);
    g_assert_true(jobs[2].result);
    tear_down();
}

static void
test_cancelled_before(void)
{
    Work job = {.lane = &job};
    set_up();
    for (int i = 0; i < JOBS; i++) {
        Fiber *fiber = fiber_start("test", offload_in_fiber, &job);
        fiber_cancel(fiber);
        while (!fiber_ended(fiber))
            loop_turn(TRUE);
        fiber_join(fiber);
    }
    g_assert_false(job.ran);
    tear_down();
}

static void
look_at_signals(void *data)
{
    sigset_t *blocked = data;
    pthread_sigmask(SIG_SETMASK, NULL, blocked);
}

static void
signals_in_fiber(void *data)
{
    offload_run(NULL, look_at_signals, data);
}

static void
test_signals(void)
{
    sigset_t blocked;
    set_up();
    support_run(signals_in_fiber, &blocked);
    g_assert_true(sigismember(&blocked, SIGTERM));
    g_assert_true(sigismember(&blocked, SIGHUP));
    tear_down();
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*run)(void);
    } tests[] = {
        {"/service/offload/work-runs-in-another-thread", test_runs_elsewhere},
        {"/service/offload/work-runs-in-parallel-up-to-the-limit",
         test_parallel},
        {"/service/offload/a-lane-keeps-its-order", test_lane},
        {"/service/offload/only-what-has-not-begun-is-cancelled", test_cancel},
        {"/service/offload/a-cancelled-fiber-starts-nothing",
         test_cancelled_before},
        {"/service/offload/signals-stay-with-the-loop", test_signals},
    };
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add_func(tests[i].path, tests[i].run);
    return g_test_run();
}
