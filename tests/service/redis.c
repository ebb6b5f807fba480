/* redis.c: names and slots, redirections, and servers that are dead, silent or
 * hostile.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/clock.h"
#include "filterd/base/loop.h"
#include "filterd/base/metrics.h"
#include "filterd/service/redis-key.h"
#include "filterd/service/store.h"
#include "tests/service/redis-fake.h"
#include "tests/service/support.h"

#include <string.h>

#define TIMEOUT 1000
#define PAUSE_MOST 5000
/* What the kernel takes between two ends, and then some. */
#define IN_FLIGHT (8 * 1024 * 1024)

typedef struct Fixture {
    RedisFakeScript script;
    RedisFake *fake;
    const char *nodes[3];
    StoreRedisConfig config;
    Store *store;
} Fixture;

static const RedisFakeScript good = {
    .password = "+OK\r\n",
    .database = "+OK\r\n",
    .ping = "+PONG\r\n",
    .asking = "+OK\r\n",
    .answer = "$3\r\nyes\r\n",
};

/* ---- names -------------------------------------------------------------- */

static void
test_keys(void)
{
    static const struct {
        const char *space, *key, *name;
    } rows[] = {
        {"greylist", "client:12", "filterd:greylist:client%3A12"},
        {"a", "b", "filterd:a:b"},
        {"a", "{b}#%", "filterd:a:%7Bb%7D%23%25"},
        {"a", " \r\n\x7f\xff~", "filterd:a:%20%0D%0A%7F%FF~"},
        {"a", "", "filterd:a:"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *name =
            redis_key_format("filterd:", rows[i].space, rows[i].key);
        g_assert_cmpstr(name, ==, rows[i].name);
    }
}

static void
test_long_keys(void)
{
    g_autofree char *fits = g_strnfill(REDIS_KEY_LIMIT, 'k');
    g_autofree char *longer = g_strnfill(REDIS_KEY_LIMIT + 1, 'k');
    g_autofree char *a = redis_key_format("", "s", fits);
    g_autofree char *b = redis_key_format("", "s", longer);
    g_assert_cmpuint(strlen(a), ==, REDIS_KEY_LIMIT + 2);
    g_assert_true(g_str_has_prefix(b, "s:#"));
    g_assert_cmpuint(strlen(b), ==, 3 + 64);
}

/* The examples of the Redis Cluster specification, and CRC16's own. */
static void
test_slots(void)
{
    static const struct {
        const char *key;
        unsigned slot;
    } rows[] = {
        {"123456789", 0x31c3},
        {"", 0},
        {"foo", 12182},
        {"{user1000}.following", 3443},
        {"{user1000}.followers", 3443},
        {"user1000", 3443},
        {"foo{}{bar}", 8363},
        {"foo{{bar}}zap", 4015},
        {"foo{bar}{zap}", 5061},
        {"bar", 5061},
        {"foo{", 7673},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpuint(redis_key_slot(rows[i].key, strlen(rows[i].key)), ==,
                         rows[i].slot);
}

static void
test_redirections(void)
{
    static const struct {
        const char *text;
        RedisRedirect redirect;
        const char *where;
    } rows[] = {
        {"MOVED 3999 127.0.0.1:6381", REDIS_MOVED, "127.0.0.1:6381"},
        {"ASK 3999 127.0.0.1:6381", REDIS_ASK, "127.0.0.1:6381"},
        {"MOVED 1 2001:db8::1:6381", REDIS_MOVED, "[2001:db8::1]:6381"},
        {"MOVED 1 [2001:db8::1]:6381", REDIS_MOVED, "[2001:db8::1]:6381"},
        {"MOVED 1 :6382", REDIS_MOVED, "192.0.2.1:6382"},
        {"MOVED 1 redis.example.com:6381", REDIS_LOST, NULL},
        {"MOVED 1 127.0.0.1:0", REDIS_LOST, NULL},
        {"MOVED 1 127.0.0.1:65536", REDIS_LOST, NULL},
        {"MOVED 1 127.0.0.1", REDIS_LOST, NULL},
        {"MOVED 1", REDIS_LOST, NULL},
        {"MOVED ", REDIS_LOST, NULL},
        {"MOVED", REDIS_STAY, NULL},
        {"ERR MOVED 1 127.0.0.1:1", REDIS_STAY, NULL},
        {"", REDIS_STAY, NULL},
    };
    Endpoint from;
    endpoint_parse("192.0.2.1:6379", ':', &from, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        Endpoint where = {0};
        g_assert_cmpint(redis_redirect_parse(rows[i].text, &from, &where), ==,
                        rows[i].redirect);
        if (rows[i].where == NULL)
            continue;
        g_autofree char *text = endpoint_format(&where);
        g_assert_cmpstr(text, ==, rows[i].where);
    }
}

/* ---- a store ------------------------------------------------------------ */

static void
set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    fixture->script = good;
    fixture->fake = redis_fake_new(&fixture->script);
    fixture->nodes[0] = redis_fake_address(fixture->fake);
    fixture->config = (StoreRedisConfig){
        .cluster = {.nodes = fixture->nodes, .login = {.timeout = TIMEOUT}},
        .prefix = "filterd:",
    };
    loop_init();
    clock_stop(1000000);
    fixture->store = store_new_redis(&fixture->config);
}

static void
free_store(void *data)
{
    store_free(data);
}

static void
tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    support_run(free_store, fixture->store);
    redis_fake_free(fixture->fake);
    clock_start();
    fiber_pool_clear();
    loop_clear();
}

