/* outcome.c: what plugins hear of a message's fate.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/session/world.h"

#define MESSAGE "From: a@example.org\n\nbody\n"

static const struct Case {
    const char *name, *policy;
    int backend; /* its answer; 0: it is not asked */
    const char *expected;
} cases[] = {
    {"no-rule-is-an-acceptance-without-a-name", "at message { }", 250,
     "accepted 5 - 0 -1;"},
    {"a-rule-that-asks-for-a-fact-of-the-plugin",
     "at message { reject big if other.twice > 2 }", 0, "rejected 5 big 1 6;"},
    {"a-rule-that-asks-through-a-let",
     "let big = other.twice > 2 at message { tempfail later if big }", 0,
     "tempfailed 5 later 1 6;"},
    {"a-rule-that-asks-for-others-only",
     "at message { reject big if probe.octets > 2 }", 0, "rejected 5 big 0 6;"},
    {"an-acceptance-by-rule", "at message { accept fine }", 250,
     "accepted 5 fine 0 -1;"},
    {"an-acceptance-of-an-earlier-stage", "at mail { accept early }", 250,
     "accepted 2 early 0 -1;"},
    {"a-quarantine", "at message { quarantine doubt if other.twice > 2 }", 250,
     "quarantined 5 doubt 1 6;"},
    {"a-discard", "at message { discard gone }", 0, "discarded 5 gone 0 -1;"},
    {"a-backend-that-refuses", "at message { accept fine }", 554,
     "rejected 5 -backend 0 -1;"},
    {"a-backend-that-wants-it-later", "at message { }", 451,
     "tempfailed 5 -backend 0 -1;"},
};

static const struct Case *now;

static void
play(World *world)
{
    MailReply reply = {0};

    if (world_all(world, MESSAGE) == SESSION_CONTINUE) {
        mail_reply_set(&reply, now->backend, "2.0.0", "so be it");
        session_delivered(world->session, NULL, &reply);
        mail_reply_clear(&reply);
    }
    g_assert_cmpstr(probe.outcomes, ==, "");
    g_assert_true(session_has_outcome(world->session));
    session_reset(world->session);
    g_assert_false(session_has_outcome(world->session));
    session_reset(world->session);
    g_assert_cmpstr(probe.outcomes, ==, now->expected);
}

static void
run_case(gconstpointer data)
{
    now = data;
    g_autofree char *policy = g_strconcat(
        "use other set authentication-results off ", now->policy, NULL);

    world_run(policy, play);
}

/* Who was refused before it has sent no message. */
static void
refuse_early(World *world)
{
    world_hello(world);
    world_mail(world, "a@example.org");
    world_rcpt(world, "b@example.com");
    session_reset(world->session);
    world_mail(world, "a@example.org");
    world_rcpt(world, "c@example.com");
    session_data(world->session);
    g_assert_cmpstr(probe.outcomes, ==, "");
    session_reset(world->session);
    g_assert_cmpstr(probe.outcomes, ==, "");
}

static void
test_no_message(void)
{
    world_run("use other at rcpt { reject no if rcpt.local = \"b\" }"
              "at data { reject empty if rcpt.local = \"c\" }",
              refuse_early);
}

static void
judge_nothing_more(World *world)
{
    world_all(world, MESSAGE);
    g_assert_cmpuint(probe.eom, ==, 0);
    session_reset(world->session);
    g_assert_cmpuint(probe.eom, ==, 0);
    g_assert_cmpstr(probe.outcomes, ==, "");
}

/* The client has gone before there was a reply. */
static void
test_no_reply(void)
{
    world_run("use other set authentication-results off at message { }",
              judge_nothing_more);
}

static void
meet_two_fates(World *world)
{
    MailReply taken = {0}, refused = {0};

    world_all(world, MESSAGE);
    mail_reply_set(&taken, 250, "2.0.0", "taken");
    mail_reply_set(&refused, 550, "5.0.0", "refused");
    session_delivered(world->session, "b@example.com", &refused);
    session_delivered(world->session, "c@example.com", &taken);
    session_delivered(world->session, "d@example.com", &refused);
    session_reset(world->session);
    g_assert_cmpstr(probe.outcomes, ==, "accepted 5 - 0 -1;");
    mail_reply_clear(&taken);
    mail_reply_clear(&refused);
}

static void
test_mildest(void)
{
    world_run("use other set authentication-results off at message { }",
              meet_two_fates);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path =
            g_strdup_printf("/session/outcome/%s", cases[i].name);
        g_test_add_data_func(path, &cases[i], run_case);
    }
    g_test_add_func("/session/outcome/who-sent-no-message-has-none",
                    test_no_message);
    g_test_add_func("/session/outcome/without-a-reply-there-is-none",
                    test_no_reply);
    g_test_add_func("/session/outcome/the-mildest-of-several-counts",
                    test_mildest);
    return g_test_run();
}
