/* store.c: keys and values that outlive processes, disks that fail.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/store.h"

#include "filterd/base/loop.h"
#include "filterd/base/metrics.h"
#include "filterd/service/offload.h"
#include "tests/service/support.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <linux/magic.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define ADDS 300
#define NOBODY 65534
#define LONG_LIFE 3600000
#define LIMIT 4000 /* entries of a space */
#define LARGE 100000
#define FLOOD 20000
#define FLOOD_BYTES (6 << 20)
#define CONFIRMED 40
#define DAY_LONG INT64_C(86400000)

typedef struct Fixture {
    char *directory;
    char *path;
    Store *store;
} Fixture;

typedef struct Step {
    Store *store;
    enum { GET, PUT, ADD, EXPIRE, EACH } kind;
    const char *space, *key, *value;
    gsize length;
    int64_t lifetime, number;
    FilterdStoreStatus status;
    char *found;
    gboolean more;
    GString *listed;
} Step;

/* "KEY=VALUE " of each, up to one that is called "last". */
static gboolean
list_entry(const char *key, GBytes *value, void *data)
{
    Step *step = data;
    g_string_append_printf(step->listed, "%s=%s ", key,
                           (const char *)g_bytes_get_data(value, NULL));
    step->number++;
    return !g_str_has_suffix(key, "last");
}

static void
start(Fixture *fixture)
{
    loop_init();
    offload_init(2);
    fixture->store = store_new_sqlite(fixture->path, LIMIT);
}

static void
stop(Fixture *fixture)
{
    store_free(fixture->store);
    offload_clear();
    fiber_pool_clear();
    loop_clear();
}

static void
set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    fixture->directory = support_directory_new();
    fixture->path = g_build_filename(fixture->directory, "store.db", NULL);
    start(fixture);
}

static void
tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    stop(fixture);
    g_chmod(fixture->directory, 0700);
    support_directory_free(fixture->directory);
    g_free(fixture->path);
}

static void
step_in_fiber(void *data)
{
    Step *step = data;
    g_autoptr(GBytes) value = NULL;
    switch (step->kind) {
    case GET:
        step->status = store_get(step->store, step->space, step->key, &value);
        if (value != NULL)
            step->found = g_strndup(g_bytes_get_data(value, NULL),
                                    g_bytes_get_size(value));
        break;
    case PUT:
        step->status = store_put(step->store, step->space, step->key,
                                 step->value, step->length, step->lifetime);
        break;
    case ADD:
        step->status = store_add(step->store, step->space, step->key,
                                 step->number, step->lifetime, &step->number);
        break;
    case EXPIRE:
        step->more = store_expire(step->store);
        break;
    case EACH:
        step->status =
            store_each(step->store, "space", step->key, list_entry, step);
        break;
    }
}

static char *
get(const Fixture *fixture, const char *space, const char *key)
{
    Step step = {
        .store = fixture->store, .kind = GET, .space = space, .key = key};
    support_run(step_in_fiber, &step);
    if (step.status == FILTERD_STORE_OK)
        return step.found;
    return g_strdup(step.status == FILTERD_STORE_ABSENT ? "absent" : "failed");
}

#define ASSERT_GET(fixture, key, expected)                     \
    G_STMT_START                                               \
    {                                                          \
        g_autofree char *found = get((fixture), "space", key); \
        g_assert_cmpstr(found, ==, expected);                  \
    }                                                          \
    G_STMT_END

static FilterdStoreStatus
put(const Fixture *fixture, const char *key, const char *value,
    int64_t lifetime)
{
    Step step = {.store = fixture->store,
                 .kind = PUT,
                 .space = "space",
                 .key = key,
                 .value = value,
                 .length = strlen(value),
                 .lifetime = lifetime};
    support_run(step_in_fiber, &step);
    return step.status;
}

