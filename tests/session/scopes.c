/* scopes.c: what belongs to the connection, the greeting, the message or one
 * recipient stays there; what is started early; what is ours in the header.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/session/world.h"

#include "filterd/base/fiber.h"

#include <string.h>

#define MESSAGE "From: a@example.org\nSubject: hello\n\nbody\n"

static unsigned
count_out(World *world, const char *part)
{
    g_autofree char *out = world_outgoing(world);
    return world_count(out, part);
}

static unsigned
count_log(World *world, const char *part)
{
    return world_count(world->log->str, part);
}

/* ---- edits and rewrites ------------------------------------------------- */

static void
assert_fields(World *world)
{
    g_assert_cmpint(world_mail(world, "a@example.org"), ==, SESSION_CONTINUE);
    g_assert_cmpint(world_rcpt(world, "bad@example.com"), ==, SESSION_REJECT);
    g_assert_cmpint(world_rcpt(world, "b@example.com"), ==, SESSION_CONTINUE);
    g_assert_cmpint(world_rcpt(world, "c@example.com"), ==, SESSION_CONTINUE);
    g_assert_cmpint(world_message(world, MESSAGE), ==, SESSION_CONTINUE);
    g_assert_cmpuint(count_out(world, "X-Probe: connect\r\n"), ==, 1);
    g_assert_cmpuint(count_out(world, "X-Probe: helo\r\n"), ==, 1);
    g_assert_cmpuint(count_out(world, "X-Probe: mail\r\n"), ==, 1);
    g_assert_cmpuint(count_out(world, "X-Probe: b@example.com\r\n"), ==, 1);
    g_assert_cmpuint(count_out(world, "X-Probe: c@example.com\r\n"), ==, 1);
    g_assert_cmpuint(count_out(world, "X-Probe: bad@example.com\r\n"), ==, 0);
    world_deliver(world);
}

static void
edits(World *world)
{
    world_hello(world);
    assert_fields(world);
    assert_fields(world);
    for (unsigned i = 0; i < 1000; i++)
        session_helo(world->session, "again.example.org", "ESMTP");
    assert_fields(world);
}

static void
test_edits(void)
{
    probe.edits = TRUE;
    world_run("at helo { reject no if not probe.connect or not probe.helo }"
              "at rcpt { reject no if not probe.mail or probe.rcpt = 0 "
              "or rcpt.local = \"bad\" }",
              edits);
}

static void
rewrites(World *world)
{
    world_hello(world);
    world_mail(world, "a@example.org");
    g_assert_cmpint(world_rcpt(world, "bad@example.com"), ==, SESSION_REJECT);
    world_rcpt(world, "b@example.com");
    world_rcpt(world, "c@example.com");
    g_assert_cmpint(world_message(world, MESSAGE), ==, SESSION_CONTINUE);
    g_assert_cmpuint(count_out(world, "X-To: bad"), ==, 0);
    g_assert_cmpuint(count_out(world, "X-To: b@example.com\r\n"), ==, 1);
    g_assert_cmpuint(count_out(world, "X-To: c@example.com\r\n"), ==, 1);
    g_assert_cmpuint(count_out(world, "X-Seen: yes\r\n"), ==, 1);
}

static void
test_rewrites(void)
{
    world_run("at rcpt { rewrite add-header(\"X-To\", \"{rcpt.to}\") "
              "rewrite add-header(\"X-Seen\", \"yes\") "
              "reject bad if rcpt.local = \"bad\" }",
              rewrites);
}

/* What a client may put into an address is no end of a command. */
static void
addresses(World *world)
{
    const char *from;
    const GPtrArray *to;
    world_hello(world);
    world_mail(world, "\"x> SIZE=1\"@example.org");
    world_rcpt(world, "b@example.com");
    g_assert_cmpint(world_message(world, MESSAGE), ==, SESSION_CONTINUE);
    session_envelope(world->session, &from, &to);
    g_assert_cmpstr(from, ==, "");
    g_assert_cmpuint(to->len, ==, 2);
    g_assert_cmpstr(g_ptr_array_index(to, 1), ==, "copy@example.com");
    g_assert_cmpuint(count_log(world, "rewrite session="), ==, 1);
}

static void
test_addresses(void)
{
    world_run("at message { rewrite set-sender(\"\") "
              "rewrite add-recipient(\"{mail.local}@example.com\") "
              "rewrite add-recipient(\"copy@example.com\") }",
              addresses);
}

static void
unknown_argument(World *world)
{
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    g_assert_cmpuint(count_out(world, "X-Id"), ==, 0);
}

static void
test_unknown_argument(void)
{
    world_run("at message { rewrite add-header(\"X-Id\", message.id) }",
              unknown_argument);
}

/* ---- scores ------------------------------------------------------------- */

