/* acceptor.c: takes connections off a listening socket, a fiber for each.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/acceptor.h"

#include "filterd/base/fiber.h"
#include "filterd/base/log.h"
#include "filterd/base/loop.h"
#include "filterd/base/metrics.h"
#include "filterd/base/visitors.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections taken before others get their turn. */
#define BATCH 32
/* Out of descriptors: no new connection for so long. */
#define PAUSE_SECONDS 1
/* One of so many descriptors is for those that are in: to reach the backend,
 * the DNS, the spool. */
#define RESERVE 8
/* Those over the limit that are told so; others are just closed. */
#define REFUSED_LIMIT 64
/* Between two lines about a limit. */
#define TELL_PAUSE 60000

typedef struct Slot {
    SmtpConnection connection;
    Acceptor *acceptor;
    unsigned seat; /* among those of this listener */
    Fiber *fiber;
    GList link;
} Slot;

struct Acceptor {
    SmtpService *service;
    int fd;
    struct event *ready, *resume, *grace;
    GQueue slots;
    unsigned refused;
    int64_t told, told_full;
    FilterdIp key;   /* of the listener, among the visitors */
    int descriptors; /* from that one on they are the reserve */
};

/* What counts as a session, or as one that is refused. */
static void
count_slot(const Slot *slot, int change)
{
    if (slot->connection.refused)
        slot->acceptor->refused += (unsigned)change;
    else
        metrics_add(METRIC_SESSIONS, change);
}

static void
slot_free(Slot *slot)
{
    visitors_leave(slot->seat);
    endpoint_clear(&slot->connection.peer);
    g_free(slot);
}

static void
run(void *data)
{
    Slot *slot = data;
    Acceptor *acceptor = slot->acceptor;
    if (acceptor->service->serve != NULL)
        acceptor->service->serve(&slot->connection);
    else
        smtp_server_run(&slot->connection);
    g_queue_unlink(&acceptor->slots, &slot->link);
    count_slot(slot, -1);
    fiber_detach(slot->fiber);
    slot_free(slot);
}

FilterdIp
acceptor_key(const PolicyListen *listen)
{
    FilterdIp key = {.prefix = G_MAXUINT8};
    gsize size = sizeof key.bytes;
    g_autofree char *name = endpoint_format(&listen->endpoint);
    g_autoptr(GChecksum) digest = g_checksum_new(G_CHECKSUM_MD5);
    g_checksum_update(digest, (const guchar *)name, -1);
    g_checksum_get_digest(digest, key.bytes, &size);
    return key;
}

static gboolean
over_limit(const Acceptor *acceptor, unsigned seat)
{
    VisitorCounts counts;
    const PolicyListen *listen = acceptor->service->listen;
    const PolicySettings *settings =
        &engine_config(acceptor->service->engine)->settings;
    visitors_count(seat, &counts);
    return metrics_sum(METRIC_SESSIONS) >= settings->max_sessions
           || (listen->max_sessions > 0
               && (counts.sessions > listen->max_sessions
                   || acceptor->slots.length - acceptor->refused
                          >= listen->max_sessions));
}

static void
note_refused(Acceptor *acceptor, const Endpoint *peer)
{
    LogLine line;
    char ip[IP_TEXT_SIZE];
    metrics_add(METRIC_LIMITED, 1);
    if (!log_allow(&acceptor->told_full, TELL_PAUSE))
        return;
    log_begin(&line, FILTERD_LOG_WARNING, "limited");
    log_text(&line, "client", ip_format(&peer->ip, ip));
    log_text(&line, "limit", "max-sessions");
    log_int(&line, "count", metrics_sum(METRIC_SESSIONS));
    log_end(&line);
}

/* Out of descriptors or memory: waiting connections stay in the kernel. */
static void
pause_for(Acceptor *acceptor, int reason)
{
    struct timeval pause = {.tv_sec = PAUSE_SECONDS};
    event_del(acceptor->ready);
    event_add(acceptor->resume, &pause);
    if (log_allow(&acceptor->told, TELL_PAUSE))
        log_event(FILTERD_LOG_WARNING, "accept", "%s", g_strerror(reason));
}

