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
#include "filterd/process/isolated.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char over_memory[] = "it is over its isolation-memory";

/* The first time at once, then after one unit, two, four … */
static int64_t
pause_after(unsigned losses, int64_t unit, int64_t most)
{
    if (losses <= 1)
        return 0;
    return MIN(unit << MIN(losses - 2, 10), most);
}

/* A plugin costs only itself: it is there again soon. */
void
member_plan(Member *member)
{
    gboolean plugin = member->kind == MEMBER_PLUGIN;
    gboolean young = clock_monotonic() < member->started
                                             + (plugin ? GENERATION_PLUGIN_YOUNG
                                                       : GENERATION_YOUNG);
    member->losses = young ? member->losses + 1 : 1;
    member->restart = clock_after(
        plugin ? pause_after(member->losses, 100, GENERATION_PLUGIN_PAUSE)
               : pause_after(member->losses, 1000, GENERATION_PAUSE));
}

gboolean
member_start(Member *member, const ChildStart *start)
{
    g_autoptr(GError) error = NULL;
    member->started = clock_monotonic();
    member->ready = member->told = member->drains = FALSE;
    member->still = 0;
    member->reason = NULL;
    member->base = 0;
    member->doing = (BoardDoing){0};
    pid_t pid = child_start(start, &member->control, &error);
    if (pid > 0) {
        member->pid = pid;
        return TRUE;
    }
    member->control = -1;
    member_plan(member);
    log_event(FILTERD_LOG_WARNING, "worker", "%s", error->message);
    return FALSE;
}

gboolean
member_waits(const Member *member)
{
    gboolean silent =
        member->kind == MEMBER_WORKER && member->told && !member->drains;
    return member->pid != 0 && (!member->ready || silent);
}

/* What a plugin's process says is not to be trusted: it is looked at no
 * further than it goes, and texts end. */
static void
hear_plugin(Member *member, const char *said, gsize length)
{
    for (gsize i = 0; i < length; i++)
        if (said[i] == ISOLATED_BEAT) {
            member->beats++;
        } else if (said[i] == WORKER_READY) {
            member->ready = TRUE;
        } else if (said[i] == ISOLATED_CRASH
                   && length - i > sizeof member->doing) {
            memcpy(&member->doing, said + i + 1, sizeof member->doing);
            member->doing.plugin[BOARD_TEXT - 1] = '\0';
            member->doing.hook[BOARD_TEXT - 1] = '\0';
            member->doing.session[BOARD_TEXT - 1] = '\0';
            return;
        }
}

static void
hear_worker(Member *member, const char *said, gsize length)
{
    member->ready |= memchr(said, WORKER_READY, length) != NULL;
    member->drains |= memchr(said, WORKER_DRAINS, length) != NULL;
}

void
member_hear(Member *member)
{
    char said[1024];
    if (member->pid == 0
        || (member->kind != MEMBER_PLUGIN && !member_waits(member)))
        return;
    ssize_t length = recv(member->control, said, sizeof said, MSG_DONTWAIT);
    if (length > 0 && member->kind == MEMBER_PLUGIN)
        hear_plugin(member, said, (gsize)length);
    else if (length > 0)
        hear_worker(member, said, (gsize)length);
}

/* Who wanted more than there is may have died of it before it was seen. */
static void
note_peak(Member *member, int64_t peak)
{
    if (member->kind == MEMBER_PLUGIN && member->reason == NULL
        && member->base != 0 && peak > member->base + member->isolated->memory)
        member->reason = over_memory;
}

gboolean
member_reap(Member *member, pid_t *pid, int *status)
{
    struct rusage used;
    if (member->pid == 0 || wait4(member->pid, status, WNOHANG, &used) <= 0)
        return FALSE;
    member_hear(member);
    note_peak(member, (int64_t)used.ru_maxrss * 1024);
    *pid = member->pid;
    close(member->control);
    member->control = -1;
    if (member->post >= 0)
        close(member->post);
    member->post = -1;
    member->pid = 0;
    return TRUE;
}

