/* fiber.c: fibers that are resumed by the loop's queue of calls, one at a time.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/fiber.h"

#include "filterd/base/loop.h"
#include "filterd/base/stack.h"

#include <errno.h>

#define TURN_LIMIT 10 /* milliseconds */

struct Fiber {
    const char *name;
    const FiberDoing *doing;
    FiberRun run;
    void *data;
    Stack *stack;
    struct event *timer; /* made at the first deadline */
    Fiber *joiner;
    GList link;    /* in `fibers` */
    GList restive; /* in `restless`, while `listed` */
    int64_t deadline;
    int64_t fires; /* the timer; CLOCK_NEVER: it is not pending */
    gboolean listed, still;
    gboolean queued;  /* its resumption is posted */
    gboolean waiting; /* in suspend() */
    gboolean deaf;    /* in fiber_wait_out() */
    gboolean woken, cancelled, ended, detached;
};

/* All that have not ended. */
static GQueue fibers = G_QUEUE_INIT;
/* Those whose stacks may hold more than they stand on: they have run since
 * sweep() last looked at them, or (`still`) not since it did. */
static GQueue restless = G_QUEUE_INIT;
static struct event *sweeper; /* pending while there may be something to do */
static _Thread_local Fiber *running;
static _Thread_local const FiberDoing *lent;

static FiberNote note;
static FiberReport watch_report;
static int64_t watch_limit; /* milliseconds */
static int64_t watch_start; /* of clock_coarse() */
static int64_t turn_start;  /* the same */

static void
watch_lap(const Fiber *fiber)
{
    int64_t now, held;

    if (watch_report == NULL)
        return;
    now = clock_coarse();
    held = now - watch_start;
    watch_start = now;
    if (held >= watch_limit)
        watch_report(fiber->name, fiber->doing, held);
}

/* ---- memory of those that wait ------------------------------------------ */

static void
calm(Fiber *fiber)
{
    if (fiber->listed)
        g_queue_unlink(&restless, &fiber->restive);
    fiber->listed = FALSE;
}

static void
await_sweep(void)
{
    const struct timeval delay = {0, FIBER_REST * 1000};

    event_add(sweeper, &delay);
}

static void
sweep(int fd G_GNUC_UNUSED, short what G_GNUC_UNUSED, void *data G_GNUC_UNUSED)
{
    GList *next;

    for (GList *link = restless.head; link != NULL; link = next) {
        Fiber *fiber = link->data;

        next = link->next;
        if (fiber->waiting && fiber->still) {
            stack_trim(fiber->stack);
            calm(fiber);
        }
        fiber->still = fiber->waiting;
    }
    if (stack_pool_rest() || restless.length > 0)
        await_sweep();
}

/* A timer a sweep and a link a fiber: a wait costs two comparisons. */
static void
stir(Fiber *fiber)
{
    if (fiber->listed)
        return;
    fiber->listed = TRUE;
    fiber->restive.data = fiber;
    g_queue_push_tail_link(&restless, &fiber->restive);
    if (sweeper == NULL)
        sweeper = event_new(loop_base(), -1, 0, sweep, NULL);
    if (!event_pending(sweeper, EV_TIMEOUT, NULL))
        await_sweep();
}

/* ---- one after the other ------------------------------------------------ */

static void
fiber_clear(Fiber *fiber)
{
    calm(fiber);
    stack_free(g_steal_pointer(&fiber->stack));
    g_clear_pointer(&fiber->timer, event_free);
    g_queue_unlink(&fibers, &fiber->link);
    if (fiber->joiner != NULL)
        fiber_wake(fiber->joiner);
    if (fiber->detached)
        g_free(fiber);
}

static void
note_if(const FiberDoing *doing, const FiberDoing *now)
{
    if (note != NULL && doing != NULL)
        note(now);
}

static void
resume(void *data)
{
    Fiber *fiber = data;

    g_assert(running == NULL);
    fiber->queued = fiber->waiting = fiber->still = FALSE;
    running = fiber;
    watch_start = turn_start = clock_coarse();
    note_if(fiber->doing, fiber->doing);
    stack_enter(fiber->stack);
    note_if(fiber->doing, NULL);
    watch_lap(fiber);
    running = NULL;
    if (fiber->ended)
        fiber_clear(fiber);
}

static void
make_ready(Fiber *fiber)
{
    if (fiber->queued)
        return;
    fiber->queued = TRUE;
    loop_post(resume, fiber);
}

static void
post_resume(void *fiber)
{
    loop_post(resume, fiber);
}

/* Until somebody has called make_ready(). */
static void
suspend(Fiber *fiber)
{
    int number = errno;

    fiber->waiting = TRUE;
    stir(fiber);
    stack_leave(fiber->stack);
    errno = number;
}

static void
run_fiber(void *data)
{
    Fiber *fiber = data;

    fiber->run(fiber->data);
    fiber->ended = TRUE;
}

static gboolean arm_timer(Fiber *fiber);

/* A timer is left alone when its wait ends early: then it finds nobody waiting,
 * or a later deadline. */
static void
timer_fired(int fd G_GNUC_UNUSED, short what G_GNUC_UNUSED, void *data)
{
    Fiber *fiber = data;

    fiber->fires = CLOCK_NEVER;
    if (fiber->waiting && !arm_timer(fiber))
        make_ready(fiber);
}

