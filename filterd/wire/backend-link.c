/* backend-link.c: a worker's connections to one backend, and what it offers.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/backend-link.h"

#include "filterd/base/clock.h"
#include "filterd/base/log.h"

/* Kept open for the next client. */
#define IDLE_LIMIT 16

typedef struct Idle {
    SmtpClient *client;
    int64_t since;
} Idle;

struct BackendLink {
    const PolicyBackend *config;
    const char *helo;
    BackendHealth *health;
    FiberQueue *room;
    TlsContext *tls; /* NULL: off, or not to be had */
    GQueue idle;     /* Idle, the newest first */
    int64_t open, limit;
    SmtpExtensions extensions;
    unsigned heard; /* how often */
    unsigned epoch; /* of its health, when it last was */
    gboolean doubted;
};

/* ---- life --------------------------------------------------------------- */

static TlsContext *
new_context(const PolicyBackend *config)
{
    g_autoptr(GError) error = NULL;
    if (config->tls == POLICY_TLS_OFF)
        return NULL;
    TlsContext *context = smtp_client_tls_new(config, &error);
    if (context == NULL)
        log_event(FILTERD_LOG_WARNING, "backend", "%s", error->message);
    return context;
}

BackendLink *
backend_link_new(const PolicyBackend *config, const char *helo,
                 unsigned workers, FiberQueue *room)
{
    BackendLink *link = g_new0(BackendLink, 1);
    link->config = config;
    link->helo = helo;
    link->room = room;
    link->health = backend_health_enter(&config->endpoint);
    link->tls = new_context(config);
    link->limit = MAX(config->max_connections / MAX(workers, 1), 1);
    return link;
}

void
backend_link_free(BackendLink *link)
{
    backend_link_close_older(link, CLOCK_NEVER);
    backend_health_leave(link->health);
    smtp_extensions_clear(&link->extensions);
    g_clear_pointer(&link->tls, tls_context_free);
    g_free(link);
}

const PolicyBackend *
backend_link_config(const BackendLink *link)
{
    return link->config;
}

BackendHealth *
backend_link_health(const BackendLink *link)
{
    return link->health;
}

/* ---- idle ones ---------------------------------------------------------- */

static void
count_open(BackendLink *link, int change)
{
    link->open += change;
    backend_health_count_open(link->health, change);
    if (change < 0)
        fiber_queue_wake_all(link->room);
}

void
backend_link_close(BackendLink *link, SmtpClient *client)
{
    count_open(link, -1);
    smtp_client_quit(client);
}

void
backend_link_drop(BackendLink *link, SmtpClient *client)
{
    count_open(link, -1);
    smtp_client_free(client);
}

static void
close_oldest(BackendLink *link)
{
    g_autofree Idle *idle = g_queue_pop_tail(&link->idle);
    if (idle != NULL)
        backend_link_close(link, idle->client);
}

void
backend_link_close_older(BackendLink *link, int64_t since)
{
    const Idle *oldest;
    while ((oldest = g_queue_peek_tail(&link->idle)) != NULL
           && oldest->since <= since)
        close_oldest(link);
}

static SmtpClient *
pop_idle(BackendLink *link)
{
    Idle *idle;
    while ((idle = g_queue_pop_head(&link->idle)) != NULL) {
        SmtpClient *client = idle->client;
        g_free(idle);
        if (!smtp_client_stale(client))
            return client;
        backend_link_close(link, client);
    }
    return NULL;
}

gboolean
backend_link_full(const BackendLink *link)
{
    return link->open >= link->limit && link->idle.length == 0;
}

/* PROXY and its address bind a connection to one client; so does XCLIENT where
 * the backend does not let that client say it again, as Postfix. */
gboolean
backend_link_shares(const BackendLink *link, const SmtpClient *client)
{
    int identity = link->config->identity;
    if (link->config->source_client || smtp_client_bound(client))
        return FALSE;
    return identity == POLICY_IDENTITY_NONE
           || identity == POLICY_IDENTITY_XFORWARD
           || (identity == POLICY_IDENTITY_XCLIENT
               && smtp_client_extensions(client)->xclient != NULL);
}

void
backend_link_give(BackendLink *link, SmtpClient *client)
{
    if (!backend_link_shares(link, client) || link->idle.length >= IDLE_LIMIT
        || smtp_client_stale(client)) {
        backend_link_close(link, client);
        return;
    }
    smtp_client_rest(client);
    Idle *idle = g_new(Idle, 1);
    *idle = (Idle){client, clock_monotonic()};
    g_queue_push_head(&link->idle, idle);
    fiber_queue_wake_all(link->room);
}

/* ---- what it offers ----------------------------------------------------- */

