/* isolated.c: the process that a plugin has to itself.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/isolated.h"

#include "filterd/base/fiber.h"
#include "filterd/base/log.h"
#include "filterd/base/loop.h"
#include "filterd/host/isolation/serve.h"
#include "filterd/host/loader.h"
#include "filterd/process/crash.h"
#include "filterd/process/sandbox.h"
#include "filterd/process/worker.h"
#include "filterd/service/offload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Words behind ISOLATED_WORD. */
enum { PLUGIN, NAME, MEMORY, CONTROL, LINK, WORDS };

static int control = -1;
static int64_t memory;

/* ---- from the master ---------------------------------------------------- */

int
isolated_exec(int own_control, void *data)
{
    const IsolatedStart *start = data;
    g_autofree char *room = g_strdup_printf("%" G_GINT64_FORMAT, start->memory);
    g_autofree char *first = g_strdup_printf("%d", own_control);
    g_autofree char *second = g_strdup_printf("%d", start->fd);
    char *const words[] = {"filterd",
                           ISOLATED_WORD,
                           (char *)start->plugin,
                           (char *)start->name,
                           room,
                           first,
                           second,
                           NULL};
    fcntl(own_control, F_SETFD, 0);
    fcntl(start->fd, F_SETFD, 0);
    execv("/proc/self/exe", words);
    log_event(FILTERD_LOG_WARNING, "plugin", "%s: /proc/self/exe: %s",
              start->name, g_strerror(errno));
    _exit(EXIT_FAILURE);
}

/* ---- limits ------------------------------------------------------------- */

static void
limit(int resource, rlim_t soft, rlim_t hard)
{
    const struct rlimit both = {soft, hard};
    setrlimit((__rlimit_resource_t)resource, &both);
}

/* Octets of the process, as /proc/self/statm counts pages: all of it, and what
 * is its own to write to. */
static void
measure(rlim_t *all, rlim_t *data)
{
    unsigned long long total = 0, writable = 0;
    rlim_t page = (rlim_t)sysconf(_SC_PAGESIZE);
    g_autofree char *text = NULL;
    if (g_file_get_contents("/proc/self/statm", &text, NULL, NULL))
        sscanf(text, "%llu %*u %*u %*u %*u %llu", &total, &writable);
    *all = total * page;
    *data = writable * page;
}

/* The master ends who is over `memory`; half as much again is not to be had.
 * Addresses alone cost nothing. */
#define ADDRESSES (1024 * INT64_C(1048576))

static void
limit_memory(void)
{
    rlim_t all, data;
    measure(&all, &data);
    data += (rlim_t)(memory / 2 * 3);
    limit(RLIMIT_DATA, data, data);
    limit(RLIMIT_AS, all + (rlim_t)(memory + ADDRESSES),
          all + (rlim_t)(memory + ADDRESSES));
}

/* So much more than it has used. */
static void
limit_cpu(void)
{
    struct rusage used;
    if (getrusage(RUSAGE_SELF, &used) == 0)
        limit(RLIMIT_CPU,
              (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec)
                  + ISOLATED_CPU,
              RLIM_INFINITY);
}

/* What it writes there could pass for lines of ours. */
static void
silence(void)
{
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = STDIN_FILENO; nowhere >= 0 && fd <= STDERR_FILENO; fd++)
        dup2(nowhere, fd);
}

static gboolean
seal(GError **error)
{
    const char ready = WORKER_READY;
    silence();
    limit_memory();
    if (!sandbox_enter(error))
        return FALSE;
    return send(control, &ready, 1, MSG_NOSIGNAL) == 1;
}

/* ---- the process -------------------------------------------------------- */

static void
on_beat(evutil_socket_t fd, short events, void *data)
{
    const char beat = ISOLATED_BEAT;
    (void)fd;
    (void)events;
    (void)data;
    limit_cpu();
    send(control, &beat, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
start_beat(void)
{
    const struct timeval pause = {.tv_sec = 1};
    event_add(event_new(loop_base(), -1, EV_PERSIST, on_beat, NULL), &pause);
    on_beat(-1, 0, NULL);
}

static const FilterdPlugin *
open_plugin(const char *name)
{
    g_autoptr(GError) error = NULL;
    const FilterdPlugin *plugin = loader_open(name, &error);
    if (plugin == NULL)
        log_event(FILTERD_LOG_WARNING, "plugin", "%s", error->message);
    return plugin;
}

static void
run(const ServeStart *start)
{
    loop_init();
    offload_init(ISOLATED_THREADS);
    start_beat();
    serve_run(start);
}

/* Nothing is left to do that somebody would wait for, and what a plugin left
 * to be done at exit is not ours. */
int
isolated_run(char **arguments)
{
    if (g_strv_length(arguments) != WORDS)
        return EXIT_FAILURE;
    control = atoi(arguments[CONTROL]);
    memory = g_ascii_strtoll(arguments[MEMORY], NULL, 10);
    prctl(PR_SET_NAME, "filterd-plugin", 0, 0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    fcntl(control, F_SETFD, FD_CLOEXEC);
    limit(RLIMIT_CORE, 0, 0);
    limit(RLIMIT_NOFILE, ISOLATED_FILES, ISOLATED_FILES);
    static BoardDoing doing;
    crash_watch(&doing, control);
    const ServeStart start = {.plugin = open_plugin(arguments[PLUGIN]),
                              .fd = atoi(arguments[LINK]),
                              .seal = seal};
    if (start.plugin == NULL)
        return EXIT_FAILURE;
    run(&start);
    _exit(ISOLATED_LEFT);
}
