/* test-spamd.c: what spamd and rspamd are sent, and what is made of their
 * answers.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/spamd/config.h"
#include <filterd/harness.h>

#include <string.h>

#define SERVER "127.0.0.1:783"
#define MESSAGE "Subject: x\n\nbody\n"

static const Config spamd = {SERVER, NULL, SPAMD, 60000, 1000};
static const Config personal = {SERVER, "alice", SPAMD, 60000, 1000};
static const Config rspamd = {SERVER, NULL, RSPAMD, 60000, 1000};
static const Config deliver = {SERVER, "alice", RSPAMD, 60000, 1000};

#define TRACE                                                         \
    "Return-Path: <a@example.org>\\r\\n"                              \
    "Received: from mail.example.org (mx.example.org [198.51.100.9])" \
    "\\r\\n\\tby localhost with ESMTP;"                               \
    "\\r\\n\\tFri, 15 Jan 2027 08:00:00 +0000\\r\\n"
#define TEXT "Subject: x\\r\\n\\r\\nbody\\r\\n\n"
#define SPAMC \
    "hears SYMBOLS SPAMC/1.5\\r\\nContent-length: 176\\r\\n\\r\\n" TRACE TEXT
#define HTTP                                                     \
    "hears POST /checkv2 HTTP/1.0\\r\\nIP: 198.51.100.9\\r\\n"   \
    "Helo: mail.example.org\\r\\nHostname: mx.example.org\\r\\n" \
    "From: a@example.org\\r\\nRcpt: b@example.com\\r\\n"         \
    "Content-Length: 20\\r\\n\\r\\n" TEXT
#define SPAM                                                 \
    "says SPAMD/1.1 0 EX_OK\\r\\nContent-length: 10\\r\\n\n" \
    "says Spam: True ; 15.9 / 5.0\\r\\n\\r\\nGTUBE\nsays ,B_1\\r\\n\nstalls"

static Harness *
spamd_new(const Config *config)
{
    Harness *harness = harness_new(&filterd_plugin, config);

    harness_set(harness, "client.ip", "198.51.100.9");
    harness_set(harness, "client.name", "mx.example.org");
    harness_set(harness, "helo.name", "mail.example.org");
    harness_set(harness, "mail.from", "a@example.org");
    harness_set(harness, "rcpt.to", "b@example.com");
    return harness;
}

/* "SCORE POINTS SPAM SYMBOLS ACTION" */
static char *
facts_of(Harness *harness)
{
    static const char *const names[] = {"score", "points", "spam", "symbols",
                                        "action"};
    GString *out = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        g_string_append_printf(out, "%s%s", i > 0 ? " " : "",
                               harness_fact(harness, names[i]));
    return g_string_free(out, FALSE);
}

static void
assert_facts(Harness *harness, const char *expected, const char *problem)
{
    g_autofree char *facts = facts_of(harness);

    g_assert_cmpstr(harness_fact(harness, "problem"), ==, problem);
    g_assert_cmpstr(facts, ==, expected);
}

