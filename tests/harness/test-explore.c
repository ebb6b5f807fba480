/* test-explore.c: plugins that lie, linger or leak are found out, honest ones
 * are not.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <filterd/harness.h>

#include <string.h>

/* What the plugin does when it must not; the config. */
typedef enum Vice {
    HONEST,
    LIES, /* nobody is listed, if nobody can be asked */
    LIES_IN_RESULTS,
    LINGERS, /* asks on after it was cancelled */
    LEAKS,   /* of what it has when the store fails */
    BREAKS,  /* returns no error with its failure */
} Vice;

enum { LISTED, TRIES };

static const FilterdFact facts[] = {
    {.name = "listed", .type = FILTERD_BOOL, .since = FILTERD_CONNECT},
    {.name = "tries",
     .type = FILTERD_INT,
     .since = FILTERD_RCPT,
     .flags = FILTERD_EFFECT},
    {NULL}};
static const FilterdNeed needs[] = {{"client.ip", FILTERD_IP}, {NULL}};
static const FilterdMethod methods[] = {{"x-list", LISTED}, {NULL}};

static bool
failure(GError **error)
{
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "no answer");
    return false;
}

static bool
connect_hook(FilterdCall *call, GError **error)
{
    Vice vice = *(const Vice *)call->config;
    const FilterdDnsAnswer *answer =
        call->host->dns(call, "client.list.example", FILTERD_DNS_A);
    bool failed = filterd_dns_failed(answer);

    while (vice == LINGERS && answer->status == FILTERD_DNS_CANCELLED)
        answer = call->host->dns(call, "other.list.example", FILTERD_DNS_A);
    if (vice == LIES_IN_RESULTS)
        call->host->authres(call, "x-list", failed ? "clean" : "listed", NULL,
                            NULL, 0);
    if (failed && vice == LIES_IN_RESULTS)
        return true;
    if (failed && vice == BREAKS)
        return false;
    if (failed && vice != LIES)
        return failure(error);
    call->host->publish(call, LISTED,
                        filterd_bool(answer->status == FILTERD_DNS_ANSWER));
    return true;
}

static void
nothing(void *data)
{
    (void)data;
}

static bool
rcpt_hook(FilterdCall *call, GError **error)
{
    Vice vice = *(const Vice *)call->config;
    char *key = g_strdup("tries");
    int64_t sum;

    if (call->host->lookup(call, 0)->type != FILTERD_IP
        || !call->host->sleep(call, 10)
        || !call->host->offload(call, nothing, NULL)
        || call->host->store_add(call, key, 1, 0, &sum) != FILTERD_STORE_OK) {
        if (vice == LEAKS)
            key = NULL;
        g_free(key);
        return failure(error);
    }
    g_free(key);
    call->host->publish(call, TRIES, filterd_int(sum));
    return true;
}

FILTERD_PLUGIN(.name = "vice", .config_size = sizeof(Vice), .facts = facts,
               .needs = needs, .methods = methods, .connect = connect_hook,
               .rcpt = rcpt_hook);

static void
prepare(Harness *harness, void *unused)
{
    (void)unused;
    harness_zone(harness, "client.list.example 60 A 127.0.0.2");
    harness_set(harness, "client.ip", "192.0.2.1");
}

static void
play(Harness *harness, void *unused)
{
    (void)unused;
    harness_run(harness, FILTERD_CONNECT);
    harness_run(harness, FILTERD_RCPT);
}

static void
count(Harness *harness, const HarnessTrial *trial, void *counts)
{
    (void)harness;
    ((unsigned *)counts)[trial->fault]++;
}

static void
test_each_fault_at_each_wait(void)
{
    static const unsigned expected[] = {
        [HARNESS_NO_FAULT] = 1,   [HARNESS_CANCELLED] = 5,
        [HARNESS_UNKNOWN] = 1,    [HARNESS_TIMEOUT] = 1,
        [HARNESS_SERVFAIL] = 1,   [HARNESS_BOGUS] = 1,
        [HARNESS_SPENT] = 1,      [HARNESS_STORE_ONCE] = 1,
        [HARNESS_STORE_DEAD] = 1, [HARNESS_REFUSED] = 1,
    };
    unsigned counts[G_N_ELEMENTS(expected)] = {0};
    const Vice vice = HONEST;
    const HarnessScene scene = {
        .prepare = prepare, .play = play, .judge = count, .data = counts};

    g_assert_cmpuint(harness_explore(&filterd_plugin, &vice, &scene), ==, 14);
    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++)
        g_assert_cmpuint(counts[i], ==, expected[i]);
}

