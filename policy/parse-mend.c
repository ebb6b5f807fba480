/* parse-mend.c: what was probably meant where the grammar has another word, so
 * that one mistake is one complaint.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/parse.h"

#include <string.h>

/* The token's text as far as a message shows it. Caller frees. */
char *
parse_shown(const Token *token)
{
    return g_strndup(token->start, MIN(token->length, 40));
}

/* ---- operators ---------------------------------------------------------- */

/* What else stands behind an operand. */
static const struct Operator {
    const char *written;
    TokenKind kind;
    const char *meant;
    const char *hint;
} operators[] = {
    {"AND", TOKEN_BARE, "and", NULL},
    {"OR", TOKEN_BARE, "or", NULL},
    {"IN", TOKEN_BARE, "in", NULL},
    {"NOT", TOKEN_BARE, "not", NULL},
    {"MATCHES", TOKEN_BARE, "matches", NULL},
    {"IF", TOKEN_BARE, "if", NULL},
    {"REPLY", TOKEN_BARE, "reply", NULL},
    {"is", TOKEN_EQUAL, "=", NULL},
    {"eq", TOKEN_EQUAL, "=", NULL},
    {"equal", TOKEN_EQUAL, "=", NULL},
    {"equals", TOKEN_EQUAL, "=", NULL},
    {"isnt", TOKEN_UNEQUAL, "!=", NULL},
    {"isn't", TOKEN_UNEQUAL, "!=", NULL},
    {"ne", TOKEN_UNEQUAL, "!=", NULL},
    {"neq", TOKEN_UNEQUAL, "!=", NULL},
    {"gt", TOKEN_MORE, ">", NULL},
    {"ge", TOKEN_MORE_EQUAL, ">=", NULL},
    {"gte", TOKEN_MORE_EQUAL, ">=", NULL},
    {"above", TOKEN_MORE, ">", NULL},
    {"over", TOKEN_MORE, ">", NULL},
    {"lt", TOKEN_LESS, "<", NULL},
    {"le", TOKEN_LESS_EQUAL, "<=", NULL},
    {"lte", TOKEN_LESS_EQUAL, "<=", NULL},
    {"below", TOKEN_LESS, "<", NULL},
    {"under", TOKEN_LESS, "<", NULL},
    {"within", TOKEN_BARE, "in", NULL},
    {"contains", TOKEN_BARE, "matches", "of a list ask `value in FACT`"},
    {"includes", TOKEN_BARE, "matches", "of a list ask `value in FACT`"},
    {"has", TOKEN_BARE, "matches", "of a list ask `value in FACT`"},
    {"~", TOKEN_BARE, "matches", NULL},
    {"like", TOKEN_BARE, "matches", NULL},
    {"match", TOKEN_BARE, "matches", NULL},
    {"matching", TOKEN_BARE, "matches", NULL},
    {"regex", TOKEN_BARE, "matches", NULL},
    {"regexp", TOKEN_BARE, "matches", NULL},
    {"startswith", TOKEN_BARE, "matches", "matches \"^…\""},
    {"starts-with", TOKEN_BARE, "matches", "matches \"^…\""},
    {"starts_with", TOKEN_BARE, "matches", "matches \"^…\""},
    {"endswith", TOKEN_BARE, "matches", "matches \"…$\""},
    {"ends-with", TOKEN_BARE, "matches", "matches \"…$\""},
    {"ends_with", TOKEN_BARE, "matches", "matches \"…$\""},
};

static gboolean
is_written(const Token *token, const char *word)
{
    return token->kind == TOKEN_BARE && strlen(word) == token->length
           && g_ascii_strncasecmp(word, token->start, token->length) == 0;
}

gboolean
parse_mend_operator(Compile *compile)
{
    Token *token = &compile->token;

    for (gsize i = 0; i < G_N_ELEMENTS(operators); i++) {
        const struct Operator *operator= & operators[i];

        if (!is_written(token, operator->written)
            || token_is(token, operator->meant))
            continue;
        g_autofree char *shown = parse_shown(token);
        const Complaint complaint = {.near = operator->meant,
                                     .hint = operator->hint };
        compile_complain(compile, &token->place, &complaint, "no operator `%s`",
                         shown);
        token->kind = operator->kind;
        token->start = operator->meant;
        token->length = strlen(operator->meant);
        return TRUE;
    }
    return FALSE;
}

