/* child.c: forks; the child leaves behind what is the master's.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/child.h"

#include "filterd/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int
by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void
close_others(const ChildStart *start, int control)
{
    g_autofree int *keep = g_new(int, start->kept + 1);
    unsigned first = STDERR_FILENO + 1;
    for (unsigned i = 0; i < start->kept; i++)
        keep[i] = start->keep[i];
    keep[start->kept] = control;
    qsort(keep, start->kept + 1, sizeof *keep, by_number);
    for (unsigned i = 0; i <= start->kept; i++) {
        if ((unsigned)keep[i] > first)
            close_range(first, (unsigned)keep[i] - 1, 0);
        first = (unsigned)keep[i] + 1;
    }
    close_range(first, ~0U, 0);
}

/* The terminal and the service manager signal all of us; only the master
 * answers, and tells its children. */
static void
reset_signals(void)
{
    static const int ignored[] = {SIGHUP,  SIGINT,  SIGTERM,
                                  SIGUSR1, SIGUSR2, SIGPIPE};
    sigset_t none;
    for (unsigned i = 0; i < G_N_ELEMENTS(ignored); i++)
        signal(ignored[i], SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* After setuid(), which forgets it. The master may be gone by then. */
static gboolean
end_with(pid_t master)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0
           && getppid() == master;
}

static _Noreturn void
run(const ChildStart *start, int control, pid_t master)
{
    g_autoptr(GError) error = NULL;
    close_others(start, control);
    reset_signals();
    prctl(PR_SET_NAME, start->name, 0, 0, 0);
    if (!privileges_drop(start->privileges, &error)) {
        log_event(FILTERD_LOG_WARNING, "privileges", "%s", error->message);
        _exit(EXIT_FAILURE);
    }
    if (!end_with(master))
        _exit(EXIT_FAILURE);
    exit(start->run(control, start->data));
}

pid_t
child_start(const ChildStart *start, int *control, GError **error)
{
    pid_t master = getpid(), child = -1;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0) {
        child = fork();
        if (child == 0)
            run(start, ends[1], master);
    } else {
        ends[0] = ends[1] = -1;
    }
    if (child < 0) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                    "cannot start a process: %s", g_strerror(errno));
        close(ends[0]);
        close(ends[1]);
        return -1;
    }
    close(ends[1]);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *control = ends[0];
    return child;
}
