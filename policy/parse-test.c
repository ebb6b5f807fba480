/* parse-test.c: the policy's own tests: what is given, what is expected.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/parse.h"

#include "policy/literal.h"

#include <string.h>

static Test *
test_new(Compile *compile, const char *name, const PolicyPlace *place)
{
    Test *test = g_new0(Test, 1);

    test->name = name;
    test->place = *place;
    test->givens = g_array_new(FALSE, TRUE, sizeof(TestGiven));
    test->expects = g_ptr_array_new();
    test->now = G_MININT64;
    test->sample = POLICY_SAMPLE_IN;
    g_ptr_array_add(compile->rules->tests, test);
    return test;
}

static gboolean
at_clause(const Compile *compile)
{
    return compile_at(compile, "given") || compile_at(compile, "expect");
}

/* ---- given -------------------------------------------------------------- */

/* "{" { operand } "}" */
static gboolean
parse_values(Compile *compile, TestGiven *given)
{
    PolicyPlace open = compile->token.place;
    Node **end = &given->value;

    given->several = TRUE;
    compile_advance(compile);
    while (compile->token.kind != TOKEN_CLOSE
           && compile->token.kind != TOKEN_END) {
        *end = parse_operand(compile);
        if (*end == NULL)
            return FALSE;
        end = &(*end)->next;
    }
    return compile_close(compile, &open);
}

/* "given" FACT "=" ( operand | "{" { operand } "}" ) */
static gboolean
parse_given(Compile *compile, Test *test)
{
    TestGiven given = {.fact = parse_operand(compile)};

    if (given.fact == NULL || !compile_expect(compile, TOKEN_EQUAL, "`=`"))
        return FALSE;
    if (compile->token.kind == TOKEN_OPEN) {
        if (!parse_values(compile, &given))
            return FALSE;
    } else {
        given.value = parse_operand(compile);
        if (given.value == NULL)
            return FALSE;
    }
    g_array_append_val(test->givens, given);
    return TRUE;
}

/* ---- expect ------------------------------------------------------------- */

/* [ "at" STAGE ] */
static gboolean
parse_at(Compile *compile, TestExpect *expect)
{
    if (!compile_at(compile, "at") || compile->token.leads)
        return TRUE;
    compile_advance(compile);
    expect->stage_place = compile->token.place;
    expect->stage = parse_stage_word(compile);
    return expect->stage >= 0;
}

/* [ "reply" ( CODE [ ENHANCED ] [ TEXT ] | TEXT ) ] */
static gboolean
parse_reply(Compile *compile, Rule *like)
{
    if (!compile_at(compile, "reply"))
        return TRUE;
    like->reply_place = compile->token.place;
    compile_advance(compile);
    if (parse_is_digits(&compile->token)) {
        if (!parse_reply_code(compile, like))
            return FALSE;
        if (compile->token.kind == TOKEN_BARE && !at_clause(compile)
            && !parse_reply_enhanced(compile, like))
            return FALSE;
    } else if (compile->token.kind != TOKEN_TEXT) {
        compile_expected(compile, "a code or a text");
        return FALSE;
    }
    if (compile->token.kind == TOKEN_TEXT)
        like->reply = parse_operand(compile);
    return TRUE;
}

/* [ NAME ], or the end of what is expected. */
static gboolean
parse_name_like(Compile *compile, Rule *like)
{
    like->public.place = compile->token.place;
    if (compile->token.kind != TOKEN_BARE || at_clause(compile)
        || compile_at(compile, "at") || compile_at(compile, "reply"))
        return TRUE;
    like->public.name = compile_word(compile, "a rule's name");
    return like->public.name != NULL;
}

/* "=" INT, behind score */
static gboolean
parse_points(Compile *compile, TestExpect *expect)
{
    FilterdValue value;

    compile_advance(compile);
    PolicyPlace place = compile->token.place;
    const char *text = compile_word(compile, "a number");
    if (text == NULL)
        return FALSE;
    if (!literal_parse(compile, FILTERD_INT, text, &value)) {
        literal_refuse(compile, &place, FILTERD_INT, text);
        return FALSE;
    }
    expect->kind = EXPECT_SCORE;
    expect->score = value.integer;
    return TRUE;
}

