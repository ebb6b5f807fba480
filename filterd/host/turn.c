/* turn.c: hooks of an instance that wait for each other, in this worker.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/turn.h"

#include "filterd/base/clock.h"

#include <string.h>

/* Somebody is inside; who comes when it is full waits in a row, and is given
 * the place of whoever leaves. */
typedef struct Turn {
    char *name;
    unsigned inside;
    GQueue waiters; /* Waiter */
} Turn;

typedef struct Waiter {
    Fiber *fiber;
    gboolean given;
} Waiter;

static void
turn_free(void *data)
{
    Turn *turn = data;
    g_free(turn->name);
    g_free(turn);
}

static Turn *
get_turn(HostInstance *instance, const char *name)
{
    if (instance->turns == NULL)
        instance->turns =
            g_hash_table_new_full(g_str_hash, g_str_equal, NULL, turn_free);
    Turn *turn = g_hash_table_lookup(instance->turns, name);
    if (turn != NULL)
        return turn;
    turn = g_new0(Turn, 1);
    turn->name = g_strdup(name);
    g_hash_table_insert(instance->turns, turn->name, turn);
    return turn;
}

/* A place that is given to one who no longer wants it is taken, too: it leaves
 * soon. */
static gboolean
wait_in_row(Turn *turn, int64_t deadline)
{
    Waiter waiter = {.fiber = fiber_self()};
    FiberWake wake = FIBER_WOKEN;
    g_queue_push_tail(&turn->waiters, &waiter);
    while (!waiter.given && wake == FIBER_WOKEN)
        wake = fiber_wait(deadline);
    if (!waiter.given)
        g_queue_remove(&turn->waiters, &waiter);
    return waiter.given;
}

bool
host_enter(FilterdCall *plugin_call, const char *name, unsigned limit,
           int64_t patience)
{
    HostCall *call = (HostCall *)plugin_call;
    Turn *turn = get_turn(call->instance, name);
    if (fiber_cancelled())
        return false;
    if (turn->inside < limit)
        turn->inside++;
    else if (!wait_in_row(turn, clock_monotonic() + patience))
        return false;
    if (call->turns == NULL)
        call->turns = g_ptr_array_new();
    g_ptr_array_add(call->turns, turn);
    return true;
}

static void
leave(HostInstance *instance, Turn *turn)
{
    Waiter *next = g_queue_pop_head(&turn->waiters);
    if (next != NULL) {
        next->given = TRUE;
        fiber_wake(next->fiber);
    } else if (--turn->inside == 0) {
        g_hash_table_remove(instance->turns, turn->name);
    }
}

void
host_leave(FilterdCall *plugin_call, const char *name)
{
    HostCall *call = (HostCall *)plugin_call;
    for (guint i = call->turns != NULL ? call->turns->len : 0; i > 0; i--) {
        Turn *turn = call->turns->pdata[i - 1];
        if (strcmp(turn->name, name) != 0)
            continue;
        g_ptr_array_remove_index(call->turns, i - 1);
        leave(call->instance, turn);
        return;
    }
}

void
host_turns_end(HostCall *call)
{
    while (call->turns != NULL && call->turns->len > 0) {
        Turn *turn = g_ptr_array_steal_index(call->turns, call->turns->len - 1);
        leave(call->instance, turn);
    }
    g_clear_pointer(&call->turns, g_ptr_array_unref);
}
