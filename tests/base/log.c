/* log.c: tests of base/log.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/log.h"

#include "filterd/base/clock.h"

#include <string.h>
#include <unistd.h>

static char *seen;
static FilterdLogLevel seen_level;

static void
hear(FilterdLogLevel level, const char *line)
{
    g_free(seen);
    seen = g_strdup(line);
    seen_level = level;
}

static void
set_up(LogForm form)
{
    g_clear_pointer(&seen, g_free);
    log_setup(form, FILTERD_LOG_INFO);
    log_set_sink(hear);
}

static const char *
line_with(const char *value)
{
    LogLine line;

    log_begin(&line, FILTERD_LOG_INFO, "e");
    log_text(&line, "v", value);
    log_end(&line);
    return seen;
}

static void
quoting(void)
{
    static const char *const rows[][2] = {
        {"plain", "e v=plain"},
        {"a@example.org", "e v=a@example.org"},
        {"", "e v=\"\""},
        {"two words", "e v=\"two words\""},
        {"a=b", "e v=\"a=b\""},
        {"say \"no\"", "e v=\"say \\\"no\\\"\""},
        {"back\\slash", "e v=\"back\\\\slash\""},
        {"x\r\nrejected client=1", "e v=\"x\\x0d\\x0arejected client=1\""},
        {"\x1b[31m\x7f", "e v=\"\\x1b[31m\\x7f\""},
        {"gr\xc3\xbc\xc3\x9f", "e v=\"gr\xc3\xbc\xc3\x9f\""},
        {"\xff\xc2\x9b", "e v=\"\\xff\\xc2\\x9b\""},
        {"\xe2\x80\xae"
         "evil",
         "e v=\"\\xe2\\x80\\xaeevil\""},
        {"\xe2\x80\xa8\xc2\xa0", "e v=\"\\xe2\\x80\\xa8\\xc2\\xa0\""},
        {NULL, "e"},
    };

    set_up(LOG_TEXT);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpstr(line_with(rows[i][0]), ==, rows[i][1]);
}

static void
typed_line(void)
{
    const FilterdValue delay = filterd_duration(300000);
    const FilterdValue words[] = {filterd_text("a"), filterd_text("b c")};
    const FilterdValue list = filterd_list(words, G_N_ELEMENTS(words));
    const FilterdValue unknown = filterd_unknown();
    LogLine line;

    log_begin(&line, FILTERD_LOG_WARNING, "tempfailed");
    log_text(&line, "rule", "grey \"list\"");
    log_int(&line, "ms", -12);
    log_value(&line, "greylist.wait", &delay);
    log_value(&line, "spf.result", &words[1]);
    log_value(&line, "dkim.domains", &list);
    log_value(&line, "dnsbl.listed", &unknown);
    log_text(&line, "absent", NULL);
    log_end(&line);
}

static void
text_form(void)
{
    set_up(LOG_TEXT);
    typed_line();
    g_assert_cmpstr(seen, ==,
                    "tempfailed rule=\"grey \\\"list\\\"\" ms=-12 "
                    "greylist.wait=5m spf.result=\"b c\" "
                    "dkim.domains=\"a,b c\" dnsbl.listed=-");
    g_assert_cmpint(seen_level, ==, FILTERD_LOG_WARNING);
}

static void
json_form(void)
{
    clock_stop(1795341600042);
    set_up(LOG_JSON);
    typed_line();
    clock_start();
    g_assert_cmpstr(seen, ==,
                    "{\"event\":\"tempfailed\","
                    "\"time\":\"2026-11-22T10:00:00.042Z\","
                    "\"level\":\"warning\",\"rule\":\"grey \\\"list\\\"\","
                    "\"ms\":-12,\"greylist.wait\":300000,"
                    "\"spf.result\":\"b c\","
                    "\"dkim.domains\":[\"a\",\"b c\"],"
                    "\"dnsbl.listed\":null}");
}

static void
levels(void)
{
    set_up(LOG_TEXT);
    log_event(FILTERD_LOG_DEBUG, "quiet", "%d", 1);
    g_assert_null(seen);
    log_event(FILTERD_LOG_INFO, "said", "%d of %s", 1, "two");
    g_assert_cmpstr(seen, ==, "said text=\"1 of two\"");
    log_setup(LOG_TEXT, FILTERD_LOG_DEBUG);
    log_event(FILTERD_LOG_DEBUG, "quiet", "x");
    g_assert_cmpstr(seen, ==, "quiet text=x");
}

static void
long_line(gconstpointer data)
{
    LogForm form = (LogForm)GPOINTER_TO_INT(data);
    g_autofree char *huge = g_strnfill(3 * LOG_VALUE, '\n');
    LogLine line;

    set_up(form);
    log_begin(&line, FILTERD_LOG_INFO, "e");
    log_text(&line, "huge", huge);
    for (int i = 0; i < 100; i++)
        log_text(&line, "more", "0123456789012345678901234567890123456789");
    log_end(&line);
    g_assert_cmpuint(strlen(seen), <=, LOG_LINE);
    g_assert_cmpuint(strlen(seen), >, 1000);
    g_assert_true(g_str_has_suffix(seen, form == LOG_JSON ? ",\"cut\":true}"
                                                          : " cut=yes"));
}

/* Standard error is a pipe meanwhile. */
static char *
written(void)
{
    int ends[2], before = dup(STDERR_FILENO);
    char text[256];
    ssize_t length;

    g_assert_cmpint(pipe(ends), ==, 0);
    dup2(ends[1], STDERR_FILENO);
    log_event(FILTERD_LOG_INFO, "said", "x");
    dup2(before, STDERR_FILENO);
    length = read(ends[0], text, sizeof(text));
    g_assert_cmpint(length, >, 0);
    close(before);
    close(ends[0]);
    close(ends[1]);
    return g_strndup(text, (gsize)length);
}

