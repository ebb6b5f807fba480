/* parse-list.c: lists and maps.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/literal.h"
#include "policy/parse.h"
#include "policy/remark.h"

#include <string.h>

static Declaration *
declare(Compile *compile, DeclarationKind kind, const char *name,
        const PolicyPlace *place)
{
    Declaration *old = g_hash_table_lookup(compile->names, name);

    if (old != NULL) {
        g_autofree char *line = compile_line(&old->place, place);
        g_autofree char *hint = g_strdup_printf("it is in %s already", line);
        compile_error(compile, place, hint, "the name `%s` is declared twice",
                      name);
    } else if (policy_fact_find(compile->config, name) != NULL) {
        compile_error(compile, place, NULL, "`%s` is the name of a fact", name);
    }
    Declaration *declaration =
        arena_alloc(&compile->rules->arena, sizeof(*declaration));
    *declaration = (Declaration){.kind = kind, .name = name, .place = *place};
    if (old == NULL)
        g_hash_table_insert(compile->names, (gpointer)name, declaration);
    g_ptr_array_add(compile->rules->declarations, declaration);
    return declaration;
}

/* `also`: another that may stand there. */
static void
no_such_type(Compile *compile, const PolicyPlace *place, const char *word,
             const char *also)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();

    for (gsize i = 0; literal_type_words[i] != NULL; i++)
        g_ptr_array_add(words, (gpointer)literal_type_words[i]);
    g_ptr_array_add(words, (gpointer)also);
    g_ptr_array_add(words, NULL);
    compile_no_such(compile, place, "no type", word,
                    (const char *const *)words->pdata);
}

static gboolean
parse_type(Compile *compile, FilterdType *type)
{
    PolicyPlace place = compile->token.place;
    const char *word = compile_word(compile, "a type");

    if (word == NULL)
        return FALSE;
    if (literal_type(word, type))
        return TRUE;
    if (strcmp(word, "pattern") == 0)
        compile_error(compile, &place, "list NAME of pattern { … }",
                      "only a list is one of patterns");
    else
        no_such_type(compile, &place, word, NULL);
    return FALSE;
}

/* type | "pattern" */
static gboolean
parse_list_type(Compile *compile, FilterdType *type, gboolean *patterns)
{
    PolicyPlace place = compile->token.place;

    *type = FILTERD_TEXT;
    *patterns = compile_at(compile, "pattern");
    const char *word = compile_word(compile, "a type");
    if (word == NULL || *patterns || literal_type(word, type))
        return word != NULL;
    no_such_type(compile, &place, word, "pattern");
    return FALSE;
}

static void
add_lookup(Compile *compile, Declaration *declaration)
{
    if (declaration->patterns != NULL)
        declaration->lookup = lookup_new_exact();
    else
        declaration->lookup = lookup_new(declaration->type);
    g_ptr_array_add(compile->rules->lookups, declaration->lookup);
}

gboolean
parse_list_entry(Compile *compile, Declaration *declaration,
                 const PolicyPlace *place, const char *text,
                 const FilterdValue *value)
{
    FilterdValue key;

    if (lookup_size(declaration->lookup) >= COMPILE_LIST_SIZE) {
        compile_error(compile, place, NULL, "`%s` has more than %d entries",
                      declaration->name, COMPILE_LIST_SIZE);
        return FALSE;
    }
    if (!literal_parse_key(compile, declaration->type, text, &key)) {
        literal_refuse_key(compile, place, declaration->type, text);
        return !compile->gave_up;
    }
    if (lookup_add(declaration->lookup, &key, value))
        remark_key(compile, declaration, place, text);
    else if (value != NULL)
        compile_error(compile, place, NULL, "the key `%s` is there twice",
                      text);
    else
        remark_twice(compile, declaration, place, text);
    return !compile->gave_up;
}

gboolean
parse_map_pair(Compile *compile, Declaration *declaration,
               const PolicyPlace *place, const char *key, const char *text)
{
    FilterdValue value;

    if (!literal_parse(compile, declaration->gives, text, &value)) {
        literal_refuse(compile, place, declaration->gives, text);
        return !compile->gave_up;
    }
    return parse_list_entry(compile, declaration, place, key, &value);
}

/* A word that begins a statement is an entry, too, where it can be: in a list
 * of texts or words, and among others on its line. */
