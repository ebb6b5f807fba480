/* record.c: what the decision log has of a decision.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/json.h"
#include "tests/session/world.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define MESSAGE "From: a@example.org\nSubject: hello\n\nbody\n"

typedef struct Line {
    JsonReader *reader;
    const JsonValue *json;
    gsize length;
} Line;

/* Of the last run. */
static GPtrArray *lines; /* Line */

static void
line_free(void *data)
{
    Line *line = data;
    json_reader_free(line->reader);
    g_free(line);
}

static void
read_lines(const char *path)
{
    g_autofree char *text = NULL;
    lines = g_ptr_array_new_with_free_func(line_free);
    g_file_get_contents(path, &text, NULL, NULL);
    g_auto(GStrv) all = g_strsplit(text != NULL ? text : "", "\n", -1);
    for (unsigned i = 0; all[i] != NULL && *all[i] != '\0'; i++) {
        Line *line = g_new0(Line, 1);
        line->reader = json_reader_new();
        line->length = strlen(all[i]) + 1;
        line->json = json_read(line->reader, all[i], strlen(all[i]));
        g_assert_nonnull(line->json);
        g_assert_cmpint(json_integer(line->json, "v"), ==, 1);
        g_ptr_array_add(lines, line);
    }
}

static void
record(const char *policy, void (*func)(World *world))
{
    g_autofree char *directory = g_dir_make_tmp("filterd-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(directory, "decisions.log", NULL);
    g_autofree char *whole =
        g_strdup_printf("set state-directory \"%s\"\nset decision-log-size 0\n"
                        "store memory\n%s",
                        directory, policy);
    probe.records = TRUE;
    world_run(whole, func);
    read_lines(path);
    g_unlink(path);
    g_assert_cmpint(g_rmdir(directory), ==, 0);
}

static void
forget(void)
{
    g_clear_pointer(&lines, g_ptr_array_unref);
}

static const JsonValue *
line(unsigned index)
{
    g_assert_cmpuint(index, <, lines->len);
    return ((const Line *)g_ptr_array_index(lines, index))->json;
}

static const JsonValue *
find(const JsonValue *object, const char *name)
{
    const JsonValue *found = NULL;
    for (JsonType type = JSON_NULL; type <= JSON_OBJECT && found == NULL;
         type++)
        found = json_find(object, name, type);
    return found;
}

/* The n-th element of a list; NULL. */
static const JsonValue *
nth(const JsonValue *object, const char *name, unsigned n)
{
    const JsonValue *list = json_find(object, name, JSON_ARRAY);
    g_assert_nonnull(list);
    const JsonValue *one = list->first;
    while (one != NULL && n-- > 0)
        one = one->next;
    return one;
}

static const JsonValue *
fact(unsigned index, const char *name)
{
    return find(json_find(line(index), "facts", JSON_OBJECT), name);
}

#define assert_text(object, name, expected) \
    g_assert_cmpstr(json_text(object, name), ==, expected)

/* "STAGE VERDICT RULE TRUTH," for each. */
static void
assert_rules(const JsonValue *object, const char *expected)
{
    g_autoptr(GString) all = g_string_new(NULL);
    const JsonValue *list = json_find(object, "rules", JSON_ARRAY);
    g_assert_nonnull(list);
    for (const JsonValue *one = list->first; one != NULL; one = one->next)
        g_string_append_printf(all, "%s %s%s %s %s,", json_text(one, "stage"),
                               json_boolean(one, "would") ? "would " : "",
                               json_text(one, "verdict"),
                               json_text(one, "rule"), json_text(one, "truth"));
    g_assert_cmpstr(all->str, ==, expected);
}

/* ---- stories ------------------------------------------------------------ */

static void
meet_all(World *world)
{
    if (world_all(world, MESSAGE) == SESSION_CONTINUE)
        world_deliver(world);
}

static void
test_rejected(void)
{
    record("at connect { pass first if client.port = 7 }"
           "at mail { score 3 odd if probe.mail }"
           "at rcpt { accept post if rcpt.local = \"postmaster\""
           " reject second if known auth.user and probe.rcpt > 0"
           " reject third if score = 3 reply 550 5.7.1 \"no, {probe.rcpt}\" }",
           meet_all);
    g_assert_cmpuint(lines->len, ==, 1);
    assert_text(line(0), "event", "rejected");
    assert_text(line(0), "verdict", "reject");
    assert_text(line(0), "rule", "third");
    assert_text(line(0), "stage", "rcpt");
    assert_text(line(0), "client", "198.51.100.9");
    assert_text(line(0), "from", "a@example.org");
    g_assert_cmpint(json_integer(line(0), "transaction"), ==, 1);
    g_assert_true(
        g_str_has_prefix(json_text(line(0), "reply"), "550 5.7.1 no, 1 ["));
    assert_rules(line(0), "connect pass first no,mail score odd yes,"
                          "rcpt accept post no,rcpt reject second no,"
                          "rcpt reject third yes,");
    g_assert_cmpint(fact(0, "score")->integer, ==, 3);
    g_assert_cmpint(fact(0, "auth.user")->type, ==, JSON_NULL);
    g_assert_true(fact(0, "probe.mail")->boolean);
    g_assert_null(fact(0, "probe.connect"));
    g_assert_null(fact(0, "probe.rcpt"));
    g_assert_null(fact(0, "message.size"));
    const JsonValue *to = nth(line(0), "recipients", 0);
    assert_text(to, "to", "b@example.com");
    const JsonValue *his = json_find(to, "facts", JSON_OBJECT);
    g_assert_cmpint(json_integer(his, "probe.rcpt"), ==, 1);
    assert_text(his, "rcpt.domain", "example.com");
    g_assert_null(nth(line(0), "recipients", 1));
    assert_text(nth(line(0), "hooks", 0), "plugin", "probe");
    forget();
}

static void
test_accepted(void)
{
    record("at message { would reject big if probe.octets > 1"
           " quarantine odd if probe.fields = 2 }",
           meet_all);
    g_assert_cmpuint(lines->len, ==, 2);
    assert_text(line(0), "event", "would");
    assert_text(line(0), "mode", "would");
    assert_rules(line(0), "message would reject big yes,");
    assert_text(line(1), "event", "quarantined");
    assert_text(line(1), "verdict", "quarantine");
    assert_text(line(1), "reply", "250 2.0.0 queued as 1");
    assert_rules(line(1), "message would reject big yes,"
                          "message quarantine odd yes,");
    g_assert_cmpint(fact(1, "message.size")->integer, >, 0);
    assert_text(json_find(line(1), "facts", JSON_OBJECT), "header.from.address",
                "a@example.org");
    forget();
}

static void
test_failed_hook(void)
{
    probe.fails = TRUE;
    record("at rcpt { reject a if probe.mail }", meet_all);
    g_assert_cmpuint(lines->len, ==, 1);
    assert_rules(line(0), "rcpt reject a unknown,");
    g_assert_cmpint(fact(0, "probe.mail")->type, ==, JSON_NULL);
    assert_text(json_find(line(0), "unknown", JSON_OBJECT), "probe.mail",
                "failed");
    forget();
}

static void
meet_three(World *world)
{
    world_hello(world);
    world_mail(world, "a@example.org");
    world_rcpt(world, "b@example.com");
    world_rcpt(world, "postmaster@example.com");
    world_rcpt(world, "c@example.com");
    world_message(world, MESSAGE);
    world_deliver(world);
}

static void
test_recipients(void)
{
    record("at rcpt { score 1 post if rcpt.local = \"postmaster\""
           " reject c if rcpt.local = \"c\" pass any if probe.rcpt > 0 }"
           "at message { reject no if message.size = 0 }",
           meet_three);
    g_assert_cmpuint(lines->len, ==, 2);
    assert_text(line(0), "rule", "c");
    g_assert_cmpint(json_integer(json_find(nth(line(0), "recipients", 0),
                                           "facts", JSON_OBJECT),
                                 "rcpt.count"),
                    ==, 2);
    const JsonValue *first = nth(line(1), "recipients", 0);
    const JsonValue *second = nth(line(1), "recipients", 1);
    assert_text(first, "to", "b@example.com");
    assert_text(second, "to", "postmaster@example.com");
    g_assert_cmpint(json_integer(second, "index"), ==, 1);
    assert_text(json_find(second, "facts", JSON_OBJECT), "rcpt.local",
                "postmaster");
    g_assert_cmpint(
        json_integer(json_find(second, "facts", JSON_OBJECT), "probe.rcpt"), ==,
        2);
    g_assert_cmpint(fact(1, "rcpt.count")->integer, ==, 2);
    assert_rules(line(1), "rcpt score post no,rcpt reject c no,"
                          "rcpt pass any yes,message reject no no,");
    assert_rules(second, "rcpt score post yes,rcpt reject c no,"
                         "rcpt pass any yes,");
    g_assert_null(find(first, "rules"));
    forget();
}

static void
meet_strangers(World *world)
{
    session_connect(world->session);
    session_helo(world->session, "a\xff\"\x01\xc3\xa9", "SMTP");
    world_mail(world, "a@example.org");
    world_rcpt(world, "b@example.com");
}

static void
test_strange_octets(void)
{
    record("at rcpt { reject all }", meet_strangers);
    assert_text(line(0), "helo", "a\xff\"\x01\xc3\xa9");
    assert_text(json_find(line(0), "facts", JSON_OBJECT), "helo.name",
                "a\xff\"\x01\xc3\xa9");
    forget();
}

static void
meet_many(World *world)
{
    g_autofree char *name = g_strnfill(60000, '\x02');
    session_connect(world->session);
    session_helo(world->session, name, "SMTP");
    world_mail(world, "a@example.org");
    for (unsigned i = 0; i < 900; i++) {
        g_autofree char *to = g_strdup_printf("user-%u@example.com", i);
        world_rcpt(world, to);
    }
    world_message(world, MESSAGE);
    world_deliver(world);
}

/* However much there is of everything. */
static void
test_long(void)
{
    g_autoptr(GString) policy = g_string_new("at rcpt {");
    for (unsigned i = 0; i < 900; i++)
        g_string_append_printf(policy, " reject rule-%u if rcpt.count > 9999",
                               i);
    g_string_append(policy, " } at message { reject no if helo.name = \"\" }");
    record(policy->str, meet_many);
    g_assert_cmpuint(lines->len, ==, 1);
    const Line *only = g_ptr_array_index(lines, 0);
    g_assert_cmpuint(only->length, <=, 32768);
    g_assert_true(json_boolean(line(0), "cut"));
    g_assert_null(fact(0, "helo.name"));
    unsigned kept = 0;
    while (nth(line(0), "recipients", kept) != NULL)
        kept++;
    g_assert_cmpuint(kept, >, 10);
    g_assert_cmpint(json_integer(line(0), "more"), ==, 900 - kept);
    forget();
}

static void
test_off(void)
{
    record("set decision-log off at rcpt { reject all }", meet_all);
    g_assert_cmpuint(lines->len, ==, 0);
    forget();
}

/* What one transaction knew is not told of the next. */
static void
meet_two(World *world)
{
    meet_three(world);
    world_mail(world, "other@example.org");
    session_refused(world->session, "-limit-errors",
                    &(const MailReply){.code = 421});
    session_reset(world->session);
    session_refused(world->session, "-limit-time",
                    &(const MailReply){.code = 421});
}

static void
test_next_transaction(void)
{
    record("at rcpt { pass any if probe.rcpt > 0 }"
           "at message { reject no if probe.octets = 0 }",
           meet_two);
    g_assert_cmpuint(lines->len, ==, 3);
    assert_text(line(1), "rule", "-limit-errors");
    assert_text(line(1), "reached", "mail");
    g_assert_cmpint(json_integer(line(1), "transaction"), ==, 2);
    assert_text(line(1), "from", "other@example.org");
    g_assert_null(nth(line(1), "recipients", 0));
    g_assert_null(nth(line(1), "rules", 0));
    g_assert_null(fact(1, "message.size"));
    assert_text(line(2), "reached", "helo");
    g_assert_null(find(line(2), "from"));
    g_assert_null(fact(2, "mail.from"));
    forget();
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/record/rejected-with-what-it-rests-on",
                    test_rejected);
    g_test_add_func("/session/record/accepted-and-would", test_accepted);
    g_test_add_func("/session/record/unknown-has-its-reason", test_failed_hook);
    g_test_add_func("/session/record/each-recipient-has-its-own",
                    test_recipients);
    g_test_add_func("/session/record/octets-of-strangers", test_strange_octets);
    g_test_add_func("/session/record/a-line-has-an-end", test_long);
    g_test_add_func("/session/record/off-is-off", test_off);
    g_test_add_func("/session/record/next-transaction-begins-anew",
                    test_next_transaction);
    return g_test_run();
}
