/* store.c: what waits for the store, whichever it is; for SQLite a thread, what
 * is read without one, and a pause after a failure.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/store.h"

#include "filterd/base/clock.h"
#include "filterd/base/fiber.h"
#include "filterd/base/metrics.h"
#include "filterd/service/offload.h"
#include "filterd/service/store-sqlite.h"

#include <string.h>

/* Milliseconds before a file that failed is tried again. */
#define PAUSE 5000
/* Others write between two such portions. */
#define EXPIRE_AT_ONCE 100
#define LIST_AT_ONCE 500

G_DEFINE_QUARK(store - error, store_error)

/* SQLite or Redis is there. */
struct Store {
    StoreSqlite *sqlite; /* of the lane's thread */
    int64_t dead_until;  /* likewise */
    StoreReader *reader; /* of the loop: NULL where reading may have to wait */
    unsigned opened;     /* how often the file had been, for the reader */
    StoreRedis *redis;
    char *problem; /* of the loop */
};

typedef struct Job {
    Store *store;
    StoreRequest request;
    int64_t now;     /* monotonic */
    unsigned opened; /* how often the file has been */
    GError *error;
} Job;

Store *
store_new_sqlite(const char *path, int64_t entries)
{
    Store *store = g_new0(Store, 1);
    store->sqlite = store_sqlite_new(path, entries);
    return store;
}

Store *
store_new_redis(const StoreRedisConfig *config)
{
    Store *store = g_new0(Store, 1);
    store->redis = store_redis_new(config);
    return store;
}

void
store_free(Store *store)
{
    if (store == NULL)
        return;
    g_clear_pointer(&store->reader, store_reader_free);
    g_clear_pointer(&store->sqlite, store_sqlite_free);
    g_clear_pointer(&store->redis, store_redis_free);
    g_free(store->problem);
    g_free(store);
}

const char *
store_problem(const Store *store)
{
    return store->problem;
}

/* In a thread. What queued up behind a failure fails with it. */
static void
run_job(void *data)
{
    Job *job = data;
    Store *store = job->store;
    if (job->now < store->dead_until)
        return;
    if (!store_sqlite_run(store->sqlite, &job->request, &job->error))
        store->dead_until = job->now + PAUSE;
    job->opened = store_sqlite_opened(store->sqlite);
}

/* It may be another file now. */
static void
renew_reader(Store *store, const Job *job)
{
    if (job->opened == store->opened)
        return;
    store->opened = job->opened;
    g_clear_pointer(&store->reader, store_reader_free);
    store->reader = store_reader_new(store->sqlite);
}

/* A thread costs more than what is read from memory. */
static gboolean
read_here(Job *job)
{
    const Store *store = job->store;
    return job->request.kind == STORE_GET && store->reader != NULL
           && store->problem == NULL && !fiber_cancelled()
           && store_reader_get(store->reader, &job->request);
}

/* FALSE: the fiber was cancelled. */
static gboolean
run_sqlite(Job *job)
{
    if (read_here(job))
        return TRUE;
    if (!offload_run(job->store, run_job, job))
        return FALSE;
    renew_reader(job->store, job);
    return TRUE;
}

/* Of several servers one may be dead while another one works. */
static void
note_success(Store *store)
{
    if (store->problem != NULL
        && (store->redis == NULL || store_redis_problem(store->redis) == NULL))
        g_clear_pointer(&store->problem, g_free);
}

static void
note_outcome(Store *store, const Job *job)
{
    if (job->request.status != FILTERD_STORE_FAILED) {
        note_success(store);
        return;
    }
    metrics_add(METRIC_STORE_FAILED, 1);
    if (job->error == NULL)
        return;
    g_free(store->problem);
    store->problem = g_strdup(job->error->message);
}

/* FALSE: the fiber was cancelled. */
static gboolean
run_somewhere(Job *job)
{
    Store *store = job->store;
    if (store->redis == NULL)
        return run_sqlite(job);
    store_redis_run(store->redis, &job->request, &job->error);
    return !fiber_cancelled();
}

