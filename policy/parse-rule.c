/* parse-rule.c: the stages and their rules.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/parse.h"

#include "policy/literal.h"

#include <string.h>

#define ARGUMENTS 8
#define NAME_OCTETS G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-_."

const char *const policy_verdict_words[] = {
    "accept",     "pass",       "reject",  "tempfail", "discard",
    "quarantine", "disconnect", "rewrite", "score",    NULL};

const char *const policy_stage_words[] = {"connect", "helo",    "mail", "rcpt",
                                          "data",    "message", NULL};

int
parse_verdict_word(const Token *token)
{
    for (int i = 0; policy_verdict_words[i] != NULL; i++)
        if (token_is(token, policy_verdict_words[i]))
            return i;
    return -1;
}

static Rule *
rule_new(Compile *compile, FilterdStage stage)
{
    Rule *rule = arena_alloc(&compile->rules->arena, sizeof(*rule));

    rule->public.stage = stage;
    rule->public.place = compile->token.place;
    rule->head = compile->token.place;
    return rule;
}

/* The NAME of a rule: any but `if` and `reply`, and not the next rule. */
static gboolean
parse_rule_name(Compile *compile, Rule *rule)
{
    const char *verdict = policy_verdict_words[rule->public.kind];
    const Token *token = &compile->token;

    if (token->kind == TOKEN_TEXT) {
        g_autofree char *name = g_strndup(token->start, token->length);
        g_strcanon(name, NAME_OCTETS, '-');
        const Complaint complaint = {.right =
                                         g_ascii_isalnum(*name) ? name : NULL,
                                     .hint = "a name is one word"};
        compile_complain(compile, &token->place, &complaint,
                         "a name stands without quotes");
        rule->public.place = token->place;
        rule->public.name = compile_keep(compile, name, -1);
        compile_advance(compile);
        return TRUE;
    }
    if (token->kind != TOKEN_BARE || token_is(token, "if")
        || token_is(token, "reply")
        || (token->leads && parse_begins_rule(token))) {
        gboolean score = rule->public.kind == POLICY_SCORE;
        g_autofree char *hint =
            g_strdup_printf("%s %sNAME if …", verdict, score ? "NUMBER " : "");
        compile_error(compile, &rule->head, hint, "`%s` needs a name", verdict);
        return FALSE;
    }
    rule->public.place = token->place;
    rule->public.name = parse_name(compile, "a name");
    return rule->public.name != NULL;
}

gboolean
parse_is_digits(const Token *token)
{
    if (token->kind != TOKEN_BARE)
        return FALSE;
    for (gsize i = 0; i < token->length; i++)
        if (!g_ascii_isdigit(token->start[i]))
            return FALSE;
    return TRUE;
}

gboolean
parse_reply_code(Compile *compile, Rule *rule)
{
    const Token *token = &compile->token;

    rule->code_place = token->place;
    if (token->length != 3) {
        compile_error(compile, &token->place, "such as 550 or 451",
                      "`%.*s` is no reply code", (int)MIN(token->length, 20),
                      token->start);
        return FALSE;
    }
    rule->code = (token->start[0] - '0') * 100 + (token->start[1] - '0') * 10
                 + token->start[2] - '0';
    compile_advance(compile);
    return TRUE;
}

/* enhanced = class "." subject "." detail . (RFC 3463 2) */
gboolean
parse_reply_enhanced(Compile *compile, Rule *rule)
{
    const Token *token = &compile->token;
    unsigned dots = 0, digits = 0;
    gboolean ok = token->length < sizeof(rule->enhanced);

    for (gsize i = 0; ok && i < token->length; i++) {
        char c = token->start[i];

        if (c == '.') {
            ok = digits > 0 && ++dots <= 2;
            digits = 0;
        } else {
            ok = g_ascii_isdigit(c) && ++digits <= (dots == 0 ? 1 : 3);
        }
    }
    rule->enhanced_place = token->place;
    if (!ok || dots != 2 || digits == 0) {
        compile_error(compile, &token->place, "such as 5.7.1",
                      "`%.*s` is no enhanced status code",
                      (int)MIN(token->length, 40), token->start);
        return FALSE;
    }
    memcpy(rule->enhanced, token->start, token->length);
    compile_advance(compile);
    return TRUE;
}