static int64_t
add(const Fixture *fixture, const char *key, int64_t delta, int64_t lifetime)
{
    Step step = {.store = fixture->store,
                 .kind = ADD,
                 .space = "space",
                 .key = key,
                 .number = delta,
                 .lifetime = lifetime};
    support_run(step_in_fiber, &step);
    g_assert_cmpint(step.status, ==, FILTERD_STORE_OK);
    return step.number;
}

static gboolean
expire(const Fixture *fixture)
{
    Step step = {.store = fixture->store, .kind = EXPIRE};
    support_run(step_in_fiber, &step);
    return step.more;
}

static void
test_values(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    ASSERT_GET(fixture, "a", "absent");
    g_assert_cmpint(put(fixture, "a", "one", 0), ==, FILTERD_STORE_OK);
    ASSERT_GET(fixture, "a", "one");
    put(fixture, "a", "two", LONG_LIFE);
    put(fixture, "A", "", LONG_LIFE);
    ASSERT_GET(fixture, "a", "two");
    ASSERT_GET(fixture, "A", "");
    g_autofree char *other = get(fixture, "elsewhere", "a");
    g_assert_cmpstr(other, ==, "absent");
    stop(fixture);
    start(fixture);
    ASSERT_GET(fixture, "a", "two");
    g_assert_null(store_problem(fixture->store));
}

/* How many, and the texts; -1: it failed. */
static int64_t
each(const Fixture *fixture, const char *prefix, char **listed)
{
    g_autoptr(GString) text = g_string_new(NULL);
    Step step = {
        .store = fixture->store, .kind = EACH, .key = prefix, .listed = text};
    support_run(step_in_fiber, &step);
    g_free(*listed);
    *listed = g_strdup(text->str);
    return step.status == FILTERD_STORE_OK ? step.number : -1;
}

static void
test_each(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *listed = NULL;
    clock_stop(1000000);
    put(fixture, "day 2", "b", 0);
    put(fixture, "day 1", "a", LONG_LIFE);
    put(fixture, "day ", "itself", 0);
    put(fixture, "day!", "behind", 0);
    put(fixture, "dax z", "before", 0);
    put(fixture, "day 3", "dead", 1);
    clock_advance(2);
    g_assert_cmpint(each(fixture, "day ", &listed), ==, 2);
    g_assert_cmpstr(listed, ==, "day 1=a day 2=b ");
    g_assert_cmpint(each(fixture, "day 4", &listed), ==, 0);
    put(fixture, "day 1 last", "c", 0);
    g_assert_cmpint(each(fixture, "day ", &listed), ==, 2);
    g_assert_cmpstr(listed, ==, "day 1=a day 1 last=c ");
    g_assert_cmpint(each(fixture, "", &listed), ==, -1);
    clock_start();
}

/* They are read in portions. */
static void
test_each_of_many(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *listed = NULL;
    for (unsigned i = 0; i < 1000; i++) {
        g_autofree char *key = g_strdup_printf("n %03u", i);
        put(fixture, key, "", 0);
    }
    g_assert_cmpint(each(fixture, "n ", &listed), ==, 1000);
    put(fixture, "n 1000", "", 0);
    g_assert_cmpint(each(fixture, "n ", &listed), ==, 1001);
    g_assert_cmpint(each(fixture, "n 99", &listed), ==, 10);
}

static void
test_add(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_assert_cmpint(add(fixture, "n", 3, 0), ==, 3);
    g_assert_cmpint(add(fixture, "n", -5, LONG_LIFE), ==, -2);
    ASSERT_GET(fixture, "n", "-2");
    put(fixture, "n", "40", 0);
    g_assert_cmpint(add(fixture, "n", 2, 0), ==, 42);
    put(fixture, "n", "words", 0);
    g_assert_cmpint(add(fixture, "n", 1, 0), ==, 1);
    g_assert_cmpint(add(fixture, "big", INT64_MAX, 0), ==, INT64_MAX);
    g_assert_cmpint(add(fixture, "big", INT64_MAX, 0), ==, INT64_MAX);
    ASSERT_GET(fixture, "big", "9223372036854775807");
}