static void
test_one_fault_by_hand(void)
{
    const Vice vice = HONEST;
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, &vice);

    prepare(harness, NULL);
    harness_inject(harness, 1, HARNESS_UNKNOWN);
    harness_run(harness, FILTERD_CONNECT);
    harness_expect_warning(harness, "no answer");
    harness_run(harness, FILTERD_RCPT);
    g_assert_cmpstr(harness_waited(harness), ==,
                    "dns A client.list.example\nlookup client.ip");
    g_assert_cmpstr(harness_fact(harness, "listed"), ==, "yes");
    g_assert_cmpstr(harness_fact(harness, "tries"), ==, "-");
}

/* Nothing runs any more, until somebody else connects. */
static void
test_cancelled_is_the_end(void)
{
    const Vice vice = HONEST;
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, &vice);

    prepare(harness, NULL);
    harness_inject(harness, 0, HARNESS_CANCELLED);
    harness_expect_warning(harness, "no answer");
    harness_run(harness, FILTERD_CONNECT);
    harness_run(harness, FILTERD_RCPT);
    g_assert_cmpstr(harness_store(harness), ==, "");
    harness_reconnect(harness);
    harness_run(harness, FILTERD_RCPT);
    g_assert_cmpstr(harness_store(harness), ==, "tries = 1");
}

/* ---- who is found out --------------------------------------------------- */

static const struct {
    const char *name;
    Vice vice;
    unsigned least;
    const char *told, *where;
} rows[] = {
    {"a-lie", LIES, 0, "listed: *no*, which would have been *yes*",
     "it was wait 0, dns A client.list.example: cancelled"},
    {"a-false-result", LIES_IN_RESULTS, 0,
     "Authentication-Results: *x-list=clean*",
     "it was wait 0, dns A client.list.example: cancelled"},
    {"who-lingers", LINGERS, 0,
     "goes on waiting after it was cancelled: dns A other.list.example", ""},
    {"who-fails-without-an-error", BREAKS, 0, "result and its error disagree",
     "it was wait 0, dns A client.list.example: cancelled"},
    {"a-scene-that-shrank", HONEST, 15, "no more than 14 runs", ""},
    {"a-leak", LEAKS, 0, "memory leaks", ""},
};

__attribute__((weak)) int __lsan_do_recoverable_leak_check(void);

static const char *self;

/* In a process of its own, as it fails. */
static void
explore_row(gconstpointer data)
{
    const gsize i = GPOINTER_TO_SIZE(data);
    const HarnessScene scene = {
        .prepare = prepare, .play = play, .least = rows[i].least};

    harness_explore(&filterd_plugin, &rows[i].vice, &scene);
}

static void
assert_told(const char *told, const char *part)
{
    g_autofree char *pattern = g_strdup_printf("*%s*", part);

    if (!g_pattern_match_simple(pattern, told))
        g_test_fail_printf("\"%s\" is not told, but: %s", part, told);
}

static void
test_found(gconstpointer data)
{
    const gsize i = GPOINTER_TO_SIZE(data);
    g_autofree char *number = g_strdup_printf("%zu", i);
    g_autofree char *out = NULL, *err = NULL;
    const char *argv[] = {self, "--row", number, NULL};
    g_autoptr(GError) error = NULL;
    int status;

    if (rows[i].vice == LEAKS && __lsan_do_recoverable_leak_check == NULL) {
        g_test_skip("no leak sanitizer");
        return;
    }
    g_spawn_sync(NULL, (char **)argv, NULL, 0, NULL, NULL, &out, &err, &status,
                 &error);
    g_assert_no_error(error);
    g_assert_cmpint(status, !=, 0);

    g_autofree char *told = g_strconcat(out, err, NULL);

    assert_told(told, rows[i].told);
    assert_told(told, rows[i].where);
}

static int
run_row(int argc, char **argv)
{
    gsize row = (gsize)g_ascii_strtoull(argv[2], NULL, 10);

    argc = 1;
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/row", GSIZE_TO_POINTER(row), explore_row);
    return g_test_run();
}

int
main(int argc, char **argv)
{
    self = argv[0];
    if (argc == 3 && strcmp(argv[1], "--row") == 0)
        return run_row(argc, argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/explore/each-fault-at-each-wait",
                    test_each_fault_at_each_wait);
    g_test_add_func("/explore/one-fault-by-hand", test_one_fault_by_hand);
    g_test_add_func("/explore/cancelled-is-the-end", test_cancelled_is_the_end);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path =
            g_strdup_printf("/explore/finds/%s", rows[i].name);

        g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_found);
    }
    return g_test_run();
}
