/* signing.c: what is signed is what goes out, or nothing goes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/session/world.h"

#include <string.h>

#define MESSAGE                          \
    "From: a@example.org\n"              \
    "Subject: hello\n\tthere\nX-Old:1\n" \
    "\n.body\nwithout an end"
#define SIGNATURES "X-Signature: two\r\nX-Signature: one\r\n"

static void
assert_logged(const World *world, const char *part)
{
    if (strstr(world->log->str, part) == NULL)
        g_error("not in the log: %s\n%s", part, world->log->str);
}

/* The outgoing message without its signatures and its empty line. */
static char *
unsigned_part(World *world)
{
    g_autofree char *out = world_outgoing(world);
    g_assert_true(g_str_has_prefix(out, SIGNATURES));
    GString *rest = g_string_new(out + strlen(SIGNATURES));
    g_string_replace(rest, "\r\n\r\n", "\r\n", 1);
    return g_string_free(rest, FALSE);
}

static void
after_all_edits(World *world)
{
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    g_autofree char *rest = unsigned_part(world);
    g_assert_cmpstr(probe.signed_text->str, ==, rest);
    g_assert_cmpuint(world_count(rest, "X-New: 1\r\n"), ==, 1);
    g_assert_cmpuint(world_count(rest, "X-Old"), ==, 0);
    g_assert_cmpuint(world_count(rest, "Subject: other\r\n"), ==, 1);
    g_assert_cmpuint(world_count(rest, "Received: "), ==, 1);
    g_assert_cmpuint(world_count(rest, "Authentication-Results: "), ==, 1);
    g_assert_true(g_str_has_suffix(rest, "\r\n.body\r\nwithout an end\r\n"));
}

static void
test_after_all_edits(void)
{
    world_run("at message { rewrite probe.sign()\n"
              " rewrite add-header(\"X-New\", \"1\")\n"
              " rewrite change-header(\"Subject\", \"other\")\n"
              " rewrite remove-header(\"X-Old\") }",
              after_all_edits);
}

static void
once(World *world)
{
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    g_assert_cmpuint(probe.signs, ==, 1);
    g_autofree char *first = unsigned_part(world);
    g_assert_cmpstr(probe.signed_text->str, ==, first);
    world_deliver(world);
    g_string_truncate(probe.signed_text, 0);
    world_mail(world, "a@example.org");
    world_rcpt(world, "b@example.com");
    g_assert_cmpint(world_message(world, "From: x\n\n"), ==, SESSION_CONTINUE);
    g_autofree char *second = unsigned_part(world);
    g_assert_cmpuint(probe.signs, ==, 2);
    g_assert_cmpstr(probe.signed_text->str, ==, second);
}

static void
test_once(void)
{
    world_run("at mail { rewrite probe.sign() }\n"
              "at message { rewrite probe.sign(\"{client.ip}\") }",
              once);
}

/* Whoever is accepted early is out of the policy, not out of its rewrites. */
static void
accepted(World *world)
{
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    g_assert_cmpuint(probe.signs, ==, 1);
}

static void
test_accepted(void)
{
    world_run("at mail { rewrite probe.sign() }\nat rcpt { accept all }",
              accepted);
}

static void
nobody_asked(World *world)
{
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_CONTINUE);
    g_assert_cmpuint(probe.signs, ==, 0);
}

static void
test_nobody_asked(void)
{
    world_run("at message { rewrite probe.sign() if header.from.domain = "
              "\"example.net\" }",
              nobody_asked);
}

static void
no_signature(World *world)
{
    g_assert_cmpint(world_all(world, MESSAGE), ==, SESSION_TEMPFAIL);
    assert_logged(world, "rule=-sign");
    assert_logged(world, "reply=\"451 4.3.0 ");
    assert_logged(world, "instance=probe edit=sign");
    assert_logged(world, probe.sign_fails ? "text=\"the key is gone\""
                                          : "text=\"as it was told\"");
}

static void
test_no_signature(void)
{
    probe.sign_fails = TRUE;
    world_run("at message { rewrite probe.sign() }", no_signature);
    probe.fails = TRUE;
    world_run("at message { rewrite probe.sign() }", no_signature);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/signing/comes-after-all-edits",
                    test_after_all_edits);
    g_test_add_func("/session/signing/is-done-once-a-message", test_once);
    g_test_add_func("/session/signing/an-accepted-client-is-signed-for",
                    test_accepted);
    g_test_add_func("/session/signing/whom-no-rule-names-is-not-signed-for",
                    test_nobody_asked);
    g_test_add_func("/session/signing/what-cannot-be-signed-does-not-go",
                    test_no_signature);
    return g_test_run();
}