static void
scores(World *world)
{
    world_hello(world);
    world_mail(world, "a@example.org");
    g_assert_cmpint(world_rcpt(world, "bad@example.com"), ==, SESSION_REJECT);
    g_assert_cmpint(world_rcpt(world, "b@example.com"), ==, SESSION_CONTINUE);
    g_assert_cmpint(world_rcpt(world, "c@example.com"), ==, SESSION_CONTINUE);
    g_assert_cmpint(world_rcpt(world, "odd@example.com"), ==, SESSION_TEMPFAIL);
    g_assert_cmpint(world_message(world, MESSAGE), ==, SESSION_CONTINUE);
    g_assert_cmpuint(count_out(world, "X-Score: 3\r\n"), ==, 1);
}

static void
test_scores(void)
{
    world_run("at mail { score 1 one }"
              "at rcpt { score 2 two score 5 bad if rcpt.local = \"bad\" "
              "score 1 odd if rcpt.local = \"odd\" reject much if score > 4 }"
              "at message { rewrite add-header(\"X-Score\", \"{score}\") }",
              scores);
}

/* ---- recipients --------------------------------------------------------- */

static void
data_rules(World *world)
{
    world_hello(world);
    world_mail(world, "a@example.org");
    g_assert_cmpint(world_rcpt(world, "b@example.com"), ==, SESSION_CONTINUE);
    g_assert_cmpint(world_rcpt(world, "no@example.com"), ==, SESSION_REJECT);
    g_assert_cmpint(world_message(world, MESSAGE), ==, SESSION_CONTINUE);
    session_reset(world->session);
    world_mail(world, "a@example.org");
    world_rcpt(world, "postmaster@example.com");
    g_assert_cmpint(world_message(world, MESSAGE), ==, SESSION_CONTINUE);
}

static void
test_data_rules(void)
{
    world_run("at rcpt { accept pm if rcpt.local = \"postmaster\" "
              "reject no if rcpt.local = \"no\" }"
              "at data { reject other if rcpt.local != \"b\" }",
              data_rules);
}

static void
discards(World *world)
{
    world_hello(world);
    world_mail(world, "a@example.org");
    world_rcpt(world, "void@example.com");
    world_rcpt(world, "b@example.com");
    g_assert_cmpint(world_message(world, MESSAGE), ==, SESSION_CONTINUE);
    world_deliver(world);
    g_assert_cmpuint(count_log(world, "to=void@example.com rule=void"), ==, 1);
    g_assert_cmpuint(count_log(world, "to=b@example.com"), ==, 1);
    g_assert_cmpuint(count_log(world, "discarded session"), ==, 1);
    g_assert_cmpuint(count_log(world, "accepted session"), ==, 1);
}

static void
test_discards(void)
{
    world_run("at rcpt { discard void if rcpt.local = \"void\" }", discards);
}

static void
after_discard(World *world)
{
    MailAddress address = {0};
    MailReply no = {.code = 550};
    world_hello(world);
    world_mail(world, "a@example.org");
    world_rcpt(world, "void@example.com");
    g_assert_true(mail_address_parse_bare("b@example.com", MAIL_FORWARD_PATH,
                                          &address, NULL));
    session_rcpt(world->session, &address);
    session_rcpt_answered(world->session, FALSE, &no);
    mail_address_clear(&address);
    g_assert_cmpint(world_rcpt(world, "c@example.net"), ==, SESSION_CONTINUE);
}

static void
test_after_discard(void)
{
    world_run("at rcpt { discard void if rcpt.local = \"void\" }"
              "at message { reject n if rcpt.domain = \"example.net\" }",
              after_discard);
}

static void
held(World *world)
{
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    g_assert_cmpuint(count_out(world, "X-Filterd-Quarantine: suspect"), ==, 1);
}

static void
test_held(void)
{
    world_run("at mail { quarantine suspect } at data { accept all }", held);
}

/* ---- early -------------------------------------------------------------- */

static void
settle(void)
{
    for (unsigned i = 0; i < 5; i++)
        fiber_yield();
}

static void
begin(World *world)
{
    world_hello(world);
    world_mail(world, "a@example.org");
    settle();
}

static void
at_once(World *world)
{
    begin(world);
    g_assert_cmpuint(probe.mail, ==, 1);
}

static void
test_at_once(void)
{
    world_run("at rcpt { reject no if rcpt.local = \"no\" }", at_once);
}

static void
not_yet(World *world)
{
    begin(world);
    g_assert_cmpuint(probe.mail, ==, 0);
    world_rcpt(world, "b@example.com");
    settle();
    g_assert_cmpuint(probe.mail, ==, 1);
}

static void
test_not_yet(void)
{
    world_run("at rcpt { accept pm if rcpt.local = \"postmaster\" }", not_yet);
}

