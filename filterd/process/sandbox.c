/* sandbox.c: what the process of a plugin may still ask of the kernel.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Those that one kind of machine lacks are skipped there. */
static const char *const allowed[] = {
    /* its descriptors; no new ones but for waiting */
    "read",
    "readv",
    "write",
    "writev",
    "recvfrom",
    "recvmsg",
    "sendto",
    "sendmsg",
    "shutdown",
    "close",
    "fstat",
    "lseek",
    "dup",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "epoll_pwait2",
    "poll",
    "ppoll",
    "select",
    "pselect6",
    "eventfd2",
    "timerfd_create",
    "timerfd_settime",
    "pipe2",
    "getsockopt",
    "getsockname",
    /* memory */
    "brk",
    "munmap",
    "mremap",
    "madvise",
    "mincore",
    "membarrier",
    /* time */
    "clock_gettime",
    "clock_getres",
    "clock_nanosleep",
    "nanosleep",
    "gettimeofday",
    "time",
    "alarm",
    "setitimer",
    "getitimer",
    /* itself */
    "getpid",
    "gettid",
    "getppid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getrusage",
    "times",
    "uname",
    "sysinfo",
    "getrandom",
    "getcpu",
    "sched_yield",
    "sched_getaffinity",
    "restart_syscall",
    "exit",
    "exit_group",
    /* threads */
    "futex",
    "set_robust_list",
    "rseq",
    "set_tid_address",
    "arch_prctl",
    /* signals */
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigtimedwait",
    "sigaltstack",
};

static gboolean
fail(GError **error, const char *what, int code)
{
    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(-code),
                "seccomp: %s: %s", what, g_strerror(-code));
    return FALSE;
}

static int
allow(scmp_filter_ctx filter, const char *name)
{
    int number = seccomp_syscall_resolve_name(name);
    return number < 0 ? 0 : seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
}

static int
allow_all(scmp_filter_ctx filter)
{
    int code = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(allowed) && code == 0; i++)
        code = allow(filter, allowed[i]);
    return code;
}

/* Memory that can be written to is never run. */
static int
allow_memory(scmp_filter_ctx filter)
{
    int code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                                SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    return code != 0
               ? code
               : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

/* glibc asks clone3, whose flags no filter sees, and goes on to clone where
 * there is none. */
static int
allow_threads(scmp_filter_ctx filter)
{
    int code =
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    return code != 0
               ? code
               : seccomp_rule_add(
                   filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                   SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
}

/* Not who is sent a signal when a descriptor is ready. */
static int
allow_flags(scmp_filter_ctx filter)
{
    static const int commands[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL,
                                   F_DUPFD_CLOEXEC};
    int code = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(commands) && code == 0; i++)
        code =
            seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                             SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)commands[i]));
    return code;
}

/* Its own limits, signals to itself, names of its threads. */
static int
allow_own(scmp_filter_ctx filter)
{
    int code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
                                SCMP_A0(SCMP_CMP_EQ, 0));
    if (code == 0)
        code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
    return code != 0 ? code
                     : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl),
                                        1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
}

gboolean
sandbox_enter(GError **error)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (filter == NULL)
        return fail(error, "no filter", -ENOMEM);
    int code = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (code == 0)
        code = allow_all(filter);
    if (code == 0)
        code = allow_memory(filter);
    if (code == 0)
        code = allow_threads(filter);
    if (code == 0)
        code = allow_flags(filter);
    if (code == 0)
        code = allow_own(filter);
    if (code == 0)
        code = seccomp_load(filter);
    seccomp_release(filter);
    return code == 0 || fail(error, "the filter is not taken", code);
}
