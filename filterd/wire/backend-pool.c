/* backend-pool.c: a worker's connections to its backends.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/backend-pool.h"

#include "filterd/base/clock.h"
#include "filterd/base/fiber.h"
#include "filterd/base/log.h"

/* Kept open for the next client; and how long. */
#define IDLE_LIMIT 16
#define IDLE_TIME 30000
#define SWEEP_PAUSE 5000
/* Between two questions for extensions that nobody answered; and how long an
 * EHLO waits for the answer. */
#define PROBE_PAUSE 1000
#define PROBE_WAIT 2000
/* How long somebody waits for one of max-connections to become free. */
#define ROOM_WAIT 10000

typedef struct Idle {
    SmtpClient *client;
    int64_t since;
} Idle;

typedef struct Backend {
    BackendPool *pool;
    const PolicyBackend *config;
    TlsContext *tls; /* NULL: off, or not to be had */
    GQueue idle;     /* Idle, the newest first */
    int64_t open, limit;
    SmtpExtensions extensions;
} Backend;

struct BackendPool {
    char *helo;
    GPtrArray *backends; /* Backend, by priority */
    SmtpExtensions common;
    int64_t probed;
    Fiber *prober; /* while it asks */
    gboolean probing;
    FiberQueue curious; /* who waits for it */
    FiberQueue room;    /* who waits for a connection to end or come back */
    Fiber *sweeper;
};

/* ---- idle ones ---------------------------------------------------------- */

static void
count_out(Backend *backend)
{
    backend->open--;
    fiber_queue_wake_all(&backend->pool->room);
}

static void
close_client(Backend *backend, SmtpClient *client)
{
    count_out(backend);
    smtp_client_quit(client);
}

static void
close_oldest(Backend *backend)
{
    g_autofree Idle *idle = g_queue_pop_tail(&backend->idle);
    if (idle != NULL)
        close_client(backend, idle->client);
}

static void
close_older(Backend *backend, int64_t since)
{
    const Idle *oldest;
    while ((oldest = g_queue_peek_tail(&backend->idle)) != NULL
           && oldest->since <= since)
        close_oldest(backend);
}

static void
sweep(void *data)
{
    BackendPool *pool = data;
    while (fiber_sleep(SWEEP_PAUSE) != FIBER_CANCELLED)
        for (unsigned i = 0; i < pool->backends->len; i++)
            close_older(g_ptr_array_index(pool->backends, i),
                        clock_monotonic() - IDLE_TIME);
}

static SmtpClient *
pop_idle(Backend *backend)
{
    Idle *idle;
    while ((idle = g_queue_pop_head(&backend->idle)) != NULL) {
        SmtpClient *client = idle->client;
        g_free(idle);
        if (!smtp_client_stale(client))
            return client;
        close_client(backend, client);
    }
    return NULL;
}

/* ---- life --------------------------------------------------------------- */

static int
by_priority(const void *a, const void *b)
{
    const Backend *const *first = a, *const *second = b;
    int64_t difference =
        (*first)->config->priority - (*second)->config->priority;
    return difference < 0 ? -1 : difference > 0;
}

static void
backend_free(void *data)
{
    Backend *backend = data;
    close_older(backend, CLOCK_NEVER);
    smtp_extensions_clear(&backend->extensions);
    g_clear_pointer(&backend->tls, tls_context_free);
    g_free(backend);
}

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

BackendPool *
backend_pool_new(const PolicyConfig *config, const char *helo, unsigned workers)
{
    BackendPool *pool = g_new0(BackendPool, 1);
    pool->helo = g_strdup(helo);
    pool->probed = -PROBE_PAUSE;
    pool->backends = g_ptr_array_new_with_free_func(backend_free);
    for (unsigned i = 0; i < config->backends->len; i++) {
        Backend *backend = g_new0(Backend, 1);
        backend->pool = pool;
        backend->config = g_ptr_array_index(config->backends, i);
        backend->tls = new_context(backend->config);
        backend->limit =
            MAX(backend->config->max_connections / MAX(workers, 1), 1);
        g_ptr_array_add(pool->backends, backend);
    }
    g_ptr_array_sort(pool->backends, by_priority);
    pool->sweeper = fiber_start("backend sweep", sweep, pool);
    return pool;
}

