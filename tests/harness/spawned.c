/* spawned.c: what start spawns: each has a thread, of which never more than one
 * runs, nor while the test does: fibers, as far as a plugin can tell.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/harness/internal.h"

#define SPAWNED_LIMIT                                       \
    100000 /* times that one wakes while the clock advances \
            */

static void
turn_give(Harness *harness, HarnessCall *next)
{
    harness->running = next;
    g_cond_broadcast(&harness->turn);
}

static void
turn_wait(Harness *harness, const HarnessCall *self)
{
    while (harness->running != self)
        g_cond_wait(&harness->turn, &harness->mutex);
}

bool
harness_host_sleep(FilterdCall *call, int64_t milliseconds)
{
    HarnessCall *self = harness_call_get(call);
    Harness *harness = self->harness;

    if (harness_pass(self, HARNESS_AT_SLEEP, "sleep %" G_GINT64_FORMAT,
                     milliseconds)
        != HARNESS_NO_FAULT)
        return false;
    if (self->thread == NULL) {
        harness->clock += milliseconds;
        return true;
    }
    g_ptr_array_set_size(self->arena, 0);
    g_hash_table_remove_all(harness->turns);
    self->due = harness->clock + milliseconds;
    g_mutex_lock(&harness->mutex);
    turn_give(harness, NULL);
    turn_wait(harness, self);
    g_mutex_unlock(&harness->mutex);
    return !harness->stopping;
}

static gpointer
spawned_main(gpointer pointer)
{
    HarnessCall *self = pointer;
    Harness *harness = self->harness;

    g_mutex_lock(&harness->mutex);
    turn_wait(harness, self);
    g_mutex_unlock(&harness->mutex);
    self->run(&self->call, self->data);
    harness_streams_close(self, TRUE);
    g_ptr_array_set_size(self->arena, 0);
    g_mutex_lock(&harness->mutex);
    self->ended = TRUE;
    turn_give(harness, NULL);
    g_mutex_unlock(&harness->mutex);
    return NULL;
}

static void
spawned_resume(Harness *harness, HarnessCall *spawned)
{
    if (spawned->thread == NULL)
        spawned->thread = g_thread_new("spawned", spawned_main, spawned);
    g_mutex_lock(&harness->mutex);
    turn_give(harness, spawned);
    turn_wait(harness, NULL);
    g_mutex_unlock(&harness->mutex);
}

static HarnessCall *
spawned_next(Harness *harness, int64_t until)
{
    HarnessCall *next = NULL;

    for (guint i = 0; i < harness->spawned->len; i++) {
        HarnessCall *spawned = harness->spawned->pdata[i];

        if (!spawned->ended && spawned->due <= until
            && (next == NULL || spawned->due < next->due))
            next = spawned;
    }
    return next;
}

void
harness_run_spawned(Harness *harness, int64_t until)
{
    int rounds = 0;

    for (HarnessCall *next; (next = spawned_next(harness, until)) != NULL;) {
        harness->clock = MAX(harness->clock, next->due);
        spawned_resume(harness, next);
        if (++rounds > SPAWNED_LIMIT)
            g_error("a spawned function does not sleep");
    }
}

void
harness_stop_spawned(Harness *harness)
{
    harness->stopping = TRUE;
    for (guint i = 0; i < harness->spawned->len; i++) {
        HarnessCall *spawned = harness->spawned->pdata[i];

        if (spawned->thread == NULL)
            continue;
        if (!spawned->ended)
            spawned_resume(harness, spawned);
        if (!spawned->ended)
            g_error("a spawned function goes on when cancelled");
        g_thread_join(spawned->thread);
    }
}

void
harness_host_spawn(FilterdCall *call,
                   void (*run)(FilterdCall *call, void *data), void *data)
{
    const HarnessCall *self = harness_call_get(call);
    HarnessCall *spawned = g_new0(HarnessCall, 1);

    spawned->call = self->call;
    spawned->call.session = NULL;
    spawned->call.message = NULL;
    spawned->harness = self->harness;
    spawned->arena = g_ptr_array_new_with_free_func(g_free);
    spawned->run = run;
    spawned->data = data;
    g_ptr_array_add(self->harness->spawned, spawned);
}