static void
never(World *world)
{
    begin(world);
    world_rcpt(world, "b@example.com");
    settle();
    g_assert_cmpint(world_message(world, MESSAGE), ==, SESSION_CONTINUE);
    settle();
    g_assert_cmpuint(probe.connect + probe.mail + probe.eom, ==, 0);
}

static void
test_never(void)
{
    world_run("at rcpt { accept ours if client.ip in 198.51.100.0/24 "
              "reject no if not probe.connect }"
              "at message { reject no if probe.octets > 9 }",
              never);
}

static void
refused(World *world)
{
    world_hello(world);
    g_assert_cmpint(world_mail(world, "a@example.org"), ==, SESSION_REJECT);
    settle();
    g_assert_cmpuint(probe.mail, ==, 0);
}

static void
test_refused(void)
{
    world_run("at mail { reject no } at rcpt { reject n if probe.mail }",
              refused);
}

static void
too_early(World *world)
{
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    g_assert_cmpuint(probe.mail, ==, 1);
}

static void
test_too_early(void)
{
    world_run("at message { reject no if probe.earlier }", too_early);
}

static void
effect_of_others(World *world)
{
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    g_assert_cmpuint(probe.rcpt, ==, 0);
    g_assert_cmpuint(probe.eom, ==, 0);
}

static void
test_effect_of_others(void)
{
    world_run("use other at message { would reject no if other.twice > 0 }",
              effect_of_others);
}

static void
closed(World *world)
{
    session_free(world->session);
    world->session = world_session(world);
    g_assert_cmpuint(probe.connect, ==, 0);
    g_assert_cmpuint(probe.closes, ==, 1);
}

static void
test_closed(void)
{
    world_run("use other at helo { reject no if not probe.connect }", closed);
}

static void
aborted(World *world)
{
    world_hello(world);
    world_mail(world, "a@example.org");
    g_assert_cmpuint(probe.connect + probe.helo + probe.mail, ==, 0);
    session_reset(world->session);
    g_assert_cmpuint(probe.abort, ==, 1);
    g_assert_cmpuint(probe.clear_message, ==, 1);
}

static void
test_aborted(void)
{
    world_run("at rcpt { accept any if rcpt.local = \"b\" }", aborted);
}

/* ---- ours in the header ------------------------------------------------- */

static void
odd_names(World *world)
{
    session_connect(world->session);
    session_helo(world->session, "a) by b; (\r\nX: ", "ESMTP");
    world_mail(world, "a@example.org");
    world_rcpt(world, "b@example.com");
    g_assert_cmpint(world_message(world, MESSAGE), ==, SESSION_CONTINUE);
    g_assert_cmpuint(count_out(world, "Received: from a??by?b?????X:? "
                                      "(client.example.org [198.51.100.9])"),
                     ==, 1);
}

static void
test_odd_names(void)
{
    world_run("", odd_names);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/scopes/edits-of-a-hook-last-as-long-as-its-facts",
                    test_edits);
    g_test_add_func("/session/scopes/a-refused-recipient-rewrites-nothing",
                    test_rewrites);
    g_test_add_func("/session/scopes/an-address-that-none-is-goes-nowhere",
                    test_addresses);
    g_test_add_func("/session/scopes/an-unknown-argument-rewrites-nothing",
                    test_unknown_argument);
    g_test_add_func("/session/scopes/a-recipients-score-is-its-own",
                    test_scores);
    g_test_add_func("/session/scopes/data-is-judged-for-who-goes-on",
                    test_data_rules);
    g_test_add_func("/session/scopes/a-discarded-recipient-has-a-line",
                    test_discards);
    g_test_add_func("/session/scopes/a-discarded-recipient-makes-no-group",
                    test_after_discard);
    g_test_add_func("/session/scopes/a-later-accept-leaves-the-quarantine",
                    test_held);
    g_test_add_func("/session/early/what-is-certain-starts-at-once",
                    test_at_once);
    g_test_add_func("/session/early/what-an-accept-may-spare-waits",
                    test_not_yet);
    g_test_add_func("/session/early/accepted-at-rcpt-costs-nothing",
                    test_never);
    g_test_add_func("/session/early/nothing-starts-for-a-refused-sender",
                    test_refused);
    g_test_add_func("/session/early/a-hook-sees-nothing-of-later-stages",
                    test_too_early);
    g_test_add_func("/session/early/an-effect-behind-a-need-is-one",
                    test_effect_of_others);
    g_test_add_func("/session/scopes/no-hook-begins-while-the-connection-ends",
                    test_closed);
    g_test_add_func("/session/scopes/of-its-end-hears-who-was-asked-nothing",
                    test_aborted);
    g_test_add_func("/session/trace/odd-names-stay-in-their-place",
                    test_odd_names);
    return g_test_run();
}
