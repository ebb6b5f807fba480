/* store-contract.c: one table of what a store does, over every store there is.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Time passes in memory and SQLite by the clock that a test advances, and on a
 * Redis server by making each entry older.
 */
#include "filterd/base/clock.h"
#include "filterd/base/loop.h"
#include "filterd/base/metrics.h"
#include "filterd/service/offload.h"
#include "filterd/service/store.h"
#include "tests/service/redis-part.h"
#include "tests/service/support.h"

#include <string.h>

#define MINUTE 60000
#define MOST "9223372036854775807"
#define LEAST "-9223372036854775808"

typedef struct Kind {
    const char *name;
    gboolean file, redis;
    const char *const *words; /* of redis-server */
    const char *user, *password;
    gboolean plain; /* no scripts: sums of what is no number fail */
} Kind;

typedef struct Fixture {
    const Kind *kind;
    char *directory, *path;
    RedisPart *part;
    const char *nodes[2];
    StoreRedisConfig config;
    Store *store;
} Fixture;

typedef enum Act { GET, PUT, ADD, WAIT } Act;

typedef struct Step {
    Act act;
    const char *space, *key;
    const char *text; /* to be put, or what is there (NULL: nothing) */
    int64_t number;   /* to be added, or waited */
    int64_t lifetime;
    const char *sum; /* after ADD; NULL where it may fail without scripts */
} Step;

typedef struct Case {
    const char *name;
    const Step *steps;
    gboolean scripts; /* without them it is another story */
} Case;

#define STEPS(...)   \
    (const Step[])   \
    {                \
        __VA_ARGS__, \
        {            \
            WAIT     \
        }            \
    }

static const Case cases[] = {
    {"values-are-kept-by-space-and-key",
     STEPS({GET, "s", "a", NULL}, {PUT, "s", "a", "one"},
           {GET, "s", "a", "one"}, {PUT, "s", "a", "two", 0, MINUTE},
           {PUT, "s", "A", "", 0, MINUTE}, {GET, "s", "a", "two"},
           {GET, "s", "A", ""}, {GET, "t", "a", NULL})},
    {"no-two-names-are-one",
     STEPS({PUT, "s", "a:b", "1"}, {PUT, "s:a", "b", "2"},
           {PUT, "s", "a%3Ab", "3"}, {PUT, "s", "", "4"}, {PUT, "", "s", "5"},
           {GET, "s", "a:b", "1"}, {GET, "s:a", "b", "2"},
           {GET, "s", "a%3Ab", "3"}, {GET, "s", "", "4"}, {GET, "", "s", "5"})},
    {"keys-and-values-have-any-octets",
     STEPS({PUT, "s", "a\r\nFLUSHALL\r\n", "x\r\n$-1\r\n"},
           {PUT, "s", "{tag}\xff\x01 '\"", "\xff\xfe"},
           {GET, "s", "a\r\nFLUSHALL\r\n", "x\r\n$-1\r\n"},
           {GET, "s", "{tag}\xff\x01 '\"", "\xff\xfe"}, {GET, "s", "a", NULL})},
    {"entries-end-with-their-lifetime",
     STEPS({PUT, "s", "a", "x", 0, MINUTE}, {WAIT, .number = MINUTE - 5000},
           {GET, "s", "a", "x"}, {WAIT, .number = 5001}, {GET, "s", "a", NULL},
           {PUT, "s", "a", "y"}, {WAIT, .number = INT64_C(1) << 40},
           {GET, "s", "a", "y"})},
    {"without-a-lifetime-it-keeps-what-it-has",
     STEPS({PUT, "s", "a", "x", 0, MINUTE}, {PUT, "s", "a", "y"},
           {GET, "s", "a", "y"}, {ADD, "s", "n", NULL, 7, MINUTE, "7"},
           {ADD, "s", "n", NULL, 1, 0, "8"}, {WAIT, .number = MINUTE},
           {GET, "s", "a", NULL}, {GET, "s", "n", NULL},
           {ADD, "s", "n", NULL, 1, 0, "1"})},
    {"a-new-lifetime-counts-from-now",
     STEPS({PUT, "s", "a", "x", 0, MINUTE}, {PUT, "s", "b", "x"},
           {ADD, "s", "n", NULL, 1, MINUTE, "1"}, {WAIT, .number = MINUTE / 2},
           {PUT, "s", "a", "y", 0, MINUTE}, {PUT, "s", "b", "y", 0, MINUTE},
           {ADD, "s", "n", NULL, 1, MINUTE, "2"}, {WAIT, .number = MINUTE / 2},
           {GET, "s", "a", "y"}, {GET, "s", "n", "2"},
           {WAIT, .number = MINUTE / 2 + 1}, {GET, "s", "a", NULL},
           {GET, "s", "b", NULL}, {GET, "s", "n", NULL})},
    {"lifetimes-may-be-longer-than-any-clock",
     STEPS({PUT, "s", "a", "x", 0, INT64_MAX},
           {ADD, "s", "n", NULL, 1, INT64_MAX, "1"}, {GET, "s", "a", "x"},
           {GET, "s", "n", "1"})},
    {"sums-are-decimal",
     STEPS({ADD, "s", "n", NULL, 3, 0, "3"},
           {ADD, "s", "n", NULL, -5, MINUTE, "-2"}, {GET, "s", "n", "-2"},
           {PUT, "s", "n", "40"}, {ADD, "s", "n", NULL, 2, 0, "42"},
           {ADD, "s", "big", NULL, INT64_C(9007199254740993), MINUTE,
            "9007199254740993"},
           {ADD, "s", "big", NULL, 1, MINUTE, "9007199254740994"})},
    {"sums-stop-at-the-bound",
     STEPS({ADD, "s", "n", NULL, INT64_MAX, 0, MOST},
           {ADD, "s", "n", NULL, INT64_MAX, MINUTE, MOST},
           {GET, "s", "n", MOST}, {ADD, "s", "m", NULL, INT64_MIN, 0, LEAST},
           {ADD, "s", "m", NULL, -1, 0, LEAST},
           {PUT, "s", "x", "99999999999999999999"},
           {ADD, "s", "x", NULL, -7, 0, "9223372036854775800"}),
     TRUE},
    {"what-is-no-number-is-what-it-begins-with",
     STEPS({PUT, "s", "n", "words", 0, MINUTE},
           {ADD, "s", "n", NULL, 1, 0, "1"}, {PUT, "s", "n", " +0012abc"},
           {ADD, "s", "n", NULL, 1, 0, "13"}, {PUT, "s", "n", "-5-5"},
           {ADD, "s", "n", NULL, 1, 0, "-4"}, {PUT, "s", "n", ""},
           {ADD, "s", "n", NULL, -1, 0, "-1"}, {WAIT, .number = MINUTE},
           {GET, "s", "n", NULL}),
     TRUE},
};