/* [ "after" DURATION ] */
static gboolean
parse_after(Compile *compile, Rule *rule)
{
    FilterdValue value;

    if (!compile_at(compile, "after"))
        return TRUE;
    compile_advance(compile);
    PolicyPlace place = compile->token.place;
    const char *text = compile_word(compile, "a duration");
    if (text == NULL)
        return FALSE;
    if (!literal_parse(compile, FILTERD_DURATION, text, &value)) {
        literal_refuse(compile, &place, FILTERD_DURATION, text);
        return FALSE;
    }
    if (value.integer > POLICY_DELAY_LIMIT) {
        compile_error(compile, &place, "30s at most",
                      "`%s` is too long for a client to wait", text);
        return FALSE;
    }
    rule->public.delay = value.integer;
    return TRUE;
}

/* "reply" [ CODE [ ENHANCED ] ] TEXT [ "after" DURATION ] */
static gboolean
parse_reply(Compile *compile, Rule *rule)
{
    rule->reply_place = compile->token.place;
    rule->public.worded = TRUE;
    compile_advance(compile);
    if (parse_is_digits(&compile->token)) {
        if (!parse_reply_code(compile, rule))
            return FALSE;
        if (compile->token.kind == TOKEN_BARE
            && g_ascii_isdigit(*compile->token.start)
            && !parse_reply_enhanced(compile, rule))
            return FALSE;
    }
    if (compile->token.kind != TOKEN_TEXT) {
        compile_wanted(compile, "such as reply 550 5.7.1 \"…\"",
                       rule->code != 0 ? "the reply's text in quotes"
                                       : "a code or a text in quotes");
        return FALSE;
    }
    rule->reply = parse_operand(compile);
    return parse_after(compile, rule);
}

/* [ "if" expr ] */
static gboolean
parse_if(Compile *compile, Rule *rule)
{
    if (!compile_at(compile, "if"))
        return TRUE;
    PolicyPlace place = compile->token.place;
    compile_advance(compile);
    rule->condition = parse_needed(compile, "if", &place, parse_expression);
    if (rule->condition != NULL)
        return TRUE;
    rule->condition = parse_node(compile, NODE_BAD, &place);
    return FALSE;
}

/* verdict NAME [ "if" expr ]
 * [ "reply" [ CODE [ ENHANCED ] ] TEXT [ "after" DURATION ] ] */
static gboolean
parse_verdict(Compile *compile, Rule *rule)
{
    if (!parse_rule_name(compile, rule) || !parse_if(compile, rule))
        return FALSE;
    if (compile_at(compile, "reply"))
        return parse_reply(compile, rule);
    return TRUE;
}

gboolean
parse_arguments(Compile *compile, Rule *rule)
{
    if (compile->token.kind != TOKEN_PAREN) {
        compile_wanted(compile, "rewrite ACTION(…)", "`(`");
        return FALSE;
    }
    compile_advance(compile);
    rule->arguments = arena_alloc(&compile->rules->arena,
                                  ARGUMENTS * sizeof(*rule->arguments));
    while (compile->token.kind != TOKEN_THESIS) {
        if (rule->argument_count == ARGUMENTS) {
            compile_expected(compile, "`)`");
            return FALSE;
        }
        if (rule->argument_count > 0
            && !compile_expect(compile, TOKEN_COMMA, "`,` or `)`"))
            return FALSE;
        Node *node = parse_operand(compile);
        if (node == NULL)
            return FALSE;
        rule->arguments[rule->argument_count++].node = node;
    }
    compile_advance(compile);
    return TRUE;
}