static void
no_such_expectation(Compile *compile)
{
    static const char *const words[] = {
        "accept",     "pass",       "reject",  "tempfail", "discard",
        "quarantine", "disconnect", "rewrite", "score",    "would",
        "no",         "nothing",    NULL};
    const PolicyPlace place = compile->token.place;

    if (compile->token.kind != TOKEN_BARE || at_clause(compile)) {
        compile_expected(compile, "a verdict or `nothing`");
        return;
    }
    const char *word = compile_word(compile, "a verdict");
    compile_no_such(compile, &place, "a test cannot expect", word, words);
}

/* [ "would" ] verdict [ NAME ] [ arguments ] [ "at" STAGE ] [ reply ] */
static gboolean
parse_like(Compile *compile, TestExpect *expect)
{
    Rule *like = &expect->like;

    like->public.would = compile_at(compile, "would");
    if (like->public.would)
        compile_advance(compile);
    int kind = parse_verdict_word(&compile->token);
    if (kind < 0) {
        no_such_expectation(compile);
        return FALSE;
    }
    like->public.kind = (PolicyVerdict)kind;
    like->head = compile->token.place;
    compile_advance(compile);
    if (kind == POLICY_SCORE && compile->token.kind == TOKEN_EQUAL
        && expect->kind == EXPECT_RULE && !like->public.would)
        return parse_points(compile, expect);
    return parse_name_like(compile, like)
           && (compile->token.kind != TOKEN_PAREN
               || parse_arguments(compile, like))
           && parse_at(compile, expect) && parse_reply(compile, like);
}

static gboolean
parse_expect(Compile *compile, Test *test)
{
    TestExpect *expect = arena_alloc(&compile->rules->arena, sizeof(*expect));

    expect->place = compile->token.place;
    expect->stage = -1;
    g_ptr_array_add(test->expects, expect);
    if (compile_at(compile, "nothing")) {
        expect->kind = EXPECT_NOTHING;
        compile_advance(compile);
        return parse_at(compile, expect);
    }
    if (compile_at(compile, "no")) {
        expect->kind = EXPECT_NO_RULE;
        compile_advance(compile);
    }
    return parse_like(compile, expect);
}

/* ---- the block ---------------------------------------------------------- */

static gboolean
parse_clause(Compile *compile, Test *test)
{
    static const char *const words[] = {"given", "expect", NULL};
    const PolicyPlace place = compile->token.place;
    gboolean given = compile_at(compile, "given");

    if (at_clause(compile)) {
        compile_advance(compile);
        return given ? parse_given(compile, test) : parse_expect(compile, test);
    }
    if (compile->token.kind == TOKEN_BARE)
        compile_no_such(compile, &place, "a test knows no",
                        compile_word(compile, "a clause"), words);
    else
        compile_expected(compile, "`given` or `expect`");
    return FALSE;
}

/* Its `}` is there, or missing. */
static gboolean
ends_block(const Compile *compile)
{
    return compile->token.kind == TOKEN_CLOSE
           || compile->token.kind == TOKEN_END
           || parse_begins_statement(&compile->token);
}

static void
check_purpose(Compile *compile, const Test *test)
{
    if (test->expects->len == 0)
        compile_error(compile, &test->place, "expect VERDICT NAME",
                      "this test expects nothing, so nothing can fail it");
}

/* test = "test" TEXT "{" { "given" FACT "=" ( operand | "{" { operand } "}" )
 *                        | "expect" expectation } "}" .
 * expectation = "nothing" [ "at" STAGE ] | "score" "=" INT
 *             | [ "no" ] [ "would" ] verdict [ NAME ] [ arguments ]
 *               [ "at" STAGE ] [ reply ] . */
gboolean
parse_test(Compile *compile, const PolicyPlace *place)
{
    const char *name = compile_value(compile, "the test's name in quotes");
    PolicyPlace open = compile->token.place;
    unsigned before = compile->report->errors;

    if (name == NULL)
        return FALSE;
    if (compile->skeleton && compile->token.kind == TOKEN_OPEN)
        return compile_skip_block(compile);
    if (!compile_expect(compile, TOKEN_OPEN, "`{`"))
        return FALSE;
    Test *test = test_new(compile, name, place);
    while (!ends_block(compile)) {
        if (parse_clause(compile, test))
            continue;
        while (!ends_block(compile) && !at_clause(compile))
            compile_advance(compile);
    }
    if (compile->report->errors == before && compile->token.kind == TOKEN_CLOSE)
        check_purpose(compile, test);
    return compile_close(compile, &open);
}