typedef struct Get {
    Store *store;
    FilterdStoreStatus status;
    char *found;
} Get;

static void
get_in_fiber(void *data)
{
    Get *get = data;
    g_autoptr(GBytes) value = NULL;
    get->status = store_get(get->store, "s", "k", &value);
    get->found = get->status == FILTERD_STORE_OK
                     ? g_strdup(g_bytes_get_data(value, NULL))
                     : NULL;
}

static char *
get(const Fixture *fixture)
{
    Get get = {.store = fixture->store};
    support_run(get_in_fiber, &get);
    if (get.status == FILTERD_STORE_OK)
        return get.found;
    return g_strdup(get.status == FILTERD_STORE_ABSENT ? "absent" : "failed");
}

#define ASSERT_GET(fixture, expected)          \
    G_STMT_START                               \
    {                                          \
        g_autofree char *found = get(fixture); \
        g_assert_cmpstr(found, ==, expected);  \
    }                                          \
    G_STMT_END

static gboolean
problem_has(const Fixture *fixture, const char *text)
{
    const char *problem = store_problem(fixture->store);
    return problem != NULL && strstr(problem, text) != NULL;
}

/* Refused at once, and nobody is bothered. */
static void
assert_circuit_open(const Fixture *fixture)
{
    unsigned connections = redis_fake_connections(fixture->fake);
    unsigned commands = redis_fake_commands(fixture->fake);
    ASSERT_GET(fixture, "failed");
    g_assert_cmpuint(redis_fake_connections(fixture->fake), ==, connections);
    g_assert_cmpuint(redis_fake_commands(fixture->fake), ==, commands);
}

static void
assert_recovers(Fixture *fixture)
{
    fixture->script = good;
    clock_advance(PAUSE_MOST);
    ASSERT_GET(fixture, "yes");
    g_assert_null(store_problem(fixture->store));
}

/* ---- hostile servers ---------------------------------------------------- */

typedef struct Hostile {
    const char *name;
    RedisFakeScript script;
    const char *problem;
} Hostile;

#define ANSWERS(text) .ping = "+PONG\r\n", .answer = text

