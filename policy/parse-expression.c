/* parse-expression.c: conditions and operands, as written.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a word means is the check's to find out: the parser knows no names.
 */
#include "policy/parse.h"

#include <string.h>

Node *
parse_node(Compile *compile, NodeKind kind, const PolicyPlace *place)
{
    Node *node = arena_alloc(&compile->rules->arena, sizeof(*node));

    node->kind = kind;
    node->place = *place;
    return node;
}

/* Words that begin no operand where a condition begins. */
static gboolean
begins_nothing(const Token *token)
{
    static const char *const words[] = {"and", "or",    "in",
                                        "if",  "reply", "matches"};

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (token_is(token, words[i]))
            return TRUE;
    return token->leads && parse_begins_rule(token)
           && !token_is(token, "score");
}

#define TOO_DEEP "give a part of it a name: let NAME = …"

/* WORD "[" operand "]" behind its word. */
static Node *
parse_entry(Compile *compile, Node *node)
{
    if (compile->nesting >= COMPILE_NESTING) {
        compile_error(compile, &node->place, TOO_DEEP, "nested too deeply");
        return NULL;
    }
    compile->nesting++;
    compile_advance(compile);
    node->kind = NODE_ENTRY;
    node->first = parse_operand(compile);
    compile->nesting--;
    if (node->first == NULL || !compile_expect(compile, TOKEN_ET, "`]`"))
        return NULL;
    return node;
}

Node *
parse_operand(Compile *compile)
{
    const Token *token = &compile->token;

    if ((token->kind != TOKEN_BARE && token->kind != TOKEN_TEXT)
        || parse_begins_statement(token)) {
        compile_expected(compile, "a fact or a value");
        return NULL;
    }
    gboolean bare = token->kind == TOKEN_BARE;
    Node *node =
        parse_node(compile, bare ? NODE_BARE : NODE_QUOTED, &token->place);
    node->text = compile_keep(compile, token->start, (gssize)token->length);
    compile_advance(compile);
    if (bare && compile->token.kind == TOKEN_BRACK)
        return parse_entry(compile, node);
    if (bare && parse_mend_call(compile, node))
        node->kind = NODE_BAD;
    return node;
}

Node *
parse_needed(Compile *compile, const char *word, const PolicyPlace *place,
             Node *(*parse)(Compile *compile))
{
    const Token *token = &compile->token;

    if (token->kind != TOKEN_CLOSE && token->kind != TOKEN_END
        && !parse_ends_condition(token))
        return parse(compile);
    compile_error(compile, place, NULL, "nothing stands behind `%s`", word);
    return NULL;
}

static Node *
negate(Compile *compile, Node *node, const PolicyPlace *place)
{
    Node *negated = parse_node(compile, NODE_NOT, place);

    negated->first = node;
    return negated;
}

/* ["not"] "in" operand: a list, a network, a fact that is a list. */
static Node *
parse_in(Compile *compile, Node *left)
{
    PolicyPlace place = compile->token.place;
    gboolean negated = compile_at(compile, "not");

    if (negated) {
        compile_advance(compile);
        if (!compile_at(compile, "in")) {
            compile_expected(compile, "`in`");
            return NULL;
        }
    }
    compile_advance(compile);
    if (parse_mend_list(compile))
        return parse_node(compile, NODE_BAD, &place);
    Node *in = parse_node(compile, NODE_IN, &place);
    in->first = left;
    left->next = parse_operand(compile);
    if (left->next == NULL)
        return NULL;
    return negated ? negate(compile, in, &place) : in;
}

/* Behind `matches`, a list: as if it were `in`. */
static gboolean
is_list(Compile *compile, const PolicyPlace *matches)
{
    const Complaint complaint = {.right = "in"};
    const Token *token = &compile->token;
    g_autofree char *word = g_strndup(token->start, token->length);
    const Declaration *list = g_hash_table_lookup(compile->names, word);

    if (token->kind != TOKEN_BARE || list == NULL
        || list->kind != DECLARATION_LIST)
        return FALSE;
    compile_complain(compile, matches, &complaint,
                     "`%s` is a list: ask with `in`", word);
    return TRUE;
}

/* "matches" TEXT */
static Node *
parse_matches(Compile *compile, Node *left)
{
    Node *matches = parse_node(compile, NODE_MATCHES, &compile->token.place);

    compile_advance(compile);
    if (is_list(compile, &matches->place)) {
        matches->kind = NODE_IN;
        matches->first = left;
        left->next = parse_operand(compile);
        return matches;
    }
    if (compile->token.kind != TOKEN_TEXT) {
        compile_wanted(compile, "such as matches \"^[0-9]+$\"",
                       "a pattern in quotes");
        return NULL;
    }
    matches->first = left;
    left->next = parse_operand(compile);
    return matches;
}

/* "= not", or "is not", which has been complained of. */
static void
parse_unequal(Compile *compile, Node *node, gboolean mended)
{
    const Complaint complaint = {.right = "!="};
    const PolicyPlace *not = &compile->token.place;
    PolicyPlace both = node->place;

    if (not ->line == both.line)
        both.length = not ->column + not ->length - both.column;
    if (!mended)
        compile_complain(compile, &both, &complaint, "`= not` is written `!=`");
    node->comparison = COMPARE_UNEQUAL;
    compile_advance(compile);
}