static const char *const lock_words[] = {
    "--user",         "alice",        "on",
    ">correct-horse", "~filterd:*",   "+@string",
    "+@keyspace",     "+@connection", NULL};

static const Kind kinds[] = {
    {"memory"},
    {"sqlite", .file = TRUE},
    {"redis", .redis = TRUE},
    {"redis-without-scripts", .redis = TRUE, .words = lock_words,
     .user = "alice", .password = "correct-horse", .plain = TRUE},
};

/* ---- a store ------------------------------------------------------------ */

static gboolean
open_redis(Fixture *fixture)
{
    const Kind *kind = fixture->kind;
    fixture->part = redis_part_new(fixture->directory, kind->words);
    if (fixture->part == NULL)
        return FALSE;
    fixture->nodes[0] = redis_part_address(fixture->part);
    fixture->config = (StoreRedisConfig){
        .cluster = {.nodes = fixture->nodes,
                    .login = {.user = kind->user,
                              .password = kind->password,
                              .timeout = 20000}},
        .prefix = "filterd:",
    };
    fixture->store = store_new_redis(&fixture->config);
    return TRUE;
}

static gboolean
set_up(Fixture *fixture, const Kind *kind)
{
    *fixture = (Fixture){.kind = kind, .directory = support_directory_new()};
    loop_init();
    offload_init(1);
    clock_stop(INT64_C(1800000000000));
    if (kind->redis)
        return open_redis(fixture);
    if (kind->file)
        fixture->path = g_build_filename(fixture->directory, "db", NULL);
    fixture->store = store_new_sqlite(fixture->path, STORE_ENTRIES);
    return TRUE;
}

static void
free_store(void *data)
{
    store_free(data);
}

static void
tear_down(Fixture *fixture)
{
    support_run(free_store, fixture->store);
    g_clear_pointer(&fixture->part, redis_part_free);
    clock_start();
    offload_clear();
    fiber_pool_clear();
    loop_clear();
    support_directory_free(fixture->directory);
    g_free(fixture->path);
}

/* ---- steps -------------------------------------------------------------- */

typedef struct Walk {
    Fixture *fixture;
    const Step *step;
} Walk;

