/* witness.c: a command in a process of its own, whose end is looked at.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/witness.h"

#include "filterd/base/shared.h"
#include "filterd/process/crash.h"
#include "filterd/tool/tool.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* What both processes see. */
typedef struct Witness {
    CrashSpeech speech;
    gboolean done; /* run() has returned */
    int status;    /* then */
} Witness;

static pid_t witness; /* 0: this process is none's */

void
witness_follow(void)
{
    if (witness == 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != witness)
        _exit(TOOL_UNUSABLE);
}

/* The same end for whoever started us; its core is enough. */
static void
end_with(int number)
{
    const struct rlimit none = {0};
    setrlimit(RLIMIT_CORE, &none);
    signal(number, SIG_DFL);
    raise(number);
}

static void
say(const BoardDoing *doing, int status)
{
    if (doing->plugin[0] != '\0')
        fprintf(stderr, "filterctl: plugin `%s` called _exit() in its `%s`\n",
                doing->plugin, doing->hook);
    else
        fprintf(stderr,
                "filterctl: it ended before it was done, with status %d\n",
                status);
}

static int
conclude(const Witness *seen, int status)
{
    if (WIFSIGNALED(status))
        end_with(WTERMSIG(status));
    if (!seen->done && !seen->speech.said)
        say(&seen->speech.doing, WEXITSTATUS(status));
    if (!seen->done)
        return TOOL_UNUSABLE;
    return WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : seen->status;
}

static int
wait_for(pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

int
witness_run(int (*run)(int argc, char **argv), int argc, char **argv)
{
    Witness *seen = shared_map("the command", sizeof *seen);
    pid_t self = getpid(), child = fork();
    if (child > 0)
        return conclude(seen, wait_for(child));
    if (child < 0) {
        perror("filterctl: cannot start a process");
        return TOOL_UNUSABLE;
    }
    witness = self;
    witness_follow();
    crash_say("filterctl", &seen->speech);
    seen->status = run(argc, argv);
    seen->done = TRUE;
    exit(seen->status);
}
