/* test-expect.c: whether a test got what it expects, and what it got instead.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/value.h"
#include "policy/test-state.h"

#include <string.h>

static gboolean
is_verdict(const TestFired *fired)
{
    return fired->rule->kind < POLICY_REWRITE && fired->mode == POLICY_APPLIED;
}

/* ---- in words ----------------------------------------------------------- */

static void
append_rule(GString *out, const PolicyRule *rule, gboolean would)
{
    if (would)
        g_string_append(out, "would ");
    g_string_append(out, policy_verdict_words[rule->kind]);
    if (rule->name != NULL)
        g_string_append_printf(out, " %s", rule->name);
}

static void
append_argument(GString *out, const Node *node)
{
    if (node->value.type == FILTERD_TEXT)
        g_string_append_printf(out, "\"%s\"", node->value.text);
    else
        value_append(out, &node->value);
}

static void
append_arguments(GString *out, const Rule *like)
{
    if (like->arguments == NULL)
        return;
    g_string_append_c(out, '(');
    for (unsigned i = 0; i < like->argument_count; i++) {
        if (i > 0)
            g_string_append(out, ", ");
        append_argument(out, like->arguments[i].node);
    }
    g_string_append_c(out, ')');
}

static void
append_reply(GString *out, const Rule *like)
{
    if (like->reply_place.line == 0)
        return;
    g_string_append(out, " reply");
    if (like->code != 0)
        g_string_append_printf(out, " %d", like->code);
    if (*like->enhanced != '\0')
        g_string_append_printf(out, " %s", like->enhanced);
    if (like->reply != NULL)
        g_string_append_printf(out, " \"%s\"", like->reply->value.text);
}

static char *
describe(const TestExpect *expect)
{
    GString *out = g_string_new(NULL);

    if (expect->kind == EXPECT_SCORE) {
        g_string_append_printf(out, "score = %" G_GINT64_FORMAT, expect->score);
        return g_string_free(out, FALSE);
    }
    if (expect->kind == EXPECT_NOTHING)
        g_string_append(out, "nothing");
    if (expect->kind == EXPECT_NO_RULE)
        g_string_append(out, "no ");
    if (expect->kind != EXPECT_NOTHING) {
        append_rule(out, &expect->like.public, expect->like.public.would);
        append_arguments(out, &expect->like);
    }
    if (expect->stage >= 0)
        g_string_append_printf(out, " at %s",
                               policy_stage_words[expect->stage]);
    append_reply(out, &expect->like);
    return g_string_free(out, FALSE);
}

static void
append_fired(GString *out, const TestFired *fired)
{
    if (out->len > 0)
        g_string_append(out, ", ");
    append_rule(out, fired->rule, fired->mode != POLICY_APPLIED);
    for (guint i = 0; i < fired->arguments->len; i++)
        g_string_append_printf(
            out, "%s\"%s\"%s", i == 0 ? "(" : ", ",
            (const char *)g_ptr_array_index(fired->arguments, i),
            i + 1 == fired->arguments->len ? ")" : "");
    g_string_append_printf(out, " at %s",
                           policy_stage_words[fired->rule->stage]);
    if (fired->reply.code == 0)
        return;
    g_autofree char *reply = mail_reply_format(&fired->reply);
    g_string_append_printf(out, ", which answers %s", reply);
}

/* Those that would be in the way, or that come closest. */
static char *
describe_fired(const TestExpect *expect, const GPtrArray *all,
               gboolean (*concerns)(const TestExpect *expect,
                                    const TestFired *fired))
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < all->len; i++) {
        const TestFired *fired = g_ptr_array_index(all, i);

        if (concerns(expect, fired))
            append_fired(out, fired);
    }
    return g_string_free(out, FALSE);
}

/* ---- whether it is like that -------------------------------------------- */

static gboolean
at_stage(const TestExpect *expect, const PolicyRule *rule)
{
    return expect->stage < 0 || (int)rule->stage == expect->stage;
}

static gboolean
is_named(const TestExpect *expect, const TestFired *fired)
{
    const PolicyRule *like = &expect->like.public, *rule = fired->rule;

    return rule->kind == like->kind
           && like->would == (fired->mode != POLICY_APPLIED)
           && at_stage(expect, rule)
           && (like->name == NULL || strcmp(like->name, rule->name) == 0);
}

static gboolean
has_arguments(const Rule *like, const TestFired *fired)
{
    if (like->arguments == NULL)
        return TRUE;
    if (like->argument_count != fired->arguments->len)
        return FALSE;
    for (unsigned i = 0; i < like->argument_count; i++) {
        g_autoptr(GString) text = g_string_new(NULL);

        value_append(text, &like->arguments[i].node->value);
        if (strcmp(text->str, g_ptr_array_index(fired->arguments, i)) != 0)
            return FALSE;
    }
    return TRUE;
}

