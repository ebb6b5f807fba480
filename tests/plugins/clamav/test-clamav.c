/* test-clamav.c: what clamd is sent, what is made of its answers, and what of
 * a clamd that is dead, slow, or gone in the middle.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <filterd/harness.h>

#include <string.h>

#define SERVER "unix:/run/clamd"
#define MESSAGE "Subject: x\n\nbody\n"
#define SENT                                                   \
    "hears nINSTREAM\\n\n"                                     \
    "hears \\0\\0\\0\\x0cSubject: x\\r\\n\\0\\0\\0\\x02\\r\\n" \
    "\\0\\0\\0\\x06body\\r\\n\\0\\0\\0\\0\n"
#define CLEAN SENT "says stream: OK\\n"

typedef struct Config {
    const char *server;
    int64_t timeout, max_size;
} Config;

static const Config usual = {SERVER, 60000, 1000};

static Harness *
clamav_new(void)
{
    Harness *harness = harness_new(&filterd_plugin, &usual);

    harness_set(harness, "message.size", "20");
    return harness;
}

static void
assert_facts(Harness *harness, const char *result, const char *virus,
             const char *problem)
{
    g_assert_cmpstr(harness_fact(harness, "result"), ==, result);
    g_assert_cmpstr(harness_fact(harness, "virus"), ==, virus);
    g_assert_cmpstr(harness_fact(harness, "problem"), ==, problem);
}

static const struct Case {
    const char *name;
    const char *answer; /* to the first attempt */
    const char *result, *virus, *problem;
} answers[] = {
    {"a-clean-message-is-clean", "stream: OK", "clean", "-", "-"},
    {"a-virus-has-a-name", "stream: Eicar-Test FOUND", "infected", "Eicar-Test",
     "-"},
    {"a-name-is-made-printable", "stream: a\\x01\\xff(1) FOUND", "infected",
     "a\?\?(1)", "-"},
    {"clamd-has-a-limit-too", "INSTREAM size limit exceeded. ERROR",
     "too-large", "-", "INSTREAM size limit exceeded. ERROR"},
};

static void
test_answer(const void *data)
{
    const struct Case *row = data;
    g_autofree char *script =
        g_strconcat(SENT "says ", row->answer, "\\n", NULL);

    for (size_t chunk = 0; chunk < 2; chunk++) {
        g_autoptr(Harness) harness = clamav_new();

        harness_peer(harness, SERVER, script);
        harness_message(harness, MESSAGE, chunk * 6);
        assert_facts(harness, row->result, row->virus, row->problem);
    }
}

/* What does not work as the message comes does not count. */
static const struct Early {
    const char *name, *script;
} early[] = {
    {"cut-at-once", "cuts"},
    {"cut-in-the-middle", "until Subject\ncuts"},
    {"cut-at-the-end", SENT "cuts"},
    {"closed-at-the-end", SENT},
    {"impatient-with-a-slow-client", "until Subject\nsays COMMAND READ TIMED "
                                     "OUT\\n"},
    {"deaf", "deaf"},
    {"out-of-memory", SENT "says stream: Can't allocate memory ERROR\\n"},
    {"talks-nonsense", SENT "says OK\\n"},
};

static void
test_once_more(const void *data)
{
    const struct Early *row = data;
    g_autoptr(Harness) harness = clamav_new();

    harness_peer(harness, SERVER, row->script);
    harness_peer(harness, SERVER, CLEAN);
    harness_message(harness, MESSAGE, 0);
    assert_facts(harness, "clean", "-", "-");
    g_assert_cmpint(harness_metric(harness, "messages clean"), ==, 1);
    g_assert_cmpint(harness_metric(harness, "messages failed"), ==, 0);
}

static void
test_dead(void)
{
    g_autoptr(Harness) harness = clamav_new();

    harness_expect_warning(harness, "cannot scan: " SERVER);
    for (int i = 0; i < 2; i++) {
        harness_message(harness, MESSAGE, 0);
        assert_facts(harness, "-", "-", SERVER ": connection lost");
        harness_reset(harness);
    }
    harness_peer(harness, SERVER, CLEAN);
    harness_message(harness, MESSAGE, 0);
    assert_facts(harness, "clean", "-", "-");
    g_assert_nonnull(strstr(harness_log(harness), "info can scan again"));
    g_assert_cmpint(harness_metric(harness, "messages failed"), ==, 2);
}

/* The client waits two seconds while its message comes, then the timeout. */
static void
test_silent(void)
{
    g_autoptr(Harness) harness = clamav_new();

    harness_peer(harness, SERVER, "stalls");
    harness_expect_warning(harness, "timed out");
    harness_message(harness, MESSAGE, 0);
    assert_facts(harness, "-", "-", SERVER ": timed out");
    g_assert_cmpuint(harness_peers_left(harness), ==, 0);
}