static void
end_fiber(Fiber *fiber)
{
    if (fiber == NULL)
        return;
    fiber_cancel(fiber);
    fiber_join(fiber);
}

void
backend_pool_free(BackendPool *pool)
{
    end_fiber(pool->sweeper);
    end_fiber(pool->prober);
    g_ptr_array_unref(pool->backends);
    smtp_extensions_clear(&pool->common);
    g_free(pool->helo);
    g_free(pool);
}

/* ---- what they offer ---------------------------------------------------- */

static void
intersect(SmtpExtensions *common, const SmtpExtensions *one)
{
    if (!common->known) {
        smtp_extensions_copy(common, one);
        return;
    }
    common->passed &= one->passed;
    common->size &= one->size;
    if (one->size_limit != 0
        && (common->size_limit == 0 || one->size_limit < common->size_limit))
        common->size_limit = one->size_limit;
    if (one->max_recipients != 0
        && (common->max_recipients == 0
            || one->max_recipients < common->max_recipients))
        common->max_recipients = one->max_recipients;
}

static void
learn(BackendPool *pool, Backend *backend, const SmtpClient *client)
{
    smtp_extensions_copy(&backend->extensions, smtp_client_extensions(client));
    smtp_extensions_clear(&pool->common);
    for (unsigned i = 0; i < pool->backends->len; i++) {
        const Backend *one = g_ptr_array_index(pool->backends, i);
        if (one->extensions.known)
            intersect(&pool->common, &one->extensions);
    }
}

/* ---- taking and giving -------------------------------------------------- */

/* Whom TLS is offered to as a favour is spoken to without it where it fails. */
static SmtpClient *
connect_client(BackendPool *pool, Backend *backend,
               const SmtpIdentity *identity, GError **error)
{
    GError *problem = NULL;
    SmtpClient *client = smtp_client_open(backend->config, backend->tls,
                                          pool->helo, identity, &problem);
    if (client == NULL && backend->config->tls == POLICY_TLS_OPPORTUNISTIC
        && g_error_matches(problem, TLS_ERROR, TLS_ERROR_HANDSHAKE)) {
        log_event(FILTERD_LOG_WARNING, "backend", "%s; it goes on without",
                  problem->message);
        g_clear_error(&problem);
        client = smtp_client_open(backend->config, NULL, pool->helo, identity,
                                  &problem);
    }
    if (problem != NULL)
        g_propagate_error(error, problem);
    return client;
}

static SmtpClient *
open_client(BackendPool *pool, Backend *backend, const SmtpIdentity *identity,
            GError **error)
{
    if (backend->open >= backend->limit)
        close_oldest(backend);
    if (backend->open >= backend->limit) {
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_AGAIN,
                            "backend: max-connections are in use");
        return NULL;
    }
    backend->open++;
    SmtpClient *client = connect_client(pool, backend, identity, error);
    if (client == NULL)
        count_out(backend);
    else
        learn(pool, backend, client);
    return client;
}

static SmtpClient *
take_from(BackendPool *pool, Backend *backend, const SmtpIdentity *identity,
          gboolean fresh, GError **error)
{
    SmtpClient *client = fresh ? NULL : pop_idle(backend);
    if (client != NULL && smtp_client_identify(client, identity, NULL))
        return client;
    if (client != NULL)
        backend_pool_drop(pool, client);
    client = open_client(pool, backend, identity, error);
    if (client == NULL || smtp_client_identify(client, identity, error))
        return client;
    backend_pool_drop(pool, client);
    return NULL;
}

