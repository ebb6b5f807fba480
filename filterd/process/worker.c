/* worker.c: starts everything that a session needs, serves, and ends it in
 * order.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/worker.h"

#include "filterd/base/fiber.h"
#include "filterd/base/log.h"
#include "filterd/base/loop.h"
#include "filterd/base/metrics.h"
#include "filterd/base/stream.h"
#include "filterd/base/timing.h"
#include "filterd/base/visitors.h"
#include "filterd/process/crash.h"
#include "filterd/process/desks.h"
#include "filterd/process/isolates.h"
#include "filterd/service/dns.h"
#include "filterd/service/offload.h"
#include "filterd/service/quarantine.h"
#include "filterd/wire/backend-health.h"

#include <stdlib.h>
#include <unistd.h>

/* For SQLite and for blocking libraries of plugins. */
#define THREADS 4
/* A turn of the loop that takes longer is logged, milliseconds. */
#define HOLD_LIMIT 50
#define BEAT_SECONDS 1
/* Between two looks at whether sessions are left, two sweeps through the store,
 * and two portions of a sweep, when others may write; milliseconds. */
#define DRAIN_PAUSE 50
#define EXPIRE_PAUSE 60000
#define EXPIRE_REST 5
/* How many of those sessions have to say goodbye when their time is over. */
#define GOODBYE_PAUSES 10

typedef struct Worker {
    const WorkerStart *start;
    PolicyConfig *config;
    Stream *control;
    Engine *engine;
    BackendPool *pool;
    Desks *desks;
    Isolates *isolates;
    Fiber *expirer;
    struct event *beat;
    BoardRow *row;
    gboolean draining;
    gboolean failed;
} Worker;

/* ---- the watchdog ------------------------------------------------------- */

static void
report_held(const char *name, const FiberDoing *doing, int64_t held)
{
    LogLine line;
    log_begin(&line, FILTERD_LOG_WARNING, "held");
    log_text(&line, "session", doing != NULL ? doing->whose : NULL);
    log_text(&line, "by", doing != NULL ? doing->what : name);
    log_text(&line, "hook", doing != NULL ? doing->part : NULL);
    log_int(&line, "ms", held);
    log_end(&line);
}

static void
on_beat(evutil_socket_t fd, short events, void *data)
{
    (void)fd;
    (void)events;
    const Worker *worker = data;
    BoardRow *row = worker->row;
    const char *problem = worker->desks != NULL
                              ? store_problem(engine_store(worker->engine))
                              : NULL;
    row->turns = loop_turns();
    row->sessions = worker->desks != NULL ? desks_sessions(worker->desks) : 0;
    row->fibers = fiber_count();
    g_strlcpy(row->problem, problem != NULL ? problem : "",
              sizeof row->problem);
    row->beat = clock_monotonic();
}

static void
start_beat(Worker *worker)
{
    const struct timeval pause = {.tv_sec = BEAT_SECONDS};
    worker->beat = event_new(loop_base(), -1, EV_PERSIST, on_beat, worker);
    event_add(worker->beat, &pause);
    on_beat(-1, 0, worker);
    worker->row->pid = getpid();
    fiber_watch(HOLD_LIMIT, report_held);
}

/* ---- serving ------------------------------------------------------------ */

/* Of mail that is kept: what is too old goes, the rest is counted. */
static void
sweep_quarantine(void *data)
{
    const PolicySettings *settings = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(Quarantine) quarantine =
        quarantine_open(settings->state_directory, &error);
    if (quarantine == NULL
        || !quarantine_sweep(quarantine, settings->quarantine_lifetime, &error))
        log_event(FILTERD_LOG_WARNING, "quarantine", "%s", error->message);
}

static void
expire(void *data)
{
    const Worker *worker = data;
    const PolicySettings *settings = &worker->config->settings;
    for (;;) {
        if (settings->quarantine != 0)
            offload_run(NULL, sweep_quarantine, (void *)settings);
        if (fiber_sleep(EXPIRE_PAUSE) == FIBER_CANCELLED)
            return;
        while (store_expire(engine_store(worker->engine)) && !fiber_cancelled())
            fiber_sleep(EXPIRE_REST);
    }
}

static gboolean
open_worker(Worker *worker, GError **error)
{
    const EngineOptions options = {.memory_store = worker->start->memory_store,
                                   .counted = TRUE,
                                   .records = TRUE,
                                   .stand_in = isolates_stand_in,
                                   .data = worker->isolates};
    worker->engine = engine_new(worker->config, &options, error);
    if (worker->engine == NULL)
        return FALSE;
    worker->pool =
        backend_pool_new(worker->config, engine_hostname(worker->engine),
                         worker->start->workers);
    worker->desks = desks_new(&(DesksStart){.engine = worker->engine,
                                            .pool = worker->pool,
                                            .fds = worker->start->fds,
                                            .index = worker->start->index},
                              error);
    if (worker->desks == NULL)
        return FALSE;
    if (worker->start->index == 0)
        worker->expirer = fiber_start("expiry", expire, worker);
    return TRUE;
}