/* Each breaks the connection. */
static const Hostile hostile[] = {
    {"garbage", {ANSWERS("HTTP/1.1 400 Bad Request\r\n")}, "no reply of Redis"},
    {"garbage-as-greeting", {.ping = "220 mail ESMTP\r\n"}, "no reply"},
    {"a-string-of-nine-gigabytes",
     {ANSWERS("$9999999999\r\n"), .after = REDIS_FAKE_FLOODS},
     "more than 1048576 octets"},
    {"a-length-beyond-all-numbers",
     {ANSWERS("$99999999999999999999999\r\n")},
     "no reply of Redis"},
    {"a-negative-length", {ANSWERS("$-2\r\n")}, "no reply of Redis"},
    {"a-line-without-end",
     {ANSWERS("+"), .after = REDIS_FAKE_FLOODS},
     "more than 1048576 octets"},
    {"an-array-of-two-thousand-million",
     {ANSWERS("*2147483647\r\n")},
     "an array"},
    {"an-array-in-an-array",
     {ANSWERS("*1\r\n*1\r\n*1\r\n$1\r\nx\r\n")},
     "array"},
    {"an-empty-array", {ANSWERS("*0\r\n")}, "an array"},
    {"another-type", {ANSWERS(":1\r\n")}, "answers something else"},
    {"two-replies",
     {ANSWERS("$1\r\na\r\n$1\r\nb\r\n")},
     "more than it was asked"},
    {"closes-without-a-word",
     {ANSWERS(NULL), .after = REDIS_FAKE_CLOSES},
     "closed"},
    {"closes-in-a-reply",
     {ANSWERS("$10\r\nabc"), .after = REDIS_FAKE_CLOSES},
     "closed"},
    {"an-error-as-greeting",
     {.ping = "-LOADING Redis is loading the dataset in memory\r\n"},
     "PING is answered by LOADING Redis is loading"},
    {"a-number-as-greeting", {.ping = ":1\r\n"}, "nonsense"},
};

static void
test_hostile(Fixture *fixture, gconstpointer data)
{
    const Hostile *row = data;
    fixture->script = row->script;
    ASSERT_GET(fixture, "failed");
    if (!problem_has(fixture, row->problem))
        g_test_fail_printf("the problem is: %s", store_problem(fixture->store));
    g_assert_cmpuint(redis_fake_sent(fixture->fake), <, IN_FLIGHT);
    assert_circuit_open(fixture);
    assert_recovers(fixture);
}

/* These are answers: the connection stays. */
static const Hostile errors[] = {
    {"an-error", {ANSWERS("-ERR something\r\n")}, "ERR something"},
    {"what-it-quotes-is-not-told",
     {ANSWERS("-ERR unknown command `GET`, with args beginning with: `k`\r\n")},
     "Redis: GET is answered by ERR unknown command "},
    {"wrong-type", {ANSWERS("-WRONGTYPE no string\r\n")}, "WRONGTYPE"},
    {"loading", {ANSWERS("-LOADING wait\r\n")}, "LOADING"},
    {"cluster-down", {ANSWERS("-CLUSTERDOWN no\r\n")}, "CLUSTERDOWN"},
    {"try-again", {ANSWERS("-TRYAGAIN later\r\n")}, "TRYAGAIN"},
    {"read-only", {ANSWERS("-READONLY replica\r\n")}, "READONLY"},
    {"moved-nowhere", {ANSWERS("-MOVED 1 there:1\r\n")}, "where nobody can go"},
    {"control-characters", {ANSWERS("-ERR \x1b[2J\r\n")}, "ERR ?[2J"},
};

static void
test_error(Fixture *fixture, gconstpointer data)
{
    const Hostile *row = data;
    fixture->script = row->script;
    ASSERT_GET(fixture, "failed");
    if (!problem_has(fixture, row->problem)
        || problem_has(fixture, "beginning"))
        g_test_fail_printf("the problem is: %s", store_problem(fixture->store));
    fixture->script = good;
    ASSERT_GET(fixture, "yes");
    g_assert_cmpuint(redis_fake_connections(fixture->fake), ==, 1);
}

