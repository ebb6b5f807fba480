/* session.c: stages, verdicts, scopes and edits of a session.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/session/world.h"

#include "filterd/base/fiber.h"

#include <string.h>

#define MESSAGE "From: a@example.org\nSubject: hello\n\nbody\n"

#define assert_logged(world, part) \
    g_assert_nonnull(strstr((world)->log->str, part))

/* ---- what is asked, and when -------------------------------------------- */

static void
accept_at_connect(World *world)
{
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    g_autofree char *out = world_outgoing(world);
    g_assert_cmpuint(probe.connect + probe.helo + probe.mail + probe.rcpt, ==,
                     0);
    g_assert_nonnull(strstr(out, "    probe=none\r\n"));
}

static void
test_accept_at_connect(void)
{
    world_run("at connect { accept ours if client.ip in 198.51.100.0/24 }\n"
              "at rcpt { reject no if probe.mail }\n"
              "at message { reject never if probe.octets > 0 }",
              accept_at_connect);
}

static void
quiet_unasked(World *world)
{
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    g_autofree char *out = world_outgoing(world);
    g_assert_cmpuint(probe.connect, ==, 0);
    g_assert_null(strstr(out, "quiet"));
}

static void
quiet_asked(World *world)
{
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    g_autofree char *out = world_outgoing(world);
    g_assert_nonnull(strstr(out, "    quiet=pass"));
}

static void
test_method_that_asks_nobody(void)
{
    world_run("at rcpt { reject no if not probe.mail }", quiet_unasked);
    world_run("at rcpt { reject no if not probe.connect }", quiet_asked);
}

static void
asked_twice(World *world)
{
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    g_assert_cmpuint(probe.mail, ==, 1);
    g_assert_cmpuint(probe.connect, ==, 0);
}

static void
test_asked_twice(void)
{
    world_run(
        "at rcpt { reject a if not probe.mail reject b if not probe.mail }"
        "at message { reject c if not probe.mail }",
        asked_twice);
}

static void
shadow(World *world)
{
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    g_assert_cmpuint(probe.rcpt, ==, 0);
    assert_logged(world, "would");
    assert_logged(world, "rule=always");
}

static void
test_shadow(void)
{
    world_run(
        "at rcpt { would reject no if probe.rcpt > 0 would reject always }",
        shadow);
}

static void
once_a_recipient(World *world)
{
    world_hello(world);
    world_mail(world, "a@example.org");
    world_rcpt(world, "b@example.com");
    g_assert_cmpuint(probe.rcpt, ==, 1);
    world_rcpt(world, "c@example.com");
    g_assert_cmpuint(probe.rcpt, ==, 2);
    g_assert_cmpint(world_message(world, MESSAGE), ==, SESSION_CONTINUE);
    g_assert_cmpuint(probe.rcpt, ==, 2);
}

static void
test_once_a_recipient(void)
{
    world_run(
        "at rcpt { reject no if probe.rcpt > 9 reject n if probe.rcpt > 8 }"
        "at message { reject much if probe.rcpt > 9 }",
        once_a_recipient);
}

/* Listening as it comes and hearing it later are the same. */
static void
heard(World *world)
{
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_REJECT);
    assert_logged(world, "rule=both");
    g_assert_cmpuint(probe.eom, ==, 1);
}

static void
test_heard_as_it_comes(void)
{
    world_run("at message { reject both if probe.octets = 6 and "
              "probe.fields = 2 }",
              heard);
}

static void
test_heard_late(void)
{
    world_run("at message { reject no if message.size > 10000 "
              "reject both if probe.octets = 6 and probe.fields = 2 }",
              heard);
}

static void
test_needs_of_others(void)
{
    world_run("use other\nat message { reject both if other.twice = 12 }",
              heard);
}

/* ---- failures ----------------------------------------------------------- */

static void
hook_fails(World *world)
{
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    assert_logged(world, "as it was told");
}

static void
test_hook_fails(void)
{
    probe.fails = TRUE;
    world_run("at message { reject no if probe.octets = 6 }", hook_fails);
}

static void
mistyped(World *world)
{
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    assert_logged(world, "published “mail” as a value of another type");
    assert_logged(world, "published fact 77, of which its table has no row");
    assert_logged(world, "looked up need 55, of which its table has no row");
    assert_logged(world, "requests what `edits` of its table leaves out");
}

static void
test_mistyped(void)
{
    probe.mistyped = TRUE;
    world_run("at rcpt { reject no if probe.mail reject n if not probe.mail }",
              mistyped);
}

