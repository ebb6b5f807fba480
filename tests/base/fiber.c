/* fiber.c: tests of base/fiber: waiting, waking, joining, cancelling.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/base/in-fiber.h"

#include <errno.h>
#include <string.h>

#define MANY 5000

static void
set_flag(void *flag)
{
    *(gboolean *)flag = TRUE;
}

static void
joins(void *data G_GNUC_UNUSED)
{
    gboolean first = FALSE, second = FALSE;
    Fiber *a = fiber_start("a", set_flag, &first);
    Fiber *b = fiber_start("b", set_flag, &second);

    g_assert_false(first);
    g_assert_cmpuint(fiber_count(), ==, 3);
    fiber_join(b);
    g_assert_true(second);
    g_assert_true(first);
    g_assert_true(fiber_ended(a));
    fiber_wake(a);
    fiber_cancel(a);
    fiber_join(a);
    g_assert_cmpuint(fiber_count(), ==, 1);
}

/* Notes how its one wait ended. */
typedef struct Waiter {
    FiberWake (*wait)(struct Waiter *waiter);
    FiberQueue *queue;
    int64_t deadline;
    int ended_as; /* -1: still waiting */
    FiberWake again;
} Waiter;

static void
run_waiter(void *data)
{
    Waiter *waiter = data;

    waiter->ended_as = (int)waiter->wait(waiter);
    waiter->again = fiber_wait(clock_after(0));
}

static FiberWake
wait_plainly(Waiter *waiter)
{
    return fiber_wait(waiter->deadline);
}

static FiberWake
wait_asleep(Waiter *waiter G_GNUC_UNUSED)
{
    return fiber_sleep(1000);
}

static FiberWake
wait_in_queue(Waiter *waiter)
{
    return fiber_queue_wait(waiter->queue, waiter->deadline);
}

/* It must not see the cancellation before it was woken. */
static FiberWake
wait_deaf(Waiter *waiter G_GNUC_UNUSED)
{
    fiber_wait_out();
    return FIBER_WOKEN;
}

static Fiber *
start_waiter(Waiter *waiter)
{
    Fiber *fiber;

    waiter->ended_as = -1;
    fiber = fiber_start("waiter", run_waiter, waiter);
    fiber_yield();
    g_assert_cmpint(waiter->ended_as, ==, -1);
    return fiber;
}

static void
wakes(void *data G_GNUC_UNUSED)
{
    Waiter waiter = {wait_plainly, NULL, CLOCK_NEVER};
    Fiber *fiber = start_waiter(&waiter);

    fiber_wake(fiber);
    fiber_wake(fiber);
    g_assert_cmpint(waiter.ended_as, ==, -1);
    fiber_join(fiber);
    g_assert_cmpint(waiter.ended_as, ==, FIBER_WOKEN);
    g_assert_cmpint(waiter.again, ==, FIBER_TIMEOUT);
}

static void
early_wake(void *data G_GNUC_UNUSED)
{
    fiber_wake(fiber_self());
    g_assert_cmpint(fiber_wait(CLOCK_NEVER), ==, FIBER_WOKEN);
    g_assert_cmpint(fiber_wait(clock_after(0)), ==, FIBER_TIMEOUT);
    fiber_wake(fiber_self());
    fiber_wait_out();
}

static void
wake_before_start(void *data G_GNUC_UNUSED)
{
    Waiter waiter = {wait_plainly, NULL, CLOCK_NEVER, -1};
    Fiber *fiber = fiber_start("waiter", run_waiter, &waiter);

    fiber_wake(fiber);
    fiber_join(fiber);
    g_assert_cmpint(waiter.ended_as, ==, FIBER_WOKEN);
}

static void
deadlines(void *data G_GNUC_UNUSED)
{
    Waiter waiter = {wait_plainly};
    Fiber *fiber;

    clock_stop(0);
    waiter.deadline = clock_after(1000);
    fiber = start_waiter(&waiter);
    clock_advance(999);
    fiber_yield();
    g_assert_cmpint(waiter.ended_as, ==, -1);
    clock_advance(1);
    fiber_join(fiber);
    g_assert_cmpint(waiter.ended_as, ==, FIBER_TIMEOUT);
    clock_start();
}

