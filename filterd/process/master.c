/* master.c: the process that binds, supervises and reloads.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/master.h"

#include "filterd/base/clock.h"
#include "filterd/base/log.h"
#include "filterd/base/metrics.h"
#include "filterd/process/launch.h"
#include "filterd/process/notify.h"
#include "filterd/process/outcome.h"
#include "filterd/process/rates.h"
#include "filterd/process/reload.h"
#include "filterd/process/signals.h"
#include "filterd/process/status.h"
#include "filterd/wire/acceptor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define TICK 1000
/* Of a report, in the log. */
#define NOTES_LIMIT 20
/* For old workers to say that they take no more connections, milliseconds. */
#define DRAIN_WORD_TIME 5000

typedef struct Master {
    const char *path;
    int signals;
    Launch launch;
    Generation *current; /* serves */
    Generation *next;    /* starts */
    char *changes;       /* what is different in it */
    char *warnings;      /* that there are of it */
    Generation *before;  /* has to say that it drains; one of those leaving */
    int64_t patience;    /* until then */
    GPtrArray *leaving;  /* Generation */
    Reload *reload;      /* is being checked */
    gboolean wanted;     /* another reload */
    gboolean told;       /* that it has to wait */
    gboolean stopping;
    int64_t started, refused; /* milliseconds since 1970; the last reload */
    int64_t ticked;
    int status;
} Master;

/* ---- saying ------------------------------------------------------------- */

static void
log_generation(const Master *master, const char *event)
{
    g_autofree char *listen =
        listeners_format(generation_listeners(master->current));
    const PolicyConfig *config =
        generation_configuration(master->current)->skeleton;
    LogLine line;
    log_begin(&line, FILTERD_LOG_INFO, event);
    log_text(&line, "version", FILTERD_VERSION);
    log_int(&line, "generation", generation_number(master->current));
    log_int(&line, "workers", configuration_workers(config));
    log_text(&line, "listen", listen);
    log_end(&line);
}

static void
notify_serving(void)
{
    g_autofree char *lines =
        g_strdup_printf("READY=1\nMAINPID=%d", (int)getpid());
    notify_send(lines);
}

static void
notify_reloading(void)
{
    g_autofree char *lines =
        g_strdup_printf("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT,
                        g_get_monotonic_time());
    notify_send(lines);
}

/* A line for each note of a report, without what is below it: the source, the
 * caret, the hint. */
static void
log_notes(const char *report)
{
    g_auto(GStrv) lines = g_strsplit(report, "\n", 0);
    unsigned notes = 0;
    for (unsigned i = 0; lines[i] != NULL; i++) {
        if (*lines[i] == '\0' || *lines[i] == ' ')
            continue;
        if (++notes <= NOTES_LIMIT)
            log_event(FILTERD_LOG_WARNING, "configuration", "%s", lines[i]);
    }
    if (notes > NOTES_LIMIT)
        log_event(FILTERD_LOG_WARNING, "configuration",
                  "and %u more, which filterctl check shows",
                  notes - NOTES_LIMIT);
}

/* Those who asked for it hear of it, too. */
static void
tell_outcome(const Master *master, gboolean ok, const char *report)
{
    const Outcome outcome = {.ok = ok,
                             .generation = generation_number(master->current),
                             .changes = master->changes,
                             .report = report};
    g_autofree char *line = outcome_format(&outcome);
    if (master->launch.control != NULL)
        control_conclude(master->launch.control, line);
}

/* At the start nothing is left to do; later the old one goes on. */
static void
refuse(Master *master, const char *why)
{
    if (master->current == NULL) {
        fputs(why, stderr);
        master->status = EXIT_FAILURE;
        master->stopping = TRUE;
        return;
    }
    LogLine line;
    master->refused = clock_real();
    log_notes(why);
    log_begin(&line, FILTERD_LOG_WARNING, "reload");
    log_text(&line, "result", "refused");
    log_int(&line, "generation", generation_number(master->current));
    log_text(&line, "text", "the generation goes on");
    log_end(&line);
    tell_outcome(master, FALSE, why);
    notify_serving();
}

static void
setup_log(const Configuration *configuration)
{
    gboolean json = configuration->skeleton->settings.log == 1;
    log_setup(json ? LOG_JSON : LOG_TEXT, FILTERD_LOG_INFO);
}

static void
warn_of_root(const Configuration *configuration)
{
    if (geteuid() == 0 && configuration->privileges.uid == 0)
        log_event(FILTERD_LOG_WARNING, "privileges",
                  "everything runs as root; `set user` would end that");
}

/* A session that is idle has one descriptor, so this is not too early. */
static void
warn_of_files(const Configuration *configuration)
{
    const PolicyConfig *config = configuration->skeleton;
    int64_t workers = configuration_workers(config);
    int64_t room = workers * acceptor_room();
    if (room < config->settings.max_sessions)
        log_event(FILTERD_LOG_WARNING, "limits",
                  "max-sessions is %" G_GINT64_FORMAT ", but the descriptors"
                  " that %" G_GINT64_FORMAT " workers may have are enough for"
                  " %" G_GINT64_FORMAT "; raise the hard limit of open files"
                  " (LimitNOFILE=, ulimit -Hn), or set fewer",
                  config->settings.max_sessions, workers, room);
}