static gboolean
begins_next(const Compile *compile, const Declaration *declaration)
{
    Lexer ahead = *compile->lexer;
    Token next = lexer_next(&ahead);

    return parse_begins_statement(&compile->token)
           && compile->token.place.column == 1
           && (declaration->patterns != NULL
               || (declaration->type != FILTERD_TEXT
                   && declaration->type != FILTERD_WORD))
           && !next.leads && next.kind != TOKEN_CLOSE;
}

/* A comma, a colon, an equals sign between entries, as if it were not there;
 * the first is complained of. */
static gboolean
pass_sign(Compile *compile, gboolean *told)
{
    const Complaint complaint = {.right = ""};
    const Token *token = &compile->token;
    gboolean sign =
        token->kind == TOKEN_COMMA
        || (token->kind >= TOKEN_EQUAL && token->kind <= TOKEN_MORE_EQUAL)
        || token_is(token, ":") || token_is(token, "-");

    if (token->kind == TOKEN_TEXT || (!sign && token->mistake == NULL))
        return FALSE;
    if (!*told && token->mistake == NULL)
        compile_complain(compile, &token->place, &complaint,
                         "entries are parted by white space, not by `%.*s`",
                         (int)token->length, token->start);
    *told = TRUE;
    compile_advance(compile);
    return TRUE;
}

/* The value of a map's key; NULL with a complaint. */
static const char *
parse_key_value(Compile *compile, const PolicyPlace *place, gboolean *told)
{
    while (pass_sign(compile, told)) {
    }
    if (compile->token.kind != TOKEN_CLOSE)
        return compile_value(compile, "the key's value");
    compile_error(compile, place, "a key, white space, a value",
                  "this key has no value");
    return NULL;
}

/* `192.0.2.0 / 24`, wherever there is a space: FALSE if there is none. */
static gboolean
pass_torn(Compile *compile, const Declaration *declaration)
{
    const Token *token = &compile->token;

    if (declaration->type != FILTERD_IP || declaration->patterns != NULL
        || token->kind != TOKEN_BARE
        || (*token->start != '/' && token->start[token->length - 1] != '/'))
        return FALSE;
    compile_error(compile, &token->place,
                  "no spaces around `/`: such as 192.0.2.0/24",
                  "a network is one word");
    gboolean bits = token->start[token->length - 1] == '/';
    compile_advance(compile);
    if (bits && parse_is_digits(token))
        compile_advance(compile);
    return TRUE;
}

/* One of them; FALSE: enough. */
static gboolean
parse_entry(Compile *compile, Declaration *declaration, gboolean *told)
{
    PolicyPlace place = compile->token.place;

    if (declaration->patterns != NULL)
        return parse_pattern(compile, declaration, told);
    if (pass_torn(compile, declaration))
        return !compile->gave_up;
    const char *key = compile_value(compile, "an entry or `}`");
    if (key == NULL)
        return FALSE;
    if (declaration->kind != DECLARATION_MAP)
        return parse_list_entry(compile, declaration, &place, key, NULL);
    const char *value = parse_key_value(compile, &place, told);
    return value != NULL
           && parse_map_pair(compile, declaration, &place, key, value);
}

/* { value }, or { value value } of a map. */
static gboolean
parse_all(Compile *compile, Declaration *declaration)
{
    gboolean told = FALSE;

    compile_advance(compile);
    while (compile->token.kind != TOKEN_CLOSE
           && compile->token.kind != TOKEN_END
           && !begins_next(compile, declaration))
        if (!pass_sign(compile, &told)
            && !parse_entry(compile, declaration, &told))
            return FALSE;
    return TRUE;
}

/* "{" … "}" */
static gboolean
parse_entries(Compile *compile, Declaration *declaration)
{
    PolicyPlace open = compile->token.place;

    compile->among_entries = TRUE;
    gboolean ok = parse_all(compile, declaration);
    compile->among_entries = FALSE;
    return ok && compile_close(compile, &open);
}

/* "from" TEXT */
static gboolean
parse_from(Compile *compile, Declaration *declaration)
{
    compile_advance(compile);
    PolicyPlace place = compile->token.place;
    const char *path = compile_value(compile, "a path");

    if (path == NULL)
        return FALSE;
    if (compile->skeleton)
        return TRUE;
    g_autofree char *resolved = compile_resolve(place.file, path);
    const Source *source = compile_read(compile, &place, resolved);
    if (source != NULL && compile_check_text(compile, source))
        parse_list_file(compile, declaration, source);
    return TRUE;
}