/* With the kernel's clock: a timer of an earlier wait must not end this one. */
static void
real_deadlines(void *data G_GNUC_UNUSED)
{
    int64_t start = clock_monotonic();

    fiber_wake(fiber_self());
    g_assert_cmpint(fiber_wait(clock_after(5)), ==, FIBER_WOKEN);
    g_assert_cmpint(fiber_sleep(10), ==, FIBER_TIMEOUT);
    g_assert_cmpint(clock_monotonic() - start, >=, 10);
    g_assert_cmpint(fiber_wait(clock_after(20)), ==, FIBER_TIMEOUT);
    g_assert_cmpint(clock_monotonic() - start, >=, 30);
    g_assert_cmpint(fiber_wait(clock_monotonic() - 5), ==, FIBER_TIMEOUT);
}

static void
wake_later(void *data)
{
    fiber_sleep(2);
    fiber_wake(data);
}

static void
left_timer(void *data G_GNUC_UNUSED)
{
    Fiber *waker = fiber_start("waker", wake_later, fiber_self());
    int64_t start;

    g_assert_cmpint(fiber_wait(clock_after(10)), ==, FIBER_WOKEN);
    start = clock_monotonic();
    g_assert_cmpint(fiber_wait(clock_after(40)), ==, FIBER_TIMEOUT);
    g_assert_cmpint(clock_monotonic() - start, >=, 40);
    fiber_join(waker);
}

/* The timer that it has armed fires in ten seconds. */
static void
arm_late(void)
{
    Fiber *waker = fiber_start("waker", wake_later, fiber_self());

    g_assert_cmpint(fiber_wait(clock_after(10000)), ==, FIBER_WOKEN);
    fiber_join(waker);
}

static void
late_timer(void *data G_GNUC_UNUSED)
{
    int64_t start = clock_monotonic();

    arm_late();
    g_assert_cmpint(fiber_wait(clock_after(10)), ==, FIBER_TIMEOUT);
    g_assert_cmpint(clock_monotonic() - start, <, 5000);
}

static void
advanced_timer(void *data G_GNUC_UNUSED)
{
    int64_t start;

    arm_late();
    clock_advance(9995);
    start = clock_monotonic();
    g_assert_cmpint(fiber_wait(clock_after(10)), ==, FIBER_TIMEOUT);
    g_assert_cmpint(clock_monotonic() - start, <, 5000);
}

static void
clock_runs_again(void *data G_GNUC_UNUSED)
{
    Waiter waiter = {wait_plainly};
    Fiber *fiber;

    clock_stop(0);
    waiter.deadline = clock_after(1005);
    fiber = start_waiter(&waiter);
    clock_advance(1000);
    clock_start();
    fiber_join(fiber);
    g_assert_cmpint(waiter.ended_as, ==, FIBER_TIMEOUT);
}

static void
sleeps_on(void *data G_GNUC_UNUSED)
{
    Waiter waiter = {wait_asleep};
    Fiber *fiber;

    clock_stop(0);
    fiber = start_waiter(&waiter);
    fiber_wake(fiber);
    fiber_yield();
    g_assert_cmpint(waiter.ended_as, ==, -1);
    clock_advance(1000);
    fiber_join(fiber);
    g_assert_cmpint(waiter.ended_as, ==, FIBER_TIMEOUT);
    clock_start();
}

static void
cancels(void *data)
{
    FiberQueue queue = {0};
    Waiter waiter = {data, &queue, CLOCK_NEVER};
    Fiber *fiber = start_waiter(&waiter);

    fiber_cancel(fiber);
    g_assert_cmpint(waiter.ended_as, ==, -1);
    fiber_join(fiber);
    g_assert_cmpint(waiter.ended_as, ==, FIBER_CANCELLED);
    g_assert_cmpint(waiter.again, ==, FIBER_CANCELLED);
    g_assert_true(g_queue_is_empty(&queue.waiters));
}

static void
cancel_before_start(void *data G_GNUC_UNUSED)
{
    Waiter waiter = {wait_plainly, NULL, CLOCK_NEVER, -1};
    Fiber *fiber = fiber_start("waiter", run_waiter, &waiter);

    fiber_wake(fiber);
    fiber_cancel(fiber);
    fiber_join(fiber);
    g_assert_cmpint(waiter.ended_as, ==, FIBER_CANCELLED);
}

