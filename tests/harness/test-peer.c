/* test-peer.c: servers of the harness do what their scripts say.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <filterd/harness.h>

#include <string.h>

#define SERVER "unix:/run/echo"
#define PATIENCE 1000

/* A plugin that greets a server and tells what it said; of a message, what it
 * heard at the end. */

enum { SAID, REST, PROBLEM, HEARD };

static const FilterdFact facts[] = {
    {.name = "said", .type = FILTERD_TEXT, .since = FILTERD_CONNECT},
    {.name = "rest", .type = FILTERD_TEXT, .since = FILTERD_CONNECT},
    {.name = "problem", .type = FILTERD_TEXT, .since = FILTERD_CONNECT},
    {.name = "heard", .type = FILTERD_TEXT, .since = FILTERD_MESSAGE},
    {NULL},
};

static bool
converse(FilterdCall *call, FilterdStream *stream, GError **error)
{
    const FilterdHost *host = call->host;
    size_t length;
    char rest[5] = "";

    if (!host->stream_write(call, stream, "hello\n", 6, error))
        return false;

    const char *line = host->stream_line(call, stream, &length, error);

    if (line == NULL)
        return false;
    host->publish(call, SAID, filterd_text(line));
    if (!host->stream_read(call, stream, rest, 4, &length, error))
        return false;
    host->publish(call, REST, filterd_text(rest));
    return true;
}

static bool
connect_hook(FilterdCall *call, GError **error)
{
    g_autoptr(GError) problem = NULL;
    FilterdStream *stream =
        call->host->stream_open(call, SERVER, PATIENCE, &problem);

    (void)error;
    if (stream != NULL)
        converse(call, stream, &problem);
    if (problem != NULL)
        call->host->publish(call, PROBLEM, filterd_text(problem->message));
    return true;
}

static bool
note(FilterdCall *call, const FilterdField *field, GError **error)
{
    GString **heard = call->message;

    (void)error;
    g_string_append_len(*heard, field->bytes, (gssize)field->name_length);
    return true;
}

static bool
note_body(FilterdCall *call, const char *bytes, size_t length, GError **error)
{
    GString **heard = call->message;

    (void)error;
    g_string_append_len(*heard, bytes, (gssize)length);
    return true;
}

static bool
eom_hook(FilterdCall *call, GError **error)
{
    GString **heard = call->message;

    *heard = g_string_new(NULL);
    if (!call->host->hear(call, note, note_body, error))
        return false;
    call->host->publish(call, HEARD, filterd_text((*heard)->str));
    return true;
}

static void
clear_message(FilterdCall *call)
{
    GString **heard = call->message;

    if (*heard != NULL)
        g_string_free(*heard, TRUE);
}

FILTERD_PLUGIN(.name = "talker", .version = "1", .summary = "greets",
               .facts = facts, .message_size = sizeof(GString *),
               .connect = connect_hook, .eom = eom_hook,
               .clear_message = clear_message);

static void
assert_fact(Harness *harness, const char *name, const char *expected)
{
    g_assert_cmpstr(harness_fact(harness, name), ==, expected);
}

static const struct Case {
    const char *name, *script;
    const char *said, *rest, *problem;
} cases[] = {
    {"it-says-what-it-should", "hears hello\\n\nsays hi\\r\\nyou\\0", "hi",
     "you", "-"},
    {"a-line-may-come-in-pieces",
     "says a\nwaits 999\nsays \\x62\\\\\\n\n"
     "says rest",
     "ab\\", "rest", "-"},
    {"it-waits-for-what-comes", "until ll\nuntil \\n\nsays ll\\n", "ll", "",
     "-"},
    {"it-closes-at-the-end", "hears hello\\n", "-", "-",
     SERVER ": connection closed"},
    {"it-is-cut", "hears hello\\n\ncuts", "-", "-", SERVER ": connection lost"},
    {"it-stalls", "stalls", "-", "-", SERVER ": timed out"},
    {"it-is-deaf", "deaf", "-", "-", SERVER ": timed out"},
    {"it-is-too-slow", "waits 600\nsays x\nwaits 400\nsays \\n", "-", "-",
     SERVER ": timed out"},
    {"nobody-is-there", NULL, "-", "-", SERVER ": connection lost"},
};

static void
test_script(const void *data)
{
    const struct Case *row = data;
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, NULL);

    if (row->script != NULL)
        harness_peer(harness, SERVER, row->script);
    harness_run(harness, FILTERD_CONNECT);
    g_assert_cmpuint(harness_peers_left(harness), ==, 0);
    assert_fact(harness, "said", row->said);
    assert_fact(harness, "rest", row->rest);
    assert_fact(harness, "problem", row->problem);
}

static void
test_wrong_words(void)
{
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, NULL);

    harness_peer(harness, SERVER, "hears HELLO\\n\nsays hi\\n");
    harness_expect_warning(harness, "expected to hear: “HELLO\\n”, it has "
                                    "heard “hello\\n”");
    harness_run(harness, FILTERD_CONNECT);
}

static void
test_left_early(void)
{
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, NULL);

    harness_peer(harness, SERVER, "until \\n\nsays hi\\n\nsays x\nhears bye");
    harness_run(harness, FILTERD_CONNECT);
    harness_expect_warning(harness, "was left before it heard: “bye”");
    harness_reconnect(harness);
}

static void
test_silent_wait(void)
{
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, NULL);

    harness_peer(harness, SERVER, "until bye\nsays hi\\n");
    harness_expect_warning(harness, "is asked for an answer before it hears");
    harness_run(harness, FILTERD_CONNECT);
}

static void
test_hear(void)
{
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, NULL);

    harness_message(harness, "A: 1\nBc: 2\n\nbody", 3);
    assert_fact(harness, "heard", "ABcbody");
}

static void
prepare(Harness *harness, void *data)
{
    (void)data;
    harness_peer(harness, SERVER, "hears hello\\n\nsays hi\\n\nsays rest");
}

static void
play(Harness *harness, void *data)
{
    (void)data;
    harness_run(harness, FILTERD_CONNECT);
}

static bool
allow(const HarnessTrial *trial, const char *what, const char *whole,
      const char *now)
{
    (void)whole;
    (void)now;
    return strcmp(what, "problem") == 0 || trial->fault == HARNESS_GARBAGE
           || (trial->fault == HARNESS_CLOSED && strcmp(what, "rest") == 0);
}

static void
test_faults(void)
{
    const HarnessScene scene = {
        .prepare = prepare, .play = play, .allows = allow};

    g_assert_cmpuint(harness_explore(&filterd_plugin, NULL, &scene), ==,
                     1 + 4 * 5);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path =
            g_strconcat("/harness/peer/", cases[i].name, NULL);

        g_test_add_data_func(path, &cases[i], test_script);
    }
    g_test_add_func("/harness/peer/wrong-words-are-told", test_wrong_words);
    g_test_add_func("/harness/peer/leaving-early-is-told", test_left_early);
    g_test_add_func("/harness/peer/two-that-wait-are-told", test_silent_wait);
    g_test_add_func("/harness/peer/the-message-once-more", test_hear);
    g_test_add_func("/harness/peer/each-fault-at-each-wait", test_faults);
    return g_test_run();
}