/* "rewrite" ACTION "(" [ operand { "," operand } ] ")" [ "if" expr ] */
static gboolean
parse_rewrite(Compile *compile, Rule *rule)
{
    rule->public.place = compile->token.place;
    if (compile->token.kind != TOKEN_BARE)
        compile_wanted(compile, "rewrite ACTION(…)", "an action");
    else
        rule->action = compile_word(compile, "an action");
    rule->public.name = rule->action;
    return rule->action != NULL && parse_arguments(compile, rule)
           && parse_if(compile, rule);
}

/* "score" NUMBER NAME [ "if" expr ] */
static gboolean
parse_score(Compile *compile, Rule *rule)
{
    PolicyPlace place = compile->token.place;
    const char *text = compile_word(compile, "a number");
    char *end;

    if (text == NULL)
        return FALSE;
    rule->public.score = g_ascii_strtoll(text, &end, 10);
    if (end == text || *end != '\0' || rule->public.score > G_MAXINT32
        || rule->public.score < -G_MAXINT32) {
        compile_error(compile, &place, "score NUMBER NAME if …",
                      "`%s` is no number of points", text);
        return FALSE;
    }
    return parse_rule_name(compile, rule) && parse_if(compile, rule);
}

static void
keep_rule(Compile *compile, Rule *rule)
{
    PolicyRules *rules = compile->rules;
    Step step = {.rule = rule};

    rule->public.index = rules->all->len;
    g_ptr_array_add(rules->all, rule);
    g_ptr_array_add(rules->stages[rule->public.stage], rule);
    g_array_append_val(compile->steps, step);
}

/* Points are weak evidence, and end up in a rule that can be tried. */
static gboolean
check_prefixes(Compile *compile, const Rule *rule)
{
    const PolicyPlace *place =
        rule->public.would ? &rule->would_place : &rule->canary_place;

    if (rule->public.kind != POLICY_SCORE || place->line == 0)
        return TRUE;
    compile_error(compile, place,
                  "put it before the rule that asks for the `score`",
                  "a `score` is no verdict to try");
    return FALSE;
}

/* Whether another rule begins, or the stage ends. */
static gboolean
at_next(const Compile *compile)
{
    const Token *token = &compile->token;

    return token->kind == TOKEN_CLOSE || token->kind == TOKEN_END
           || token->kind == TOKEN_BROKEN || parse_begins_rule(token)
           || (token->leads && token->kind == TOKEN_BARE
               && !compile_at(compile, "if") && !compile_at(compile, "reply"));
}

/* A condition that came late is one all the same. */
static gboolean
parse_tail(Compile *compile, Rule *rule)
{
    if (at_next(compile))
        return TRUE;
    gboolean late =
        rule->condition == NULL && compile->token.kind == TOKEN_BARE;
    parse_mend_tail(compile, rule);
    if (!late || !compile_at(compile, "if"))
        return FALSE;
    return parse_if(compile, rule)
           && (at_next(compile) || parse_tail(compile, rule));
}

/* Its arguments are not all there. */
static gboolean
is_broken_rewrite(const Rule *rule)
{
    return rule->public.kind == POLICY_REWRITE && rule->arguments == NULL;
}

static gboolean
has_prefix(const Rule *rule)
{
    return rule->would_place.line > 0 || rule->canary_place.line > 0
           || rule->until_place.line > 0;
}

/* With its `}`, or without. */
static gboolean
ends_stage(const Compile *compile)
{
    return compile->token.kind == TOKEN_CLOSE
           || compile->token.kind == TOKEN_END
           || parse_begins_statement(&compile->token);
}

/* rule = { prefix } ( verdict … | "rewrite" … | "score" … ) . */
static gboolean
parse_rule(Compile *compile, FilterdStage stage)
{
    Rule *rule = rule_new(compile, stage);
    gboolean ok;

    if (!parse_prefixes(compile, rule))
        return FALSE;
    int kind = parse_verdict_word(&compile->token);
    if (kind >= 0) {
        rule->head = compile->token.place;
        compile_advance(compile);
    } else if (has_prefix(rule) && ends_stage(compile)) {
        compile_error(compile, &rule->public.place, "VERDICT NAME if …",
                      "no rule stands behind this prefix");
    } else {
        kind = parse_mend_verdict(compile, rule);
    }
    rule->public.kind = (PolicyVerdict)kind;
    if (kind < 0 || !check_prefixes(compile, rule))
        return FALSE;
    if (rule->public.kind == POLICY_REWRITE)
        ok = parse_rewrite(compile, rule);
    else if (rule->public.kind == POLICY_SCORE)
        ok = parse_score(compile, rule);
    else
        ok = parse_verdict(compile, rule);
    ok = ok && parse_tail(compile, rule);
    if (rule->public.name != NULL && !is_broken_rewrite(rule))
        keep_rule(compile, rule);
    return ok;
}