static void
waits_out(void *data G_GNUC_UNUSED)
{
    Waiter waiter = {wait_deaf};
    Fiber *fiber = start_waiter(&waiter);

    fiber_cancel(fiber);
    fiber_yield();
    g_assert_cmpint(waiter.ended_as, ==, -1);
    fiber_wake(fiber);
    fiber_join(fiber);
    g_assert_cmpint(waiter.ended_as, ==, FIBER_WOKEN);
    g_assert_cmpint(waiter.again, ==, FIBER_CANCELLED);
}

static void
join_waiter(void *data)
{
    Waiter waiter = {wait_plainly, NULL, CLOCK_NEVER};
    Fiber *fiber = start_waiter(&waiter);

    *(Fiber **)data = fiber;
    fiber_join(fiber);
    g_assert_true(fiber_cancelled());
    *(Fiber **)data = NULL;
}

static void
cancelled_join(void *data G_GNUC_UNUSED)
{
    Fiber *inner = NULL, *outer = fiber_start("outer", join_waiter, &inner);

    while (inner == NULL)
        fiber_yield();
    fiber_cancel(outer);
    fiber_yield();
    g_assert_false(fiber_ended(outer));
    fiber_wake(inner);
    fiber_join(outer);
    g_assert_null(inner);
}

static void
queues(void *data G_GNUC_UNUSED)
{
    FiberQueue queue = {0};
    Waiter patient = {wait_in_queue, &queue, CLOCK_NEVER};
    Waiter hasty = {wait_in_queue, &queue};
    Fiber *a, *b, *c;

    clock_stop(0);
    hasty.deadline = clock_after(10);
    a = start_waiter(&patient);
    c = start_waiter(&hasty);
    clock_advance(10);
    fiber_join(c);
    g_assert_cmpint(hasty.ended_as, ==, FIBER_TIMEOUT);
    b = start_waiter(&patient);
    g_assert_cmpuint(queue.waiters.length, ==, 2);
    fiber_queue_wake_all(&queue);
    /* Its memory may serve something else before they run. */
    queue.waiters.length = 4711;
    fiber_join(b);
    fiber_join(a);
    g_assert_cmpuint(queue.waiters.length, ==, 4711);
    g_assert_cmpint(patient.ended_as, ==, FIBER_WOKEN);
    clock_start();
}

static void
sleep_and_count(void *data)
{
    g_assert_cmpint(fiber_sleep(100), ==, FIBER_TIMEOUT);
    ++*(int *)data;
}

static void
thousands(void *data G_GNUC_UNUSED)
{
    int count = 0;

    clock_stop(0);
    for (int i = 0; i < MANY; i++)
        fiber_detach(fiber_start("many", sleep_and_count, &count));
    fiber_yield();
    g_assert_cmpuint(fiber_count(), ==, MANY + 1);
    g_assert_cmpint(count, ==, 0);
    clock_advance(100);
    fiber_yield();
    g_assert_cmpint(count, ==, MANY);
    g_assert_cmpuint(fiber_count(), ==, 1);
    clock_start();
}

static void
append_b(void *data)
{
    g_string_append_c(data, 'b');
}

static void
post_b(int fd G_GNUC_UNUSED, short what G_GNUC_UNUSED, void *data)
{
    loop_post(append_b, data);
}

/* What is posted, what has been started, and what the kernel has ready. */
static void
yields(void *data G_GNUC_UNUSED)
{
    g_autoptr(GString) order = g_string_new("a");
    const struct timeval at_once = {0, 0};

    event_base_once(loop_base(), -1, EV_TIMEOUT, post_b, order, &at_once);
    fiber_detach(fiber_start("b", append_b, order));
    loop_post(append_b, order);
    fiber_yield();
    g_string_append_c(order, 'c');
    g_assert_cmpstr(order->str, ==, "abbbc");
}

static void
spoil_errno(void *data G_GNUC_UNUSED)
{
    errno = EBADF;
}

static void
keeps_errno(void *data G_GNUC_UNUSED)
{
    fiber_detach(fiber_start("spoiler", spoil_errno, NULL));
    errno = ENOENT;
    fiber_yield();
    g_assert_cmpint(errno, ==, ENOENT);
}

static GString *reports;

static void
report(const char *name, const FiberDoing *doing, int64_t held)
{
    g_assert_cmpint(held, >=, 20);
    if (doing != NULL)
        g_string_append_printf(reports, "%s/%s/%s ", doing->what, doing->part,
                               doing->whose);
    else
        g_string_append_printf(reports, "%s ", name);
}