static void
test_slow(void)
{
    g_autoptr(Harness) harness = clamav_new();

    harness_peer(harness, SERVER, SENT "waits 59999\nsays stream: OK\\n");
    harness_message(harness, MESSAGE, 0);
    assert_facts(harness, "clean", "-", "-");
}

/* A second attempt has what the first one left. */
static void
test_slow_twice(void)
{
    g_autoptr(Harness) harness = clamav_new();

    harness_peer(harness, SERVER, SENT "waits 40000\ncuts");
    harness_peer(harness, SERVER, SENT "waits 20000\nsays stream: OK\\n");
    harness_expect_warning(harness, "timed out");
    harness_message(harness, MESSAGE, 0);
    assert_facts(harness, "-", "-", SERVER ": timed out");
}

/* Nor is more of it sent than max-size, and a piece. */
static void
test_large(void)
{
    g_autoptr(Harness) harness = clamav_new();
    g_autofree char *body = g_strnfill(15000, 'x');
    g_autofree char *text = g_strconcat("Subject: x\n\n", body, "\n", NULL);

    harness_set(harness, "message.size", "15016");
    harness_peer(harness, SERVER, "until xxxx\nstalls");
    harness_inject(harness, 0, HARNESS_NO_FAULT);
    harness_message(harness, text, 100);
    assert_facts(harness, "too-large", "-",
                 "15016 octets are more than max-size");

    g_auto(GStrv) waits = g_strsplit(harness_waited(harness), "\n", -1);

    g_assert_cmpuint(g_strv_length(waits), <, 3 * 1000 / 100 + 12);
}

/* It may say so before it has heard all. */
static void
test_said_early(void)
{
    g_autoptr(Harness) harness = clamav_new();
    static const char script[] =
        "until Subject\nsays INSTREAM size limit exceeded. ERROR\\n";

    harness_peer(harness, SERVER, script);
    harness_peer(harness, SERVER, script);
    harness_message(harness, MESSAGE, 0);
    assert_facts(harness, "too-large", "-",
                 "INSTREAM size limit exceeded. ERROR");
}

/* Of many clients that are slow, few keep clamd waiting. */
static void
test_aborted(void)
{
    g_autoptr(Harness) harness = clamav_new();

    for (int i = 0; i < 40; i++) {
        harness_peer(harness, SERVER, "until Subject\nstalls");
        harness_field(harness, "Subject: x");
        harness_reset(harness);
    }
    harness_peer(harness, SERVER, CLEAN);
    harness_message(harness, MESSAGE, 0);
    assert_facts(harness, "clean", "-", "-");
}

static void
test_start(void)
{
    static const Config bad = {"localhost:3310", 60000, 1000};
    g_autofree char *text = harness_start_error(&filterd_plugin, &bad);

    g_assert_true(g_str_has_prefix(text, "server 0: localhost:3310"));
}

static void
prepare(Harness *harness, void *data)
{
    (void)data;
    harness_set(harness, "message.size", "20");
    harness_peer(harness, SERVER, SENT "says stream: Bad FOUND\\n");
    harness_peer(harness, SERVER, SENT "says stream: Bad FOUND\\n");
}

static void
play(Harness *harness, void *data)
{
    (void)data;
    harness_message(harness, MESSAGE, 0);
}

static bool
allow(const HarnessTrial *trial, const char *what, const char *whole,
      const char *now)
{
    (void)trial;
    (void)whole;
    (void)now;
    return strcmp(what, "problem") == 0;
}

static void
test_faults(void)
{
    const HarnessScene scene = {
        .prepare = prepare, .play = play, .allows = allow};

    g_assert_cmpuint(harness_explore(&filterd_plugin, &usual, &scene), >, 50);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
        g_autofree char *path = g_strconcat("/clamav/", answers[i].name, NULL);

        g_test_add_data_func(path, &answers[i], test_answer);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(early); i++) {
        g_autofree char *path =
            g_strconcat("/clamav/once-more-where-it-is-", early[i].name, NULL);

        g_test_add_data_func(path, &early[i], test_once_more);
    }
    g_test_add_func("/clamav/a-dead-one-is-told-once", test_dead);
    g_test_add_func("/clamav/a-silent-one-is-unknown", test_silent);
    g_test_add_func("/clamav/a-slow-one-is-waited-for", test_slow);
    g_test_add_func("/clamav/the-timeout-is-one", test_slow_twice);
    g_test_add_func("/clamav/a-large-message-is-not-sent", test_large);
    g_test_add_func("/clamav/it-may-say-it-is-too-large-early",
                    test_said_early);
    g_test_add_func("/clamav/an-aborted-message-gives-its-place-back",
                    test_aborted);
    g_test_add_func("/clamav/a-server-has-an-address", test_start);
    g_test_add_func("/clamav/each-fault-at-each-wait", test_faults);
    return g_test_run();
}