static void
get(const Fixture *fixture, const Step *step)
{
    g_autoptr(GBytes) value = NULL;
    FilterdStoreStatus status =
        store_get(fixture->store, step->space, step->key, &value);
    g_assert_cmpint(status, ==,
                    step->text != NULL ? FILTERD_STORE_OK
                                       : FILTERD_STORE_ABSENT);
    if (step->text != NULL) {
        g_assert_cmpstr(g_bytes_get_data(value, NULL), ==, step->text);
        g_assert_cmpuint(g_bytes_get_size(value), ==, strlen(step->text));
    }
}

static void
put(const Fixture *fixture, const Step *step)
{
    g_assert_cmpint(store_put(fixture->store, step->space, step->key,
                              step->text, strlen(step->text), step->lifetime),
                    ==, FILTERD_STORE_OK);
}

static void
add(const Fixture *fixture, const Step *step)
{
    int64_t sum = 0;
    FilterdStoreStatus status =
        store_add(fixture->store, step->space, step->key, step->number,
                  step->lifetime, &sum);
    if (status == FILTERD_STORE_FAILED)
        g_test_message("%s", store_problem(fixture->store));
    g_assert_cmpint(status, ==, FILTERD_STORE_OK);
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, sum);
    g_assert_cmpstr(text, ==, step->sum);
}

static void
pass_time(const Fixture *fixture, const Step *step)
{
    if (fixture->part != NULL)
        redis_part_age(fixture->part, step->number);
    else
        clock_advance(step->number);
}

static void
walk(void *data)
{
    static void (*const acts[])(const Fixture *fixture, const Step *step) = {
        [GET] = get, [PUT] = put, [ADD] = add, [WAIT] = pass_time};
    const Walk *steps = data;
    for (const Step *step = steps->step; step->act != WAIT || step->number > 0;
         step++)
        acts[step->act](steps->fixture, step);
}

typedef struct Test {
    const Kind *kind;
    const Case *entry;
} Test;

static void
test_case(gconstpointer data)
{
    const Test *test = data;
    Fixture fixture;
    if (!set_up(&fixture, test->kind))
        g_test_skip("redis-server is not installed");
    else if (test->entry->scripts && test->kind->plain)
        g_test_skip("for where scripts are allowed");
    else
        support_run(walk, &(Walk){&fixture, test->entry->steps});
    tear_down(&fixture);
}

static void
add_tests(const Kind *kind)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path =
            g_strdup_printf("/service/store/%s/%s", kind->name, cases[i].name);
        Test *test = g_new(Test, 1);
        *test = (Test){kind, &cases[i]};
        g_test_add_data_func_full(path, test, test_case, g_free);
    }
}

/* ---- bounds ------------------------------------------------------------- */

static void
walk_bounds(void *data)
{
    const Fixture *fixture = data;
    g_autofree char *key = g_strnfill(STORE_KEY_LIMIT + 1, 'k');
    g_autofree char *value = g_strnfill(STORE_VALUE_LIMIT + 1, 'v');
    g_autofree char *other = g_strnfill(STORE_KEY_LIMIT, 'k');
    other[STORE_KEY_LIMIT - 1] = 'l';
    put(fixture, &(Step){PUT, "s", key + 1, value + 1});
    put(fixture, &(Step){PUT, "s", other, "other"});
    get(fixture, &(Step){GET, "s", key + 1, value + 1});
    get(fixture, &(Step){GET, "s", other, "other"});
    g_assert_cmpint(store_put(fixture->store, "s", key, "x", 1, 0), ==,
                    FILTERD_STORE_FAILED);
    g_assert_cmpint(
        store_put(fixture->store, "s", "a", value, STORE_VALUE_LIMIT + 1, 0),
        ==, FILTERD_STORE_FAILED);
    g_assert_null(store_problem(fixture->store));
    put(fixture, &(Step){PUT, "s", "nul", "ab"});
    store_put(fixture->store, "s", "nul", "a\0b", 3, 0);
    g_autoptr(GBytes) found = NULL;
    store_get(fixture->store, "s", "nul", &found);
    g_assert_cmpmem(g_bytes_get_data(found, NULL), g_bytes_get_size(found),
                    "a\0b", 3);
}

static void
test_bounds(gconstpointer data)
{
    Fixture fixture;
    if (set_up(&fixture, data))
        support_run(walk_bounds, &fixture);
    else
        g_test_skip("redis-server is not installed");
    tear_down(&fixture);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    metrics_init(1);
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *path = g_strdup_printf(
            "/service/store/%s/the-longest-fit-and-no-more", kinds[i].name);
        add_tests(&kinds[i]);
        g_test_add_data_func(path, &kinds[i], test_bounds);
    }
    return g_test_run();
}
