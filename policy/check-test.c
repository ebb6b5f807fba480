/* check-test.c: the policy's own tests: facts, types, names.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/check.h"

#include "policy/literal.h"

#include <string.h>

/* FACT "=" operand, or `unknown`. */
static void
check_given(Compile *compile, const TestGiven *given)
{
    Node *fact = given->fact, *value = given->value;

    check_operand(compile, fact, NULL);
    if (fact->kind != NODE_FACT) {
        if (fact->kind != NODE_BAD)
            compile_error(compile, &fact->place, "given FACT = value",
                          "`%s` is no fact", fact->text);
        return;
    }
    if (value->kind == NODE_BARE && strcmp(value->text, "unknown") == 0) {
        value->kind = NODE_LITERAL;
        return;
    }
    Node stand_in =
        check_stand_in(fact->type == FILTERD_LIST ? fact->items : fact->type);
    gboolean word = fact->type == FILTERD_WORD;
    check_operand(compile, value, word ? fact : &stand_in);
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
}

static gboolean
expects(const TestExpect *expect, const Rule *rule)
{
    return rule->public.kind == expect->kind
           && rule->public.would == expect->would
           && strcmp(rule->public.name, expect->name) == 0;
}

static void
check_expect(Compile *compile, const TestExpect *expect)
{
    const GPtrArray *all = compile->rules->all;
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    if (expect->name == NULL)
        return;
    for (guint i = 0; i < all->len; i++) {
        const Rule *rule = g_ptr_array_index(all, i);

        if (expects(expect, rule))
            return;
        if (rule->public.kind == expect->kind
            && rule->public.would == expect->would)
            g_ptr_array_add(names, (gpointer)rule->public.name);
    }
    g_ptr_array_add(names, NULL);
    g_autofree char *kind =
        g_strdup_printf("no rule%s %s", expect->would ? " would" : "",
                        policy_verdict_words[expect->kind]);
    compile_no_such(compile, &expect->place, kind, expect->name,
                    (const char *const *)names->pdata);
}

void
check_tests(Compile *compile)
{
    const GPtrArray *tests = compile->rules->tests;

    for (guint i = 0; i < tests->len; i++) {
        const Test *test = g_ptr_array_index(tests, i);

        for (guint n = 0; n < test->givens->len; n++)
            check_given(compile, &g_array_index(test->givens, TestGiven, n));
        for (guint n = 0; n < test->expects->len; n++)
            check_expect(compile, &g_array_index(test->expects, TestExpect, n));
    }
}