static void
test_lifetimes(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    clock_stop(1000000);
    put(fixture, "short", "x", 1000);
    put(fixture, "kept", "x", 1000);
    put(fixture, "kept", "y", 0);
    put(fixture, "longer", "x", 1000);
    put(fixture, "longer", "y", 5000);
    put(fixture, "ever", "x", 0);
    add(fixture, "count", 7, 1000);
    add(fixture, "count", 1, 0);
    clock_advance(999);
    ASSERT_GET(fixture, "short", "x");
    ASSERT_GET(fixture, "kept", "y");
    ASSERT_GET(fixture, "count", "8");
    clock_advance(1);
    ASSERT_GET(fixture, "short", "absent");
    ASSERT_GET(fixture, "kept", "absent");
    ASSERT_GET(fixture, "longer", "y");
    ASSERT_GET(fixture, "ever", "x");
    ASSERT_GET(fixture, "count", "absent");
    /* What has ended does not come back. */
    g_assert_cmpint(add(fixture, "count", 1, 0), ==, 1);
    put(fixture, "short", "z", 0);
    clock_advance(INT64_C(1) << 40);
    ASSERT_GET(fixture, "short", "z");
    ASSERT_GET(fixture, "count", "1");
    ASSERT_GET(fixture, "longer", "absent");
    clock_start();
}

static int
count_entries(const Fixture *fixture)
{
    sqlite3 *base;
    sqlite3_stmt *statement;
    g_assert_cmpint(sqlite3_open(fixture->path, &base), ==, SQLITE_OK);
    sqlite3_prepare_v2(base, "SELECT count(*) FROM entry", -1, &statement,
                       NULL);
    g_assert_cmpint(sqlite3_step(statement), ==, SQLITE_ROW);
    int count = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(base);
    return count;
}

static void
test_expire(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    clock_stop(1000000);
    put(fixture, "stays", "x", 0);
    for (int i = 0; i < 150; i++) {
        g_autofree char *key = g_strdup_printf("key-%d", i);
        put(fixture, key, "x", 10);
    }
    g_assert_false(expire(fixture));
    g_assert_cmpint(count_entries(fixture), ==, 151);
    clock_advance(10);
    g_assert_true(expire(fixture));
    g_assert_cmpint(count_entries(fixture), ==, 51);
    g_assert_false(expire(fixture));
    g_assert_cmpint(count_entries(fixture), ==, 1);
    clock_start();
}

static void
test_limits(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *key = g_strnfill(STORE_KEY_LIMIT + 1, 'k');
    g_autofree char *value = g_strnfill(STORE_VALUE_LIMIT + 1, 'v');
    g_assert_cmpint(put(fixture, key, "x", 0), ==, FILTERD_STORE_FAILED);
    ASSERT_GET(fixture, key, "failed");
    g_assert_cmpint(put(fixture, key + 1, value, 0), ==, FILTERD_STORE_FAILED);
    g_assert_cmpint(put(fixture, key + 1, value + 1, 0), ==, FILTERD_STORE_OK);
    ASSERT_GET(fixture, key + 1, value + 1);
    g_assert_null(store_problem(fixture->store));
}

static void
test_private(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    Fixture private = {.directory = fixture->directory};
    private.store = store_new_sqlite(NULL, LIMIT);
    put(&private, "a", "x", 0);
    ASSERT_GET(&private, "a", "x");
    ASSERT_GET(fixture, "a", "absent");
    store_free(private.store);
}

