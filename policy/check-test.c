/* check-test.c: the policy's own tests: facts, types, names.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/check.h"

#include "policy/literal.h"
#include "policy/prefix.h"

#include <string.h>

/* ---- given -------------------------------------------------------------- */

static void
check_value(Compile *compile, const Node *fact, Node *value)
{
    Node stand_in =
        check_stand_in(fact->type == FILTERD_LIST ? fact->items : fact->type);

    check_operand(compile, value,
                  fact->type == FILTERD_WORD ? fact : &stand_in);
    if (value->kind == NODE_BAD)
        return;
    if (value->kind != NODE_LITERAL)
        compile_error(compile, &value->place, NULL, "`%s` is no value",
                      value->text);
    else if (value->type != stand_in.type)
        compile_error(compile, &value->place, literal_example(stand_in.type),
                      "`%s` is %s and `%s` is %s", fact->text,
                      literal_phrase(fact->type), value->text,
                      literal_phrase(value->type));
    else if (value->type == FILTERD_IP && value->value.ip.prefix < 128)
        compile_error(compile, &value->place, "such as 192.0.2.1",
                      "`%s` is a network, not an address", value->text);
}

static void
check_twice(Compile *compile, const Test *test, guint index)
{
    const Node *fact = g_array_index(test->givens, TestGiven, index).fact;

    for (guint i = 0; i < index; i++) {
        const Node *other = g_array_index(test->givens, TestGiven, i).fact;

        if (strcmp(other->text, fact->text) != 0)
            continue;
        g_autofree char *line = compile_line(&other->place, &fact->place);
        g_autofree char *hint =
            g_strdup_printf("it is given in %s already", line);
        compile_error(compile, &fact->place,
                      fact->type == FILTERD_LIST ? "given FACT = { … }" : hint,
                      "`%s` is given twice", fact->text);
        return;
    }
}

/* The day on which the mail comes, up to its end. */
static void
check_date(Compile *compile, Test *test, const Node *value)
{
    const char *why;
    int64_t end;

    if (prefix_parse_day(value->text, &end, &why))
        test->now = end - 1;
    else
        compile_error(compile, &value->place,
                      "YEAR-MONTH-DAY, such as 2027-01-31", "`%s` %s",
                      value->text, why);
}

static void
check_sample(Compile *compile, Test *test, const Node *value)
{
    static const char *const words[] = {"in", "out", NULL};
    int index = strcmp(value->text, words[0]) == 0 ? 0 : 1;

    if (strcmp(value->text, words[index]) == 0)
        test->sample = index == 0 ? POLICY_SAMPLE_IN : POLICY_SAMPLE_OUT;
    else
        compile_no_such(compile, &value->place, "no sample", value->text,
                        words);
}

/* What is no fact, but a test may settle. */
static const struct {
    const char *word;
    void (*check)(Compile *compile, Test *test, const Node *value);
} settlements[] = {
    {"date", check_date},
    {"canary", check_sample},
};

static gboolean
check_settled(Compile *compile, Test *test, TestGiven *given)
{
    for (gsize i = 0; i < G_N_ELEMENTS(settlements); i++) {
        if (given->fact->kind != NODE_BARE
            || strcmp(given->fact->text, settlements[i].word) != 0)
            continue;
        given->settled = TRUE;
        if (given->several || given->value->kind == NODE_ENTRY)
            compile_error(compile, &given->fact->place, NULL,
                          "`%s` is one word", settlements[i].word);
        else
            settlements[i].check(compile, test, given->value);
        return TRUE;
    }
    return FALSE;
}

/* FACT "=" operand, or `unknown`, or "{" { operand } "}" of a list. */
static void
check_given(Compile *compile, Test *test, guint index)
{
    TestGiven *given = &g_array_index(test->givens, TestGiven, index);
    Node *fact = given->fact, *value = given->value;

    if (check_settled(compile, test, given)) {
        check_twice(compile, test, index);
        return;
    }
    check_operand(compile, fact, NULL);
    if (fact->kind != NODE_FACT) {
        if (fact->kind != NODE_BAD)
            compile_error(compile, &fact->place, "given FACT = value",
                          "`%s` is no fact", fact->text);
        return;
    }
    check_twice(compile, test, index);
    if (!given->several && value->kind == NODE_BARE
        && strcmp(value->text, "unknown") == 0) {
        value->kind = NODE_LITERAL;
        value->value = filterd_unknown();
        return;
    }
    if (given->several && fact->type != FILTERD_LIST) {
        compile_error(compile, &fact->place, "only a list has several values",
                      "`%s` is %s", fact->text, literal_phrase(fact->type));
        return;
    }
    for (; value != NULL; value = value->next)
        check_value(compile, fact, value);
}