static void
drain(Worker *worker)
{
    worker->draining = TRUE;
    desks_drain(worker->desks);
    stream_printf(worker->control, "%c", WORKER_DRAINS);
    stream_flush(worker->control);
}

/* A moment for goodbyes. */
static void
end(Worker *worker)
{
    drain(worker);
    desks_expire(worker->desks);
    for (unsigned i = 0;
         i < GOODBYE_PAUSES && desks_sessions(worker->desks) > 0; i++)
        fiber_sleep(DRAIN_PAUSE);
    desks_cancel(worker->desks);
}

/* FALSE: the master is gone, and with it whoever would want our sessions. */
static gboolean
hear(Worker *worker)
{
    size_t length;
    stream_set_deadline(worker->control, worker->draining
                                             ? clock_after(DRAIN_PAUSE)
                                             : CLOCK_NEVER);
    StreamStatus status = stream_fill(worker->control);
    if (status == STREAM_TIMEOUT)
        return TRUE;
    const char *said = stream_peek(worker->control, &length);
    if (status == STREAM_OK && said[length - 1] == WORKER_DRAIN)
        drain(worker);
    else
        end(worker);
    stream_consume(worker->control, length);
    return status == STREAM_OK;
}

/* Until the last session has ended. */
static void
serve(Worker *worker)
{
    gboolean commanded = TRUE;
    stream_printf(worker->control, "%c", WORKER_READY);
    stream_flush(worker->control);
    stream_idle(worker->control);
    while (!worker->draining || desks_sessions(worker->desks) > 0)
        if (commanded)
            commanded = hear(worker);
        else
            fiber_sleep(DRAIN_PAUSE);
}

static void
close_worker(Worker *worker)
{
    if (worker->expirer != NULL) {
        fiber_cancel(worker->expirer);
        fiber_join(worker->expirer);
    }
    g_clear_pointer(&worker->desks, desks_free);
    backend_pool_free(worker->pool);
    engine_free(worker->engine);
}

static void
run(void *data)
{
    Worker *worker = data;
    g_autoptr(GError) error = NULL;
    worker->isolates = isolates_new(worker->config, worker->start->post);
    if (open_worker(worker, &error)) {
        serve(worker);
        close_worker(worker);
    } else {
        log_event(FILTERD_LOG_WARNING, "worker", "%s", error->message);
        worker->failed = TRUE;
    }
    isolates_free(worker->isolates);
    loop_stop();
}

/* ---- the process -------------------------------------------------------- */

/* Again, from the same bytes: the master's has no plugins. */
static PolicyConfig *
compile(const WorkerStart *start)
{
    const Configuration *configuration = start->configuration;
    PolicyReport report;
    policy_report_init(&report);
    PolicyConfig *config = configuration_compile(
        configuration->bundle, configuration->path, FALSE, &report);
    if (config == NULL) {
        g_autofree char *text = policy_report_format(&report);
        log_event(FILTERD_LOG_WARNING, "worker", "%s", text);
    }
    policy_report_clear(&report);
    return config;
}

static gboolean
run_loop(Worker *worker)
{
    g_autoptr(GError) error = NULL;
    if (!configuration_start_dns(&worker->config->dns, FALSE, &error)) {
        log_event(FILTERD_LOG_WARNING, "worker", "%s", error->message);
        return FALSE;
    }
    start_beat(worker);
    fiber_detach(fiber_start("worker", run, worker));
    loop_run();
    event_free(worker->beat);
    dns_clear();
    return !worker->failed;
}

int
worker_run(int control, void *data)
{
    Worker worker = {.start = data};
    worker.row = board_row(worker.start->row);
    metrics_use_row((unsigned)worker.start->row);
    timings_use_row((unsigned)worker.start->row);
    visitors_use_row((unsigned)worker.start->row);
    backend_health_use_row((unsigned)worker.start->row);
    crash_watch(&worker.row->doing, -1);
    worker.config = compile(worker.start);
    if (worker.config == NULL)
        return EXIT_FAILURE;
    log_setup(worker.config->settings.log == 1 ? LOG_JSON : LOG_TEXT,
              FILTERD_LOG_INFO);
    loop_init();
    offload_init(THREADS);
    worker.control = stream_new(control);
    gboolean ok = run_loop(&worker);
    stream_free(worker.control);
    offload_clear();
    fiber_pool_clear();
    loop_clear();
    policy_config_free(worker.config);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