static void
test_too_long(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *value = g_strnfill(STORE_VALUE_LIMIT + 1, 'v');
    g_autofree char *reply =
        g_strdup_printf("$%d\r\n%s\r\n", STORE_VALUE_LIMIT + 1, value);
    fixture->script.answer = reply;
    ASSERT_GET(fixture, "failed");
    fixture->script = good;
    ASSERT_GET(fixture, "yes");
    g_assert_cmpuint(redis_fake_connections(fixture->fake), ==, 1);
}

/* ---- entering ----------------------------------------------------------- */

#define SECRET "the-secret"

static const Hostile entrances[] = {
    {"a-wrong-password",
     {.password = "-WRONGPASS invalid username-password pair\r\n"},
     "AUTH is answered by WRONGPASS invalid"},
    {"a-password-that-is-quoted",
     {.password = "-ERR unknown command `AUTH`, with args beginning with: "
                  "`" SECRET "`\r\n"},
     "AUTH is answered by an error"},
    {"a-password-that-comes-back-later",
     {.password = "+OK\r\n", .database = "-ERR " SECRET "\r\n"},
     "SELECT is answered by an error"},
    {"no-such-database",
     {.password = "+OK\r\n", .database = "-ERR DB index is out of range\r\n"},
     "SELECT is answered by ERR DB index"},
    {"silence-at-last",
     {.password = "+OK\r\n", .database = "+OK\r\n", .ping = "-ERR x\r\n"},
     "PING is answered by ERR x"},
};

static void
test_entrance(Fixture *fixture, gconstpointer data)
{
    const Hostile *row = data;
    fixture->config.cluster.login.password = SECRET;
    fixture->config.cluster.login.database = 3;
    fixture->script = row->script;
    ASSERT_GET(fixture, "failed");
    if (!problem_has(fixture, row->problem) || problem_has(fixture, SECRET))
        g_test_fail_printf("the problem is: %s", store_problem(fixture->store));
    assert_circuit_open(fixture);
    assert_recovers(fixture);
}

/* ---- time --------------------------------------------------------------- */

/* Many fibers that ask and are not answered. */
#define CROWD 50

static void
test_silence(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    Get gets[CROWD];
    Fiber *fibers[CROWD];
    fixture->script.answer = NULL;
    for (gsize i = 0; i < CROWD; i++) {
        gets[i] = (Get){.store = fixture->store};
        fibers[i] = fiber_start("test", get_in_fiber, &gets[i]);
    }
    while (redis_fake_commands(fixture->fake) < CROWD)
        loop_turn(FALSE);
    clock_advance(TIMEOUT - 1);
    loop_turn(FALSE);
    g_assert_false(fiber_ended(fibers[0]));
    clock_advance(1);
    for (gsize i = 0; i < CROWD; i++) {
        while (!fiber_ended(fibers[i]))
            loop_turn(FALSE);
        fiber_join(fibers[i]);
        g_assert_cmpint(gets[i].status, ==, FILTERD_STORE_FAILED);
    }
    g_assert_cmpuint(redis_fake_connections(fixture->fake), <=, 4);
    assert_circuit_open(fixture);
    assert_recovers(fixture);
}

static void
test_probe(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    Get probe = {.store = fixture->store};
    fixture->script.ping = "-LOADING\r\n";
    ASSERT_GET(fixture, "failed");
    clock_advance(PAUSE_MOST);
    fixture->script.ping = NULL;
    unsigned connections = redis_fake_connections(fixture->fake);
    Fiber *fiber = fiber_start("test", get_in_fiber, &probe);
    while (redis_fake_connections(fixture->fake) == connections)
        loop_turn(FALSE);
    /* While one finds out the others do not wait. */
    assert_circuit_open(fixture);
    g_assert_false(fiber_ended(fiber));
    clock_advance(TIMEOUT);
    while (!fiber_ended(fiber))
        loop_turn(FALSE);
    fiber_join(fiber);
    g_assert_cmpint(probe.status, ==, FILTERD_STORE_FAILED);
    assert_recovers(fixture);
}

