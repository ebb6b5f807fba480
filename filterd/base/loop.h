/* loop.h: the event loop of a process, a thin face of libevent.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One loop a process, made after the fork that made the process.
 */
#pragma once

#include <event2/event.h>
#include <glib.h>
#include <stdint.h>

typedef void (*LoopFunc)(void *data);

/* Makes the loop of this process; loop_clear() before the next loop_init(),
 * also in a child that has its parent's: the parent keeps its events. What is
 * still posted is forgotten, so threads end first. Fork on the loop's own
 * stack. */
void loop_init(void);
void loop_clear(void);

/* Runs until loop_stop(); once more until nothing is left that is due now. */
void loop_run(void);
void loop_stop(void);
/* One turn: what is ready now. Where nothing was posted and `wait` is set, it
 * waits for something to be ready. For tests. */
void loop_turn(gboolean wait);

struct event_base *loop_base(void);

/* Calls func(data) from the loop's own stack before it waits again; in order.
 * Callable from any callback or fiber, not from other threads. */
void loop_post(LoopFunc func, void *data);

/* The same from another thread (an eventfd). */
void loop_post_from_thread(LoopFunc func, void *data);

/* Turns made so far, for the watchdog. */
uint64_t loop_turns(void);
