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
    g_ptr_array_add(compile->rules->tests, test);
    return test;
}

static gboolean
at_clause(const Compile *compile)
{
    return compile_at(compile, "given") || compile_at(compile, "expect")
           || compile_at(compile, "recipient");
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

static gboolean parse_clauses(Compile *compile, Test *test);

/* Given to a part: its recipient. */
static void
give_recipient(Compile *compile, Test *part, Node *address)
{
    TestGiven given = {.value = address};

    given.fact = parse_node(compile, NODE_BARE, &address->place);
    given.fact->text = "rcpt.to";
    g_array_append_val(part->givens, given);
}

/* part = "recipient" operand "{" { given | expect } "}" . */
static gboolean
parse_recipient(Compile *compile, Test *test)
{
    PolicyPlace place = compile->token.place;
    Node *address = parse_operand(compile);
    PolicyPlace open = compile->token.place;

    if (address == NULL)
        return FALSE;
    if (test->whole != NULL) {
        compile_error(compile, &place, "behind the `}` of the other",
                      "a recipient stands beside another, not in it");
        test = test->whole;
    }
    if (!compile_expect(compile, TOKEN_OPEN, "`{`"))
        return FALSE;
    g_autofree char *name =
        g_strdup_printf("%s: %s", test->name, address->text);
    Test *part = test_new(compile, compile_keep(compile, name, -1), &place);
    part->whole = test;
    give_recipient(compile, part, address);
    parse_clauses(compile, part);
    g_ptr_array_add(compile->rules->runs, part);
    return compile_close(compile, &open);
}

static const struct {
    const char *word;
    gboolean (*parse)(Compile *compile, Test *test);
} clauses[] = {
    {"given", parse_given},
    {"expect", parse_expect},
    {"recipient", parse_recipient},
};

static gboolean
parse_clause(Compile *compile, Test *test)
{
    static const char *const words[] = {"given", "expect", "recipient", NULL};
    const PolicyPlace place = compile->token.place;

    for (gsize i = 0; i < G_N_ELEMENTS(clauses); i++)
        if (compile_at(compile, clauses[i].word)) {
            compile_advance(compile);
            return clauses[i].parse(compile, test);
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

/* FALSE: not all of them were understood. */
static gboolean
parse_clauses(Compile *compile, Test *test)
{
    gboolean ok = TRUE;

    while (!ends_block(compile)) {
        if (parse_clause(compile, test))
            continue;
        ok = FALSE;
        while (!ends_block(compile) && !at_clause(compile))
            compile_advance(compile);
    }
    return ok;
}

static void
check_purpose(Compile *compile, const Test *test)
{
    if (test->expects->len == 0
        && (test->whole == NULL || test->whole->expects->len == 0))
        compile_error(compile, &test->place, "expect VERDICT NAME",
                      "this test expects nothing, so nothing can fail it");
}

/* A test, or the parts that it has, from that run on. */
static void
add_runs(Compile *compile, Test *test, guint first)
{
    GPtrArray *runs = compile->rules->runs;

    if (runs->len == first)
        g_ptr_array_add(runs, test);
    for (guint i = first; i < runs->len; i++)
        check_purpose(compile, g_ptr_array_index(runs, i));
}

/* test = "test" TEXT "{" { given | expect | part } "}" .
 * given = "given" FACT "=" ( operand | "{" { operand } "}" ) .
 * expect = "expect" expectation .
 * expectation = "nothing" [ "at" STAGE ] | "score" "=" INT
 *             | [ "no" ] [ "would" ] verdict [ NAME ] [ arguments ]
 *               [ "at" STAGE ] [ reply ] . */
gboolean
parse_test(Compile *compile, const PolicyPlace *place)
{
    const char *name = compile_value(compile, "the test's name in quotes");
    PolicyPlace open = compile->token.place;
    guint first = compile->rules->runs->len;

    if (name == NULL)
        return FALSE;
    if (compile->skeleton && compile->token.kind == TOKEN_OPEN)
        return compile_skip_block(compile);
    if (!compile_expect(compile, TOKEN_OPEN, "`{`"))
        return FALSE;
    Test *test = test_new(compile, name, place);
    if (parse_clauses(compile, test) && compile->token.kind == TOKEN_CLOSE)
        add_runs(compile, test, first);
    return compile_close(compile, &open);
}
