/* parse-test.c: the policy's own tests, kept for who runs them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/parse.h"

#include <string.h>

static Test *
test_new(Compile *compile, const char *name, const PolicyPlace *place)
{
    Test *test = g_new0(Test, 1);

    test->name = name;
    test->place = *place;
    test->givens = g_array_new(FALSE, TRUE, sizeof(TestGiven));
    test->expects = g_array_new(FALSE, TRUE, sizeof(TestExpect));
    g_ptr_array_add(compile->rules->tests, test);
    return test;
}

/* "given" FACT "=" operand */
static gboolean
parse_given(Compile *compile, Test *test)
{
    TestGiven given = {.fact = parse_operand(compile)};

    if (given.fact == NULL || !compile_expect(compile, TOKEN_EQUAL, "`=`"))
        return FALSE;
    given.value = parse_operand(compile);
    if (given.value == NULL)
        return FALSE;
    g_array_append_val(test->givens, given);
    return TRUE;
}

static gboolean
at_clause(const Compile *compile)
{
    return compile_at(compile, "given") || compile_at(compile, "expect");
}

/* "expect" ( "nothing" | [ "would" ] verdict [ NAME ] ) */
static gboolean
parse_expect(Compile *compile, Test *test)
{
    TestExpect expect = {.place = compile->token.place};

    expect.nothing = compile_at(compile, "nothing");
    expect.would = compile_at(compile, "would");
    if (expect.nothing || expect.would)
        compile_advance(compile);
    if (!expect.nothing) {
        int kind = parse_verdict_word(&compile->token);

        if (kind < 0) {
            compile_expected(compile, "a verdict or `nothing`");
            return FALSE;
        }
        expect.kind = (PolicyVerdict)kind;
        compile_advance(compile);
        expect.place = compile->token.place;
        if (compile->token.kind == TOKEN_BARE && !at_clause(compile))
            expect.name = compile_word(compile, "a rule's name");
    }
    g_array_append_val(test->expects, expect);
    return TRUE;
}

static gboolean
parse_clause(Compile *compile, Test *test)
{
    gboolean given = compile_at(compile, "given");

    if (!at_clause(compile)) {
        compile_expected(compile, "`given` or `expect`");
        return FALSE;
    }
    compile_advance(compile);
    return given ? parse_given(compile, test) : parse_expect(compile, test);
}

/* test = "test" TEXT "{" { "given" FACT "=" operand
 *                        | "expect" ( "nothing"
 *                                   | [ "would" ] verdict [ NAME ] ) } "}" . */
gboolean
parse_test(Compile *compile, const PolicyPlace *place)
{
    const char *name = compile_value(compile, "the test's name in quotes");
    PolicyPlace open = compile->token.place;

    if (name == NULL)
        return FALSE;
    if (compile->skeleton && compile->token.kind == TOKEN_OPEN)
        return compile_skip_block(compile);
    if (!compile_expect(compile, TOKEN_OPEN, "`{`"))
        return FALSE;
    Test *test = test_new(compile, name, place);
    while (compile->token.kind != TOKEN_CLOSE
           && compile->token.kind != TOKEN_END) {
        if (parse_clause(compile, test))
            continue;
        while (compile->token.kind != TOKEN_END
               && compile->token.kind != TOKEN_CLOSE && !at_clause(compile))
            compile_advance(compile);
    }
    return compile_close(compile, &open);
}