static const struct Case {
    const char *name;
    const Config *config;
    const char *answer, *facts, *problem;
} cases[] = {
    {"spam-of-spamd", &spamd, SPAM, "15 15.90 yes GTUBE,B_1 -", "-"},
    {"ham-of-spamd", &spamd,
     "says SPAMD/1.1 0 EX_OK\\r\\nSpam: False ; -0.1 / 5.0\\r\\n\\r\\n",
     "-1 -0.10 no  -", "-"},
    {"an-error-of-spamd", &spamd, "says SPAMD/1.0 76 Bad header line\\r\\n",
     "- - - - -", "no answer of spamd: “SPAMD/1.0 76 Bad header line”"},
    {"another-error-of-spamd", &spamd,
     "says SPAMD/1.1 74 EX_IOERR\\r\\nSpam: True ; 9 / 5\\r\\n\\r\\n",
     "- - - - -", "no answer of spamd: “SPAMD/1.1 74 EX_IOERR”"},
    {"half-an-answer", &spamd,
     "says SPAMD/1.1 0 EX_OK\\r\\nContent-length: 9\\r\\nSpam: True ; 9 / "
     "5\\r\\n\\r\\nA,B",
     "- - - - -", "no answer of spamd: “SPAMD/1.1 0 EX_OK”"},
    {"no-score", &spamd,
     "says SPAMD/1.1 0 EX_OK\\r\\nSpam: Perhaps ; 1 / 2\\r\\n\\r\\n",
     "- - - - -", "spamd tells no score: “SPAMD/1.1 0 EX_OK”"},
    {"no-number", &spamd,
     "says SPAMD/1.1 0 EX_OK\\r\\nSpam: True ; nan / 2\\r\\n\\r\\n",
     "- - - - -", "spamd tells no score: “SPAMD/1.1 0 EX_OK”"},
    {"spam-of-rspamd", &rspamd,
     "says HTTP/1.1 200 OK\\r\\nContent-Length: 85\\r\\n\\r\\n\n"
     "says {\"score\":6.5,\"symbols\":{\"A\":{\"options\":[\"x\"]},"
     "\"B C\":{}},\nsays \"action\":\"add header\",\"x\":[]}\nstalls",
     "6 6.50 yes A,B?C add-header", "-"},
    {"ham-of-rspamd", &rspamd,
     "says HTTP/1.1 200 OK\\r\\n\\r\\n{\"score\":-1.25,\"action\":\"no "
     "action\"}",
     "-2 -1.25 no  no-action", "-"},
    {"an-action-of-their-own", &rspamd,
     "says HTTP/1.1 200 OK\\r\\n\\r\\n{\"score\":1,\"action\":\"mine\"}",
     "1 1.00 no  -", "-"},
    {"an-error-of-rspamd", &rspamd,
     "says HTTP/1.1 403 No\\r\\n\\r\\n{\"error\":\"denied \\\\u0041\"}",
     "- - - - -", "rspamd says: “denied A”"},
    {"no-json", &rspamd, "says HTTP/1.1 200 OK\\r\\n\\r\\n<html>", "- - - - -",
     "rspamd tells no score: “HTTP/1.1 200 OK”"},
    {"half-of-it", &rspamd,
     "says HTTP/1.1 200 OK\\r\\n\\r\\n{\"score\":1,\"action\":\"rej",
     "- - - - -", "rspamd tells no score: “HTTP/1.1 200 OK”"},
};

static void
test_answer(const void *data)
{
    const struct Case *row = data;
    g_autoptr(Harness) harness = spamd_new(row->config);
    g_autofree char *script =
        g_strconcat(row->config == &spamd ? SPAMC : HTTP, row->answer, NULL);

    harness_peer(harness, SERVER, script);
    if (strcmp(row->problem, "-") != 0)
        harness_expect_warning(harness, row->problem);
    harness_message(harness, MESSAGE, 3);
    assert_facts(harness, row->facts, row->problem);
}

/* What a client says is no field of ours. */
static void
test_hostile_words(void)
{
    g_autoptr(Harness) harness = spamd_new(&personal);

    harness_set(harness, "client.ip", "2001:db8::1");
    harness_set(harness, "client.name", NULL);
    harness_set(harness, "helo.name", "x) by evil (y [127.0.0.1");
    harness_set(harness, "mail.from", "");
    harness_set(harness, "auth.user", "bob");
    harness_peer(
        harness, SERVER,
        "hears SYMBOLS SPAMC/1.5\\r\\nUser: alice\\r\\nContent-length: "
        "169\\r\\n\\r\\nReturn-Path: <>\\r\\n"
        "Received: from x??by?evil??y??127.0.0.1 (unknown "
        "[IPv6:2001:db8::1])\\r\\n\\tby localhost with ESMTPA;"
        "\\r\\n\\tFri, 15 Jan 2027 08:00:00 +0000\\r\\n" TEXT SPAM);
    harness_message(harness, MESSAGE, 0);
    assert_facts(harness, "15 15.90 yes GTUBE,B_1 -", "-");
}

static void
test_nothing_known(void)
{
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, &deliver);

    harness_peer(harness, SERVER,
                 "hears POST /checkv2 HTTP/1.0\\r\\nDeliver-To: alice\\r\\n"
                 "Content-Length: 20\\r\\n\\r\\n" TEXT
                 "says HTTP/1.1 200 OK\\r\\n\\r\\n{\"score\":0}");
    harness_message(harness, MESSAGE, 0);
    assert_facts(harness, "0 0.00 no  -", "-");
}

