/* member.c: a process of a generation, and what becomes of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/member.h"

#include "filterd/base/clock.h"
#include "filterd/base/log.h"
#include "filterd/base/metrics.h"
#include "filterd/process/board.h"
#include "filterd/process/culprits.h"
#include "filterd/process/generation.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The first time at once, then a second, two, four … */
static int64_t
pause_after(unsigned losses)
{
    if (losses <= 1)
        return 0;
    return MIN((int64_t)1000 << MIN(losses - 2, 10), GENERATION_PAUSE);
}

static void
plan_restart(Member *member)
{
    gboolean young = clock_monotonic() < member->started + GENERATION_YOUNG;
    member->losses = young ? member->losses + 1 : 1;
    member->restart = clock_after(pause_after(member->losses));
}

void
member_start(Member *member, const ChildStart *start)
{
    g_autoptr(GError) error = NULL;
    member->started = clock_monotonic();
    member->ready = FALSE;
    member->still = 0;
    pid_t pid = child_start(start, &member->control, &error);
    if (pid > 0) {
        member->pid = pid;
        return;
    }
    member->control = -1;
    plan_restart(member);
    log_event(FILTERD_LOG_WARNING, "worker", "%s", error->message);
}

gboolean
member_waits(const Member *member)
{
    return member->pid != 0 && !member->ready;
}

void
member_hear(Member *member)
{
    char said;
    if (member_waits(member)
        && recv(member->control, &said, 1, MSG_DONTWAIT) == 1)
        member->ready = said == WORKER_READY;
}

gboolean
member_reap(Member *member, pid_t *pid, int *status)
{
    if (member->pid == 0 || waitpid(member->pid, status, WNOHANG) <= 0)
        return FALSE;
    *pid = member->pid;
    close(member->control);
    member->control = -1;
    member->pid = 0;
    return TRUE;
}

static void
log_doing(LogLine *line, const BoardDoing *doing)
{
    log_text(line, "plugin", doing->plugin[0] != '\0' ? doing->plugin : NULL);
    log_text(line, "hook", doing->hook[0] != '\0' ? doing->hook : NULL);
    log_text(line, "session",
             doing->session[0] != '\0' ? doing->session : NULL);
}

static void
log_lost(const Member *member, pid_t pid, int status)
{
    LogLine line;
    log_begin(&line, FILTERD_LOG_WARNING, "worker-lost");
    log_int(&line, "pid", pid);
    if (WIFSIGNALED(status)) {
        log_text(&line, "signal", sigabbrev_np(WTERMSIG(status)));
        log_text(&line, "core", WCOREDUMP(status) ? "yes" : NULL);
    } else {
        log_int(&line, "exit", WEXITSTATUS(status));
    }
    if (member->row >= 0)
        log_doing(&line, &board_row(member->row)->doing);
    log_int(&line, "restart-ms", MAX(member->restart - clock_monotonic(), 0));
    log_end(&line);
}

static void
note_culprit(const BoardDoing *doing)
{
    if (doing->plugin[0] != '\0')
        culprits_note(doing->plugin);
}

void
member_lost(Member *member, pid_t pid, int status)
{
    plan_restart(member);
    log_lost(member, pid, status);
    if (member->row >= 0) {
        note_culprit(&board_row(member->row)->doing);
        board_reset(member->row);
    }
    metrics_add(METRIC_WORKERS_LOST, 1);
}

static void
end_hung(const Member *member, int number, const char *why)
{
    log_event(FILTERD_LOG_WARNING, "watchdog", "worker %d %s", (int)member->pid,
              why);
    kill(member->pid, number);
}

static void
watch_loop(Member *member)
{
    uint64_t turns = board_row(member->row)->turns;
    member->still = turns == member->turns ? member->still + 1 : 0;
    member->turns = turns;
    if (member->still == GENERATION_PATIENCE)
        end_hung(member, SIGABRT, "hangs: its loop does not turn");
    else if (member->still == 2 * GENERATION_PATIENCE)
        end_hung(member, SIGKILL, "cannot be aborted");
}

void
member_watch(Member *member)
{
    if (member->pid == 0)
        return;
    if (member->ready && member->row >= 0)
        watch_loop(member);
    if (!member->ready
        && clock_monotonic() > member->started + GENERATION_START_TIME)
        end_hung(member, SIGKILL, "does not come up");
}

void
member_tell(const Member *member, WorkerCommand command)
{
    const char said = (char)command;
    if (member->pid != 0)
        send(member->control, &said, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
member_kill(const Member *member)
{
    if (member->pid != 0)
        kill(member->pid, SIGKILL);
}
