/* generation.c: the processes that serve one configuration.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/generation.h"

#include "filterd/base/clock.h"
#include "filterd/base/log.h"
#include "filterd/process/board.h"
#include "filterd/process/isolated.h"
#include "filterd/process/observer.h"
#include "filterd/process/post.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct Generation {
    unsigned number;
    Configuration *configuration;
    Listeners *listeners;
    const char *memory_store;
    Member *members; /* workers, their plugins, then perhaps the observer */
    unsigned length;
    unsigned workers;
    int64_t since;
    gboolean served; /* all of them have, once */
    gboolean failed;
    gboolean leaving;
    int64_t end_at, kill_at;
};

/* ---- starting ----------------------------------------------------------- */

/* The sockets of that wire, or of all others. */
static GArray *
sockets_of(const Generation *generation, gboolean http)
{
    const GPtrArray *listens = generation->configuration->skeleton->listens;
    GArray *sockets = g_array_new(FALSE, FALSE, sizeof(int));
    unsigned length;
    const int *fds = listeners_fds(generation->listeners, &length);
    for (unsigned i = 0; i < length; i++) {
        const PolicyListen *listen = g_ptr_array_index(listens, i);
        if ((listen->wire == POLICY_HTTP) == http)
            g_array_append_val(sockets, fds[i]);
    }
    return sockets;
}

static const GPtrArray *
isolated_of(const Generation *generation)
{
    return generation->configuration->skeleton->isolated;
}

/* What a worker hears of its plugins by: its end is kept until it is forked. */
static int
open_post(const Generation *generation, Member *member, GArray *keep)
{
    int ends[2];
    if (isolated_of(generation)->len == 0 || !post_open(ends))
        return -1;
    member->post = ends[0];
    g_array_append_val(keep, ends[1]);
    return ends[1];
}

static void
start_worker(Generation *generation, Member *member)
{
    unsigned length;
    g_autoptr(GArray) keep = sockets_of(generation, FALSE);
    int post = open_post(generation, member, keep);
    WorkerStart worker = {
        .configuration = generation->configuration,
        .fds = listeners_fds(generation->listeners, &length),
        .row = member->row,
        .post = post,
        .workers = generation->workers,
        .index = member->index,
        .memory_store = generation->memory_store,
    };
    const ChildStart start = {
        .name = "filterd-worker",
        .privileges = &generation->configuration->privileges,
        .keep = (const int *)(const void *)keep->data,
        .kept = keep->len,
        .run = worker_run,
        .data = &worker,
    };
    member_start(member, &start);
    if (post >= 0)
        close(post);
}

/* Its end of the link goes with it, the other one to its worker. */
static void
start_linked(Generation *generation, Member *member, const int link[2])
{
    IsolatedStart isolated = {.plugin = member->isolated->plugin,
                              .name = member->isolated->name,
                              .memory = member->isolated->memory,
                              .fd = link[1]};
    Privileges privileges = generation->configuration->privileges;
    privileges.foreign = FALSE;
    const ChildStart start = {
        .name = "filterd-plugin",
        .privileges = &privileges,
        .keep = &link[1],
        .kept = 1,
        .run = isolated_exec,
        .data = &isolated,
    };
    if (member_start(member, &start))
        post_send(generation->members[member->index].post, member->place,
                  link[0]);
}

static void
start_plugin(Generation *generation, Member *member)
{
    int link[2];
    if (generation->members[member->index].pid == 0)
        return;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, link) != 0) {
        log_event(FILTERD_LOG_WARNING, "plugin", "%s: socketpair: %s",
                  member->isolated->name, g_strerror(errno));
        member->restart = clock_after(GENERATION_PLUGIN_PAUSE);
        return;
    }
    start_linked(generation, member, link);
    close(link[0]);
    close(link[1]);
}

static void
start_observer(Generation *generation, Member *member)
{
    unsigned length;
    g_autoptr(GArray) keep = sockets_of(generation, TRUE);
    ObserverStart observer = {
        .config = generation->configuration->skeleton,
        .fds = listeners_fds(generation->listeners, &length),
    };
    Privileges privileges = generation->configuration->privileges;
    privileges.foreign = FALSE;
    const ChildStart start = {
        .name = "filterd-observe",
        .privileges = &privileges,
        .keep = (const int *)(const void *)keep->data,
        .kept = keep->len,
        .run = observer_run,
        .data = &observer,
    };
    member_start(member, &start);
}