/* `is in`, `is not in`: without the `is`. */
gboolean
parse_mend_is(Compile *compile)
{
    const Complaint complaint = {.right = "", .hint = "leave `is` out"};
    Lexer ahead = *compile->lexer;

    if (!compile_at(compile, "is"))
        return FALSE;
    Token next = lexer_next(&ahead);
    if (token_is(&next, "not"))
        next = lexer_next(&ahead);
    if (!token_is(&next, "in"))
        return FALSE;
    compile_complain(compile, &compile->token.place, &complaint,
                     "no `is` stands before `in`");
    compile_advance(compile);
    return TRUE;
}

/* Whether there is no operand, but what comes behind it. */
gboolean
parse_ends_condition(const Token *token)
{
    static const char *const words[] = {"and", "or", "if", "reply"};

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (token_is(token, words[i]))
            return TRUE;
    return token->leads
           && (parse_begins_rule(token) || parse_begins_statement(token));
}

/* Over what stands in braces, brackets or parentheses of any kind, if it ends
 * before the next rule; `joins`: with `or` between values. */
static void
skip_enclosed(Compile *compile, gboolean joins)
{
    unsigned depth = 0;

    do {
        TokenKind kind = compile->token.kind;

        if (kind == TOKEN_OPEN || kind == TOKEN_PAREN || kind == TOKEN_BRACK)
            depth++;
        else if (kind == TOKEN_CLOSE || kind == TOKEN_THESIS
                 || kind == TOKEN_ET)
            depth--;
        else if (kind == TOKEN_END
                 || (parse_ends_condition(&compile->token)
                     && !(joins && compile_at(compile, "or"))))
            return;
        compile_advance(compile);
    } while (depth > 0);
}

gboolean
parse_mend_list(Compile *compile)
{
    TokenKind kind = compile->token.kind;

    if (kind != TOKEN_OPEN && kind != TOKEN_PAREN && kind != TOKEN_BRACK)
        return FALSE;
    compile_error(compile, &compile->token.place,
                  "list NAME of TYPE { … } above, and `in NAME` here",
                  "a list has a name: it does not stand in a condition");
    skip_enclosed(compile, FALSE);
    return TRUE;
}

/* ---- several values to compare with ------------------------------------- */

#define CHOICE_LIMIT 8
#define CHOICE_OCTETS 400

/* One more `FACT = VALUE`, parted by what joins such. */
static void
add_choice(GString *out, const char *fact, const char *sign, const Token *token)
{
    const char *quote = token->kind == TOKEN_TEXT ? "\"" : "";

    if (out->len > 0)
        g_string_append(out, strcmp(sign, "!=") == 0 ? " and " : " or ");
    g_string_append_printf(out, "%s %s %s%.*s%s", fact, sign, quote,
                           (int)MIN(token->length, 40), token->start, quote);
}

gboolean
parse_mend_choice(Compile *compile, const Node *fact, const char *sign)
{
    g_autoptr(GString) right = g_string_new(NULL);
    const Token *token = &compile->token;
    Lexer ahead = *compile->lexer;

    if (token->kind != TOKEN_PAREN && token->kind != TOKEN_OPEN
        && token->kind != TOKEN_BRACK)
        return FALSE;
    Token value = lexer_next(&ahead);
    for (unsigned i = 0;
         i < CHOICE_LIMIT
         && (value.kind == TOKEN_BARE || value.kind == TOKEN_TEXT
             || value.kind == TOKEN_COMMA);
         i++, value = lexer_next(&ahead))
        if (value.kind != TOKEN_COMMA && !token_is(&value, "or"))
            add_choice(right, fact->text, sign, &value);
    compile_error(compile, &token->place,
                  right->len > 0 ? right->str : "each needs its own",
                  "a value has no parentheses: each is compared by itself");
    skip_enclosed(compile, TRUE);
    return TRUE;
}