static void
test_mode(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    GStatBuf status;
    put(fixture, "a", "x", 0);
    g_assert_cmpint(g_stat(fixture->path, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 0777, ==, 0600);
}

/* The file is put right; after the pause it works again. */
static void
assert_recovers(Fixture *fixture)
{
    ASSERT_GET(fixture, "a", "failed");
    g_assert_nonnull(store_problem(fixture->store));
    clock_advance(5000);
    ASSERT_GET(fixture, "a", "absent");
    g_assert_null(store_problem(fixture->store));
}

static void
test_garbage(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *garbage = g_strnfill(8192, 'g');
    g_autofree char *after = NULL;
    clock_stop(1000000);
    g_file_set_contents(fixture->path, garbage, -1, NULL);
    g_assert_cmpint(put(fixture, "a", "x", 0), ==, FILTERD_STORE_FAILED);
    g_autofree char *expected =
        g_strconcat(fixture->path, ": file is not a database", NULL);
    g_assert_cmpstr(store_problem(fixture->store), ==, expected);
    g_file_get_contents(fixture->path, &after, NULL, NULL);
    g_assert_cmpstr(after, ==, garbage);
    g_unlink(fixture->path);
    assert_recovers(fixture);
    clock_start();
}

static void
test_directory_missing(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    clock_stop(1000000);
    g_rmdir(fixture->directory);
    ASSERT_GET(fixture, "a", "failed");
    g_assert_nonnull(
        strstr(store_problem(fixture->store), "No such file or directory"));
    g_mkdir(fixture->directory, 0700);
    assert_recovers(fixture);
    clock_start();
}

static void
test_read_only(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    uid_t user = geteuid();
    clock_stop(1000000);
    g_chmod(fixture->directory, 0500);
    if (user == 0) { /* who may write anywhere */
        g_assert_cmpint(chown(fixture->directory, NOBODY, NOBODY), ==, 0);
        g_assert_cmpint(seteuid(NOBODY), ==, 0);
    }
    g_assert_cmpint(put(fixture, "a", "x", 0), ==, FILTERD_STORE_FAILED);
    g_chmod(fixture->directory, 0700);
    assert_recovers(fixture);
    clock_start();
    g_assert_cmpint(seteuid(user), ==, 0);
}

static void
test_locked(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    sqlite3 *other;
    put(fixture, "a", "x", 0);
    clock_stop(1000000);
    g_assert_cmpint(sqlite3_open(fixture->path, &other), ==, SQLITE_OK);
    sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL);
    g_assert_cmpint(put(fixture, "a", "y", 0), ==, FILTERD_STORE_FAILED);
    g_assert_nonnull(strstr(store_problem(fixture->store), "locked"));
    /* At once, not after the lock's patience. */
    int64_t before = g_get_monotonic_time();
    g_assert_cmpint(put(fixture, "a", "y", 0), ==, FILTERD_STORE_FAILED);
    g_assert_cmpint(g_get_monotonic_time() - before, <, 500000);
    sqlite3_close(other);
    clock_advance(5000);
    g_assert_cmpint(put(fixture, "a", "y", 0), ==, FILTERD_STORE_OK);
    ASSERT_GET(fixture, "a", "y");
    clock_start();
}

static void
test_queue_behind_failure(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    sqlite3 *other;
    Step steps[10];
    void *pointers[10];
    put(fixture, "a", "x", 0);
    sqlite3_open(fixture->path, &other);
    sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
        steps[i] = (Step){.store = fixture->store,
                          .kind = PUT,
                          .space = "space",
                          .key = "a",
                          .value = "y",
                          .length = 1};
        pointers[i] = &steps[i];
    }
    int64_t before = g_get_monotonic_time();
    support_run_many(step_in_fiber, pointers, G_N_ELEMENTS(steps));
    g_assert_cmpint(g_get_monotonic_time() - before, <, 3000000);
    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++)
        g_assert_cmpint(steps[i].status, ==, FILTERD_STORE_FAILED);
    sqlite3_close(other);
}

