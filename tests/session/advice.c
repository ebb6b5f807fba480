/* advice.c: an MTA has the message, and asks: nothing is said in its name, and
 * what is quarantined is its to hold.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/session/world.h"

#include <string.h>

#define MESSAGE "From: a@example.org\nX-Filterd-Quarantine: no\n\nbody\n"

static void
begin(World *world)
{
    SessionPeer peer = {.name = "client.example.org",
                        .wire = "milter",
                        .advises = TRUE,
                        .mta_name = "mta.example.com",
                        .mta_daemon = "smtpd"};
    g_assert_true(ip_parse("198.51.100.9", &peer.ip));
    session_free(world->session);
    world->session = session_new(world->engine, &peer);
}

static void
hold(World *world)
{
    begin(world);
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    g_assert_cmpstr(session_quarantined(world->session), ==, "doubt");
    g_autofree char *text = world_outgoing(world);
    g_assert_cmpuint(world_count(text, "Received:"), ==, 0);
    g_assert_cmpuint(world_count(text, "X-Filterd-Quarantine"), ==, 0);
    g_assert_cmpuint(world_count(text, "Authentication-Results:"), ==, 1);
    session_reset(world->session);
    g_assert_cmpint(world_mail(world, "c@example.org"), ==, SESSION_CONTINUE);
    g_assert_null(session_quarantined(world->session));
}

static void
test_hold(void)
{
    world_run(
        "at message { quarantine doubt if mail.from = \"a@example.org\" }",
        hold);
}

static void
name(World *world)
{
    begin(world);
    world_hello(world);
    world_mail(world, "a@example.org");
    session_queued(world->session, "4QX1");
    g_assert_cmpint(world_rcpt(world, "b@example.com"), ==, SESSION_CONTINUE);
    g_assert_cmpint(world_message(world, MESSAGE), ==, SESSION_REJECT);
    g_assert_nonnull(strstr(world->log->str, "mta.example.com smtpd 4QX1"));
    g_assert_nonnull(strstr(world->log->str, " queue=4QX1"));
    session_reset(world->session);
    world_mail(world, "a@example.org");
    world_rcpt(world, "b@example.com");
    g_assert_cmpint(world_message(world, MESSAGE), ==, SESSION_CONTINUE);
}

static void
test_name(void)
{
    world_run("at message { reject named if known mta.queue-id"
              " reply \"{mta.name} {mta.daemon} {mta.queue-id}\" }",
              name);
}

static void
take(World *world)
{
    begin(world);
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    session_delivered(world->session, NULL, NULL);
    g_assert_nonnull(strstr(world->log->str, "accepted session="));
    g_assert_nonnull(strstr(world->log->str, "rule=fine"));
    g_assert_null(strstr(world->log->str, "reply="));
}

static void
test_take(void)
{
    world_run("at message { accept fine }", take);
}

static void
count(World *world)
{
    SessionPeer peer = {.wire = "milter", .advises = TRUE};
    g_assert_true(ip_parse("198.51.100.9", &peer.ip));
    for (peer.sessions = 0; peer.sessions < 2; peer.sessions++) {
        session_free(world->session);
        world->session = session_new(world->engine, &peer);
        SessionDecision decision = session_connect(world->session);
        g_assert_cmpint(decision.verdict, ==,
                        peer.sessions == 0 ? SESSION_CONTINUE : SESSION_REJECT);
    }
}

static void
test_count(void)
{
    world_run("at connect { reject early if known client.early-talker"
              " reject counted if client.sessions = 1 and client.errors = 0 }",
              count);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/advice/what-is-quarantined-is-held-by-the-mta",
                    test_hold);
    g_test_add_func("/session/advice/the-mta-has-a-name-and-a-queue",
                    test_name);
    g_test_add_func("/session/advice/the-words-of-the-mta-are-its-own",
                    test_take);
    g_test_add_func("/session/advice/what-nobody-counted-is-unknown",
                    test_count);
    return g_test_run();
}
