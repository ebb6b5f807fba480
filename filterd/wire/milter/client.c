/* client.c: a step's way from a thread of libmilter to a fiber, and back.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/loop.h"
#include "filterd/base/metrics.h"
#include "filterd/base/visitors.h"
#include "filterd/wire/milter/state.h"

/* Threads outlive the loop: they may post to it while this is open, several at
 * once. */
static GRWLock gate_lock;
static gboolean gate_open;

void
milter_gate(gboolean open)
{
    g_rw_lock_writer_lock(&gate_lock);
    gate_open = open;
    g_rw_lock_writer_unlock(&gate_lock);
}

gboolean
milter_post(LoopFunc func, void *data)
{
    g_rw_lock_reader_lock(&gate_lock);
    gboolean open = gate_open;
    if (open)
        loop_post_from_thread(func, data);
    g_rw_lock_reader_unlock(&gate_lock);
    return open;
}

static void
client_free(MilterClient *client)
{
    g_mutex_clear(&client->lock);
    g_cond_clear(&client->answered);
    g_string_free(client->octets, TRUE);
    g_ptr_array_unref(client->recipients);
    g_ptr_array_unref(client->edits);
    g_free(client);
}

/* ---- in the loop -------------------------------------------------------- */

static const MilterCall *
call_at_hand(MilterClient *client)
{
    g_mutex_lock(&client->lock);
    const MilterCall *call = client->call;
    g_mutex_unlock(&client->lock);
    return call;
}

/* A thread that waits is woken when the lock is free: it would only wait again.
 * Whatever it does then, the client is freed in the loop. */
static void
answer(MilterClient *client, sfsistat status)
{
    g_mutex_lock(&client->lock);
    if (client->call != NULL)
        client->call->answer = status;
    client->call = NULL;
    gboolean awaited = client->awaited;
    g_mutex_unlock(&client->lock);
    if (awaited)
        g_cond_signal(&client->answered);
}

static void
count(MilterClient *client, int change)
{
    GQueue *clients = &client->milter->clients;
    if (change > 0)
        g_queue_push_tail_link(clients, &client->link);
    else
        g_queue_unlink(clients, &client->link);
    metrics_add(METRIC_SESSIONS, change);
    milter_regulate(client->milter);
}

/* Whoever asks after its end, because it was cancelled, is told to come again.
 */
static void
end(MilterClient *client)
{
    answer(client, SMFIS_TEMPFAIL);
    milter_end_session(client);
    visitors_leave(client->desk);
    count(client, -1);
    fiber_detach(g_steal_pointer(&client->fiber));
    if (client->closed)
        client_free(client);
}

/* NULL: it is over. */
static const MilterCall *
next_call(MilterClient *client)
{
    const MilterCall *call;
    while ((call = call_at_hand(client)) == NULL && !client->closed
           && !fiber_cancelled())
        fiber_wait(CLOCK_NEVER);
    return call;
}

static void
serve(void *data)
{
    MilterClient *client = data;
    const MilterCall *call;
    while ((call = next_call(client)) != NULL) {
        answer(client, milter_carry_out(client, call));
        if (client->judged)
            milter_end_transaction(client);
    }
    end(client);
}

/* Without memory for a stack it is over before it began. */
static void
begin(MilterClient *client)
{
    client->started = TRUE;
    client->fiber = fiber_try_start("milter", serve, client);
    if (client->fiber == NULL)
        return;
    client->desk = visitors_enter(&client->milter->key);
    count(client, +1);
}

static void
on_call(void *data)
{
    MilterClient *client = data;
    if (!client->started)
        begin(client);
    if (client->fiber != NULL)
        fiber_wake(client->fiber);
    else
        answer(client, SMFIS_TEMPFAIL);
}

static void
on_part(void *data)
{
    MilterClient *client = data;
    client->closed = TRUE;
    if (client->fiber != NULL)
        fiber_wake(client->fiber);
    else
        client_free(client);
}

/* ---- on the thread ------------------------------------------------------ */

MilterClient *
milter_client_new(Milter *milter, SMFICTX *context)
{
    MilterClient *client = g_new0(MilterClient, 1);
    client->milter = milter;
    client->context = context;
    client->link.data = client;
    client->octets = g_string_new(NULL);
    client->recipients = g_ptr_array_new_with_free_func(milter_recipient_free);
    client->edits = g_ptr_array_new_with_free_func(milter_edit_free);
    g_mutex_init(&client->lock);
    g_cond_init(&client->answered);
    return client;
}

/* Under the lock. FALSE: for MILTER_PROGRESS nothing was answered. */
static gboolean
wait_for_answer(MilterClient *client)
{
    int64_t until =
        g_get_monotonic_time() + MILTER_PROGRESS * G_TIME_SPAN_SECOND;
    client->awaited = TRUE;
    gboolean answered =
        g_cond_wait_until(&client->answered, &client->lock, until);
    client->awaited = FALSE;
    return answered;
}

/* The mail server hears that there is life, which the protocol allows at the
 * end of a message only. */
static void
await(MilterClient *client, const MilterCall *call)
{
    g_mutex_lock(&client->lock);
    while (client->call != NULL) {
        if (wait_for_answer(client) || call->step != MILTER_END)
            continue;
        g_mutex_unlock(&client->lock);
        smfi_progress(client->context);
        g_mutex_lock(&client->lock);
    }
    g_mutex_unlock(&client->lock);
}

/* FALSE: there is no loop any more. */
static gboolean
hand_over(MilterClient *client, MilterCall *call)
{
    g_mutex_lock(&client->lock);
    while (client->call != NULL)
        wait_for_answer(client);
    client->call = call;
    g_mutex_unlock(&client->lock);
    return milter_post(on_call, client);
}

sfsistat
milter_ask(MilterClient *client, MilterCall *call)
{
    if (!hand_over(client, call))
        return SMFIS_TEMPFAIL;
    await(client, call);
    return call->answer;
}

void
milter_tell(MilterClient *client, MilterStep step)
{
    client->note = (MilterCall){.step = step};
    hand_over(client, &client->note);
}

void
milter_part(MilterClient *client)
{
    milter_post(on_part, client);
}
