/* generation.c: the processes that serve one configuration.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/generation.h"

#include "filterd/base/clock.h"
#include "filterd/base/log.h"
#include "filterd/process/board.h"
#include "filterd/process/member.h"
#include "filterd/process/observer.h"

#include <poll.h>

struct Generation {
    unsigned number;
    Configuration *configuration;
    Listeners *listeners;
    const char *memory_store;
    Member *members; /* workers, then perhaps the observer */
    unsigned length;
    unsigned workers;
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

static void
start_worker(Generation *generation, Member *member)
{
    unsigned length;
    g_autoptr(GArray) keep = sockets_of(generation, FALSE);
    WorkerStart worker = {
        .configuration = generation->configuration,
        .fds = listeners_fds(generation->listeners, &length),
        .row = member->row,
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
    if (member->row >= 0)
        start_worker(generation, member);
    else
        start_observer(generation, member);
}

static gboolean
has_observer(const Generation *generation)
{
    g_autoptr(GArray) sockets = sockets_of(generation, TRUE);
    return sockets->len > 0;
}

Generation *
generation_new(const GenerationStart *start)
{
    Generation *generation = g_new0(Generation, 1);
    generation->number = start->number;
    generation->configuration = start->configuration;
    generation->listeners = start->listeners;
    generation->memory_store = start->memory_store;
    generation->end_at = generation->kill_at = CLOCK_NEVER;
    generation->workers = configuration_workers(start->configuration->skeleton);
    generation->length =
        generation->workers + (has_observer(generation) ? 1 : 0);
    generation->members = g_new0(Member, generation->length);
    for (unsigned i = 0; i < generation->length; i++) {
        Member *member = &generation->members[i];
        member->index = i;
        member->row = i < generation->workers ? board_take() : -1;
        start_member(generation, member);
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
        if (member_waits(member))
            g_array_append_val(polls, one);
    }
}

static void
look_at(Generation *generation, Member *member)
{
    int status;
    pid_t pid;
    member_hear(member);
    if (member_reap(member, &pid, &status) && !generation->leaving)
        member_lost(member, pid, status);
    if (member->pid != 0 || generation->leaving)
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

void
generation_end(Generation *generation)
{
    generation->leaving = TRUE;
    generation->end_at = CLOCK_NEVER;
    if (generation->kill_at == CLOCK_NEVER)
        generation->kill_at = clock_after(GENERATION_END_TIME);
    tell_all(generation, WORKER_END);
}