static void
start_member(Generation *generation, Member *member)
{
    static void (*const starts[])(Generation * generation, Member * member) = {
        [MEMBER_WORKER] = start_worker,
        [MEMBER_PLUGIN] = start_plugin,
        [MEMBER_OBSERVER] = start_observer,
    };
    starts[member->kind](generation, member);
}

static gboolean
has_observer(const Generation *generation)
{
    g_autoptr(GArray) sockets = sockets_of(generation, TRUE);
    return sockets->len > 0;
}

static void
init_member(Generation *generation, unsigned number)
{
    const GPtrArray *isolated = isolated_of(generation);
    unsigned workers = generation->workers, plugins = workers * isolated->len;
    Member *member = &generation->members[number];
    *member = (Member){.kind = MEMBER_WORKER,
                       .index = number,
                       .control = -1,
                       .row = -1,
                       .post = -1};
    if (number < workers) {
        member->row = board_take();
    } else if (number < workers + plugins) {
        member->kind = MEMBER_PLUGIN;
        member->index = (number - workers) / isolated->len;
        member->place = (number - workers) % isolated->len;
        member->isolated = g_ptr_array_index(isolated, member->place);
    } else {
        member->kind = MEMBER_OBSERVER;
    }
}

Generation *
generation_new(const GenerationStart *start)
{
    Generation *generation = g_new0(Generation, 1);
    generation->number = start->number;
    generation->since = clock_real();
    generation->configuration = start->configuration;
    generation->listeners = start->listeners;
    generation->memory_store = start->memory_store;
    generation->end_at = generation->kill_at = CLOCK_NEVER;
    generation->workers = configuration_workers(start->configuration->skeleton);
    generation->length =
        generation->workers * (1 + isolated_of(generation)->len)
        + (has_observer(generation) ? 1 : 0);
    generation->members = g_new0(Member, generation->length);
    for (unsigned i = 0; i < generation->length; i++) {
        init_member(generation, i);
        start_member(generation, &generation->members[i]);
    }
    return generation;
}

void
generation_free(Generation *generation)
{
    for (unsigned i = 0; i < generation->workers; i++)
        board_give(generation->members[i].row);
    g_free(generation->members);
    listeners_free(generation->listeners, NULL);
    configuration_free(generation->configuration);
    g_free(generation);
}

/* ---- looking ------------------------------------------------------------ */

unsigned
generation_number(const Generation *generation)
{
    return generation->number;
}

const Configuration *
generation_configuration(const Generation *generation)
{
    return generation->configuration;
}

const Listeners *
generation_listeners(const Generation *generation)
{
    return generation->listeners;
}

int64_t
generation_since(const Generation *generation)
{
    return generation->since;
}

int64_t
generation_left(const Generation *generation)
{
    int64_t at = MIN(generation->end_at, generation->kill_at);
    return at == CLOCK_NEVER ? -1 : MAX(at - clock_monotonic(), 0);
}

const Member *
generation_members(const Generation *generation, unsigned *length)
{
    *length = generation->length;
    return generation->members;
}

unsigned
generation_count(const Generation *generation)
{
    unsigned count = 0;
    for (unsigned i = 0; i < generation->length; i++)
        count += generation->members[i].pid != 0 ? 1 : 0;
    return count;
}

gboolean
generation_ready(const Generation *generation)
{
    return generation->served;
}

gboolean
generation_failed(const Generation *generation)
{
    return generation->failed;
}

void
generation_poll(const Generation *generation, GArray *polls)
{
    for (unsigned i = 0; i < generation->length; i++) {
        const Member *member = &generation->members[i];
        const struct pollfd one = {.fd = member->control, .events = POLLIN};
        const struct pollfd other = {.fd = member->post, .events = POLLIN};
        if (member_waits(member))
            g_array_append_val(polls, one);
        if (member->post >= 0)
            g_array_append_val(polls, other);
    }
}

/* It has no worker any more, which took its place along. */
static void
end_plugins(Generation *generation, unsigned worker)
{
    for (unsigned i = 0; i < generation->length; i++) {
        Member *member = &generation->members[i];
        if (member->kind == MEMBER_PLUGIN && member->index == worker) {
            member->orphan = TRUE;
            member_kill(member);
        }
    }
}