static void
test_cancelled(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    Get get = {.store = fixture->store};
    fixture->script.answer = NULL;
    Fiber *fiber = fiber_start("test", get_in_fiber, &get);
    while (redis_fake_commands(fixture->fake) == 0)
        loop_turn(FALSE);
    fiber_cancel(fiber);
    while (!fiber_ended(fiber))
        loop_turn(FALSE);
    fiber_join(fiber);
    g_assert_cmpint(get.status, ==, FILTERD_STORE_FAILED);
    g_assert_null(store_problem(fixture->store));
}

static void
test_refused(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    RedisFakeScript script = good;
    RedisFake *gone = redis_fake_new(&script);
    g_autofree char *address = g_strdup(redis_fake_address(gone));
    redis_fake_free(gone);
    support_run(free_store, fixture->store);
    fixture->nodes[0] = address;
    fixture->store = store_new_redis(&fixture->config);
    int64_t before = metrics_sum(METRIC_STORE_FAILED);
    ASSERT_GET(fixture, "failed");
    g_assert_true(problem_has(fixture, "Connection refused"));
    ASSERT_GET(fixture, "failed");
    g_assert_cmpint(metrics_sum(METRIC_STORE_FAILED), ==, before + 2);
}

static void
test_closed_when_idle(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    fixture->script.after = REDIS_FAKE_CLOSES;
    ASSERT_GET(fixture, "yes");
    while (redis_fake_open(fixture->fake) > 0)
        g_usleep(1000);
    fixture->script.after = REDIS_FAKE_GOES_ON;
    ASSERT_GET(fixture, "yes");
    g_assert_null(store_problem(fixture->store));
    g_assert_cmpuint(redis_fake_connections(fixture->fake), ==, 2);
}

/* ---- several servers ---------------------------------------------------- */

typedef struct Pair {
    RedisFakeScript script;
    RedisFake *fake;
    char *redirect;
} Pair;

static void
pair_init(Pair *pair, Fixture *fixture, const char *word)
{
    pair->script = good;
    pair->script.answer = "$5\r\nother\r\n";
    pair->fake = redis_fake_new(&pair->script);
    pair->redirect =
        g_strdup_printf("-%s 1 %s\r\n", word, redis_fake_address(pair->fake));
    fixture->script.answer = pair->redirect;
}

static void
pair_clear(Pair *pair)
{
    redis_fake_free(pair->fake);
    g_free(pair->redirect);
}

static void
test_moved(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    Pair pair;
    pair_init(&pair, fixture, "MOVED");
    ASSERT_GET(fixture, "other");
    ASSERT_GET(fixture, "other");
    g_assert_cmpuint(redis_fake_commands(fixture->fake), ==, 1);
    g_assert_cmpuint(redis_fake_commands(pair.fake), ==, 2);
    g_assert_null(store_problem(fixture->store));
    /* The one that had it dies: whoever is left is asked. */
    pair.script.ping = "-LOADING\r\n";
    pair.script.answer = NULL;
    pair.script.after = REDIS_FAKE_CLOSES;
    ASSERT_GET(fixture, "failed");
    fixture->script.answer = "$3\r\nyes\r\n";
    ASSERT_GET(fixture, "yes");
    support_run(free_store, g_steal_pointer(&fixture->store));
    pair_clear(&pair);
}

static void
test_ask(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    Pair pair;
    pair_init(&pair, fixture, "ASK");
    ASSERT_GET(fixture, "other");
    ASSERT_GET(fixture, "other");
    g_assert_cmpuint(redis_fake_commands(fixture->fake), ==, 2);
    pair.script.asking = "-ERR no\r\n";
    ASSERT_GET(fixture, "failed");
    support_run(free_store, g_steal_pointer(&fixture->store));
    pair_clear(&pair);
}