static gboolean
has_reply(const Rule *like, const MailReply *reply)
{
    if (like->code != 0 && like->code != reply->code)
        return FALSE;
    if (*like->enhanced != '\0' && strcmp(like->enhanced, reply->enhanced) != 0)
        return FALSE;
    return like->reply == NULL
           || strcmp(like->reply->value.text, reply->text) == 0;
}

static gboolean
is_like(const TestExpect *expect, const TestFired *fired)
{
    return is_named(expect, fired) && has_arguments(&expect->like, fired)
           && has_reply(&expect->like, &fired->reply);
}

static gboolean
any(const TestExpect *expect, const GPtrArray *all,
    gboolean (*concerns)(const TestExpect *expect, const TestFired *fired))
{
    for (guint i = 0; i < all->len; i++)
        if (concerns(expect, g_ptr_array_index(all, i)))
            return TRUE;
    return FALSE;
}

static gboolean
is_verdict_there(const TestExpect *expect, const TestFired *fired)
{
    return is_verdict(fired) && at_stage(expect, fired->rule);
}

static gboolean
is_anything(G_GNUC_UNUSED const TestExpect *expect, const TestFired *fired)
{
    return is_verdict(fired);
}

/* `expect accept` is met, too, where no rule decides, which accepts. */
static gboolean
accepts_silently(const TestExpect *expect, const PolicyTest *result)
{
    const Rule *like = &expect->like;

    return like->public.kind == POLICY_ACCEPT && !like->public.would
           && like->public.name == NULL && expect->stage < 0
           && result->rule == NULL;
}

/* ---- one expectation ---------------------------------------------------- */

/* Why that stage was not reached. */
static char *
describe_end(const TestExpect *expect, const PolicyTest *result)
{
    return g_strdup_printf("%s %s at %s, before stage %s",
                           policy_verdict_words[result->rule->kind],
                           result->rule->name,
                           policy_stage_words[result->rule->stage],
                           policy_stage_words[expect->stage]);
}

/* NULL: as expected. */
static char *
expect_rule(const TestExpect *expect, const GPtrArray *fired,
            const PolicyTest *result)
{
    if (any(expect, fired, is_like) || accepts_silently(expect, result))
        return NULL;
    g_autofree char *near = describe_fired(expect, fired, is_named);
    if (*near != '\0')
        return g_steal_pointer(&near);
    if (expect->stage > (int)result->stage)
        return describe_end(expect, result);
    char *verdicts = describe_fired(expect, fired, is_anything);
    if (*verdicts != '\0')
        return verdicts;
    g_free(verdicts);
    return g_strdup("no verdict, which accepts");
}

static char *
expect_no(const TestExpect *expect, const GPtrArray *fired,
          G_GNUC_UNUSED const PolicyTest *result)
{
    if (!any(expect, fired, is_like))
        return NULL;
    return describe_fired(expect, fired, is_like);
}

static char *
expect_nothing(const TestExpect *expect, const GPtrArray *fired,
               const PolicyTest *result)
{
    if (any(expect, fired, is_verdict_there))
        return describe_fired(expect, fired, is_verdict_there);
    if (expect->stage <= (int)result->stage)
        return NULL;
    return describe_end(expect, result);
}

static char *
expect_score(const TestExpect *expect, G_GNUC_UNUSED const GPtrArray *fired,
             const PolicyTest *result)
{
    if (expect->score == result->score)
        return NULL;
    return g_strdup_printf("score = %" G_GINT64_FORMAT, result->score);
}

static char *(*const checks[])(const TestExpect *expect, const GPtrArray *fired,
                               const PolicyTest *result) = {
    [EXPECT_RULE] = expect_rule,
    [EXPECT_NO_RULE] = expect_no,
    [EXPECT_NOTHING] = expect_nothing,
    [EXPECT_SCORE] = expect_score,
};

void
test_unmet_free(void *data)
{
    PolicyUnmet *unmet = data;

    g_free(unmet->expected);
    g_free(unmet->found);
    g_free(unmet);
}

void
test_expect(const Test *test, const GPtrArray *fired, PolicyTest *result)
{
    for (guint i = 0; i < test->expects->len; i++) {
        const TestExpect *expect = g_ptr_array_index(test->expects, i);
        char *found = checks[expect->kind](expect, fired, result);

        if (found == NULL)
            continue;
        PolicyUnmet *unmet = g_new(PolicyUnmet, 1);
        *unmet = (PolicyUnmet){&expect->place, describe(expect), found};
        g_ptr_array_add(result->unmet, unmet);
    }
}
