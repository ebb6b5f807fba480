/* check-operand.c: what a word or a text means where it stands.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/check.h"

#include "policy/literal.h"

#include <string.h>

Node
check_stand_in(FilterdType type)
{
    return (Node){.kind = NODE_LITERAL, .type = type, .text = ""};
}

static void
make_literal(Node *node, const FilterdValue *value)
{
    node->kind = NODE_LITERAL;
    node->value = *value;
    node->type = value->type;
}

/* The words that the operand may be; NULL: any. */
static const char *const *
words_of(const Node *node)
{
    while (node->kind == NODE_LET)
        node = node->declaration->node;
    return node->kind == NODE_FACT ? node->fact->row->words : NULL;
}

static gboolean
is_nothing(const char *word)
{
    static const char *const words[] = {"unknown", "null",    "nil",
                                        "undef",   "missing", NULL};

    return g_strv_contains(words, word);
}

static void
never_word(Compile *compile, const Node *node, const Node *other,
           const char *const *words)
{
    Complaint complaint = {.near = compile_guess(node->text, words)};
    g_autofree char *joined = compile_join(words);
    g_autofree char *hint = NULL;

    if (is_nothing(node->text))
        hint = g_strdup_printf("ask `not known %s`", other->text);
    else if (joined != NULL)
        hint = g_strdup_printf("it is %s", joined);
    if (is_nothing(node->text))
        complaint.near = NULL;
    complaint.hint = hint;
    compile_complain(compile, &node->place, &complaint, "`%s` is never `%s`",
                     other->text, node->text);
}

/* The word has to be one of what it stands against. */
static void
check_word(Compile *compile, Node *node, const Node *other)
{
    const char *const *words = words_of(other);
    FilterdValue value = filterd_word(node->text);

    if (words == NULL || g_strv_contains(words, node->text)) {
        make_literal(node, &value);
        return;
    }
    never_word(compile, node, other, words);
    node->kind = NODE_BAD;
}

static void
check_quoted(Compile *compile, Node *node, const Node *other)
{
    Token token = {.kind = TOKEN_TEXT,
                   .place = node->place,
                   .start = node->text,
                   .length = strlen(node->text)};
    const char *text = compile_text(compile, &token);
    FilterdType type = other != NULL ? other->type : FILTERD_TEXT;
    FilterdValue value;

    if (text == NULL) {
        node->kind = NODE_BAD;
        return;
    }
    node->text = text;
    if (type == FILTERD_LIST)
        type = other->items;
    if (type == FILTERD_WORD && other->type == FILTERD_WORD) {
        check_word(compile, node, other);
        return;
    }
    if (type != FILTERD_DOMAIN && type != FILTERD_ADDRESS)
        type = FILTERD_TEXT;
    if (literal_parse(compile, type, text, &value)) {
        make_literal(node, &value);
        return;
    }
    literal_refuse(compile, &node->place, type, text);
    node->kind = NODE_BAD;
}

static void
use_fact(Node *node, const PolicyFact *fact)
{
    node->kind = NODE_FACT;
    node->fact = fact;
    node->type = fact->row->type;
    node->items = fact->row->items;
}

static void
use_declaration(Compile *compile, Node *node, Declaration *declaration)
{
    declaration->used = TRUE;
    if (declaration->kind != DECLARATION_LET) {
        gboolean list = declaration->kind == DECLARATION_LIST;
        g_autofree char *hint =
            g_strdup_printf(list ? "… in %s" : "%s[…]", declaration->name);
        compile_error(compile, &node->place, hint, "`%s` is a %s, not a value",
                      declaration->name, list ? "list" : "map");
        node->kind = NODE_BAD;
    } else if (!declaration->checked) {
        g_autofree char *line = compile_line(&declaration->place, &node->place);
        g_autofree char *hint = g_strdup_printf("it is in %s", line);
        compile_error(compile, &node->place, hint,
                      "`%s` is declared below its use", declaration->name);
        node->kind = NODE_BAD;
    } else if (declaration->node == NULL
               || declaration->node->kind == NODE_BAD) {
        node->kind = NODE_BAD;
    } else {
        node->kind = NODE_LET;
        node->declaration = declaration;
        node->type = declaration->node->type;
        node->items = declaration->node->items;
    }
}

