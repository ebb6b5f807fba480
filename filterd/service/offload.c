/* offload.c: blocking work in a few threads while the fiber waits.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/offload.h"

#include "filterd/base/fiber.h"
#include "filterd/base/loop.h"

#include <pthread.h>
#include <signal.h>

/* Jobs that run one after the other. It is in `pool.lanes` from its first job
 * to its last, in `pool.ready` or in a thread's hands all that time. */
typedef struct Lane {
    const void *name;
    GQueue jobs;
    GList link; /* in pool.ready */
} Lane;

typedef struct Job {
    OffloadFunc func;
    void *data;
    Lane *lane;
    GList link; /* in lane->jobs */
    gboolean begun;
    gboolean ended; /* known to the loop only */
    Fiber *fiber;
    const FiberDoing *doing;
} Job;

/* All but `limit` is under the mutex. */
static struct {
    GMutex mutex;
    GCond work;
    GHashTable *lanes; /* name: Lane, those with a name */
    GQueue ready;      /* Lane */
    GPtrArray *threads;
    unsigned limit, idle;
    gboolean stopping;
} pool;

void
offload_init(unsigned threads)
{
    g_assert(pool.lanes == NULL && threads > 0);
    g_mutex_init(&pool.mutex);
    g_cond_init(&pool.work);
    pool.lanes = g_hash_table_new(NULL, NULL);
    g_queue_init(&pool.ready);
    pool.threads = g_ptr_array_new();
    pool.limit = threads;
    pool.idle = 0;
    pool.stopping = FALSE;
}

static void
stop_threads(void)
{
    g_mutex_lock(&pool.mutex);
    pool.stopping = TRUE;
    g_cond_broadcast(&pool.work);
    g_mutex_unlock(&pool.mutex);
    for (guint i = 0; i < pool.threads->len; i++)
        g_thread_join(g_ptr_array_index(pool.threads, i));
}

void
offload_clear(void)
{
    if (pool.lanes == NULL)
        return;
    stop_threads();
    g_assert(pool.ready.length == 0);
    g_clear_pointer(&pool.threads, g_ptr_array_unref);
    g_clear_pointer(&pool.lanes, g_hash_table_unref);
    g_cond_clear(&pool.work);
    g_mutex_clear(&pool.mutex);
}

static Lane *
lane_get(const void *name)
{
    Lane *lane = NULL;
    if (name != NULL)
        lane = g_hash_table_lookup(pool.lanes, name);
    if (lane != NULL)
        return lane;
    lane = g_new0(Lane, 1);
    lane->name = name;
    lane->link.data = lane;
    if (name != NULL)
        g_hash_table_insert(pool.lanes, (gpointer)name, lane);
    g_queue_push_tail_link(&pool.ready, &lane->link);
    return lane;
}

static void
lane_free(Lane *lane)
{
    if (lane->name != NULL)
        g_hash_table_remove(pool.lanes, lane->name);
    g_free(lane);
}

static void
job_ended(void *data)
{
    Job *job = data;
    job->ended = TRUE;
    fiber_wake(job->fiber);
}

/* The mutex is held, but not while the job runs. The lane's jobs may all have
 * been cancelled. */
static void
run_lane(Lane *lane)
{
    GList *link = g_queue_pop_head_link(&lane->jobs);
    if (link != NULL) {
        Job *job = link->data;
        job->begun = TRUE;
        g_mutex_unlock(&pool.mutex);
        fiber_lend_doing(job->doing);
        job->func(job->data);
        fiber_lend_doing(NULL);
        loop_post_from_thread(job_ended, job);
        g_mutex_lock(&pool.mutex);
    }
    if (lane->jobs.length > 0)
        g_queue_push_tail_link(&pool.ready, &lane->link);
    else
        lane_free(lane);
}

static gpointer
run_thread(gpointer data G_GNUC_UNUSED)
{
    g_mutex_lock(&pool.mutex);
    for (;;) {
        GList *link = g_queue_pop_head_link(&pool.ready);
        if (link != NULL) {
            run_lane(link->data);
            continue;
        }
        if (pool.stopping)
            break;
        pool.idle++;
        g_cond_wait(&pool.work, &pool.mutex);
        pool.idle--;
    }
    g_mutex_unlock(&pool.mutex);
    return NULL;
}

/* Signals are for the thread of the loop alone, but those of its own faults. */
static void
start_thread(void)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    sigset_t others, before;
    sigfillset(&others);
    for (unsigned i = 0; i < G_N_ELEMENTS(faults); i++)
        sigdelset(&others, faults[i]);
    pthread_sigmask(SIG_SETMASK, &others, &before);
    g_ptr_array_add(pool.threads, g_thread_new("offload", run_thread, NULL));
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* A thread is woken when the mutex is free: it would only wait again. Those
 * that work look for more by themselves. */
static void
job_queue(Job *job, const void *lane)
{
    g_mutex_lock(&pool.mutex);
    job->lane = lane_get(lane);
    g_queue_push_tail_link(&job->lane->jobs, &job->link);
    if (pool.idle < pool.ready.length && pool.threads->len < pool.limit)
        start_thread();
    gboolean idle = pool.idle > 0;
    g_mutex_unlock(&pool.mutex);
    if (idle)
        g_cond_signal(&pool.work);
}

/* FALSE: it has begun. */
static gboolean
job_withdraw(Job *job)
{
    g_mutex_lock(&pool.mutex);
    gboolean begun = job->begun;
    if (!begun)
        g_queue_unlink(&job->lane->jobs, &job->link);
    g_mutex_unlock(&pool.mutex);
    return !begun;
}

gboolean
offload_run(const void *lane, OffloadFunc func, void *data)
{
    Job job = {.func = func,
               .data = data,
               .fiber = fiber_self(),
               .doing = fiber_doing()};
    g_assert(pool.lanes != NULL && job.fiber != NULL);
    if (fiber_cancelled())
        return FALSE;
    job.link.data = &job;
    job_queue(&job, lane);
    while (!job.ended)
        if (fiber_wait(CLOCK_NEVER) == FIBER_CANCELLED)
            break;
    if (!job.ended && job_withdraw(&job))
        return FALSE;
    while (!job.ended)
        fiber_wait_out();
    return TRUE;
}