static void
test_short_lock(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    sqlite3 *other;
    Step step = {.store = fixture->store,
                 .kind = PUT,
                 .space = "space",
                 .key = "a",
                 .value = "y",
                 .length = 1};
    put(fixture, "a", "x", 0);
    sqlite3_open(fixture->path, &other);
    sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL);
    Fiber *fiber = fiber_start("test", step_in_fiber, &step);
    loop_turn(FALSE);
    g_usleep(100000);
    loop_turn(FALSE);
    g_assert_false(fiber_ended(fiber));
    sqlite3_close(other);
    while (!fiber_ended(fiber))
        loop_turn(TRUE);
    fiber_join(fiber);
    g_assert_cmpint(step.status, ==, FILTERD_STORE_OK);
}

/* While one that writes waits for a lock; the others would queue behind it. */
static void
test_read_in_memory(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    struct statfs about;
    sqlite3 *other;
    Step write = {.store = fixture->store,
                  .kind = PUT,
                  .space = "space",
                  .key = "a",
                  .value = "y",
                  .length = 1};
    Step read = {
        .store = fixture->store, .kind = GET, .space = "space", .key = "a"};
    g_assert_cmpint(statfs(fixture->directory, &about), ==, 0);
    if (about.f_type != TMPFS_MAGIC) {
        g_test_skip("the directory is not in memory");
        return;
    }
    put(fixture, "a", "x", 0);
    sqlite3_open(fixture->path, &other);
    sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL);
    Fiber *writer = fiber_start("test", step_in_fiber, &write);
    Fiber *reader = fiber_start("test", step_in_fiber, &read);
    loop_turn(FALSE);
    g_assert_false(fiber_ended(writer));
    g_assert_true(fiber_ended(reader));
    g_assert_cmpstr(read.found, ==, "x");
    g_free(read.found);
    fiber_join(reader);
    sqlite3_close(other);
    while (!fiber_ended(writer))
        loop_turn(TRUE);
    fiber_join(writer);
    ASSERT_GET(fixture, "a", "y");
}

static void
remove_files(const Fixture *fixture)
{
    g_autofree char *log = g_strconcat(fixture->path, "-wal", NULL);
    g_autofree char *index = g_strconcat(fixture->path, "-shm", NULL);
    g_unlink(fixture->path);
    g_unlink(log);
    g_unlink(index);
}

/* Whoever opens it anew after a failure reads what it writes there. */
static void
test_another_file(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    sqlite3 *other;
    clock_stop(1000000);
    put(fixture, "a", "x", 0);
    ASSERT_GET(fixture, "a", "x");
    sqlite3_open(fixture->path, &other);
    sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL);
    g_assert_cmpint(put(fixture, "a", "y", 0), ==, FILTERD_STORE_FAILED);
    ASSERT_GET(fixture, "a", "failed");
    remove_files(fixture);
    sqlite3_close(other);
    clock_advance(5000);
    g_assert_cmpint(put(fixture, "b", "z", 0), ==, FILTERD_STORE_OK);
    ASSERT_GET(fixture, "a", "absent");
    ASSERT_GET(fixture, "b", "z");
    clock_start();
}

static void
test_full(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *value = g_strnfill(STORE_VALUE_LIMIT, 'v');
    put(fixture, "a", "x", 0);
    stop(fixture);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {300000, 300000};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        start(fixture);
        FilterdStoreStatus status = FILTERD_STORE_OK;
        for (int i = 0; i < 20 && status == FILTERD_STORE_OK; i++) {
            g_autofree char *key = g_strdup_printf("key-%d", i);
            status = put(fixture, key, value, 0);
        }
        _exit(status == FILTERD_STORE_FAILED
                      && store_problem(fixture->store) != NULL
                  ? 0
                  : 1);
    }
    int status;
    waitpid(child, &status, 0);
    g_assert_cmpint(status, ==, 0);
    start(fixture);
    ASSERT_GET(fixture, "a", "x");
}

/* Of every 500 tries one has passed before. */
static void
flood_in_fiber(void *data)
{
    Store *store = data;
    for (int i = 0; i < FLOOD; i++) {
        g_autofree char *random = g_strdup_printf(
            "t:%08x%08x%08x", g_random_int(), g_random_int(), g_random_int());
        g_autofree char *confirmed = g_strdup_printf("confirmed-%d", i / 500);
        store_put(store, "space", random, "0 1800000000000", 15, 2 * DAY_LONG);
        if (i % 500 == 0)
            store_put(store, "space", confirmed, "x", 1, 36 * DAY_LONG);
    }
}

