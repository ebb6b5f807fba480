/* test-lookup.c: what a mail server is asked about a recipient, what its reply
 * means, and how long that is remembered.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/lookup/conversation.h"
#include <filterd/harness.h>

#include <string.h>

#define S INT64_C(1000)
#define H (3600 * S)
#define D (24 * H)
#define SERVER "192.0.2.25:25"
#define USUAL                                                      \
    .server = SERVER, .hello = "mx.example.com", .timeout = 10000, \
    .positive = 7 * D, .negative = 2 * H, .connections = 4

static const Config plain = {USUAL};
static const Config probing = {USUAL, .probe = true};
static const Config lmtp = {USUAL, .protocol = 1};

#define HELLO                                  \
    "says 220 inner.example.com ready\\r\\n\n" \
    "hears EHLO mx.example.com\\r\\n\n"        \
    "says 250-inner.example.com\\r\\n250-PIPELINING\\r\\n\n"
#define GREET HELLO "says 250 8BITMIME\\r\\n\n"
#define GREET_UTF8 HELLO "says 250 SMTPUTF8\\r\\n\n"
#define MAIL "hears MAIL FROM:<>\\r\\n\nsays 250 2.1.0 ok\\r\\n\n"
#define RCPT "hears RCPT TO:<bob@example.com>\\r\\n\n"
#define QUIT "hears QUIT\\r\\n\nsays 221 bye\\r\\n"
#define ASK(reply) GREET MAIL RCPT "says " reply "\\r\\n\n" QUIT
#define NOBODY(reply)                                                         \
    "until RCPT TO:<nobody-\nuntil @example.com>\\r\\n\nsays " reply "\\r\\n" \
    "\n"

static Harness *
lookup_new(const Config *config)
{
    Harness *harness = harness_new(&filterd_plugin, config);

    harness_set(harness, "rcpt.to", "bob@example.com");
    return harness;
}

/* "RESULT CACHED REPLY PROBLEM" of the recipient at hand. */
static void
assert_rcpt(Harness *harness, const char *expected)
{
    static const char *const names[] = {"result", "cached", "reply", "problem"};
    g_autoptr(GString) out = g_string_new(NULL);

    harness_run(harness, FILTERD_RCPT);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        g_string_append_printf(out, "%s%s", i > 0 ? " | " : "",
                               harness_fact(harness, names[i]));
    harness_reset(harness);
    g_assert_cmpstr(out->str, ==, expected);
}

/* ---- replies ------------------------------------------------------------ */

static const struct Case {
    const char *name, *script, *expected;
} cases[] = {
    {"who-is-accepted-exists", ASK("250 2.1.5 ok"),
     "exists | no | 250 2.1.5 ok | -"},
    {"who-will-be-forwarded-exists", ASK("251 elsewhere"),
     "exists | no | 251 elsewhere | -"},
    {"who-is-refused-is-missing", ASK("550-5.1.1 no\\r\\n550 5.1.1 such user"),
     "missing | no | 550 5.1.1 such user | -"},
    {"who-is-disabled-is-missing", ASK("550 5.2.1"),
     "missing | no | 550 5.2.1 | -"},
    {"old-servers-have-codes-alone", ASK("550 no such user"),
     "missing | no | 550 no such user | -"},
    {"a-policy-says-nothing", ASK("550 5.7.1 relaying denied"),
     "- | - | - | 550 5.7.1 relaying denied"},
    {"a-full-mailbox-says-nothing", ASK("552 5.2.2 full"),
     "- | - | - | 552 5.2.2 full"},
    {"another-refusal-says-nothing", ASK("554 no"), "- | - | - | 554 no"},
    {"a-dialogue-in-many-pieces",
     "says 2\nsays 20 x\nsays \\r\nsays \\n\nuntil \\n\nsays 250 x\\r\\n\n" MAIL
         RCPT "says 25\nsays 0\nsays \\r\\n\n" QUIT,
     "exists | no | 250  | -"},
    {"replies-are-printable", ASK("550 5.1.1 \\xff\\x01x"),
     "missing | no | 550 5.1.1 ??x | -"},
};

static void
test_reply(const void *data)
{
    const struct Case *row = data;
    g_autoptr(Harness) harness = lookup_new(&plain);

    harness_peer(harness, SERVER, row->script);
    assert_rcpt(harness, row->expected);
}

static const struct Case failures[] = {
    {"it-is-not-there", NULL, ": connection lost"},
    {"it-is-deaf", "says 220 x\\r\\n\ndeaf", ": timed out"},
    {"it-is-slow", "waits 9000\nsays 220 x\\r\\n\nuntil \\n\nwaits 2000",
     ": timed out"},
    {"it-does-not-greet", "says 554 5.7.1 go away\\r\\n",
     ": it does not greet: “554 5.7.1 go away”"},
    {"it-refuses-ehlo", "says 220 x\\r\\n\nuntil \\n\nsays 502 what\\r\\n",
     ": it refuses EHLO: “502 what”"},
    {"it-refuses-bounces", GREET "until \\n\nsays 550 5.7.1 no\\r\\n",
     ": it refuses the null reverse-path: “550 5.7.1 no”"},
    {"it-closes", GREET MAIL RCPT "says 421 4.3.2 later\\r\\n",
     ": it ends: “421 4.3.2 later”"},
    {"it-is-cut", GREET "cuts", ": connection lost"},
    {"it-talks-nonsense", "says SSH-2.0-x\\r\\n", ": what it says is no reply"},
    {"its-codes-disagree", "says 220-x\\r\\n250 y\\r\\n",
     ": what it says is no reply"},
};

