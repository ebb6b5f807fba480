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

/* Seconds so far. */
typedef struct Watch {
    unsigned whole, held;
    unsigned turns; /* as they were a second ago */
} Watch;

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

/* ---- its time ----------------------------------------------------------- */

static void
say_held(const BoardDoing *doing, unsigned seconds)
{
    fprintf(stderr,
            "filterctl: plugin `%.*s` did not return from its `%.*s` for %u "
            "s\n",
            BOARD_TEXT - 1, doing->plugin, BOARD_TEXT - 1, doing->hook,
            seconds);
}

static void
say_late(const CrashSpeech *speech, unsigned seconds)
{
    gboolean inside = speech->doing.plugin[0] != '\0';
    const BoardDoing *doing = inside ? &speech->doing : &speech->last;
    fprintf(stderr, "filterctl: it took more than %u s", seconds);
    if (doing->plugin[0] != '\0')
        fprintf(stderr, "%s`%.*s` of plugin `%.*s`",
                inside ? ", in " : "; what ran last was ", BOARD_TEXT - 1,
                doing->hook, BOARD_TEXT - 1, doing->plugin);
    fputc('\n', stderr);
}

/* After another second; TRUE: said that it has gone on for too long. */
static gboolean
is_late(Watch *watch, const WitnessTask *task, const CrashSpeech *speech)
{
    gboolean still =
        speech->turns == watch->turns && speech->doing.plugin[0] != '\0';
    watch->turns = speech->turns;
    watch->held = still ? watch->held + 1 : 0;
    watch->whole++;
    if (task->whole > 0 && watch->whole >= task->whole)
        say_late(speech, task->whole);
    else if (watch->held >= task->hook)
        say_held(&speech->doing, task->hook);
    else
        return FALSE;
    return TRUE;
}

/* ---- the two of them ---------------------------------------------------- */

/* FALSE: it had to be ended. SIGCHLD is blocked. */
static gboolean
wait_for(pid_t child, const WitnessTask *task, const CrashSpeech *speech,
         int *status)
{
    const struct timespec second = {.tv_sec = 1};
    gboolean late = FALSE;
    Watch watch = {0};
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    while (waitpid(child, status, WNOHANG) == 0) {
        if (sigtimedwait(&ends, NULL, &second) >= 0 || errno != EAGAIN || late)
            continue;
        late = is_late(&watch, task, speech);
        if (late)
            kill(child, SIGKILL);
    }
    return !late;
}

static int
witness_child(const WitnessTask *task, pid_t child, Witness *seen)
{
    int status = 0;
    if (!wait_for(child, task, &seen->speech, &status))
        return TOOL_UNUSABLE;
    return conclude(seen, status);
}

static void
hold_ends(sigset_t *before)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ends, before);
}

int
witness_run(const WitnessTask *task, int argc, char **argv)
{
    Witness *seen = shared_map("the command", sizeof *seen);
    sigset_t before;
    hold_ends(&before);
    pid_t self = getpid(), child = fork();
    if (child > 0)
        return witness_child(task, child, seen);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (child < 0) {
        perror("filterctl: cannot start a process");
        return TOOL_UNUSABLE;
    }
    witness = self;
    witness_follow();
    crash_say("filterctl", &seen->speech);
    seen->status = task->run(argc, argv);
    seen->done = TRUE;
    exit(seen->status);
}
