/* fiber.h: sequential code that waits without holding the loop.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A fiber is a function with a stack of its own. Where it waits, the loop goes
 * on; it is resumed from the loop's own stack, never from inside a library's
 * callback. A cancelled fiber is not stopped: the wait it is in and every later
 * one return FIBER_CANCELLED at once, and it ends by returning.
 */
#pragma once

#include "filterd/base/clock.h"

#include <glib.h>
#include <stdint.h>

typedef struct Fiber Fiber;
typedef void (*FiberRun)(void *data);

typedef enum FiberWake {
    FIBER_WOKEN,
    FIBER_TIMEOUT,
    FIBER_CANCELLED,
} FiberWake;

/* A fiber that has waited for so long (milliseconds), or twice that, keeps of
 * its stack only what it stands on. */
#define FIBER_REST 200

/* Starts run(data) at the loop's next turn. The handle is the caller's until
 * fiber_join() or fiber_detach(). `name` is borrowed, for the watchdog. */
Fiber *fiber_start(const char *name, FiberRun run, void *data);
/* The same; NULL where there is no memory for its stack, which ends the process
 * otherwise. For what strangers can make many of. */
Fiber *fiber_try_start(const char *name, FiberRun run, void *data);

/* Waits for the end of the fiber (even if the caller is cancelled) and frees
 * the handle. On the loop's own stack only once it has ended. */
void fiber_join(Fiber *fiber);
/* It frees itself at its end. */
void fiber_detach(Fiber *fiber);

/* At the next turn the fiber sees FIBER_CANCELLED. */
void fiber_cancel(Fiber *fiber);
gboolean fiber_ended(const Fiber *fiber);

/* The running fiber; NULL on the loop's own stack. */
Fiber *fiber_self(void);
gboolean fiber_cancelled(void);

/* Suspends until fiber_wake(), the deadline (monotonic) or cancellation. A wake
 * before the wait is not lost; a wake may be for something else: wait in a loop
 * round the condition. */
FiberWake fiber_wait(int64_t deadline);
void fiber_wake(Fiber *fiber);

/* Suspends whatever the cancellation; for what must be waited out, such as a
 * thread that uses the fiber's stack. */
void fiber_wait_out(void);

/* FIBER_TIMEOUT when it was slept out. */
FiberWake fiber_sleep(int64_t milliseconds);

/* Lets everything else that is ready run first. */
void fiber_yield(void);
/* Whether it has run for so long without waiting that it should. */
gboolean fiber_turn_over(void);

/* Fibers that wait for one thing. Zero bytes are an empty one. */
typedef struct FiberQueue {
    GQueue waiters;
} FiberQueue;

FiberWake fiber_queue_wait(FiberQueue *queue, int64_t deadline);
void fiber_queue_wake_all(FiberQueue *queue);

/* Frees the pooled stacks; no fiber may be left. For the end of a process. */
void fiber_pool_clear(void);
/* Fibers that have not ended. */
unsigned fiber_count(void);

/* What a fiber is doing, for the watchdog and for who looks at a crash. */
typedef struct FiberDoing {
    const char *what;  /* a plugin's instance */
    const char *part;  /* its hook */
    const char *whose; /* the session; NULL: nobody's */
} FiberDoing;

/* Called with what held the loop longer than its limit. `doing` may be NULL. */
typedef void (*FiberReport)(const char *name, const FiberDoing *doing,
                            int64_t held);
/* The watchdog: of each fiber that does not wait for so long; it counts as
 * clock_coarse() does. */
void fiber_watch(int64_t milliseconds, FiberReport report);
/* Called with what the process does now, each time that it is something else:
 * also when a fiber waits or is resumed. NULL: nothing of that kind. */
typedef void (*FiberNote)(const FiberDoing *doing);
void fiber_watch_doing(FiberNote note);
/* Borrowed; returns the one before. NULL: nothing of its own. Of the fiber, or
 * of the main thread where none runs. */
const FiberDoing *fiber_set_doing(const FiberDoing *doing);
/* Of the running fiber, or of the one that this thread works for; NULL. May be
 * called by a signal handler. */
const FiberDoing *fiber_doing(void);
/* In a thread: what it does now it does for somebody who does that. */
void fiber_lend_doing(const FiberDoing *doing);
