/* keep.c: what is quarantined stays here with `quarantine spool`, be it by a
 * rule or because a plugin wants it; an MTA that asks holds it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/session/world.h"

#include <string.h>

#define MESSAGE "From: a@example.org\nX-Filterd-Released: no\n\nbody\n"
#define SPOOL "set quarantine spool "

/* What the plugin asks for is known before the message is judged. */
#define ASKS "at message { pass seen if probe.octets > 0 }"

static void
deliver(World *world)
{
    MailReply reply = {0};
    mail_reply_set(&reply, 250, "2.0.0", "kept");
    session_delivered(world->session, NULL, &reply);
    session_reset(world->session);
    mail_reply_clear(&reply);
}

static void
by_rule(World *world)
{
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    g_assert_true(session_keeps(world->session));
    g_autofree char *text = world_outgoing(world);
    g_assert_cmpuint(world_count(text, "X-Filterd-"), ==, 0);
    g_assert_cmpuint(world_count(text, "Received: "), ==, 1);
    g_autoptr(QuarantineLetter) one = session_letter(world->session);
    g_autoptr(QuarantineLetter) two = session_letter(world->session);
    g_assert_true(quarantine_id_valid(one->id));
    g_assert_cmpstr(one->id, !=, two->id);
    g_assert_cmpstr(one->rule, ==, "doubt");
    g_assert_cmpstr(one->stage, ==, "mail");
    g_assert_cmpstr(one->reverse_path, ==, "a@example.org");
    g_assert_cmpstr(one->facts, ==, "probe=1");
    g_assert_null(one->reason);
}

static void
test_by_rule(void)
{
    world_run(SPOOL "at rcpt { pass known if probe.rcpt > 0 } "
                    "at mail { quarantine doubt }",
              by_rule);
}

static void
by_plugin(World *world)
{
    probe.holds = TRUE;
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    g_assert_true(session_keeps(world->session));
    g_autoptr(QuarantineLetter) letter = session_letter(world->session);
    g_assert_cmpstr(letter->rule, ==, "-quarantine");
    g_assert_cmpstr(letter->reason, ==, "the probe says so");
    deliver(world);
    g_assert_nonnull(strstr(world->log->str, "quarantined "));
    g_assert_cmpstr(probe.outcomes, ==, "quarantined 5 -quarantine 0 6;");
}

static void
test_by_plugin(void)
{
    world_run("use other " SPOOL ASKS, by_plugin);
}

static void
marked(World *world)
{
    probe.holds = TRUE;
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    g_assert_false(session_keeps(world->session));
    g_autofree char *text = world_outgoing(world);
    g_assert_cmpuint(
        world_count(text, "X-Filterd-Quarantine: the probe says so"), ==, 1);
}

static void
test_marked(void)
{
    world_run(ASKS, marked);
}

static void
next(World *world)
{
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    g_assert_true(session_keeps(world->session));
    session_reset(world->session);
    g_assert_cmpint(world_mail(world, "c@example.org"), ==, SESSION_CONTINUE);
    g_assert_cmpint(world_rcpt(world, "b@example.com"), ==, SESSION_CONTINUE);
    g_assert_cmpint(world_message(world, MESSAGE), ==, SESSION_CONTINUE);
    g_assert_false(session_keeps(world->session));
}

static void
test_next(void)
{
    world_run(
        SPOOL
        "at message { quarantine doubt if mail.from = \"a@example.org\" }",
        next);
}

static void
advice(World *world)
{
    const SessionPeer peer = {.wire = "milter", .advises = TRUE};
    session_free(world->session);
    world->session = session_new(world->engine, &peer);
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    g_assert_false(session_keeps(world->session));
    g_assert_cmpstr(session_quarantined(world->session), ==, "doubt");
}

static void
test_advice(void)
{
    world_run(SPOOL "at message { quarantine doubt }", advice);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/keep/by-rule-with-why", test_by_rule);
    g_test_add_func("/session/keep/because-a-plugin-wants-it", test_by_plugin);
    g_test_add_func("/session/keep/a-plugin-s-is-marked-otherwise",
                    test_marked);
    g_test_add_func("/session/keep/the-next-message-is-another", test_next);
    g_test_add_func("/session/keep/an-mta-that-asks-holds-it", test_advice);
    return g_test_run();
}