static void
cut_short(World *world)
{
    world_hello(world);
    world_mail(world, "a@example.org");
    fiber_yield();
    fiber_sleep(1);
    g_assert_cmpuint(probe.mail, ==, 1);
    session_reset(world->session);
    g_assert_cmpuint(probe.cancelled, ==, 1);
    g_assert_cmpuint(probe.abort, ==, 1);
    g_assert_cmpuint(probe.clear_message, ==, 1);
}

static void
test_cut_short(void)
{
    probe.sleeps = 100000;
    world_run("", cut_short);
}

static void
hops(World *world)
{
    GString *text = g_string_new("From: a@example.org\n");
    for (unsigned i = 0; i < 101; i++)
        g_string_append(text, "Received: from here by there\n");
    g_string_append(text, "\nbody\n");
    g_assert_cmpint(world_all(world, text->str), ==, SESSION_REJECT);
    assert_logged(world, "5.4.6");
    g_string_free(text, TRUE);
}

static void
test_hops(void)
{
    world_run("", hops);
}

/* ---- scopes ------------------------------------------------------------- */

static void
scores(World *world)
{
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    world_mail(world, "a@example.org");
    g_assert_cmpint(world_rcpt(world, "b@example.com"), ==, SESSION_CONTINUE);
    session_reset(world->session);
    world_mail(world, "bad@example.org");
    g_assert_cmpint(world_rcpt(world, "b@example.com"), ==, SESSION_REJECT);
}

static void
test_scores(void)
{
    world_run("at connect { score 2 one if client.port = 0 }"
              "at mail { score 2 two score 1 bad if mail.local = \"bad\" }"
              "at rcpt { reject much if score >= 5 }",
              scores);
}

static void
greetings(World *world)
{
    world_hello(world);
    g_assert_cmpuint(probe.helo, ==, 1);
    g_assert_cmpint(
        session_helo(world->session, "again.example.org", "ESMTP").verdict, ==,
        SESSION_REJECT);
    g_assert_cmpuint(probe.helo, ==, 2);
    g_assert_cmpint(
        session_helo(world->session, "third.example.org", "ESMTP").verdict, ==,
        SESSION_CONTINUE);
}

static void
test_greetings(void)
{
    world_run("at helo { reject again if helo.name = \"again.example.org\" "
              "and probe.helo reject none if not probe.helo }",
              greetings);
}

/* ---- recipients --------------------------------------------------------- */

static void
groups(World *world)
{
    world_hello(world);
    world_mail(world, "a@example.org");
    g_assert_cmpint(world_rcpt(world, "b@example.com"), ==, SESSION_CONTINUE);
    g_assert_cmpint(world_rcpt(world, "c@example.net"), ==, SESSION_TEMPFAIL);
    assert_logged(world, "452 4.5.3");
    g_assert_cmpint(world_rcpt(world, "postmaster@example.com"), ==,
                    SESSION_TEMPFAIL);
    g_assert_cmpint(world_rcpt(world, "d@example.com"), ==, SESSION_CONTINUE);
    g_assert_cmpint(world_message(world, MESSAGE), ==, SESSION_CONTINUE);
}

static void
test_groups(void)
{
    world_run("at rcpt { accept pm if rcpt.local = \"postmaster\" }"
              "at message { reject strict if rcpt.domain = \"example.net\" "
              "and message.size > 0 }",
              groups);
}

static void
refused_first(World *world)
{
    MailAddress address = {0};
    MailReply no = {.code = 550};
    world_hello(world);
    world_mail(world, "a@example.org");
    g_assert_true(mail_address_parse_bare("b@example.com", MAIL_FORWARD_PATH,
                                          &address, NULL));
    session_rcpt(world->session, &address);
    session_rcpt_answered(world->session, FALSE, &no);
    mail_address_clear(&address);
    g_assert_cmpint(world_rcpt(world, "c@example.net"), ==, SESSION_CONTINUE);
}

static void
test_refused_first(void)
{
    world_run("at message { reject strict if rcpt.domain = \"example.net\" }",
              refused_first);
}

static void
accepted_recipient(World *world)
{
    world_hello(world);
    world_mail(world, "a@example.org");
    world_rcpt(world, "postmaster@example.com");
    g_assert_cmpint(world_message(world, MESSAGE), ==, SESSION_CONTINUE);
    g_assert_cmpuint(probe.eom, ==, 0);
    session_reset(world->session);
    world_mail(world, "a@example.org");
    world_rcpt(world, "b@example.com");
    g_assert_cmpint(world_message(world, MESSAGE), ==, SESSION_REJECT);
}

static void
test_accepted_recipient(void)
{
    world_run("at rcpt { accept pm if rcpt.local = \"postmaster\" }"
              "at message { reject all if probe.octets > 0 }",
              accepted_recipient);
}