static void
test_dead(void)
{
    g_autoptr(Harness) harness = spamd_new(&spamd);

    harness_expect_warning(harness, "cannot judge: " SERVER);
    for (int i = 0; i < 2; i++) {
        harness_message(harness, MESSAGE, 0);
        assert_facts(harness, "- - - - -", SERVER ": connection lost");
        harness_reset(harness);
    }
    harness_peer(harness, SERVER, SPAMC SPAM);
    harness_message(harness, MESSAGE, 0);
    g_assert_nonnull(strstr(harness_log(harness), "info can judge again"));
    g_assert_cmpint(harness_metric(harness, "messages failed"), ==, 2);
    g_assert_cmpint(harness_metric(harness, "messages spam"), ==, 1);
}

static const struct Silent {
    const char *name, *script, *problem;
} silent[] = {
    {"deaf", "deaf", "timed out"},
    {"stalling", SPAMC "stalls", "timed out"},
    {"cut", SPAMC "cuts", "connection lost"},
    {"slow", SPAMC "says SPAMD/1.1 0\nwaits 60000\nsays  EX_OK", "timed out"},
};

static void
test_silent(const void *data)
{
    const struct Silent *row = data;
    g_autoptr(Harness) harness = spamd_new(&spamd);
    g_autofree char *problem = g_strconcat(SERVER ": ", row->problem, NULL);

    harness_peer(harness, SERVER, row->script);
    harness_expect_warning(harness, row->problem);
    harness_message(harness, MESSAGE, 0);
    assert_facts(harness, "- - - - -", problem);
}

static void
test_endless(void)
{
    g_autoptr(Harness) harness = spamd_new(&spamd);
    g_autofree char *much = g_strnfill(700000, 'x');
    g_autofree char *script =
        g_strconcat(SPAMC "says ", much, "\nsays ", much, NULL);

    harness_peer(harness, SERVER, script);
    harness_expect_warning(harness, "more than 1048576 octets");
    harness_message(harness, MESSAGE, 0);
    assert_facts(harness, "- - - - -", "an answer of more than 1048576 octets");
}

static void
test_large(void)
{
    g_autoptr(Harness) harness = spamd_new(&spamd);
    g_autofree char *body = g_strnfill(1000, 'x');
    g_autofree char *text = g_strconcat("Subject: x\n\n", body, "\n", NULL);

    harness_message(harness, text, 0);
    assert_facts(harness, "- - - - -", "1016 octets are more than max-size");
}

static void
test_start(void)
{
    static const Config nowhere = {"spamd", NULL, SPAMD, 1, 1};
    static const Config nobody = {SERVER, "a b", SPAMD, 1, 1};
    g_autofree char *server = harness_start_error(&filterd_plugin, &nowhere);
    g_autofree char *user = harness_start_error(&filterd_plugin, &nobody);

    g_assert_true(g_str_has_prefix(server, "server 0: "));
    g_assert_cmpstr(user, ==, "user 0: a user is a word of printable ASCII");
}

static void
prepare(Harness *harness, void *data)
{
    harness_set(harness, "client.ip", "198.51.100.9");
    harness_peer(harness, SERVER, data);
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
    const HarnessScene scene = {.prepare = prepare,
                                .play = play,
                                .allows = allow,
                                .data = (char *)"until body\\r\\n\n" SPAM};

    g_assert_cmpuint(harness_explore(&filterd_plugin, &spamd, &scene), >, 30);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat("/spamd/", cases[i].name, NULL);

        g_test_add_data_func(path, &cases[i], test_answer);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(silent); i++) {
        g_autofree char *path =
            g_strconcat("/spamd/unknown-where-it-is-", silent[i].name, NULL);

        g_test_add_data_func(path, &silent[i], test_silent);
    }
    g_test_add_func("/spamd/what-a-client-says-is-no-field",
                    test_hostile_words);
    g_test_add_func("/spamd/what-is-unknown-is-not-told", test_nothing_known);
    g_test_add_func("/spamd/a-dead-one-is-told-once", test_dead);
    g_test_add_func("/spamd/an-answer-has-an-end", test_endless);
    g_test_add_func("/spamd/a-large-message-is-not-sent", test_large);
    g_test_add_func("/spamd/options-make-sense", test_start);
    g_test_add_func("/spamd/each-fault-at-each-wait", test_faults);
    return g_test_run();
}