static void
log_doing(LogLine *line, const BoardDoing *doing, gboolean plugin)
{
    if (plugin)
        log_text(line, "plugin",
                 doing->plugin[0] != '\0' ? doing->plugin : NULL);
    log_text(line, "hook", doing->hook[0] != '\0' ? doing->hook : NULL);
    log_text(line, "session",
             doing->session[0] != '\0' ? doing->session : NULL);
}

static void
log_lost(const Member *member, pid_t pid, int status)
{
    LogLine line;
    gboolean plugin = member->kind == MEMBER_PLUGIN;
    const BoardDoing *doing = plugin ? &member->doing : NULL;
    if (plugin)
        log_begin(&line, FILTERD_LOG_WARNING, "plugin-lost");
    else
        log_begin(&line, FILTERD_LOG_WARNING, "worker-lost");
    log_int(&line, "pid", pid);
    if (WIFSIGNALED(status)) {
        log_text(&line, "signal", sigabbrev_np(WTERMSIG(status)));
        log_text(&line, "core", WCOREDUMP(status) ? "yes" : NULL);
    } else {
        log_int(&line, "exit", WEXITSTATUS(status));
    }
    log_text(&line, "reason", member->reason);
    if (member->row >= 0)
        doing = &board_row(member->row)->doing;
    log_text(&line, "plugin", plugin ? member->isolated->name : NULL);
    if (doing != NULL)
        log_doing(&line, doing, !plugin);
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
    member->lost++;
    member_plan(member);
    log_lost(member, pid, status);
    if (member->row >= 0) {
        note_culprit(&board_row(member->row)->doing);
        board_reset(member->row);
    }
    metrics_add(member->kind == MEMBER_PLUGIN ? METRIC_PLUGINS_LOST
                                              : METRIC_WORKERS_LOST,
                1);
}

static void
end_hung(Member *member, int number, const char *why)
{
    LogLine line;
    g_autofree char *text = g_strdup_printf(
        "%s %d %s",
        member->kind == MEMBER_PLUGIN ? "the process of a plugin" : "worker",
        (int)member->pid, why);
    log_begin(&line, FILTERD_LOG_WARNING, "watchdog");
    if (member->kind == MEMBER_PLUGIN)
        log_text(&line, "plugin", member->isolated->name);
    if (member->row >= 0)
        log_doing(&line, &board_row(member->row)->doing, TRUE);
    log_text(&line, "text", text);
    log_end(&line);
    member->reason = why;
    kill(member->pid, number);
}

static void
watch_loop(Member *member, uint64_t turns)
{
    member->still = turns == member->turns ? member->still + 1 : 0;
    member->turns = turns;
    if (member->still == GENERATION_PATIENCE)
        end_hung(member, SIGABRT, "hangs: its loop does not turn");
    else if (member->still == 2 * GENERATION_PATIENCE)
        end_hung(member, SIGKILL, "cannot be aborted");
}

int64_t
member_memory(const Member *member)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/statm", (int)member->pid);
    g_autofree char *text = NULL;
    long long pages = 0;
    if (!g_file_get_contents(path, &text, NULL, NULL)
        || sscanf(text, "%*s %lld", &pages) != 1)
        return 0;
    return pages * sysconf(_SC_PAGESIZE);
}

static void
watch_memory(Member *member)
{
    int64_t now = member_memory(member);
    if (member->base == 0)
        member->base = now;
    if (now > member->base + member->isolated->memory)
        member_end(member, over_memory);
}

void
member_watch(Member *member)
{
    if (member->pid == 0)
        return;
    if (member->ready && member->kind == MEMBER_WORKER)
        watch_loop(member, board_row(member->row)->turns);
    if (member->ready && member->kind == MEMBER_PLUGIN) {
        watch_loop(member, member->beats);
        watch_memory(member);
    }
    if (!member->ready
        && clock_monotonic() > member->started + GENERATION_START_TIME)
        end_hung(member, SIGKILL, "does not come up");
}

void
member_tell(Member *member, WorkerCommand command)
{
    const char said = (char)command;
    member->told = TRUE;
    if (member->pid != 0)
        send(member->control, &said, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
member_kill(const Member *member)
{
    if (member->pid != 0)
        kill(member->pid, SIGKILL);
}

void
member_end(Member *member, const char *reason)
{
    member->reason = reason;
    member_kill(member);
}