/* ("="|"!="|"<"|"<="|">"|">=") operand */
static Node *
parse_comparison(Compile *compile, Node *left, gboolean mended)
{
    static const char *const signs[] = {"=", "!=", "<", "<=", ">", ">="};
    Node *node = parse_node(compile, NODE_COMPARE, &compile->token.place);

    node->comparison =
        (Comparison)((int)compile->token.kind - (int)TOKEN_EQUAL);
    compile_advance(compile);
    if (node->comparison == COMPARE_EQUAL && compile_at(compile, "not"))
        parse_unequal(compile, node, mended);
    node->first = left;
    if (parse_mend_choice(compile, left, signs[node->comparison])) {
        node->kind = NODE_BAD;
        node->first = NULL;
        return node;
    }
    left->next = parse_needed(compile, signs[node->comparison], &node->place,
                              parse_operand);
    if (left->next != NULL)
        parse_mend_more(compile, node, signs[node->comparison]);
    return left->next != NULL ? node : NULL;
}

static Node *
parse_relation(Compile *compile)
{
    Node *left = parse_operand(compile);

    if (left == NULL)
        return NULL;
    gboolean mended =
        parse_mend_is(compile) ? FALSE : parse_mend_operator(compile);
    if (compile->token.kind >= TOKEN_EQUAL
        && compile->token.kind <= TOKEN_MORE_EQUAL)
        return parse_comparison(compile, left, mended);
    if (compile_at(compile, "in") || compile_at(compile, "not"))
        return parse_in(compile, left);
    if (compile_at(compile, "matches"))
        return parse_matches(compile, left);
    return left;
}

static Node *parse_term(Compile *compile);

static Node *
parse_known(Compile *compile)
{
    Node *node = parse_node(compile, NODE_KNOWN, &compile->token.place);

    compile_advance(compile);
    gboolean parenthesis = compile->token.kind == TOKEN_PAREN;
    if (parenthesis) {
        compile_error(compile, &compile->token.place, "known FACT",
                      "`known` takes a fact without parentheses");
        compile_advance(compile);
    }
    node->first = parse_needed(compile, "known", &node->place, parse_operand);
    if (parenthesis && compile->token.kind == TOKEN_THESIS)
        compile_advance(compile);
    return node->first != NULL ? node : NULL;
}

static gboolean
close_parenthesis(Compile *compile, const PolicyPlace *open)
{
    if (compile->token.kind == TOKEN_THESIS) {
        compile_advance(compile);
        return TRUE;
    }
    g_autofree char *hint = g_strdup_printf("for the `(` in line %u, column %u",
                                            open->line, open->column);
    compile_wanted(compile, hint, "`and`, `or` or `)`");
    return FALSE;
}

/* "not" term | "(" expr ")" */
static Node *
parse_nested(Compile *compile)
{
    PolicyPlace place = compile->token.place;
    gboolean parenthesis = compile->token.kind == TOKEN_PAREN;

    if (compile->nesting >= COMPILE_NESTING) {
        compile_error(compile, &place, TOO_DEEP, "nested too deeply");
        return NULL;
    }
    compile->nesting++;
    compile_advance(compile);
    Node *node = parenthesis ? parse_expression(compile)
                             : parse_needed(compile, "not", &place, parse_term);
    compile->nesting--;
    if (node == NULL)
        return NULL;
    if (!parenthesis)
        return negate(compile, node, &place);
    return close_parenthesis(compile, &place) ? node : NULL;
}

/* term = "not" term | "(" expr ")" | "known" FACT
 *      | operand [ ("="|"!="|"<"|"<="|">"|">=") operand
 *                | ["not"] "in" operand | "matches" TEXT ] . */
static Node *
parse_term(Compile *compile)
{
    if (compile->token.kind == TOKEN_PAREN || compile_at(compile, "not"))
        return parse_nested(compile);
    if (compile_at(compile, "known"))
        return parse_known(compile);
    if (begins_nothing(&compile->token)) {
        compile_expected(compile, "a condition");
        return NULL;
    }
    return parse_relation(compile);
}

/* One, or several parted by that word: a node of that kind over them. */
static Node *
parse_chain(Compile *compile, NodeKind kind, const char *word,
            Node *(*parse)(Compile *compile))
{
    Node *first = parse(compile);

    if (first != NULL)
        parse_mend_operator(compile);
    if (first == NULL || !compile_at(compile, word))
        return first;
    Node *chain = parse_node(compile, kind, &first->place);
    Node *last = first;
    chain->first = first;
    while (compile_at(compile, word)) {
        PolicyPlace place = compile->token.place;

        compile_advance(compile);
        last->next = parse_needed(compile, word, &place, parse);
        if (last->next == NULL)
            return NULL;
        last = last->next;
        parse_mend_operator(compile);
    }
    return chain;
}

/* both = term { "and" term } . */
static Node *
parse_both(Compile *compile)
{
    return parse_chain(compile, NODE_AND, "and", parse_term);
}

/* expr = both { "or" both } . */
Node *
parse_expression(Compile *compile)
{
    return parse_chain(compile, NODE_OR, "or", parse_both);
}