static void
hog(void *data G_GNUC_UNUSED)
{
    const FiberDoing spf = {"spf", "mail", "7-1"}, *before;

    g_usleep(40000);
    before = fiber_set_doing(&spf);
    g_assert_null(before);
    g_usleep(40000);
    g_assert_true(fiber_doing() == &spf);
    g_assert_true(fiber_set_doing(before) == &spf);
    fiber_sleep(30);
}

static void
watchdog(void *data G_GNUC_UNUSED)
{
    reports = g_string_new(NULL);
    fiber_watch(20, report);
    fiber_join(fiber_start("session", hog, NULL));
    fiber_watch(0, NULL);
    g_assert_cmpstr(reports->str, ==, "session spf/mail/7-1 ");
    g_string_free(reports, TRUE);
}

/* ---- what the process does ---- */

static void
note(const FiberDoing *doing)
{
    g_string_append_printf(reports, "%s ", doing != NULL ? doing->part : "-");
}

static void
be_busy(void *data G_GNUC_UNUSED)
{
    const FiberDoing mail = {"spf", "mail", "7-1"}, rcpt = {"spf", "rcpt", "7"};

    fiber_set_doing(&mail);
    fiber_yield();
    fiber_set_doing(&rcpt);
    fiber_set_doing(NULL);
    fiber_yield();
}

static void
notes(void *data G_GNUC_UNUSED)
{
    reports = g_string_new(NULL);
    fiber_watch_doing(note);
    fiber_join(fiber_start("session", be_busy, NULL));
    fiber_watch_doing(NULL);
    g_assert_cmpstr(reports->str, ==, "mail - mail rcpt - ");
    g_string_free(reports, TRUE);
}

/* Plugins are loaded where there is no fiber yet. */
static void
outside(void)
{
    const FiberDoing load = {"spf", "loading", NULL};

    reports = g_string_new(NULL);
    fiber_watch_doing(note);
    g_assert_null(fiber_set_doing(&load));
    g_assert_true(fiber_doing() == &load);
    g_assert_true(fiber_set_doing(NULL) == &load);
    fiber_watch_doing(NULL);
    g_assert_null(fiber_doing());
    g_assert_cmpstr(reports->str, ==, "loading - ");
    g_string_free(reports, TRUE);
}

typedef struct Row {
    const char *name;
    FiberRun run;
    void *data;
} Row;

static const Row rows[] = {
    {"starts-at-the-next-turn-and-is-joined", joins, NULL},
    {"a-wake-ends-one-wait", wakes, NULL},
    {"a-wake-before-the-wait-is-not-lost", early_wake, NULL},
    {"a-wake-before-the-start-is-not-lost", wake_before_start, NULL},
    {"a-deadline-follows-the-stopped-clock", deadlines, NULL},
    {"a-deadline-follows-the-running-clock", real_deadlines, NULL},
    {"a-timer-of-an-earlier-wait-is-harmless", left_timer, NULL},
    {"a-later-timer-of-an-earlier-wait-does-not-delay", late_timer, NULL},
    {"a-timer-armed-before-an-advance-does-not-delay", advanced_timer, NULL},
    {"a-deadline-survives-the-clock-starting-again", clock_runs_again, NULL},
    {"a-stray-wake-does-not-shorten-sleep", sleeps_on, NULL},
    {"cancel-ends-a-wait", cancels, wait_plainly},
    {"cancel-ends-a-sleep", cancels, wait_asleep},
    {"cancel-ends-a-queue-wait", cancels, wait_in_queue},
    {"cancel-before-the-start-wins-over-a-wake", cancel_before_start, NULL},
    {"cancel-does-not-end-waiting-out", waits_out, NULL},
    {"a-cancelled-joiner-still-waits", cancelled_join, NULL},
    {"a-queue-may-go-once-all-are-woken", queues, NULL},
    {"thousands-sleep-at-once", thousands, NULL},
    {"yield-lets-what-is-ready-run", yields, NULL},
    {"errno-survives-a-wait", keeps_errno, NULL},
    {"the-watchdog-names-who-held-the-loop", watchdog, NULL},
    {"what-is-done-is-noted-whenever-it-changes", notes, NULL},
};

static void
run_row(gconstpointer data)
{
    const Row *row = data;

    run_in_fiber(row->run, row->data);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strconcat("/base/fiber/", rows[i].name, NULL);

        g_test_add_data_func(path, &rows[i], run_row);
    }
    g_test_add_func("/base/fiber/what-is-done-without-one", outside);
    return g_test_run();
}