const SmtpExtensions *
backend_link_extensions(const BackendLink *link)
{
    return &link->extensions;
}

unsigned
backend_link_heard(const BackendLink *link)
{
    return link->heard;
}

gboolean
backend_link_unheard(const BackendLink *link)
{
    return !link->extensions.known
           || link->epoch != backend_health_epoch(link->health);
}

static void
learn(BackendLink *link, const SmtpClient *client)
{
    smtp_extensions_copy(&link->extensions, smtp_client_extensions(client));
    link->epoch = backend_health_epoch(link->health);
    link->heard++;
}

/* ---- opening ------------------------------------------------------------ */

/* Whom TLS is offered to as a favour is spoken to without it where it fails. */
static SmtpClient *
connect_client(BackendLink *link, const SmtpIdentity *identity, GError **error)
{
    GError *problem = NULL;
    SmtpClient *client = smtp_client_open(link->config, link->tls, link->helo,
                                          identity, &problem);
    if (client == NULL && link->config->tls == POLICY_TLS_OPPORTUNISTIC
        && g_error_matches(problem, TLS_ERROR, TLS_ERROR_HANDSHAKE)) {
        log_event(FILTERD_LOG_WARNING, "backend", "%s; it goes on without",
                  problem->message);
        g_clear_error(&problem);
        client = smtp_client_open(link->config, NULL, link->helo, identity,
                                  &problem);
    }
    if (problem != NULL)
        g_propagate_error(error, problem);
    return client;
}

/* What fails for one client may be meant for it alone: nobody shall be able to
 * take a backend away from all others. */
static gboolean
is_its_fault(const BackendLink *link, const SmtpIdentity *identity,
             const GError *error)
{
    int how = link->config->identity;
    gboolean by_address = link->config->source_client;
    if (error->domain == ENDPOINT_ERROR)
        return FALSE;
    if (identity == NULL)
        return TRUE;
    if (error->domain == STREAM_CONNECT_ERROR)
        return !by_address || error->code != STREAM_TIMEOUT;
    return !by_address && how != POLICY_IDENTITY_PROXY_V1
           && how != POLICY_IDENTITY_PROXY_V2;
}

static void
note_failure(BackendLink *link, const SmtpIdentity *identity,
             const BackendFailure *failure, const GError *error)
{
    if (!fiber_cancelled() && is_its_fault(link, identity, error)) {
        backend_health_failed(link->health, failure);
        return;
    }
    backend_health_unclaim(link->health, failure->claimed);
    if (fiber_cancelled())
        return;
    backend_health_count_fault(link->health);
    link->doubted = TRUE;
}

static gboolean
make_room(BackendLink *link, GError **error)
{
    if (link->open >= link->limit)
        close_oldest(link);
    if (link->open < link->limit)
        return TRUE;
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_AGAIN,
                        "backend: max-connections are in use");
    return FALSE;
}

static SmtpClient *
open_client(BackendLink *link, const SmtpIdentity *identity, gboolean claimed,
            GError **error)
{
    g_autoptr(GError) problem = NULL;
    int64_t began = clock_monotonic();
    if (!make_room(link, error)) {
        backend_health_unclaim(link->health, claimed);
        return NULL;
    }
    count_open(link, 1);
    SmtpClient *client = connect_client(link, identity, &problem);
    if (client != NULL) {
        backend_health_worked(link->health, claimed);
        learn(link, client);
        return client;
    }
    const BackendFailure failure = {
        .claimed = claimed,
        .longest = link->config->health_interval,
        .took = clock_monotonic() - began,
        .why = problem->message,
    };
    note_failure(link, identity, &failure, problem);
    count_open(link, -1);
    g_propagate_error(error, g_steal_pointer(&problem));
    return NULL;
}

SmtpClient *
backend_link_take(BackendLink *link, const SmtpIdentity *identity,
                  gboolean fresh, gboolean claimed, GError **error)
{
    SmtpClient *client = fresh || claimed ? NULL : pop_idle(link);
    if (client != NULL && smtp_client_identify(client, identity, NULL))
        return client;
    if (client != NULL)
        backend_link_drop(link, client);
    client = open_client(link, identity, claimed, error);
    if (client == NULL || smtp_client_identify(client, identity, error))
        return client;
    backend_health_count_fault(link->health);
    backend_link_drop(link, client);
    return NULL;
}

SmtpClient *
backend_link_ask(BackendLink *link, gboolean claimed, GError **error)
{
    return open_client(link, NULL, claimed, error);
}

void
backend_link_doubt(BackendLink *link)
{
    link->doubted = TRUE;
}

gboolean
backend_link_take_doubt(BackendLink *link)
{
    gboolean doubted = link->doubted;
    link->doubted = FALSE;
    return doubted;
}