static gint64
file_size(const char *path)
{
    GStatBuf status;
    return g_stat(path, &status) == 0 ? (gint64)status.st_size : 0;
}

static void
test_flood(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *log = g_strconcat(fixture->path, "-wal", NULL);
    Step other = {.store = fixture->store,
                  .kind = ADD,
                  .space = "elsewhere",
                  .key = "rate",
                  .number = 1,
                  .lifetime = DAY_LONG};
    support_run(step_in_fiber, &other);
    gint64 begin = g_get_monotonic_time();
    support_run(flood_in_fiber, fixture->store);
    g_test_message("%d tries: %d entries, %d KiB, log %d KiB, %d ms", FLOOD,
                   count_entries(fixture),
                   (int)(file_size(fixture->path) >> 10),
                   (int)(file_size(log) >> 10),
                   (int)((g_get_monotonic_time() - begin) / 1000));
    g_assert_cmpint(count_entries(fixture), <=, LIMIT + 100);
    g_assert_cmpint(count_entries(fixture), >, LIMIT - 100);
    g_assert_cmpint(file_size(fixture->path) + file_size(log), <, FLOOD_BYTES);
    for (int i = 0; i < CONFIRMED; i++) {
        g_autofree char *key = g_strdup_printf("confirmed-%d", i);
        ASSERT_GET(fixture, key, "x");
    }
    g_autofree char *rate = get(fixture, "elsewhere", "rate");
    g_assert_cmpstr(rate, ==, "1");
}

static void
put_often(Fixture *fixture, int times)
{
    for (int i = 0; i < times; i++)
        put(fixture, "a", "y", 0);
}

/* The file of a version that did not count; its store is started. */
static void
make_uncounted(Fixture *fixture, int entries)
{
    sqlite3 *base;
    g_autofree char *text = g_strdup_printf(
        "CREATE TABLE entry (space TEXT NOT NULL, key TEXT NOT NULL,"
        " value BLOB NOT NULL, expires INTEGER NOT NULL,"
        " PRIMARY KEY (space, key)) WITHOUT ROWID;"
        "CREATE INDEX entry_expires ON entry (expires);"
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL"
        " SELECT i + 1 FROM n WHERE i < %d)"
        " INSERT INTO entry SELECT 'space', i, 'x', 9000000000000 + i FROM n;",
        entries);
    stop(fixture);
    sqlite3_open(fixture->path, &base);
    sqlite3_exec(base, text, NULL, NULL, NULL);
    sqlite3_close(base);
    start(fixture);
}

/* Octets that this process has read from files. */
static gint64
octets_read(void)
{
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents("/proc/self/io", &text, NULL, NULL));
    return g_ascii_strtoll(text + strlen("rchar: "), NULL, 10);
}

static void
test_open_large(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    gint64 begin = octets_read();
    make_uncounted(fixture, LARGE);
    ASSERT_GET(fixture, "1", "x");
    g_assert_cmpint(octets_read() - begin, >, LARGE * 10);
    stop(fixture);
    start(fixture);
    begin = octets_read();
    ASSERT_GET(fixture, "1", "x");
    g_assert_cmpint(octets_read() - begin, <, LARGE);
}

/* Nobody waits until all that is too much is gone. */
static void
test_uncounted(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    make_uncounted(fixture, 5000);
    put_often(fixture, 61);
    g_assert_cmpint(count_entries(fixture), ==, 5001 - 250);
    put_often(fixture, 4 * 61);
    g_assert_cmpint(count_entries(fixture), <=, LIMIT + 1);
    ASSERT_GET(fixture, "1", "absent");
    ASSERT_GET(fixture, "5000", "x");
    ASSERT_GET(fixture, "a", "y");
}

