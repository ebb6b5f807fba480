/* store.c: how many operations a second a store bears, and what it adds to a
 * message. Give it a release build, and a place:
 *
 *   bench-store /var/tmp/bench.db
 *   bench-store 127.0.0.1:6379
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A message is what greylisting asks for a stranger: two entries that are not
 * there, and one that is written.
 */
#include "filterd/service/store.h"
#include "filterd/base/fiber.h"
#include "filterd/base/loop.h"
#include "filterd/base/metrics.h"
#include "filterd/service/offload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIFETIME 600000
#define SECONDS 2
#define FIBERS_MOST 256

typedef enum Work { GET, PUT, ADD, MESSAGE } Work;

static const char *const works[] = {"get", "put", "add", "message"};

typedef struct Bench {
    Store *store;
    Work work;
    int64_t until;   /* microseconds */
    GArray *took;    /* of each, microseconds */
    unsigned serial; /* of keys */
    unsigned failed;
} Bench;

static gboolean
get(const Bench *bench, const char *key)
{
    g_autoptr(GBytes) value = NULL;
    return store_get(bench->store, "bench", key, &value)
           != FILTERD_STORE_FAILED;
}

static gboolean
put(const Bench *bench, const char *key)
{
    static const char value[] = "0 1800000000000";
    return store_put(bench->store, "bench", key, value, strlen(value), LIFETIME)
           == FILTERD_STORE_OK;
}

static gboolean
work_once(Bench *bench)
{
    g_autofree char *key = g_strdup_printf("key-%u", bench->serial++ % 100000);
    if (bench->work == GET)
        return get(bench, key);
    if (bench->work == PUT)
        return put(bench, key);
    if (bench->work == ADD)
        return store_add(bench->store, "sums", key, 1, LIFETIME, NULL)
               == FILTERD_STORE_OK;
    g_autofree char *client = g_strconcat("client-", key, NULL);
    return get(bench, client) && get(bench, key) && put(bench, key);
}

static void
work(void *data)
{
    Bench *bench = data;
    int64_t now = g_get_monotonic_time();
    while (now < bench->until) {
        if (!work_once(bench))
            bench->failed++;
        int64_t then = now;
        now = g_get_monotonic_time();
        int took = (int)(now - then);
        g_array_append_val(bench->took, took);
    }
}

static int
compare(gconstpointer a, gconstpointer b)
{
    return *(const int *)a - *(const int *)b;
}

static void
report(const Bench *bench, unsigned fibers)
{
    const GArray *took = bench->took;
    g_array_sort(bench->took, compare);
    printf("%-8s %4u fibers: %8u/s, median %6d us, 99%% %6d us%s\n",
           works[bench->work], fibers, took->len / SECONDS,
           g_array_index(took, int, took->len / 2),
           g_array_index(took, int, took->len * 99 / 100),
           bench->failed > 0 ? ", SOME FAILED" : "");
}

static void
run(Store *store, Work kind, unsigned count)
{
    Fiber *fibers[FIBERS_MOST];
    Bench bench = {.store = store,
                   .work = kind,
                   .until = g_get_monotonic_time() + SECONDS * G_USEC_PER_SEC,
                   .took = g_array_new(FALSE, FALSE, sizeof(int))};
    for (unsigned i = 0; i < count; i++)
        fibers[i] = fiber_start("bench", work, &bench);
    for (unsigned i = 0; i < count; i++) {
        while (!fiber_ended(fibers[i]))
            loop_turn(TRUE);
        fiber_join(fibers[i]);
    }
    report(&bench, count);
    g_array_unref(bench.took);
}

static void
free_store(void *data)
{
    store_free(data);
    loop_stop();
}

int
main(int argc, char **argv)
{
    static const unsigned counts[] = {1, 16, FIBERS_MOST};
    if (argc != 2) {
        fputs("usage: bench-store FILE|ADDRESS\n", stderr);
        return EXIT_FAILURE;
    }
    Endpoint endpoint = {0};
    gboolean redis = endpoint_parse(argv[1], ':', &endpoint, NULL);
    const char *nodes[] = {argv[1], NULL};
    const StoreRedisConfig config = {
        .cluster = {.nodes = nodes, .login = {.timeout = 1000}},
        .prefix = "bench:",
    };
    metrics_init(1);
    loop_init();
    offload_init(4);
    Store *store = redis ? store_new_redis(&config)
                         : store_new_sqlite(argv[1], STORE_ENTRIES);
    for (Work kind = GET; kind <= MESSAGE; kind++)
        for (gsize i = 0; i < G_N_ELEMENTS(counts); i++)
            run(store, kind, counts[i]);
    fiber_detach(fiber_start("bench", free_store, store));
    loop_run();
    endpoint_clear(&endpoint);
    offload_clear();
    fiber_pool_clear();
    loop_clear();
    return EXIT_SUCCESS;
}