/* One that fires before the deadline will do. FALSE: that has passed. */
static gboolean
arm_timer(Fiber *fiber)
{
    if (fiber->fires <= fiber->deadline)
        return TRUE;
    int64_t left = fiber->deadline - clock_monotonic();
    if (left <= 0)
        return FALSE;
    if (clock_stopped())
        return TRUE;
    struct timeval delay = {left / 1000, left % 1000 * 1000};
    if (fiber->timer == NULL)
        fiber->timer = event_new(loop_base(), -1, 0, timer_fired, fiber);
    event_add(fiber->timer, &delay);
    fiber->fires = fiber->deadline;
    return TRUE;
}

/* Somebody stopped, advanced or started the clock. */
static void
look_at_clock(void)
{
    for (GList *link = fibers.head; link != NULL; link = link->next)
        timer_fired(-1, 0, link->data);
}

Fiber *
fiber_start(const char *name, FiberRun run, void *data)
{
    Fiber *fiber = fiber_try_start(name, run, data);

    if (fiber == NULL)
        g_error("no memory for a stack: %s", name);
    return fiber;
}

Fiber *
fiber_try_start(const char *name, FiberRun run, void *data)
{
    Fiber *fiber = g_new0(Fiber, 1);

    fiber->name = name;
    fiber->run = run;
    fiber->data = data;
    fiber->deadline = fiber->fires = CLOCK_NEVER;
    fiber->stack = stack_new(run_fiber, fiber);
    if (fiber->stack == NULL) {
        g_free(fiber);
        return NULL;
    }
    fiber->link.data = fiber;
    g_queue_push_tail_link(&fibers, &fiber->link);
    clock_set_listener(look_at_clock);
    make_ready(fiber);
    return fiber;
}

void
fiber_join(Fiber *fiber)
{
    g_assert(fiber->joiner == NULL && !fiber->detached && fiber != running);
    fiber->joiner = running;
    while (!fiber->ended)
        fiber_wait_out();
    g_free(fiber);
}

void
fiber_detach(Fiber *fiber)
{
    if (fiber->ended)
        g_free(fiber);
    else
        fiber->detached = TRUE;
}

void
fiber_cancel(Fiber *fiber)
{
    fiber->cancelled = TRUE;
    if (fiber->waiting && !fiber->deaf)
        make_ready(fiber);
}

gboolean
fiber_ended(const Fiber *fiber)
{
    return fiber->ended;
}

Fiber *
fiber_self(void)
{
    return running;
}

gboolean
fiber_cancelled(void)
{
    return running != NULL && running->cancelled;
}

FiberWake
fiber_wait(int64_t deadline)
{
    Fiber *self = running;

    g_assert(self != NULL);
    self->deadline = deadline;
    if (!self->cancelled && !self->woken && arm_timer(self))
        suspend(self);
    if (self->cancelled)
        return FIBER_CANCELLED;
    if (!self->woken)
        return FIBER_TIMEOUT;
    self->woken = FALSE;
    return FIBER_WOKEN;
}

void
fiber_wake(Fiber *fiber)
{
    fiber->woken = TRUE;
    if (fiber->waiting)
        make_ready(fiber);
}

void
fiber_wait_out(void)
{
    Fiber *self = running;

    g_assert(self != NULL);
    self->deadline = CLOCK_NEVER;
    self->deaf = TRUE;
    if (!self->woken)
        suspend(self);
    self->deaf = self->woken = FALSE;
}

FiberWake
fiber_sleep(int64_t milliseconds)
{
    int64_t deadline = clock_after(milliseconds);
    FiberWake wake;

    do
        wake = fiber_wait(deadline);
    while (wake == FIBER_WOKEN);
    return wake;
}

void
fiber_yield(void)
{
    Fiber *self = running;

    g_assert(self != NULL);
    /* Twice round: what the kernel has ready comes first, too. */
    self->deadline = CLOCK_NEVER;
    self->queued = TRUE;
    loop_post(post_resume, self);
    suspend(self);
}

gboolean
fiber_turn_over(void)
{
    return clock_coarse() - turn_start >= TURN_LIMIT;
}

FiberWake
fiber_queue_wait(FiberQueue *queue, int64_t deadline)
{
    GList link = {.data = running};
    FiberWake wake;

    g_queue_push_tail_link(&queue->waiters, &link);
    wake = fiber_wait(deadline);
    /* fiber_queue_wake_all() has taken it out, and the queue may be gone. */
    if (link.data != NULL)
        g_queue_unlink(&queue->waiters, &link);
    return wake;
}

void
fiber_queue_wake_all(FiberQueue *queue)
{
    GList *link;

    while ((link = g_queue_pop_head_link(&queue->waiters)) != NULL)
        fiber_wake(g_steal_pointer(&link->data));
}

void
fiber_pool_clear(void)
{
    g_assert(fibers.length == 0);
    g_clear_pointer(&sweeper, event_free);
    stack_pool_clear();
}

unsigned
fiber_count(void)
{
    return fibers.length;
}

void
fiber_watch(int64_t milliseconds, FiberReport report)
{
    watch_limit = milliseconds;
    watch_report = report;
    watch_start = clock_coarse();
}

const FiberDoing *
fiber_set_doing(const FiberDoing *doing)
{
    const FiberDoing **now = running != NULL ? &running->doing : &lent;
    const FiberDoing *before = *now;

    if (running != NULL)
        watch_lap(running);
    *now = doing;
    if (note != NULL && doing != before)
        note(doing);
    return before;
}

void
fiber_watch_doing(FiberNote noted)
{
    note = noted;
}

const FiberDoing *
fiber_doing(void)
{
    return running != NULL ? running->doing : lent;
}

void
fiber_lend_doing(const FiberDoing *doing)
{
    lent = doing;
}