static FilterdStoreStatus
run(Store *store, StoreRequest *request)
{
    Job job = {.store = store,
               .request = *request,
               .now = clock_monotonic(),
               .opened = store->opened};
    job.request.status = FILTERD_STORE_FAILED;
    job.request.now = clock_real();
    if (run_somewhere(&job)) {
        note_outcome(store, &job);
        *request = job.request;
    } else {
        g_clear_pointer(&job.request.found, g_bytes_unref);
        request->status = FILTERD_STORE_FAILED;
    }
    g_clear_error(&job.error);
    return request->status;
}

static gboolean
fits(const char *space, const char *key, gsize length)
{
    return strlen(space) <= STORE_KEY_LIMIT && strlen(key) <= STORE_KEY_LIMIT
           && length <= STORE_VALUE_LIMIT;
}

FilterdStoreStatus
store_get(Store *store, const char *space, const char *key, GBytes **value)
{
    if (!fits(space, key, 0))
        return FILTERD_STORE_FAILED;
    StoreRequest request = {.kind = STORE_GET, .space = space, .key = key};
    FilterdStoreStatus status = run(store, &request);
    if (status == FILTERD_STORE_OK)
        *value = request.found;
    return status;
}

FilterdStoreStatus
store_put(Store *store, const char *space, const char *key, const char *value,
          gsize length, int64_t lifetime)
{
    if (!fits(space, key, length))
        return FILTERD_STORE_FAILED;
    StoreRequest request = {.kind = STORE_PUT,
                            .space = space,
                            .key = key,
                            .value = value,
                            .length = length,
                            .lifetime = lifetime};
    return run(store, &request);
}

FilterdStoreStatus
store_add(Store *store, const char *space, const char *key, int64_t delta,
          int64_t lifetime, int64_t *sum)
{
    if (!fits(space, key, 0))
        return FILTERD_STORE_FAILED;
    StoreRequest request = {.kind = STORE_ADD,
                            .space = space,
                            .key = key,
                            .number = delta,
                            .lifetime = lifetime};
    FilterdStoreStatus status = run(store, &request);
    if (status == FILTERD_STORE_OK && sum != NULL)
        *sum = request.number;
    return status;
}

static void
entry_free(void *data)
{
    StoreEntry *entry = data;
    g_free(entry->key);
    g_bytes_unref(entry->value);
    g_free(entry);
}

/* Those behind `after`, which then is the last of them. NULL: it failed. */
static GPtrArray *
list_some(Store *store, StoreRequest *request, char **after)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(entry_free);
    request->key = *after;
    request->number = LIST_AT_ONCE;
    request->list = list;
    if (run(store, request) == FILTERD_STORE_FAILED)
        return NULL;
    if (list->len > 0) {
        const StoreEntry *last = g_ptr_array_index(list, list->len - 1);
        g_free(*after);
        *after = g_strdup(last->key);
    }
    return g_steal_pointer(&list);
}

static gboolean
call_each(const GPtrArray *list,
          gboolean (*func)(const char *key, GBytes *value, void *data),
          void *data)
{
    for (unsigned i = 0; i < list->len; i++) {
        const StoreEntry *entry = g_ptr_array_index(list, i);
        if (!func(entry->key, entry->value, data))
            return FALSE;
    }
    return TRUE;
}

FilterdStoreStatus
store_each(Store *store, const char *space, const char *prefix,
           gboolean (*func)(const char *key, GBytes *value, void *data),
           void *data)
{
    g_autofree char *after = g_strdup(prefix), *end = g_strdup(prefix);
    StoreRequest request = {.kind = STORE_LIST, .space = space, .end = end};
    gsize length = strlen(prefix);
    gboolean more = TRUE;
    if (store->redis != NULL || !fits(space, prefix, 0) || length == 0)
        return FILTERD_STORE_FAILED;
    end[length - 1]++;
    while (more) {
        g_autoptr(GPtrArray) list = list_some(store, &request, &after);
        if (list == NULL)
            return FILTERD_STORE_FAILED;
        more = call_each(list, func, data) && list->len == LIST_AT_ONCE;
    }
    return FILTERD_STORE_OK;
}

gboolean
store_expire(Store *store)
{
    StoreRequest request = {.kind = STORE_EXPIRE, .number = EXPIRE_AT_ONCE};
    return run(store, &request) == FILTERD_STORE_OK
           && request.number == EXPIRE_AT_ONCE;
}