static void
add_step(Compile *compile, Declaration *declaration)
{
    Step step = {.declaration = declaration};

    g_array_append_val(compile->steps, step);
}

static gboolean
parse_content(Compile *compile, Declaration *declaration)
{
    add_lookup(compile, declaration);
    add_step(compile, declaration);
    if (compile_at(compile, "from"))
        return parse_from(compile, declaration);
    if (compile->token.kind == TOKEN_EQUAL) {
        const Complaint complaint = {.right = ""};
        compile_complain(compile, &compile->token.place, &complaint,
                         "no `=` stands before the entries");
        compile_advance(compile);
    }
    if (compile->token.kind == TOKEN_OPEN)
        return parse_entries(compile, declaration);
    compile_wanted(compile,
                   declaration->kind == DECLARATION_MAP
                       ? "map NAME of TYPE to TYPE { … }"
                       : "list NAME of TYPE { … }",
                   "`{` or `from`");
    return FALSE;
}

/* Whoever names it need not be told that it is not there. */
static gboolean
lose(Compile *compile, const char *name)
{
    g_hash_table_add(compile->lost, (gpointer)name);
    return FALSE;
}

static gboolean
expect_word(Compile *compile, const char *word, const char *hint)
{
    g_autofree char *what = g_strdup_printf("`%s`", word);

    if (!compile_at(compile, word)) {
        compile_wanted(compile, hint, what);
        return FALSE;
    }
    compile_advance(compile);
    return TRUE;
}

static void
make_patterns(Compile *compile, Declaration *list)
{
    list->patterns = pattern_list_new();
    g_ptr_array_add(compile->rules->pattern_lists, list->patterns);
}

/* list = "list" WORD "of" ( type | "pattern" )
 *        ( "{" { value } "}" | "from" TEXT ) . */
gboolean
parse_list(Compile *compile, G_GNUC_UNUSED const PolicyPlace *statement)
{
    PolicyPlace place = compile->token.place;
    const char *name = parse_name(compile, "the list's name");
    FilterdType type;
    gboolean patterns;

    if (name == NULL)
        return FALSE;
    if (!expect_word(compile, "of", "list NAME of TYPE { … }")
        || !parse_list_type(compile, &type, &patterns))
        return lose(compile, name);
    Declaration *list = declare(compile, DECLARATION_LIST, name, &place);
    list->type = type;
    if (patterns)
        make_patterns(compile, list);
    gboolean ok = parse_content(compile, list);
    if (patterns)
        pattern_list_finish(list->patterns);
    return ok;
}

/* map = "map" WORD "of" type "to" type
 *       ( "{" { value value } "}" | "from" TEXT ) . */
gboolean
parse_map(Compile *compile, G_GNUC_UNUSED const PolicyPlace *statement)
{
    PolicyPlace place = compile->token.place;
    const char *name = parse_name(compile, "the map's name");
    FilterdType key, value;

    if (name == NULL)
        return FALSE;
    if (!expect_word(compile, "of", "map NAME of TYPE to TYPE { … }")
        || !parse_type(compile, &key)
        || !expect_word(compile, "to", "map NAME of TYPE to TYPE { … }")
        || !parse_type(compile, &value))
        return lose(compile, name);
    Declaration *map = declare(compile, DECLARATION_MAP, name, &place);
    map->type = key;
    map->gives = value;
    return parse_content(compile, map);
}

/* let = "let" WORD "=" expr . */
gboolean
parse_let(Compile *compile, G_GNUC_UNUSED const PolicyPlace *statement)
{
    PolicyPlace place = compile->token.place;
    const char *name = parse_name(compile, "a name");

    if (name == NULL)
        return FALSE;
    if (compile->token.kind != TOKEN_EQUAL) {
        compile_wanted(compile, "let NAME = …", "`=`");
        return lose(compile, name);
    }
    compile_advance(compile);
    Declaration *let = declare(compile, DECLARATION_LET, name, &place);
    let->node = parse_expression(compile);
    if (let->node == NULL) {
        let->node = parse_node(compile, NODE_BAD, &place);
        let->checked = TRUE;
        return FALSE;
    }
    add_step(compile, let);
    return TRUE;
}