/* It is told what can be told without waiting. */
static void
turn_away(Acceptor *acceptor, int fd, int reason)
{
    static const char reply[] =
        "421 4.3.2 too many sessions; try again later\r\n";
    metrics_add(METRIC_LIMITED, 1);
    if (acceptor->service->serve == NULL
        && acceptor->service->listen->tls != POLICY_TLS_IMPLICIT)
        (void)!send(fd, reply, sizeof reply - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    close(fd);
    pause_for(acceptor, reason);
}

/* FALSE: no memory for one more session; the connection is the caller's. */
static gboolean
start(Acceptor *acceptor, int fd, const Endpoint *peer)
{
    Slot *slot = g_new0(Slot, 1);
    slot->acceptor = acceptor;
    slot->seat = visitors_enter(&acceptor->key);
    slot->connection =
        (SmtpConnection){.service = acceptor->service, .fd = fd, .peer = *peer};
    if (over_limit(acceptor, slot->seat)) {
        slot->connection.refused = TRUE;
        visitors_leave(slot->seat);
        slot->seat = 0;
        note_refused(acceptor, peer);
    }
    if (slot->connection.refused && acceptor->refused >= REFUSED_LIMIT) {
        close(fd);
        slot_free(slot);
        return TRUE;
    }
    slot->fiber = fiber_try_start("smtp", run, slot);
    if (slot->fiber == NULL) {
        slot_free(slot);
        return FALSE;
    }
    count_slot(slot, 1);
    slot->link.data = slot;
    g_queue_push_tail_link(&acceptor->slots, &slot->link);
    return TRUE;
}

static gboolean
take_one(Acceptor *acceptor)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    Endpoint peer = {0};
    int fd = accept4(acceptor->fd, (struct sockaddr *)&address, &size,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= acceptor->descriptors) {
        turn_away(acceptor, fd, EMFILE);
        return FALSE;
    }
    if (fd >= 0) {
        gboolean known =
            endpoint_from_sockaddr((struct sockaddr *)&address, size, &peer);
        if (!known)
            close(fd);
        gboolean full = known && !start(acceptor, fd, &peer);
        if (full)
            turn_away(acceptor, fd, ENOMEM);
        return !full;
    }
    int reason = errno;
    if (reason == EMFILE || reason == ENFILE || reason == ENOBUFS
        || reason == ENOMEM)
        pause_for(acceptor, reason);
    return reason == ECONNABORTED || reason == EINTR;
}

static void
on_ready(evutil_socket_t fd, short events, void *data)
{
    (void)fd;
    (void)events;
    for (unsigned i = 0; i < BATCH && take_one(data); i++)
        continue;
}

static void
on_resume(evutil_socket_t fd, short events, void *data)
{
    (void)fd;
    (void)events;
    Acceptor *acceptor = data;
    event_add(acceptor->ready, NULL);
}

/* A cancelled fiber could not say goodbye; one that reads the end can. */
static void
end_idle(Acceptor *acceptor)
{
    gboolean all = acceptor->service->expired;
    for (GList *link = acceptor->slots.head; link != NULL; link = link->next) {
        const Slot *slot = link->data;
        if (all
            || (slot->connection.idle
                && smtp_connection_may_end(&slot->connection)))
            shutdown(slot->connection.fd, SHUT_RD);
    }
}

static void
on_grace(evutil_socket_t fd, short events, void *data)
{
    (void)fd;
    (void)events;
    end_idle(data);
}

int
acceptor_room(void)
{
    struct rlimit files = {.rlim_cur = RLIM_INFINITY};
    getrlimit(RLIMIT_NOFILE, &files);
    rlim_t most = MIN(files.rlim_cur, (rlim_t)G_MAXINT);
    return (int)(most - most / RESERVE);
}

Acceptor *
acceptor_new(SmtpService *service, int fd)
{
    Acceptor *acceptor = g_new0(Acceptor, 1);
    acceptor->service = service;
    acceptor->fd = fd;
    acceptor->descriptors = acceptor_room();
    acceptor->key = acceptor_key(service->listen);
    acceptor->ready =
        event_new(loop_base(), fd, EV_READ | EV_PERSIST, on_ready, acceptor);
    acceptor->resume = evtimer_new(loop_base(), on_resume, acceptor);
    acceptor->grace = evtimer_new(loop_base(), on_grace, acceptor);
    event_add(acceptor->ready, NULL);
    return acceptor;
}

/* Those whose reply was to come late get it now. */
static void
hurry(const Acceptor *acceptor)
{
    for (GList *link = acceptor->slots.head; link != NULL; link = link->next) {
        const Slot *slot = link->data;
        if (slot->connection.waits)
            fiber_wake(slot->fiber);
    }
}

void
acceptor_free(Acceptor *acceptor)
{
    g_assert(acceptor->slots.length == 0);
    event_free(acceptor->ready);
    event_free(acceptor->resume);
    event_free(acceptor->grace);
    g_free(acceptor);
}

void
acceptor_drain(Acceptor *acceptor)
{
    const struct timeval grace = {.tv_sec = SMTP_FIRST_GRACE / 1000,
                                  .tv_usec = 1000};
    event_del(acceptor->ready);
    event_del(acceptor->resume);
    acceptor->service->draining = TRUE;
    hurry(acceptor);
    end_idle(acceptor);
    event_add(acceptor->grace, &grace);
}

void
acceptor_expire(Acceptor *acceptor)
{
    acceptor->service->expired = TRUE;
    hurry(acceptor);
    end_idle(acceptor);
}

void
acceptor_cancel(Acceptor *acceptor)
{
    for (GList *link = acceptor->slots.head; link != NULL; link = link->next)
        fiber_cancel(((const Slot *)link->data)->fiber);
}

unsigned
acceptor_sessions(const Acceptor *acceptor)
{
    return acceptor->slots.length;
}