static void
discards(World *world)
{
    world_hello(world);
    world_mail(world, "a@example.org");
    g_assert_cmpint(world_rcpt(world, "b@example.com"), ==, SESSION_CONTINUE);
    g_assert_cmpint(world_rcpt(world, "void@example.com"), ==, SESSION_DISCARD);
    g_assert_cmpint(world_message(world, MESSAGE), ==, SESSION_CONTINUE);
    const char *from;
    const GPtrArray *to;
    g_assert_false(session_envelope(world->session, &from, &to));
    g_assert_cmpuint(to->len, ==, 1);
    session_reset(world->session);
    world_mail(world, "a@example.org");
    world_rcpt(world, "void@example.com");
    g_assert_cmpint(world_message(world, MESSAGE), ==, SESSION_DISCARD);
    assert_logged(world, "discarded");
}

static void
test_discards(void)
{
    world_run("at rcpt { discard void if rcpt.local = \"void\" }", discards);
}

static void
discard_mail(World *world)
{
    world_hello(world);
    g_assert_cmpint(world_mail(world, "a@example.org"), ==, SESSION_CONTINUE);
    g_assert_cmpint(world_rcpt(world, "b@example.com"), ==, SESSION_DISCARD);
    g_assert_cmpint(world_message(world, MESSAGE), ==, SESSION_DISCARD);
    assert_logged(world, "rule=spam");
}

static void
test_discard_mail(void)
{
    world_run("at mail { discard spam } at rcpt { reject no }", discard_mail);
}

/* ---- edits -------------------------------------------------------------- */

static void
fields(World *world)
{
    const char *text = "From: a@example.org\n"
                       "Authentication-Results: MX.example.COM; spf=pass\n"
                       "Authentication-Results: other.example; spf=pass\n"
                       "X-Filterd-Quarantine: mine\n"
                       "X-Old: 1\nX-Old: 2\nX-Change: before\n\nbody\n";
    g_assert_cmpint(world_all(world, text), ==, SESSION_CONTINUE);
    g_autofree char *out = world_outgoing(world);
    g_assert_true(g_str_has_prefix(
        out, "Authentication-Results: mx.example.com;\r\n"
             "    probe=pass smtp.mailfrom=a@example.org\r\n"
             "Received: from helo.example.org (client.example.org "
             "[198.51.100.9])\r\n"));
    g_assert_cmpuint(world_count(out, "MX.example.COM"), ==, 0);
    g_assert_cmpuint(world_count(out, "other.example"), ==, 1);
    g_assert_cmpuint(world_count(out, "X-Filterd-Quarantine: mine"), ==, 0);
    g_assert_cmpuint(world_count(out, "X-Filterd-Quarantine: suspect\r\n"), ==,
                     1);
    g_assert_cmpuint(world_count(out, "X-Old"), ==, 0);
    g_assert_cmpuint(world_count(out, "X-Change: after\r\n"), ==, 1);
    g_assert_cmpuint(world_count(out, "X-New: 198.51.100.9\r\n"), ==, 1);
    g_assert_true(strstr(out, "Received") < strstr(out, "X-New"));
}

static void
test_fields(void)
{
    world_run("at message {\n"
              " rewrite add-header(\"X-New\", \"{client.ip}\")\n"
              " rewrite change-header(\"X-Change\", \"after\")\n"
              " rewrite remove-header(\"X-Old\")\n"
              " quarantine suspect }",
              fields);
}

static void
overstep(World *world)
{
    const char *sender;
    const GPtrArray *recipients;
    g_assert_cmpint(world_all(world, "From: a@example.org\n\nbody\n"), ==,
                    SESSION_CONTINUE);
    g_assert_false(session_envelope(world->session, &sender, &recipients));
    g_assert_cmpstr(sender, ==, "a@example.org");
    g_assert_nonnull(strstr(world->log->str, "leaves out"));
}

static void
test_overstep(void)
{
    probe.oversteps = TRUE;
    world_run("at mail { reject no if probe.mail = no }", overstep);
}

/* Each field is removed, whatever became of the one before it. */
static void
copies(World *world)
{
    g_autoptr(GString) text = g_string_new("From: a@example.org\n");
    for (unsigned i = 0; i < 50; i++)
        g_string_append(text, "Authentication-Results: mx.example.com; none\n"
                              "Authentication-Results: b.example; none\n");
    g_string_append(text, "authentication-results: MX.example.com; none\n\n");
    g_assert_cmpint(world_all(world, text->str), ==, SESSION_CONTINUE);
    g_autofree char *out = world_outgoing(world);
    g_assert_cmpuint(world_count(out, "; none"), ==, 50);
    g_assert_cmpuint(world_count(out, "b.example"), ==, 50);
}

static void
test_copies(void)
{
    world_run("", copies);
}

