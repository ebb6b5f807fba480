/* backend-pool.c: a worker's backends: who of them gets mail, and what all of
 * them offer.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/backend-pool.h"

#include "filterd/base/clock.h"
#include "filterd/base/fiber.h"
#include "filterd/wire/backend-choice.h"
#include "filterd/wire/backend-watch.h"

/* What a connection may lie idle for. */
#define IDLE_TIME 30000
#define SWEEP_PAUSE 5000
/* Between two questions for extensions that nobody answered; and how long an
 * EHLO waits for the answer. */
#define PROBE_PAUSE 1000
#define PROBE_WAIT 2000
/* How long somebody waits for one of max-connections to become free. */
#define ROOM_WAIT 10000

struct BackendPool {
    char *helo;
    GPtrArray *links;   /* BackendLink, in the order of their priority */
    GPtrArray *watches; /* BackendWatch, of each */
    SmtpExtensions common;
    unsigned heard; /* what they rest on */
    int64_t probed;
    FiberQueue curious; /* who waits for an answer to a question */
    FiberQueue room;    /* who waits for a connection to end or come back */
    Fiber *sweeper;
};

/* ---- life --------------------------------------------------------------- */

static void
sweep(void *data)
{
    BackendPool *pool = data;
    while (fiber_sleep(SWEEP_PAUSE) != FIBER_CANCELLED)
        for (unsigned i = 0; i < pool->links->len; i++)
            backend_link_close_older(g_ptr_array_index(pool->links, i),
                                     clock_monotonic() - IDLE_TIME);
}

static void
link_free(void *data)
{
    backend_link_free(data);
}

static void
watch_free(void *data)
{
    backend_watch_free(data);
}

BackendPool *
backend_pool_new(const PolicyConfig *config, const char *helo, unsigned workers)
{
    BackendPool *pool = g_new0(BackendPool, 1);
    pool->helo = g_strdup(helo);
    pool->probed = -PROBE_PAUSE;
    pool->links = g_ptr_array_new_with_free_func(link_free);
    pool->watches = g_ptr_array_new_with_free_func(watch_free);
    for (unsigned i = 0; i < config->backends->len; i++)
        g_ptr_array_add(pool->links,
                        backend_link_new(config->backends->pdata[i], pool->helo,
                                         workers, &pool->room));
    backend_choice_sort(pool->links);
    for (unsigned i = 0; i < pool->links->len; i++)
        g_ptr_array_add(pool->watches, backend_watch_new(pool->links->pdata[i],
                                                         &pool->curious));
    pool->sweeper = fiber_start("backend sweep", sweep, pool);
    return pool;
}

void
backend_pool_free(BackendPool *pool)
{
    fiber_cancel(pool->sweeper);
    fiber_join(pool->sweeper);
    g_ptr_array_unref(pool->watches);
    g_ptr_array_unref(pool->links);
    smtp_extensions_clear(&pool->common);
    g_free(pool->helo);
    g_free(pool);
}

/* ---- taking and giving -------------------------------------------------- */

static BackendLink *
choose(BackendPool *pool, const GPtrArray *tried, gboolean *claimed)
{
    BackendLink *link = backend_choice_claim(pool->links, tried);
    *claimed = link != NULL;
    return link != NULL ? link : backend_choice_next(pool->links, tried);
}

/* Nobody could be asked. */
static void
say_why_not(const BackendPool *pool, GError **error)
{
    g_autofree char *reason = NULL;
    if (pool->links->len == 0)
        reason = g_strdup("there is no backend");
    else if (backend_choice_any_full(pool->links))
        reason = g_strdup("backend: max-connections are in use");
    else
        reason =
            backend_health_reason(backend_link_health(pool->links->pdata[0]));
    g_clear_error(error);
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_AGAIN, reason);
}

/* Whom a connection is for, and who has failed to give one. */
typedef struct Search {
    const SmtpIdentity *identity;
    gboolean fresh;
    GPtrArray *failed; /* BackendLink */
} Search;

/* One that was only full may be asked again. */
static void
note_failure(Search *search, BackendLink *link, const GError *error)
{
    if (!g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_AGAIN))
        g_ptr_array_add(search->failed, link);
}