/* It is left alone for a while, then asked again. */
static void
test_failure(const void *data)
{
    const struct Case *row = data;
    g_autoptr(Harness) harness = lookup_new(&plain);
    g_autofree char *problem =
        g_strconcat("- | - | - | " SERVER, row->expected, NULL);

    if (row->script != NULL)
        harness_peer(harness, SERVER, row->script);
    harness_expect_warning(harness, "cannot ask: " SERVER);
    assert_rcpt(harness, problem);
    harness_peer(harness, SERVER, ASK("250 ok"));
    harness_advance(harness, 9999);
    assert_rcpt(harness, problem);
    harness_advance(harness, 1);
    assert_rcpt(harness, "exists | no | 250 ok | -");
    g_assert_nonnull(strstr(harness_log(harness), "info can ask again"));
    g_assert_cmpint(harness_metric(harness, "recipients failed"), ==, 2);
}

static void
test_endless(void)
{
    g_autoptr(Harness) harness = lookup_new(&plain);
    g_autoptr(GString) script = g_string_new(NULL);

    for (int i = 0; i < 65; i++)
        g_string_append(script, "says 220-more\\r\\n\n");
    harness_peer(harness, SERVER, script->str);
    harness_expect_warning(harness, "cannot ask");
    assert_rcpt(harness, "- | - | - | " SERVER ": what it says is no reply");
}

/* ---- what is remembered ------------------------------------------------- */

static void
test_memory(void)
{
    g_autoptr(Harness) harness = lookup_new(&plain);

    harness_peer(harness, SERVER, ASK("250 ok"));
    assert_rcpt(harness, "exists | no | 250 ok | -");
    harness_advance(harness, 7 * D - 1);
    harness_set(harness, "rcpt.to", "BOB@example.com");
    assert_rcpt(harness, "exists | yes | 250 ok | -");
    harness_set(harness, "rcpt.to", "bob@example.com");
    harness_advance(harness, 1);
    harness_peer(harness, SERVER, ASK("550 5.1.1 gone"));
    assert_rcpt(harness, "missing | no | 550 5.1.1 gone | -");
    harness_advance(harness, 2 * H - 1);
    assert_rcpt(harness, "missing | yes | 550 5.1.1 gone | -");
    harness_advance(harness, 1);
    for (int i = 0; i < 2; i++) {
        harness_peer(harness, SERVER, ASK("450 4.2.0 later"));
        assert_rcpt(harness, "- | - | - | 450 4.2.0 later");
    }
}

static void
test_store(void)
{
    g_autoptr(Harness) harness = lookup_new(&plain);

    harness_store_fails(harness, true);
    for (int i = 0; i < 2; i++) {
        harness_peer(harness, SERVER, ASK("250 ok"));
        assert_rcpt(harness, "exists | no | 250 ok | -");
    }
    harness_store_fails(harness, false);
    harness_peer(harness, SERVER, ASK("250 ok"));
    assert_rcpt(harness, "exists | no | 250 ok | -");
    harness_store_spoil(harness, "existsnot");
    harness_peer(harness, SERVER, ASK("250 ok"));
    assert_rcpt(harness, "exists | no | 250 ok | -");
}

/* A domain is tried once, and what takes all is not asked again. */
static void
test_catch_all(void)
{
    g_autoptr(Harness) harness = lookup_new(&probing);

    harness_peer(harness, SERVER,
                 GREET MAIL RCPT "says 250 ok\\r\\n\n" NOBODY("250 ok") QUIT);
    assert_rcpt(harness, "catch-all | no | 250 ok | -");
    harness_set(harness, "rcpt.to", "carol@example.com");
    assert_rcpt(harness, "catch-all | yes | 250 ok | -");
}

static void
test_picky(void)
{
    g_autoptr(Harness) harness = lookup_new(&probing);

    harness_peer(harness, SERVER,
                 GREET MAIL RCPT "says 250 ok\\r\\n\n" NOBODY("550 no") QUIT);
    assert_rcpt(harness, "exists | no | 250 ok | -");
    harness_set(harness, "rcpt.to", "carol@example.com");
    harness_peer(harness, SERVER,
                 GREET MAIL
                 "until carol@example.com>\\r\\n\nsays 250 c\\r\\n\n" QUIT);
    assert_rcpt(harness, "exists | no | 250 c | -");
}