/* ---- steps -------------------------------------------------------------- */

static void
leave(Master *master, Generation *generation, int64_t patience,
      const Generation *successor)
{
    generation_drain(generation, patience,
                     successor != NULL ? generation_listeners(successor)
                                       : NULL);
    g_ptr_array_add(master->leaving, generation);
}

/* TRUE: others have not drained yet. A reload waits rather than end them. */
static gboolean
must_wait(Master *master)
{
    if (master->leaving->len < LAUNCH_DRAINING)
        return FALSE;
    if (!master->told)
        log_event(FILTERD_LOG_INFO, "reload",
                  "waits: %u generations are draining", master->leaving->len);
    master->told = TRUE;
    if (master->launch.control != NULL)
        control_delay(master->launch.control,
                      "two older generations have not drained yet");
    return TRUE;
}

static void
begin_reload(Master *master)
{
    if (!master->wanted || master->reload != NULL || master->next != NULL
        || master->before != NULL || master->stopping || must_wait(master))
        return;
    if (master->launch.control != NULL)
        control_begin(master->launch.control);
    master->wanted = master->told = FALSE;
    if (master->current != NULL)
        notify_reloading();
    master->reload =
        reload_new(master->path, master->current != NULL
                                     ? generation_configuration(master->current)
                                     : NULL);
}

/* Warnings of a configuration that is good. */
static void
show_warnings(Master *master)
{
    const char *report = reload_report(master->reload);
    g_free(master->warnings);
    master->warnings = g_strdup(report);
    if (master->current == NULL)
        fputs(report, stderr);
    else
        log_notes(report);
}

static void
start_generation(Master *master)
{
    g_autoptr(GString) why = g_string_new(NULL);
    Configuration *configuration = reload_take(master->reload);
    g_free(master->changes);
    master->changes = g_strdup(reload_changes(master->reload));
    if (master->current == NULL) {
        setup_log(configuration);
        warn_of_root(configuration);
    }
    warn_of_files(configuration);
    master->next =
        launch_generation(&master->launch, configuration, master->current, why);
    if (master->next == NULL)
        refuse(master, why->str);
}

static void
step_reload(Master *master)
{
    if (master->reload == NULL)
        return;
    reload_step(master->reload);
    ReloadStatus status = reload_status(master->reload);
    if (status == RELOAD_BUSY)
        return;
    if (status == RELOAD_BAD) {
        refuse(master, reload_report(master->reload));
    } else {
        show_warnings(master);
        start_generation(master);
    }
    g_clear_pointer(&master->reload, reload_free);
}

static void
log_reloaded(const Master *master)
{
    LogLine line;
    setup_log(generation_configuration(master->current));
    log_begin(&line, FILTERD_LOG_INFO, "reload");
    log_text(&line, "result", "ok");
    log_int(&line, "generation", generation_number(master->current));
    log_text(&line, "changes", master->changes);
    log_end(&line);
    metrics_add(METRIC_RELOADS, 1);
}

static int64_t
drain_timeout(const Generation *generation)
{
    return generation_configuration(generation)
        ->skeleton->settings.drain_timeout;
}

static void
adopt(Master *master)
{
    Generation *before = master->current;
    master->current = g_steal_pointer(&master->next);
    if (before == NULL) {
        launch_served(&master->launch, master->current);
        log_generation(master, "started");
        notify_serving();
    } else {
        leave(master, before, drain_timeout(before), master->current);
        master->before = before;
        master->patience = clock_after(DRAIN_WORD_TIME);
    }
}

/* The new generation alone takes connections. */
static void
conclude_reload(Master *master)
{
    master->before = NULL;
    master->refused = 0;
    log_reloaded(master);
    tell_outcome(master, TRUE, master->warnings);
    notify_serving();
}

static void
step_before(Master *master)
{
    if (master->before == NULL)
        return;
    generation_look(master->before);
    gboolean drains = generation_drains(master->before);
    if (!drains && clock_monotonic() < master->patience)
        return;
    if (!drains)
        generation_blame(master->before);
    conclude_reload(master);
}

static void
step_next(Master *master)
{
    if (master->next == NULL)
        return;
    if (generation_failed(master->next)) {
        leave(master, g_steal_pointer(&master->next), 0, master->current);
        refuse(master, "filterd: a process of the new configuration could "
                       "not start; see the log above\n");
    } else if (generation_ready(master->next)) {
        adopt(master);
    }
}

static void
step_leaving(Master *master)
{
    for (unsigned i = master->leaving->len; i > 0; i--) {
        Generation *generation = g_ptr_array_index(master->leaving, i - 1);
        generation_look(generation);
        if (generation_count(generation) > 0 || generation == master->before)
            continue;
        log_event(FILTERD_LOG_INFO, "drained", "generation %u is gone",
                  generation_number(generation));
        g_ptr_array_remove_index(master->leaving, i - 1);
        generation_free(generation);
    }
}