/* ---- expect ------------------------------------------------------------- */

static gboolean
resembles(const TestExpect *expect, const PolicyRule *rule)
{
    const PolicyRule *like = &expect->like.public;

    return rule->kind == like->kind
           && (rule->would == like->would || rule->canary > 0)
           && (expect->stage < 0 || (int)rule->stage == expect->stage);
}

/* The first rule of that name, whatever it does; NULL. */
static const PolicyRule *
find_namesake(const Compile *compile, const char *name)
{
    const GPtrArray *all = compile->rules->all;

    for (guint i = 0; i < all->len; i++) {
        const PolicyRule *rule = g_ptr_array_index(all, i);

        if (strcmp(rule->name, name) == 0)
            return rule;
    }
    return NULL;
}

static void
no_such_name(Compile *compile, const PolicyRule *like, const char *const *names)
{
    const char *near = compile_guess(like->name, names);
    g_autofree char *joined = near == NULL ? compile_join(names) : NULL;
    g_autofree char *hint =
        joined != NULL ? g_strdup_printf("there is %s", joined) : NULL;
    const Complaint complaint = {.near = near, .hint = hint};

    compile_complain(compile, &like->place, &complaint, "no rule `%s%s %s`",
                     like->would ? "would " : "",
                     policy_verdict_words[like->kind], like->name);
}

static void
no_such_rule(Compile *compile, const TestExpect *expect, GPtrArray *names)
{
    const PolicyRule *like = &expect->like.public;
    const PolicyRule *namesake = find_namesake(compile, like->name);
    const char *would = like->would ? "would " : "";
    const char *verdict = policy_verdict_words[like->kind];

    if (compile->rules_lost || compile->incomplete)
        return;
    if (namesake == NULL) {
        g_ptr_array_add(names, NULL);
        no_such_name(compile, like, (const char *const *)names->pdata);
        return;
    }
    g_autoptr(GString) hint = g_string_new("there is `");
    policy_append_prefixes(hint, namesake);
    g_string_append_printf(hint, "%s %s` at %s",
                           policy_verdict_words[namesake->kind], namesake->name,
                           policy_stage_words[namesake->stage]);
    compile_error(compile, &like->place, hint->str, "no rule `%s%s %s`%s%s",
                  would, verdict, like->name, expect->stage >= 0 ? " at " : "",
                  expect->stage >= 0 ? policy_stage_words[expect->stage] : "");
}

static void
check_name(Compile *compile, const TestExpect *expect)
{
    const GPtrArray *all = compile->rules->all;
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (guint i = 0; i < all->len; i++) {
        const PolicyRule *rule = g_ptr_array_index(all, i);

        if (!resembles(expect, rule))
            continue;
        if (strcmp(rule->name, expect->like.public.name) == 0)
            return;
        g_ptr_array_add(names, (gpointer)rule->name);
    }
    no_such_rule(compile, expect, names);
}

static void
check_arguments(Compile *compile, const Rule *like)
{
    if (like->arguments != NULL && like->public.kind != POLICY_REWRITE)
        compile_error(compile, &like->head, "rewrite ACTION(…)",
                      "`%s` has no arguments",
                      policy_verdict_words[like->public.kind]);
    for (unsigned i = 0; i < like->argument_count; i++)
        check_operand(compile, like->arguments[i].node, NULL);
    for (unsigned i = 0; i < like->argument_count; i++) {
        const Node *node = like->arguments[i].node;

        if (node->kind != NODE_LITERAL && node->kind != NODE_BAD)
            compile_error(compile, &node->place, "a text or a number",
                          "`%s` is no value", node->text);
    }
}

/* `would` rules have replies, too, that nobody hears. */
static void
check_expect(Compile *compile, TestExpect *expect)
{
    Rule *like = &expect->like;

    if (expect->kind == EXPECT_NOTHING || expect->kind == EXPECT_SCORE)
        return;
    if (like->public.name != NULL)
        check_name(compile, expect);
    check_arguments(compile, like);
    if (like->reply_place.line == 0 || !check_answers(compile, like))
        return;
    if (like->reply != NULL)
        check_operand(compile, like->reply, NULL);
}

void
check_tests(Compile *compile)
{
    const GPtrArray *tests = compile->rules->tests;

    for (guint i = 0; i < tests->len; i++) {
        Test *test = g_ptr_array_index(tests, i);

        for (guint n = 0; n < test->givens->len; n++)
            check_given(compile, test, n);
        for (guint n = 0; n < test->expects->len; n++)
            check_expect(compile, g_ptr_array_index(test->expects, n));
    }
}