static void
time_in_front(void)
{
    g_autofree char *timed = NULL, *bare = NULL;

    set_up(LOG_TEXT);
    log_set_sink(NULL);
    clock_stop(1795341600042);
    g_unsetenv("JOURNAL_STREAM");
    timed = written();
    g_setenv("JOURNAL_STREAM", "8:1", TRUE);
    bare = written();
    g_unsetenv("JOURNAL_STREAM");
    clock_start();
    g_assert_cmpstr(timed, ==, "2026-11-22T10:00:00.042Z said text=x\n");
    g_assert_cmpstr(bare, ==, "said text=x\n");
}

static void
once_in_a_while(void)
{
    int64_t last = 0;

    clock_stop(0);
    g_assert_true(log_allow(&last, 60000));
    g_assert_false(log_allow(&last, 60000));
    clock_advance(59999);
    g_assert_false(log_allow(&last, 60000));
    clock_advance(1);
    g_assert_true(log_allow(&last, 60000));
    g_assert_false(log_allow(&last, 60000));
    clock_start();
}

int
main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/log/a-value-cannot-forge-a-field-or-line", quoting);
    g_test_add_func("/base/log/text-has-typed-fields", text_form);
    g_test_add_func("/base/log/json-has-the-same-fields", json_form);
    g_test_add_func("/base/log/lines-below-the-level-are-not-built", levels);
    g_test_add_data_func("/base/log/a-text-line-is-bounded",
                         GINT_TO_POINTER(LOG_TEXT), long_line);
    g_test_add_data_func("/base/log/a-json-line-is-bounded-and-closed",
                         GINT_TO_POINTER(LOG_JSON), long_line);
    g_test_add_func("/base/log/time-is-in-front-outside-the-journal",
                    time_in_front);
    g_test_add_func("/base/log/the-same-complaint-once-a-minute",
                    once_in_a_while);
    status = g_test_run();
    g_free(seen);
    return status;
}