static void
add_forever(Fixture *fixture, int64_t *answered)
{
    start(fixture);
    for (;;)
        *answered = add(fixture, "n", 1, 0);
}

static void
test_kill(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    int64_t *answered = mmap(NULL, sizeof *answered, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int round = 1; round <= 5; round++) {
        stop(fixture);
        pid_t child = fork();
        if (child == 0)
            add_forever(fixture, answered);
        g_usleep((gulong)(40000 + round * 7777));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        start(fixture);
        /* The last one may have been done, but not answered. */
        int64_t sum = add(fixture, "n", 0, 0);
        g_assert_cmpint(sum, >=, *answered);
        g_assert_cmpint(sum, <=, *answered + 1);
        *answered = sum;
    }
    g_assert_cmpint(*answered, >, 0);
    munmap(answered, sizeof *answered);
    sqlite3 *base;
    sqlite3_stmt *statement;
    sqlite3_open(fixture->path, &base);
    sqlite3_prepare_v2(base, "PRAGMA integrity_check", -1, &statement, NULL);
    sqlite3_step(statement);
    g_assert_cmpstr((const char *)sqlite3_column_text(statement, 0), ==, "ok");
    sqlite3_finalize(statement);
    sqlite3_close(base);
}

static void
test_two_processes(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    pid_t children[3];
    stop(fixture);
    for (gsize i = 0; i < G_N_ELEMENTS(children); i++) {
        children[i] = fork();
        if (children[i] != 0)
            continue;
        start(fixture);
        for (int n = 0; n < ADDS; n++)
            add(fixture, "n", 1, 0);
        _exit(0);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(children); i++) {
        int status;
        waitpid(children[i], &status, 0);
        g_assert_cmpint(status, ==, 0);
    }
    start(fixture);
    g_assert_cmpint(add(fixture, "n", 0, 0), ==, ADDS * G_N_ELEMENTS(children));
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*run)(Fixture *fixture, gconstpointer data);
    } tests[] = {
        {"/service/store/values-are-kept-by-space-and-key", test_values},
        {"/service/store/those-behind-a-prefix-are-listed-in-order", test_each},
        {"/service/store/many-are-listed-whole", test_each_of_many},
        {"/service/store/a-flood-pushes-out-nothing-but-itself", test_flood},
        {"/service/store/the-file-of-a-version-that-did-not-count-is-bounded",
         test_uncounted},
        {"/service/store/opening-reads-no-entries", test_open_large},
        {"/service/store/sums-are-decimal-and-stop-at-the-bound", test_add},
        {"/service/store/entries-end-with-their-lifetime", test_lifetimes},
        {"/service/store/the-dead-are-removed-in-portions", test_expire},
        {"/service/store/keys-and-values-have-limits", test_limits},
        {"/service/store/without-a-path-it-is-private", test_private},
        {"/service/store/the-file-is-for-its-owner", test_mode},
        {"/service/store/garbage-is-reported-and-left", test_garbage},
        {"/service/store/a-missing-directory-may-appear",
         test_directory_missing},
        {"/service/store/a-read-only-directory-fails", test_read_only},
        {"/service/store/a-locked-store-fails-soon", test_locked},
        {"/service/store/what-queues-behind-a-failure-fails-with-it",
         test_queue_behind_failure},
        {"/service/store/a-short-lock-is-waited-for", test_short_lock},
        {"/service/store/memory-is-read-while-a-write-waits",
         test_read_in_memory},
        {"/service/store/another-file-is-read-where-it-is-written",
         test_another_file},
        {"/service/store/a-full-disk-fails", test_full},
        {"/service/store/a-killed-writer-leaves-a-sound-file", test_kill},
        {"/service/store/processes-add-without-losing", test_two_processes},
    };
    g_test_init(&argc, &argv, NULL);
    metrics_init(1);
    metrics_use_row(0);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].run,
                   tear_down);
    return g_test_run();
}