static void
authenticated(World *world)
{
    session_authenticated(world->session, "j\"; dkim=pass@example.org");
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    g_autofree char *out = world_outgoing(world);
    g_assert_cmpuint(
        world_count(out, "    auth=pass "
                         "smtp.auth=\"j\\\"; dkim=pass@example.org\"\r\n"),
        ==, 1);
    g_assert_cmpuint(world_count(out, "iprev="), ==, 0);
}

static void
test_authenticated(void)
{
    world_run(
        "at message { rewrite add-header(\"X-Name\", \"{client.name}\") }",
        authenticated);
}

static void
unauthenticated(World *world)
{
    session_authenticated(world->session, "ann@example.org");
    session_secured(world->session, &(SessionTls){0});
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    g_autofree char *out = world_outgoing(world);
    g_assert_cmpuint(world_count(out, "auth="), ==, 0);
}

static void
test_unauthenticated(void)
{
    world_run("", unauthenticated);
}

static void
envelope(World *world)
{
    const char *from;
    const GPtrArray *to;
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    g_assert_true(session_envelope(world->session, &from, &to));
    g_assert_cmpstr(from, ==, "other@example.org");
    g_assert_cmpuint(to->len, ==, 1);
    g_assert_cmpstr(g_ptr_array_index(to, 0), ==, "c@example.com");
}

static void
test_envelope(void)
{
    world_run("at message { rewrite set-sender(\"other@example.org\") "
              "rewrite remove-recipient(\"B@example.com\") "
              "rewrite add-recipient(\"c@example.com\") }",
              envelope);
}

static void
refusal(World *world)
{
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_REJECT);
    assert_logged(world, "rejected session=");
    assert_logged(world, "rule=late stage=message");
    assert_logged(world, "reply=\"550 5.7.1 not hello.example [");
    assert_logged(world, "from=a@example.org to=b@example.com");
}

static void
test_refusal(void)
{
    world_run(
        "at message { reject late reply 550 5.7.1 \"not hello.example\" }",
        refusal);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/accept-at-connect-asks-nothing",
                    test_accept_at_connect);
    g_test_add_func("/session/a-method-that-asks-nobody-says-what-is-known",
                    test_method_that_asks_nobody);
    g_test_add_func("/session/a-hook-runs-once-however-often-it-is-asked",
                    test_asked_twice);
    g_test_add_func("/session/a-would-rule-has-no-effect", test_shadow);
    g_test_add_func("/session/an-effect-comes-once-a-recipient",
                    test_once_a_recipient);
    g_test_add_func("/session/a-certain-hook-hears-the-message-as-it-comes",
                    test_heard_as_it_comes);
    g_test_add_func("/session/a-late-hook-hears-the-message-from-the-spool",
                    test_heard_late);
    g_test_add_func("/session/a-plugin-stands-on-the-facts-of-another",
                    test_needs_of_others);
    g_test_add_func("/session/a-failed-hook-leaves-facts-and-a-log-line",
                    test_hook_fails);
    g_test_add_func("/session/a-fact-of-another-type-stays-unknown",
                    test_mistyped);
    g_test_add_func("/session/early-work-is-cancelled-by-a-reset",
                    test_cut_short);
    g_test_add_func("/session/a-hundred-hops-are-a-loop", test_hops);
    g_test_add_func("/session/scores-of-a-message-go-with-it", test_scores);
    g_test_add_func("/session/a-new-greeting-is-judged-anew", test_greetings);
    g_test_add_func("/session/recipients-of-two-groups-are-split", test_groups);
    g_test_add_func("/session/a-recipient-that-the-backend-refused-makes-no-"
                    "group",
                    test_refused_first);
    g_test_add_func("/session/accept-at-rcpt-skips-message-rules",
                    test_accepted_recipient);
    g_test_add_func("/session/a-discarded-recipient-goes-nowhere",
                    test_discards);
    g_test_add_func("/session/discard-at-mail-discards-the-message",
                    test_discard_mail);
    g_test_add_func("/session/fields-are-removed-changed-added-and-ours-on-top",
                    test_fields);
    g_test_add_func("/session/a-plugin-requests-what-its-table-names-only",
                    test_overstep);
    g_test_add_func("/session/fifty-forged-results-and-the-last-field-go",
                    test_copies);
    g_test_add_func("/session/who-authenticated-is-a-result-and-no-way-in",
                    test_authenticated);
    g_test_add_func("/session/who-was-forgotten-by-starttls-is-no-result",
                    test_unauthenticated);
    g_test_add_func("/session/the-envelope-can-be-rewritten", test_envelope);
    g_test_add_func("/session/a-refusal-is-one-line-in-the-log", test_refusal);
    return g_test_run();
}