static SmtpClient *
take_any(BackendPool *pool, const SmtpIdentity *identity, gboolean fresh,
         GError **error)
{
    SmtpClient *client = NULL;
    for (unsigned i = 0; client == NULL && i < pool->backends->len; i++) {
        g_clear_error(error);
        client = take_from(pool, g_ptr_array_index(pool->backends, i), identity,
                           fresh, error);
    }
    return client;
}

static gboolean
any_full(const BackendPool *pool)
{
    for (unsigned i = 0; i < pool->backends->len; i++) {
        const Backend *backend = g_ptr_array_index(pool->backends, i);
        if (backend->open >= backend->limit)
            return TRUE;
    }
    return FALSE;
}

SmtpClient *
backend_pool_take(BackendPool *pool, const SmtpIdentity *identity,
                  gboolean fresh, GError **error)
{
    int64_t deadline = clock_after(ROOM_WAIT);
    if (pool->backends->len == 0)
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                            "there is no backend");
    SmtpClient *client = take_any(pool, identity, fresh, error);
    while (client == NULL && any_full(pool)
           && fiber_queue_wait(&pool->room, deadline) == FIBER_WOKEN)
        client = take_any(pool, identity, fresh, error);
    return client;
}

static Backend *
backend_of(BackendPool *pool, const SmtpClient *client)
{
    for (unsigned i = 0; i < pool->backends->len; i++) {
        Backend *backend = g_ptr_array_index(pool->backends, i);
        if (backend->config == smtp_client_backend(client))
            return backend;
    }
    g_assert_not_reached();
}

/* PROXY binds a connection to one client; so does XCLIENT where
 * the backend does not let that client say it again, as Postfix. */
gboolean
backend_pool_shares(BackendPool *pool, const SmtpClient *client)
{
    int identity = backend_of(pool, client)->config->identity;
    return identity == POLICY_IDENTITY_NONE
           || identity == POLICY_IDENTITY_XFORWARD
           || (identity == POLICY_IDENTITY_XCLIENT
               && smtp_client_extensions(client)->xclient != NULL);
}

void
backend_pool_give(BackendPool *pool, SmtpClient *client)
{
    Backend *backend = backend_of(pool, client);
    if (!backend_pool_shares(pool, client) || backend->idle.length >= IDLE_LIMIT
        || smtp_client_stale(client)) {
        close_client(backend, client);
        return;
    }
    smtp_client_rest(client);
    Idle *idle = g_new(Idle, 1);
    *idle = (Idle){client, clock_monotonic()};
    g_queue_push_head(&backend->idle, idle);
    fiber_queue_wake_all(&pool->room);
}

void
backend_pool_drop(BackendPool *pool, SmtpClient *client)
{
    count_out(backend_of(pool, client));
    smtp_client_free(client);
}

/* ---- asking ------------------------------------------------------------- */

static void
probe(void *data)
{
    BackendPool *pool = data;
    for (unsigned i = 0; i < pool->backends->len; i++) {
        Backend *backend = g_ptr_array_index(pool->backends, i);
        if (backend->extensions.known)
            continue;
        SmtpClient *client = open_client(pool, backend, NULL, NULL);
        if (client != NULL)
            backend_pool_give(pool, client);
    }
    pool->probed = clock_monotonic();
    pool->probing = FALSE;
    fiber_queue_wake_all(&pool->curious);
}

static void
start_probe(BackendPool *pool)
{
    pool->probing = TRUE;
    if (pool->prober != NULL)
        fiber_join(pool->prober);
    pool->prober = fiber_start("backend probe", probe, pool);
}

const SmtpExtensions *
backend_pool_known(const BackendPool *pool)
{
    return &pool->common;
}

const SmtpExtensions *
backend_pool_extensions(BackendPool *pool)
{
    int64_t deadline = clock_after(PROBE_WAIT);
    if (pool->common.known)
        return &pool->common;
    if (!pool->probing && clock_monotonic() >= pool->probed + PROBE_PAUSE)
        start_probe(pool);
    while (pool->probing
           && fiber_queue_wait(&pool->curious, deadline) == FIBER_WOKEN)
        continue;
    return &pool->common;
}
