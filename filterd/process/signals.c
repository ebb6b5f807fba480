/* signals.c: the signals that the master answers, as a descriptor.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/signals.h"

#include <glib.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int answered[] = {SIGHUP,  SIGTERM, SIGINT,
                               SIGCHLD, SIGUSR1, SIGUSR2};

int
signals_open(void)
{
    sigset_t set;
    sigemptyset(&set);
    for (unsigned i = 0; i < G_N_ELEMENTS(answered); i++)
        sigaddset(&set, answered[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int
signals_take(int fd)
{
    struct signalfd_siginfo info;
    if (read(fd, &info, sizeof info) != sizeof info)
        return 0;
    return (int)info.ssi_signo;
}