/* Whether it ended as it should. */
static gboolean
was_expected(const Generation *generation, const Member *member, int status)
{
    if (member->kind == MEMBER_PLUGIN)
        return member->orphan
               || (WIFEXITED(status) && WEXITSTATUS(status) == ISOLATED_LEFT);
    return generation->leaving;
}

static void
reap(Generation *generation, Member *member)
{
    int status;
    pid_t pid;
    if (!member_reap(member, &pid, &status))
        return;
    if (!was_expected(generation, member, status))
        member_lost(member, pid, status);
    else if (generation->leaving)
        member->restart = CLOCK_NEVER;
    else if (member->kind == MEMBER_PLUGIN)
        member_plan(member);
    member->orphan = FALSE;
    if (member->kind == MEMBER_WORKER)
        end_plugins(generation, member->index);
}

/* Also while it drains plugins are wanted, as long as their workers live. */
static gboolean
is_wanted(const Generation *generation, const Member *member)
{
    if (!generation->leaving)
        return TRUE;
    return member->kind == MEMBER_PLUGIN && generation->kill_at == CLOCK_NEVER
           && generation->members[member->index].pid != 0;
}

/* Plugins that lied to their worker, or do not start. */
static void
hear_of_plugins(Generation *generation, const Member *worker)
{
    guint32 place;
    int unused;
    while (worker->post >= 0 && post_take(worker->post, &place, &unused)) {
        if (unused >= 0)
            close(unused);
        for (unsigned i = 0; i < generation->length; i++) {
            Member *member = &generation->members[i];
            if (member->kind == MEMBER_PLUGIN && member->index == worker->index
                && member->place == place)
                member_end(member, "its worker has no use for it");
        }
    }
}

static void
look_at(Generation *generation, Member *member)
{
    member_hear(member);
    hear_of_plugins(generation, member);
    reap(generation, member);
    if (member->pid != 0 || !is_wanted(generation, member))
        return;
    if (!generation->served)
        generation->failed = TRUE;
    else if (clock_monotonic() >= member->restart)
        start_member(generation, member);
}

void
generation_look(Generation *generation)
{
    unsigned ready = 0;
    for (unsigned i = 0; i < generation->length; i++) {
        look_at(generation, &generation->members[i]);
        ready += generation->members[i].ready ? 1 : 0;
    }
    if (ready == generation->length)
        generation->served = TRUE;
}

void
generation_tick(Generation *generation)
{
    int64_t now = clock_monotonic();
    for (unsigned i = 0; i < generation->length; i++)
        member_watch(&generation->members[i]);
    if (now >= generation->end_at)
        generation_end(generation);
    for (unsigned i = 0; now >= generation->kill_at && i < generation->length;
         i++)
        member_kill(&generation->members[i]);
}

/* ---- leaving ------------------------------------------------------------ */

static void
tell_all(Generation *generation, WorkerCommand command)
{
    for (unsigned i = 0; i < generation->length; i++)
        member_tell(&generation->members[i], command);
}

void
generation_drain(Generation *generation, int64_t patience,
                 const Listeners *successor)
{
    generation->leaving = TRUE;
    generation->end_at = clock_after(patience);
    tell_all(generation, WORKER_DRAIN);
    listeners_free(generation->listeners, successor);
    generation->listeners = NULL;
}

static gboolean
is_silent(const Member *member)
{
    return member->kind == MEMBER_WORKER && member->pid != 0 && !member->drains;
}

gboolean
generation_drains(const Generation *generation)
{
    for (unsigned i = 0; i < generation->length; i++)
        if (is_silent(&generation->members[i]))
            return FALSE;
    return TRUE;
}

void
generation_blame(const Generation *generation)
{
    for (unsigned i = 0; i < generation->length; i++) {
        const Member *member = &generation->members[i];
        if (is_silent(member))
            log_event(FILTERD_LOG_WARNING, "worker",
                      "%d of generation %u does not say that it drains: it "
                      "may still take connections",
                      (int)member->pid, generation->number);
    }
}

void
generation_end(Generation *generation)
{
    generation->leaving = TRUE;
    generation->end_at = CLOCK_NEVER;
    if (generation->kill_at == CLOCK_NEVER)
        generation->kill_at = clock_after(GENERATION_END_TIME);
    tell_all(generation, WORKER_END);
}