/* ---- ending ------------------------------------------------------------- */

static void
end_all(Master *master)
{
    for (unsigned i = 0; i < master->leaving->len; i++)
        generation_end(g_ptr_array_index(master->leaving, i));
}

static void
stop(Master *master)
{
    if (master->stopping) {
        end_all(master);
        return;
    }
    master->stopping = TRUE;
    notify_send("STOPPING=1");
    log_event(FILTERD_LOG_INFO, "draining", "no new sessions");
    g_clear_pointer(&master->reload, reload_free);
    if (master->before != NULL)
        conclude_reload(master);
    launch_end(&master->launch);
    if (master->next != NULL)
        leave(master, g_steal_pointer(&master->next), 0, master->current);
    if (master->current != NULL) {
        int64_t patience = drain_timeout(master->current);
        leave(master, g_steal_pointer(&master->current), patience, NULL);
    }
}

/* ---- the loop ----------------------------------------------------------- */

static StatusSource
look(const Master *master)
{
    return (StatusSource){
        .current = master->current,
        .leaving = master->leaving,
        .started = master->started,
        .refused = master->refused,
        .reloading = master->reload != NULL || master->next != NULL
                     || master->before != NULL,
    };
}

static char *
answer_status(const void *data)
{
    const StatusSource source = look(data);
    return status_format(&source);
}

static char *
answer_rates(const void *data)
{
    const StatusSource source = look(data);
    return rates_format(&source);
}

static void
hear_commands(Master *master)
{
    static const ControlWord words[] = {{"reload", NULL},
                                        {"status", answer_status},
                                        {"rates", answer_rates},
                                        {NULL, NULL}};
    if (master->launch.control != NULL
        && control_look(master->launch.control, words, master))
        master->wanted = TRUE;
}

static void
take_signals(Master *master)
{
    int number;
    while ((number = signals_take(master->signals)) != 0) {
        if (number == SIGHUP)
            master->wanted = TRUE;
        else if (number == SIGTERM || number == SIGINT)
            stop(master);
    }
}

static void
add_poll(GArray *polls, int fd)
{
    const struct pollfd one = {.fd = fd, .events = POLLIN};
    g_array_append_val(polls, one);
}

static void
wait_for_news(const Master *master)
{
    g_autoptr(GArray) polls = g_array_new(FALSE, FALSE, sizeof(struct pollfd));
    add_poll(polls, master->signals);
    if (master->reload != NULL)
        add_poll(polls, reload_fd(master->reload));
    if (master->next != NULL)
        generation_poll(master->next, polls);
    if (master->current != NULL)
        generation_poll(master->current, polls);
    if (master->before != NULL)
        generation_poll(master->before, polls);
    if (master->launch.control != NULL)
        control_poll(master->launch.control, polls);
    poll((struct pollfd *)(void *)polls->data, polls->len, TICK);
}

static void
tick(Master *master)
{
    if (clock_monotonic() < master->ticked + TICK)
        return;
    master->ticked = clock_monotonic();
    if (master->current != NULL)
        generation_tick(master->current);
    if (master->next != NULL)
        generation_tick(master->next);
    for (unsigned i = 0; i < master->leaving->len; i++)
        generation_tick(g_ptr_array_index(master->leaving, i));
}

static gboolean
has_work(const Master *master)
{
    return !master->stopping || master->current != NULL || master->next != NULL
           || master->leaving->len > 0;
}

static void
turn(Master *master)
{
    begin_reload(master);
    step_reload(master);
    if (master->current != NULL)
        generation_look(master->current);
    if (master->next != NULL)
        generation_look(master->next);
    step_next(master);
    step_before(master);
    step_leaving(master);
    tick(master);
}

static void
run(Master *master)
{
    master->wanted = TRUE;
    turn(master);
    while (has_work(master)) {
        wait_for_news(master);
        take_signals(master);
        hear_commands(master);
        turn(master);
    }
}

static void
raise_limits(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static void
clear(Master *master)
{
    launch_clear(&master->launch);
    g_ptr_array_unref(master->leaving);
    g_free(master->changes);
    g_free(master->warnings);
    close(master->signals);
}

int
master_run(const char *path)
{
    Master master = {
        .path = path, .status = EXIT_SUCCESS, .started = clock_real()};
    raise_limits();
    master.signals = signals_open();
    if (master.signals < 0) {
        fprintf(stderr, "filterd: signalfd: %s\n", g_strerror(errno));
        return EXIT_FAILURE;
    }
    launch_init(&master.launch);
    master.leaving = g_ptr_array_new();
    run(&master);
    clear(&master);
    if (master.status == EXIT_SUCCESS)
        log_event(FILTERD_LOG_INFO, "stopped", "every session has ended");
    return master.status;
}