/* `WORD NAME if`, on a line of its own. */
static gboolean
has_rule_shape(const Compile *compile)
{
    Lexer ahead = *compile->lexer;
    Token name = lexer_next(&ahead);
    Token next = lexer_next(&ahead);

    return compile->token.kind == TOKEN_BARE && name.kind == TOKEN_BARE
           && !name.leads && token_is(&next, "if") && !next.leads
           && !parse_ends_condition(&compile->token);
}

/* To the next line that begins a rule, or the end of the stage. */
static void
recover(Compile *compile)
{
    compile->nesting = 0;
    while (compile->token.kind != TOKEN_END
           && compile->token.kind != TOKEN_CLOSE
           && !(compile->token.leads
                && (parse_begins_rule(&compile->token)
                    || parse_begins_statement(&compile->token)
                    || has_rule_shape(compile))))
        if (compile->token.kind == TOKEN_OPEN)
            compile_skip_block(compile);
        else
            compile_advance(compile);
}

int
parse_stage_word(Compile *compile)
{
    PolicyPlace place = compile->token.place;
    const char *word = compile_word(compile, "a stage");

    if (word == NULL)
        return -1;
    for (int i = 0; policy_stage_words[i] != NULL; i++)
        if (strcmp(policy_stage_words[i], word) == 0)
            return i;
    compile_no_such(compile, &place, "no stage", word, policy_stage_words);
    return -1;
}

/* "{", or what has to stand in it. */
static gboolean
open_stage(Compile *compile)
{
    if (compile->token.kind == TOKEN_OPEN) {
        compile_advance(compile);
        return TRUE;
    }
    compile_wanted(compile, "at STAGE { … }", "`{`");
    compile->rules_lost = TRUE;
    return parse_begins_rule(&compile->token);
}

/* One that stands deeper than the stage round it, so that its `}` is not
 * missing. FALSE: none does. */
static gboolean
pass_statement(Compile *compile, const PolicyPlace *stage)
{
    const Token *token = &compile->token;

    if (!parse_begins_statement(token) || compile->gave_up
        || token->place.column <= stage->column)
        return FALSE;
    g_autofree char *word = parse_shown(token);
    compile_error(compile, &token->place, "put it behind the `}`",
                  "the statement `%s` cannot stand in a stage", word);
    parse_statement(compile);
    return TRUE;
}

/* stage = "at" ("connect"|"helo"|"mail"|"rcpt"|"data"|"message")
 *         "{" { rule } "}" . */
gboolean
parse_stage(Compile *compile, const PolicyPlace *place)
{
    int stage = parse_stage_word(compile);
    PolicyPlace open = compile->token.place;

    if (stage < 0)
        return FALSE;
    if (compile->skeleton && compile->token.kind == TOKEN_OPEN)
        return compile_skip_block(compile);
    if (!open_stage(compile))
        return FALSE;
    if (stage == FILTERD_RCPT && compile->rcpt_place.line == 0)
        compile->rcpt_place = *place;
    while (!ends_stage(compile) || pass_statement(compile, place)) {
        PolicyPlace before = compile->token.place;

        if (ends_stage(compile) || parse_rule(compile, (FilterdStage)stage))
            continue;
        compile->rules_lost = TRUE;
        if (compile->token.place.line == before.line
            && compile->token.place.column == before.column
            && compile->token.kind != TOKEN_OPEN)
            compile_advance(compile);
        recover(compile);
    }
    return compile_close(compile, &open);
}