void
parse_mend_more(Compile *compile, const Node *compare, const char *sign)
{
    const Node *fact = compare->first, *first = fact->next;
    g_autoptr(GString) right = g_string_new(NULL);
    Lexer ahead = *compile->lexer;
    Token value = lexer_next(&ahead);
    PolicyPlace place = compile->token.place;

    if (compile->token.kind != TOKEN_COMMA || value.leads
        || (value.kind != TOKEN_BARE && value.kind != TOKEN_TEXT))
        return;
    const Token before = {.kind = first->kind == NODE_QUOTED ? TOKEN_TEXT
                                                             : TOKEN_BARE,
                          .start = first->text,
                          .length = strlen(first->text)};
    add_choice(right, fact->text, sign, &before);
    while (compile->token.kind == TOKEN_COMMA) {
        compile_advance(compile);
        if ((compile->token.kind != TOKEN_BARE
             && compile->token.kind != TOKEN_TEXT)
            || parse_ends_condition(&compile->token))
            break;
        if (right->len < CHOICE_OCTETS)
            add_choice(right, fact->text, sign, &compile->token);
        compile_advance(compile);
    }
    compile_error(compile, &place, right->str,
                  "a comma does not part values: each is compared by itself");
}

gboolean
parse_mend_call(Compile *compile, const Node *word)
{
    const Token *token = &compile->token;
    gboolean call = token->kind == TOKEN_PAREN;

    if ((!call && token->kind != TOKEN_OPEN)
        || token->place.line != word->place.line
        || token->place.column != word->place.column + word->place.length)
        return FALSE;
    g_autofree char *hint = g_strdup_printf("%s[…]", word->text);
    if (call)
        compile_error(compile, &word->place, "only actions have parentheses",
                      "`%s` is no function: there are none", word->text);
    else
        compile_error(compile, &token->place, hint,
                      "a map is asked with `[`, not with `{`");
    skip_enclosed(compile, FALSE);
    return TRUE;
}

/* ---- the first word of a rule ------------------------------------------- */

/* The words that begin a rule; then NULL. */
static GPtrArray *
rule_words(void)
{
    GPtrArray *words = g_ptr_array_new();

    for (int i = 0; policy_verdict_words[i] != NULL; i++)
        g_ptr_array_add(words, (gpointer)policy_verdict_words[i]);
    g_ptr_array_add(words, (gpointer) "would");
    g_ptr_array_add(words, (gpointer) "canary");
    g_ptr_array_add(words, (gpointer) "until");
    g_ptr_array_add(words, NULL);
    return words;
}

static gboolean
is_action(const Compile *compile, const char *word)
{
    const FilterdAction *core = compile->loader->core_actions;

    while (core != NULL && core->name != NULL && strcmp(core->name, word) != 0)
        core++;
    return core != NULL && core->name != NULL;
}

/* How a rule would be right that begins with that word. Caller frees. */
static char *
rule_hint(const Compile *compile, const char *word)
{
    g_autoptr(GPtrArray) words = rule_words();

    if (is_action(compile, word))
        return g_strdup_printf("rewrite %s(…)", word);
    if (strcmp(word, "redirect") == 0)
        return g_strdup("rewrite add-recipient(…), remove-recipient(…)");
    if (strcmp(word, "if") == 0 || strcmp(word, "when") == 0
        || strcmp(word, "unless") == 0 || strcmp(word, "elsif") == 0
        || strcmp(word, "else") == 0 || strchr(word, '.') != NULL)
        return g_strdup("the verdict first: reject NAME if …");
    return compile_join((const char *const *)words->pdata);
}

