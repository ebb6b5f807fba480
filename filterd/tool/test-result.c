/* test-result.c: what came of a policy's tests, as JSON and for people.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/test.h"

unsigned
test_result_failed(const GPtrArray *tests)
{
    unsigned failed = 0;

    for (guint i = 0; i < tests->len; i++) {
        const PolicyTest *test = g_ptr_array_index(tests, i);

        failed += test->unmet->len > 0;
    }
    return failed;
}

/* ---- text --------------------------------------------------------------- */

static void
show_unmet(View *view, const PolicyUnmet *unmet)
{
    const PolicyPlace *place = unmet->place;
    g_autofree char *expected = g_strdup_printf(
        "%s:%u: expected %s", place->file, place->line, unmet->expected);
    g_autofree char *found = g_strdup_printf("but found %s", unmet->found);

    view_lines(view, 2, expected);
    view_lines(view, 4, found);
}

static void
show_test(View *view, const PolicyTest *test)
{
    gboolean failed = test->unmet->len > 0;

    view_paint(view, failed ? VIEW_BAD : VIEW_GOOD, 6,
               failed ? "FAIL" : "PASS");
    view_lines(view, 0, test->name);
    for (guint i = 0; i < test->unmet->len; i++)
        show_unmet(view, g_ptr_array_index(test->unmet, i));
    if (failed)
        view_judgements(view, test->judgements);
}

void
test_result_text(View *view, const GPtrArray *tests)
{
    unsigned failed = test_result_failed(tests);

    for (guint i = 0; i < tests->len; i++)
        show_test(view, g_ptr_array_index(tests, i));
    g_string_append_printf(view->out, "%u test%s, %u failed\n", tests->len,
                           tests->len == 1 ? "" : "s", failed);
}

/* ---- JSON --------------------------------------------------------------- */

static void
append_unmet(GString *out, const void *element)
{
    const PolicyUnmet *unmet = element;

    g_string_append_c(out, '{');
    view_json_text(out, "file", unmet->place->file);
    g_string_append_printf(out, ",\"line\":%u,\"column\":%u,",
                           unmet->place->line, unmet->place->column);
    view_json_text(out, "expected", unmet->expected);
    g_string_append_c(out, ',');
    view_json_text(out, "found", unmet->found);
    g_string_append_c(out, '}');
}

static void
append_outcome(GString *out, const PolicyTest *test)
{
    const PolicyRule *rule = test->rule;
    PolicyVerdict verdict = rule != NULL ? rule->kind : POLICY_ACCEPT;
    FilterdStage stage = rule != NULL ? rule->stage : test->stage;

    view_json_text(out, "verdict", policy_verdict_words[verdict]);
    g_string_append_c(out, ',');
    view_json_text(out, "rule", rule != NULL ? rule->name : NULL);
    g_string_append_c(out, ',');
    view_json_text(out, "stage", policy_stage_words[stage]);
    g_string_append_c(out, ',');
    view_json_text(out, "reply", test->reply);
    g_string_append_printf(out, ",\"score\":%" G_GINT64_FORMAT, test->score);
}

static void
append_test(GString *out, const void *element)
{
    const PolicyTest *test = element;

    g_string_append_c(out, '{');
    view_json_text(out, "test", test->name);
    g_string_append_c(out, ',');
    view_json_text(out, "file", test->place->file);
    g_string_append_printf(out, ",\"line\":%u,\"passed\":%s,",
                           test->place->line,
                           test->unmet->len == 0 ? "true" : "false");
    append_outcome(out, test);
    g_string_append(out, ",\"unmet\":[");
    view_json_each(out, test->unmet, append_unmet);
    g_string_append(out, "],\"rules\":[");
    view_json_each(out, test->judgements, view_json_judgement);
    g_string_append(out, "]}");
}

void
test_result_json(GString *out, const GPtrArray *tests)
{
    g_string_append_printf(out, "{\"failed\":%u,\"tests\":[",
                           test_result_failed(tests));
    view_json_each(out, tests, append_test);
    g_string_append(out, "]}\n");
}