/* The second question does not spoil the answer to the first one. */
static void
test_probe_fails(void)
{
    static const char *const ends[] = {NOBODY("450 later") QUIT,
                                       NOBODY("421 too much"), "cuts",
                                       "until nobody-\nstalls"};

    for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_autoptr(Harness) harness = lookup_new(&probing);
        g_autofree char *script =
            g_strconcat(GREET MAIL RCPT "says 250 ok\\r\\n\n", ends[i], NULL);

        harness_peer(harness, SERVER, script);
        assert_rcpt(harness, "exists | no | 250 ok | -");
    }
}

/* ---- other words -------------------------------------------------------- */

static void
test_utf8(void)
{
    g_autoptr(Harness) harness = lookup_new(&plain);

    harness_set(harness, "rcpt.to", "jürgen@example.com");
    harness_peer(harness, SERVER, GREET);
    assert_rcpt(harness, "- | - | - | " SERVER ": it has no SMTPUTF8");
    harness_peer(harness, SERVER,
                 GREET_UTF8 "hears MAIL FROM:<> SMTPUTF8\\r\\n\n"
                            "says 250 ok\\r\\n\n"
                            "hears RCPT TO:<jürgen@example.com>\\r\\n\n"
                            "says 250 ok\\r\\n\n" QUIT);
    assert_rcpt(harness, "exists | no | 250 ok | -");
    harness_set(harness, "rcpt.to", "JÜRGEN@example.com");
    assert_rcpt(harness, "exists | yes | 250 ok | -");
}

static void
test_lmtp(void)
{
    g_autoptr(Harness) harness = lookup_new(&lmtp);

    harness_peer(harness, SERVER,
                 "says 220 x\\r\\n\nhears LHLO mx.example.com\\r\\n\n"
                 "says 250 x\\r\\n\n" MAIL RCPT "says 250 ok\\r\\n\n" QUIT);
    assert_rcpt(harness, "exists | no | 250 ok | -");
}

static void
test_unknown(void)
{
    g_autoptr(Harness) harness = lookup_new(&plain);

    harness_set(harness, "rcpt.to", NULL);
    assert_rcpt(harness, "- | - | - | -");
    harness_set(harness, "rcpt.to", "postmaster");
    assert_rcpt(harness, "- | - | - | -");
}

static void
test_start(void)
{
    static const Config nowhere = {.server = "inner", .hello = "x"};
    static const Config nobody = {.server = SERVER, .hello = "x\r\ny"};
    g_autofree char *server = harness_start_error(&filterd_plugin, &nowhere);
    g_autofree char *hello = harness_start_error(&filterd_plugin, &nobody);

    g_assert_true(g_str_has_prefix(server, "server 0: "));
    g_assert_cmpstr(hello, ==, "hello 0: no name of a host");
}

static void
prepare(Harness *harness, void *data)
{
    harness_set(harness, "rcpt.to", "bob@example.com");
    harness_peer(harness, SERVER, data);
    harness_peer(harness, SERVER, data);
}

static void
play(Harness *harness, void *data)
{
    (void)data;
    harness_run(harness, FILTERD_RCPT);
}

/* Without the second question, it just exists. */
static bool
allow(const HarnessTrial *trial, const char *what, const char *whole,
      const char *now)
{
    (void)trial;
    (void)whole;
    return strcmp(what, "problem") == 0
           || (strcmp(what, "result") == 0 && strcmp(now, "exists") == 0);
}

static void
test_faults(void)
{
    const HarnessScene scene = {.prepare = prepare,
                                .play = play,
                                .allows = allow,
                                .data = (char *)GREET MAIL RCPT
                                "says 250 ok\\r\\n\n" NOBODY("250 ok") QUIT};

    g_assert_cmpuint(harness_explore(&filterd_plugin, &probing, &scene), >, 50);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat("/lookup/", cases[i].name, NULL);

        g_test_add_data_func(path, &cases[i], test_reply);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(failures); i++) {
        g_autofree char *path =
            g_strconcat("/lookup/unknown-where-", failures[i].name, NULL);

        g_test_add_data_func(path, &failures[i], test_failure);
    }
    g_test_add_func("/lookup/a-reply-has-an-end", test_endless);
    g_test_add_func("/lookup/answers-are-remembered-for-their-time",
                    test_memory);
    g_test_add_func("/lookup/a-dead-store-remembers-nothing", test_store);
    g_test_add_func("/lookup/a-domain-may-take-all", test_catch_all);
    g_test_add_func("/lookup/a-domain-is-tried-once", test_picky);
    g_test_add_func("/lookup/a-probe-that-fails-spoils-nothing",
                    test_probe_fails);
    g_test_add_func("/lookup/addresses-may-be-utf8", test_utf8);
    g_test_add_func("/lookup/it-speaks-lmtp", test_lmtp);
    g_test_add_func("/lookup/no-recipient-is-no-question", test_unknown);
    g_test_add_func("/lookup/options-make-sense", test_start);
    g_test_add_func("/lookup/each-fault-at-each-wait", test_faults);
    return g_test_run();
}