int
parse_mend_verdict(Compile *compile, Rule *rule)
{
    const Token *token = &compile->token;

    if (token->kind != TOKEN_BARE) {
        compile_wanted(compile, "such as reject NAME if …", "a rule");
        return -1;
    }
    g_autoptr(GPtrArray) words = rule_words();
    g_autofree char *word = parse_shown(token);
    const char *foreign = compile_foreign(FOREIGN_RULE, word);
    g_autofree char *hint =
        foreign != NULL ? g_strdup(foreign) : rule_hint(compile, word);
    const char *near =
        foreign != NULL
                || (hint != NULL
                    && (g_str_has_prefix(hint, "rewrite ") || *hint == 't'))
            ? NULL
            : compile_guess(word, (const char *const *)words->pdata);
    const Complaint complaint = {.near = near,
                                 .hint = near == NULL ? hint : NULL};
    compile_complain(compile, &token->place, &complaint,
                     "no rule begins with `%s`", word);
    if (near == NULL)
        return -1;
    rule->head = token->place;
    compile_advance(compile);
    for (int i = 0; policy_verdict_words[i] != NULL; i++)
        if (strcmp(policy_verdict_words[i], near) == 0)
            return i;
    int kind = parse_verdict_word(&compile->token);
    if (kind >= 0 && strcmp(near, "would") == 0) {
        compile_advance(compile);
        return kind;
    }
    return -1;
}

/* ---- what stands behind a rule ------------------------------------------ */

static gboolean
is_any(const Token *token, const char *const *words)
{
    for (; *words != NULL; words++)
        if (is_written(token, *words))
            return TRUE;
    return FALSE;
}

/* With what it does not belong to. */
static gboolean
complain_stray(Compile *compile, const Complaint *complaint, const char *why)
{
    g_autofree char *shown = parse_shown(&compile->token);

    compile_complain(compile, &compile->token.place, complaint, "`%s` %s",
                     shown, why);
    return FALSE;
}

/* Words that stand in the place of ours. */
static const char *
find_meant(const Rule *rule, const Token *token)
{
    static const char *const ifs[] = {"if",  "when",     "where",
                                      "iff", "provided", NULL};
    static const char *const replies[] = {"reply",  "message", "text",
                                          "with",   "msg",     "because",
                                          "answer", "say",     NULL};
    static const char *const unless[] = {"unless", NULL};

    if (rule->condition == NULL && is_any(token, ifs))
        return "if";
    if (rule->condition == NULL && is_any(token, unless))
        return "if not";
    return rule->reply == NULL && is_any(token, replies) ? "reply" : NULL;
}

static gboolean
mend_reply(Compile *compile, const Rule *rule)
{
    static const Complaint reply = {.hint = "reply 550 5.7.1 \"…\""};
    static const Complaint order = {.hint = "reject NAME if … reply …"};
    static const Complaint twice = {.right = "and"};

    if (compile_at(compile, "if") && rule->condition == NULL)
        return complain_stray(compile, &order, "stands before `reply`");
    if (compile_at(compile, "if"))
        return complain_stray(compile, &twice,
                              "is there already: `and` joins conditions");
    if (compile->token.kind == TOKEN_TEXT)
        compile_error(compile, &compile->token.place, reply.hint,
                      "what the client is told stands behind `reply`");
    else
        complain_stray(compile, &reply, "stands behind `reply`");
    return FALSE;
}

gboolean
parse_mend_tail(Compile *compile, const Rule *rule)
{
    static const Complaint plain = {.hint = "reject NAME if …"};
    static const Complaint nothing = {.right = ""};
    const Token *token = &compile->token;
    const Complaint complaint = {.near = find_meant(rule, token)};

    if (complaint.near != NULL && !compile_at(compile, complaint.near))
        return complain_stray(compile, &complaint, "does not belong here");
    if (compile_at(compile, "if") || token->kind == TOKEN_TEXT
        || (parse_is_digits(token) && token->length == 3))
        return mend_reply(compile, rule);
    if (token->kind == TOKEN_THESIS || token->kind == TOKEN_ET)
        return complain_stray(compile, &nothing, "closes nothing");
    if (token->kind == TOKEN_COMMA)
        return complain_stray(compile, &nothing, "does not part rules");
    if (compile_at(compile, "then") || token->kind == TOKEN_OPEN)
        return complain_stray(compile, &plain,
                              "does not belong here: the verdict stands "
                              "before its condition");
    compile_wanted(compile, NULL,
                   rule->reply_place.line > 0 ? "the next rule or `}`"
                   : rule->condition != NULL
                       ? "`and`, `or`, `reply` or the next rule"
                       : "`if`, `reply` or the next rule");
    return FALSE;
}