static void
test_circle(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    Pair pair;
    pair_init(&pair, fixture, "MOVED");
    g_autofree char *back =
        g_strdup_printf("-MOVED 1 %s\r\n", redis_fake_address(fixture->fake));
    pair.script.answer = back;
    ASSERT_GET(fixture, "failed");
    g_assert_true(problem_has(fixture, "sent on more than 5 times"));
    g_assert_cmpuint(redis_fake_commands(fixture->fake)
                         + redis_fake_commands(pair.fake),
                     ==, 6);
    support_run(free_store, g_steal_pointer(&fixture->store));
    pair_clear(&pair);
}

/* A server that sends us to ever new places. The sanitizer looks at what was
 * sent once more behind send(), so texts stay. */
static void
test_many_places(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GPtrArray) places = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; i < REDIS_NODES_LIMIT + 50; i++) {
        g_ptr_array_add(places, g_strdup_printf("-ASK 1 127.9.%u.%u:1\r\n",
                                                i / 250, i % 250 + 1));
        fixture->script.answer = places->pdata[i];
        ASSERT_GET(fixture, "failed");
    }
    fixture->script = good;
    ASSERT_GET(fixture, "yes");
    support_run(free_store, g_steal_pointer(&fixture->store));
}

static void
test_failover(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    Pair pair;
    pair_init(&pair, fixture, "READONLY");
    support_run(free_store, fixture->store);
    fixture->nodes[1] = redis_fake_address(pair.fake);
    fixture->store = store_new_redis(&fixture->config);
    ASSERT_GET(fixture, "other");
    ASSERT_GET(fixture, "other");
    g_assert_cmpuint(redis_fake_commands(fixture->fake), ==, 1);
    /* And back, when the second one dies. */
    fixture->script = good;
    pair.script.answer = NULL;
    pair.script.after = REDIS_FAKE_CLOSES;
    ASSERT_GET(fixture, "failed");
    ASSERT_GET(fixture, "yes");
    g_assert_null(store_problem(fixture->store));
    support_run(free_store, g_steal_pointer(&fixture->store));
    pair_clear(&pair);
}

static void
add_rows(const char *folder, const Hostile *rows, gsize count,
         void (*run)(Fixture *fixture, gconstpointer data))
{
    for (gsize i = 0; i < count; i++) {
        g_autofree char *path =
            g_strdup_printf("/service/redis/%s/%s", folder, rows[i].name);
        g_test_add(path, Fixture, &rows[i], set_up, run, tear_down);
    }
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*run)(Fixture *fixture, gconstpointer data);
    } tests[] = {
        {"/service/redis/a-value-too-long-is-not-ours", test_too_long},
        {"/service/redis/silence-ends-with-the-timeout-for-all", test_silence},
        {"/service/redis/one-finds-out-and-the-others-do-not-wait", test_probe},
        {"/service/redis/who-is-cancelled-leaves-no-problem", test_cancelled},
        {"/service/redis/nobody-there-is-a-problem-and-counted", test_refused},
        {"/service/redis/closed-when-idle-is-no-failure",
         test_closed_when_idle},
        {"/service/redis/moved-is-followed-and-kept", test_moved},
        {"/service/redis/ask-is-followed-once", test_ask},
        {"/service/redis/a-circle-ends", test_circle},
        {"/service/redis/ever-new-places-are-bounded", test_many_places},
        {"/service/redis/a-reader-is-left-for-the-next", test_failover},
    };
    g_test_init(&argc, &argv, NULL);
    metrics_init(1);
    g_test_add_func("/service/redis/names-are-escaped", test_keys);
    g_test_add_func("/service/redis/long-names-are-sums", test_long_keys);
    g_test_add_func("/service/redis/slots-are-those-of-the-specification",
                    test_slots);
    g_test_add_func("/service/redis/redirections-are-read", test_redirections);
    add_rows("hostile", hostile, G_N_ELEMENTS(hostile), test_hostile);
    add_rows("error", errors, G_N_ELEMENTS(errors), test_error);
    add_rows("entrance", entrances, G_N_ELEMENTS(entrances), test_entrance);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].run,
                   tear_down);
    return g_test_run();
}