/* A bare word of the type that it stands against, or of its own shape. */
static gboolean
use_literal(Compile *compile, Node *node, const Node *other)
{
    FilterdValue value;
    FilterdType type = other != NULL ? other->type : FILTERD_UNKNOWN;

    if (type == FILTERD_LIST)
        type = other->items;
    if (((type == FILTERD_INT || type == FILTERD_DURATION || type == FILTERD_IP
          || type == FILTERD_BOOL)
         && literal_parse(compile, type, node->text, &value))
        || literal_guess(compile, node->text, &value)) {
        make_literal(node, &value);
        return TRUE;
    }
    return FALSE;
}

static gboolean
is_word_of(const Node *node, const Node *other)
{
    if (other == NULL || other->type != FILTERD_WORD)
        return FALSE;
    const char *const *words = words_of(other);
    return words != NULL && g_strv_contains(words, node->text);
}

static void
check_bare(Compile *compile, Node *node, const Node *other)
{
    const PolicyFact *fact = policy_fact_find(compile->config, node->text);
    Declaration *declaration = g_hash_table_lookup(compile->names, node->text);

    if (is_word_of(node, other)) {
        check_word(compile, node, other);
    } else if (fact != NULL) {
        use_fact(node, fact);
    } else if (declaration != NULL) {
        use_declaration(compile, node, declaration);
    } else if (use_literal(compile, node, other)) {
        return;
    } else if (other != NULL && other->type == FILTERD_WORD) {
        check_word(compile, node, other);
    } else {
        if (other == NULL || other->kind != NODE_BAD)
            check_no_fact(compile, &node->place, node->text, other);
        node->kind = NODE_BAD;
    }
}

static void
no_such_map(Compile *compile, Node *node)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (guint i = 0; i < compile->rules->declarations->len; i++) {
        const Declaration *map =
            g_ptr_array_index(compile->rules->declarations, i);

        if (map->kind == DECLARATION_MAP)
            g_ptr_array_add(names, (gpointer)map->name);
    }
    g_ptr_array_add(names, NULL);
    if (!compile_is_lost(compile, node->text))
        compile_no_such(compile, &node->place, "no map", node->text,
                        (const char *const *)names->pdata);
    node->kind = NODE_BAD;
}

/* WORD "[" operand "]" */
static void
check_entry(Compile *compile, Node *node)
{
    Declaration *map = g_hash_table_lookup(compile->names, node->text);
    Node *key = node->first;

    if (map != NULL && map->kind == DECLARATION_LIST) {
        use_declaration(compile, node, map);
        return;
    }
    if (map == NULL || map->kind != DECLARATION_MAP || !map->checked) {
        no_such_map(compile, node);
        return;
    }
    Node stand_in = check_stand_in(map->type);
    map->used = TRUE;
    node->declaration = map;
    node->type = map->gives;
    check_operand(compile, key, &stand_in);
    if (key->kind != NODE_BAD && key->type != map->type) {
        compile_error(compile, &key->place, NULL,
                      "`%s` is %s, but the keys of `%s` are %ss", key->text,
                      literal_phrase(key->type), map->name,
                      strchr(literal_phrase(map->type), ' ') + 1);
        node->kind = NODE_BAD;
    }
}

void
check_operand(Compile *compile, Node *node, const Node *other)
{
    if (node->kind == NODE_QUOTED)
        check_quoted(compile, node, other);
    else if (node->kind == NODE_BARE)
        check_bare(compile, node, other);
    else if (node->kind == NODE_ENTRY)
        check_entry(compile, node);
}
