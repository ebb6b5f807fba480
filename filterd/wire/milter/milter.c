/* milter.c: libmilter, begun once: its socket, its threads, who may come in.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/milter/milter.h"

#include "filterd/base/log.h"
#include "filterd/base/loop.h"
#include "filterd/base/metrics.h"
#include "filterd/base/visitors.h"
#include "filterd/wire/acceptor.h"
#include "filterd/wire/milter/state.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* libmilter calls listen() again. */
#define BACKLOG 4096
/* Between two looks at whether there is room again. */
#define LOOK_SECONDS 1
/* Ends the poll() in which libmilter would look at the socket that it had for
 * up to 5 s more. */
#define WAKE_SIGNAL SIGUSR2
/* Between two lines about one thing, milliseconds. */
#define TELL_PAUSE 60000

/* ---- the socket --------------------------------------------------------- */

static gboolean
bind_out_of_reach(int fd, const char *folder)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_snprintf(address.sun_path, sizeof address.sun_path, "%s/s", folder);
    gboolean ok = bind(fd, (struct sockaddr *)&address, sizeof address) == 0
                  && listen(fd, 1) == 0;
    g_unlink(address.sun_path);
    return ok;
}

/* A listening socket whose name is gone: put in the place of libmilter's, it
 * takes no more connections and notices nothing. */
static int
open_unreachable(GError **error)
{
    g_autofree char *folder = g_dir_make_tmp("filterd-XXXXXX", error);
    if (folder == NULL)
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || !bind_out_of_reach(fd, folder))
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                    "no socket for the milter: %s", g_strerror(errno));
    g_rmdir(folder);
    return fd;
}

static gboolean
over_limit(const Milter *milter)
{
    VisitorCounts counts;
    int64_t most = milter->listen->max_sessions;
    const PolicySettings *settings = &engine_config(milter->engine)->settings;
    const MilterClient *any = g_queue_peek_head((GQueue *)&milter->clients);
    if (any == NULL || metrics_sum(METRIC_SESSIONS) >= settings->max_sessions)
        return any != NULL;
    visitors_count(any->desk, &counts);
    return most > 0
           && MAX(counts.sessions, (int64_t)milter->clients.length) >= most;
}

static void
tell_full(void)
{
    static int64_t told;
    LogLine line;
    metrics_add(METRIC_LIMITED, 1);
    if (!log_allow(&told, TELL_PAUSE))
        return;
    log_begin(&line, FILTERD_LOG_WARNING, "limited");
    log_text(&line, "wire", "milter");
    log_text(&line, "limit", "max-sessions");
    log_int(&line, "count", metrics_sum(METRIC_SESSIONS));
    log_end(&line);
}

/* Whoever comes meanwhile waits in the kernel, or goes to another worker. */
void
milter_regulate(Milter *milter)
{
    const struct timeval pause = {.tv_sec = LOOK_SECONDS};
    gboolean full = over_limit(milter), shut = full || milter->draining;
    if (shut != milter->is_away) {
        dup2(shut ? milter->away : milter->own, milter->fd);
        pthread_kill(milter->thread, WAKE_SIGNAL);
        milter->is_away = shut;
        if (full)
            tell_full();
    }
    if (full && !milter->draining)
        event_add(milter->look, &pause);
}

static void
on_look(evutil_socket_t fd, short events, void *data)
{
    (void)fd;
    (void)events;
    milter_regulate(data);
}

/* ---- what it says ------------------------------------------------------- */

/* On a thread. */
typedef struct Complaint {
    unsigned long actions, steps;
} Complaint;

static void
complain(void *data)
{
    static int64_t told;
    g_autofree Complaint *lacking = data;
    if (log_allow(&told, TELL_PAUSE))
        log_event(FILTERD_LOG_WARNING, "milter",
                  "the mail server cannot do what the policy needs: actions "
                  "%lx and steps %lx of milter protocol 6 are not offered; its "
                  "mail is not judged",
                  lacking->actions, lacking->steps);
}

void
milter_complain(const Milter *milter, unsigned long actions,
                unsigned long steps)
{
    Complaint *lacking = g_new(Complaint, 1);
    lacking->actions = milter->needs.actions & ~actions;
    lacking->steps = milter->needs.steps & ~steps;
    if (!milter_post(complain, lacking))
        g_free(lacking);
}

/* ---- life --------------------------------------------------------------- */

/* It cannot begin again in this process; the master starts another. */
static void
on_stopped(void *data)
{
    (void)data;
    log_event(FILTERD_LOG_WARNING, "milter", "libmilter has stopped");
    _exit(EXIT_FAILURE);
}

static void *
run(void *data)
{
    (void)data;
    smfi_main();
    milter_post(on_stopped, NULL);
    return NULL;
}

static void
on_wake(int number)
{
    (void)number;
}

static gboolean
start_thread(Milter *milter)
{
    const struct sigaction wake = {.sa_handler = on_wake};
    return sigaction(WAKE_SIGNAL, &wake, NULL) == 0
           && pthread_create(&milter->thread, NULL, run, NULL) == 0;
}

/* libmilter writes an edit at a time: without this each would wait for the
 * other side to acknowledge the one before. Inherited by what is accepted; a
 * unix socket does not know it. */
static void
hurry(int fd)
{
    const int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* An idle session is the mail server's client that thinks; what must not wait
 * is a packet that has begun. */
static gboolean
set_up(Milter *milter)
{
    g_autofree char *socket = g_strdup_printf("fd:%d", milter->fd);
    int timeout = (int)(milter->listen->command_timeout / 1000);
    return smfi_setconn(socket) == MI_SUCCESS
           && smfi_setbacklog(BACKLOG) == MI_SUCCESS
           && smfi_settimeout(MAX(timeout, 1)) == MI_SUCCESS
           && milter_register(milter) && start_thread(milter);
}

Milter *
milter_new(Engine *engine, const PolicyListen *listen, int fd, GError **error)
{
    int away = open_unreachable(error);
    if (away < 0)
        return NULL;
    Milter *milter = g_new0(Milter, 1);
    milter->engine = engine;
    milter->listen = listen;
    milter->needs = milter_needs(engine);
    hurry(fd);
    milter->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    milter->own = fd;
    milter->away = away;
    milter->key = acceptor_key(listen);
    milter->look = evtimer_new(loop_base(), on_look, milter);
    milter_gate(TRUE);
    if (!set_up(milter)) {
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_NOMEM,
                            "libmilter does not start");
        milter_free(milter);
        return NULL;
    }
    return milter;
}

/* Its threads know it to the end of the process. */
void
milter_free(Milter *milter)
{
    g_assert(milter->clients.length == 0);
    milter_gate(FALSE);
    event_free(milter->look);
    dup2(milter->away, milter->fd);
    close(milter->away);
}

void
milter_drain(Milter *milter)
{
    milter->draining = TRUE;
    milter_regulate(milter);
}

void
milter_cancel(Milter *milter)
{
    for (GList *link = milter->clients.head; link != NULL; link = link->next)
        fiber_cancel(((const MilterClient *)link->data)->fiber);
}

unsigned
milter_sessions(const Milter *milter)
{
    return milter->clients.length;
}