static SmtpClient *
take_any(BackendPool *pool, Search *search, GError **error)
{
    g_autoptr(GPtrArray) tried = g_ptr_array_copy(search->failed, NULL, NULL);
    BackendLink *link;
    gboolean claimed;
    while ((link = choose(pool, tried, &claimed)) != NULL) {
        GError *problem = NULL;
        SmtpClient *client = backend_link_take(
            link, search->identity, search->fresh, claimed, &problem);
        g_clear_error(error);
        if (client != NULL) {
            backend_health_count_use(backend_link_health(link));
            return client;
        }
        g_ptr_array_add(tried, link);
        note_failure(search, link, problem);
        g_propagate_error(error, problem);
        if (fiber_cancelled())
            return NULL;
    }
    if (tried->len == 0)
        say_why_not(pool, error);
    return NULL;
}

/* While one is full others come and go: whoever has failed us would be asked
 * each time. */
SmtpClient *
backend_pool_take(BackendPool *pool, const SmtpIdentity *identity,
                  gboolean fresh, GError **error)
{
    int64_t deadline = clock_after(ROOM_WAIT);
    g_autoptr(GPtrArray) failed = g_ptr_array_new();
    Search search = {identity, fresh, failed};
    SmtpClient *client = take_any(pool, &search, error);
    while (client == NULL && backend_choice_any_full(pool->links)
           && fiber_queue_wait(&pool->room, deadline) == FIBER_WOKEN)
        client = take_any(pool, &search, error);
    return client;
}

static BackendLink *
link_of(BackendPool *pool, const SmtpClient *client)
{
    for (unsigned i = 0; i < pool->links->len; i++) {
        BackendLink *link = g_ptr_array_index(pool->links, i);
        if (backend_link_config(link) == smtp_client_backend(client))
            return link;
    }
    g_assert_not_reached();
}

gboolean
backend_pool_shares(BackendPool *pool, const SmtpClient *client)
{
    return backend_link_shares(link_of(pool, client), client);
}

void
backend_pool_give(BackendPool *pool, SmtpClient *client)
{
    backend_link_give(link_of(pool, client), client);
}

void
backend_pool_drop(BackendPool *pool, SmtpClient *client)
{
    backend_link_drop(link_of(pool, client), client);
}

void
backend_pool_fault(BackendPool *pool, const SmtpClient *client)
{
    BackendLink *link = link_of(pool, client);
    backend_health_count_fault(backend_link_health(link));
    backend_link_doubt(link);
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
    common->auth &= one->auth;
    common->size &= one->size;
    if (one->size_limit != 0
        && (common->size_limit == 0 || one->size_limit < common->size_limit))
        common->size_limit = one->size_limit;
    if (one->max_recipients != 0
        && (common->max_recipients == 0
            || one->max_recipients < common->max_recipients))
        common->max_recipients = one->max_recipients;
}

static unsigned
count_heard(const BackendPool *pool)
{
    unsigned heard = 0;
    for (unsigned i = 0; i < pool->links->len; i++)
        heard += backend_link_heard(g_ptr_array_index(pool->links, i));
    return heard;
}

const SmtpExtensions *
backend_pool_known(BackendPool *pool)
{
    unsigned heard = count_heard(pool);
    if (heard == pool->heard)
        return &pool->common;
    pool->heard = heard;
    smtp_extensions_clear(&pool->common);
    for (unsigned i = 0; i < pool->links->len; i++) {
        const SmtpExtensions *one =
            backend_link_extensions(g_ptr_array_index(pool->links, i));
        if (one->known)
            intersect(&pool->common, one);
    }
    return &pool->common;
}

/* Where one that is down holds an EHLO up, nothing else is known. */
static gboolean
is_unheard(const BackendPool *pool, const BackendLink *link)
{
    return backend_link_unheard(link)
           && (pool->heard == 0
               || backend_health_up(backend_link_health(link)));
}

static gboolean
any_asks(const BackendPool *pool)
{
    for (unsigned i = 0; i < pool->watches->len; i++)
        if (backend_watch_asks(g_ptr_array_index(pool->watches, i)))
            return TRUE;
    return FALSE;
}

static void
ask_unheard(BackendPool *pool)
{
    if (clock_monotonic() < pool->probed + PROBE_PAUSE)
        return;
    for (unsigned i = 0; i < pool->links->len; i++)
        if (is_unheard(pool, g_ptr_array_index(pool->links, i))) {
            backend_watch_ask(g_ptr_array_index(pool->watches, i));
            pool->probed = clock_monotonic();
        }
}

const SmtpExtensions *
backend_pool_extensions(BackendPool *pool)
{
    int64_t deadline = clock_after(PROBE_WAIT);
    backend_pool_known(pool);
    ask_unheard(pool);
    while (any_asks(pool)
           && fiber_queue_wait(&pool->curious, deadline) == FIBER_WOKEN)
        continue;
    return backend_pool_known(pool);
}
