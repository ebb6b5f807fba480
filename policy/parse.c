/* parse.c: a file, statement by statement; includes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/parse.h"

#include "policy/options.h"
#include "policy/setting-tables.h"
#include "policy/settings.h"

#include <string.h>

static gboolean parse_include(Compile *compile, const PolicyPlace *place);

static const struct {
    const char *word;
    gboolean (*parse)(Compile *compile, const PolicyPlace *place);
} statements[] = {
    {"include", parse_include},
    {"set", settings_parse_set},
    {"listen", settings_parse_listen},
    {"backend", settings_parse_backend},
    {"dns", settings_parse_dns},
    {"store", settings_parse_store},
    {"use", parse_use},
    {"list", parse_list},
    {"map", parse_map},
    {"let", parse_let},
    {"at", parse_stage},
    {"test", parse_test},
};

static int
find_statement(const Token *token)
{
    for (gsize i = 0; i < G_N_ELEMENTS(statements); i++)
        if (token_is(token, statements[i].word))
            return (int)i;
    return -1;
}

gboolean
parse_is_statement(const Token *token)
{
    return find_statement(token) >= 0;
}

gboolean
parse_begins_statement(const Token *token)
{
    return token->leads && parse_is_statement(token);
}

static gboolean
is_option(const FilterdOption *table, const char *word)
{
    while (table->name != NULL && strcmp(table->name, word) != 0)
        table++;
    return table->name != NULL;
}

/* How the word is written that is known, but not as a statement; NULL. Caller
 * frees. */
static char *
right_statement(Compile *compile, const char *word)
{
    g_autofree char *plain = g_strndup(word, strcspn(word, ":="));

    if (is_option(setting_set, plain))
        return g_strdup_printf("set %s", plain);
    if (g_strv_contains(policy_stage_words, word))
        return g_strdup_printf("at %s", word);
    if (!compile_is_plugin(compile, word))
        return NULL;
    g_hash_table_add(compile->lost, (gpointer)compile_keep(compile, word, -1));
    return g_strdup_printf("use %s", word);
}

/* Not even nearly; it may be an option. */
static void
no_such_name(Compile *compile, const char *word, const char *const *words)
{
    const PolicyPlace *place = &compile->token.place;
    g_autofree char *owners = compile_guess(word, words) == NULL
                                  ? options_owners(compile, word)
                                  : NULL;

    if (owners != NULL)
        compile_error(compile, place, owners, "no statement `%s`", word);
    else
        compile_no_such(compile, place, "no statement", word, words);
}

static void
no_such_word(Compile *compile, const char *word)
{
    const char *words[G_N_ELEMENTS(statements) + 1] = {0};
    const PolicyPlace *place = &compile->token.place;
    g_autofree char *right = right_statement(compile, word);
    const char *foreign = compile_foreign(FOREIGN_STATEMENT, word);
    const Complaint complaint = {.near = right};

    for (gsize i = 0; i < G_N_ELEMENTS(statements); i++)
        words[i] = statements[i].word;
    const char *verdict = compile_known_guess(word, policy_verdict_words);
    if (!compile->token.leads && compile->complete != NULL)
        compile_error(compile, place, right,
                      "`%s` is one too many: the statement `%s` is complete",
                      word, compile->complete);
    else if (foreign != NULL)
        compile_error(compile, place, foreign, "no statement `%s`", word);
    else if (right != NULL)
        compile_complain(compile, place, &complaint, "no statement `%s`", word);
    else if (parse_begins_rule(&compile->token))
        compile_error(compile, place, "at STAGE { … }",
                      "the rule `%s` stands in no stage", word);
    else if (verdict != NULL && compile_known_guess(word, words) == NULL)
        compile_error(compile, place, "at STAGE { … }",
                      "no statement `%s`: a verdict (`%s`) stands in an `at` "
                      "block",
                      word, verdict);
    else
        no_such_name(compile, word, words);
}

static void
no_such_statement(Compile *compile)
{
    const Token *token = &compile->token;

    if (token->mistake != NULL)
        return;
    if (token->kind == TOKEN_BARE) {
        g_autofree char *word = g_strndup(token->start, token->length);
        no_such_word(compile, word);
    } else if (token->kind == TOKEN_CLOSE) {
        compile_error(compile, &token->place,
                      "a `}` too many, here or further up",
                      "this `}` closes nothing");
    } else {
        compile_expected(compile, "a statement");
    }
}

/* To the next line that begins a statement, blocks skipped whole. */
static void
recover(Compile *compile)
{
    while (compile->token.kind != TOKEN_END
           && !parse_begins_statement(&compile->token))
        if (compile->token.kind == TOKEN_OPEN)
            compile_skip_block(compile);
        else
            compile_advance(compile);
}

void
parse_statement(Compile *compile)
{
    PolicyPlace place = compile->token.place;
    int statement = find_statement(&compile->token);

    if (statement < 0) {
        no_such_statement(compile);
        compile->complete = NULL;
        if (compile->token.kind != TOKEN_OPEN)
            compile_advance(compile);
        recover(compile);
        return;
    }
    compile_advance(compile);
    compile->complete = NULL;
    if (statements[statement].parse(compile, &place))
        compile->complete = statements[statement].word;
    else
        recover(compile);
}

/* One that is included and has comments says that it is meant so. */
static void
note_blank(Compile *compile, const Source *source)
{
    gboolean comments = memchr(source->text, '#', source->length) != NULL;

    if (compile->token.kind == TOKEN_END && compile->blank == NULL
        && (compile->open->len == 1 || !comments))
        compile->blank = source;
}

/* file = { include | set | dns | listen | backend | store | use | list | map
 *        | let | stage | test } . */
void
parse_file(Compile *compile, const Source *source)
{
    Lexer lexer;
    Lexer *outer = compile->lexer;
    Token at_hand = compile->token;

    lexer_init(&lexer, source->name, source->text, source->length);
    compile->lexer = &lexer;
    g_ptr_array_add(compile->open, (gpointer)source);
    compile_advance(compile);
    note_blank(compile, source);
    while (compile->token.kind != TOKEN_END)
        parse_statement(compile);
    g_ptr_array_set_size(compile->open, (gint)compile->open->len - 1);
    compile->lexer = outer;
    if (!compile->gave_up)
        compile->token = at_hand;
}

/* Whether we are in that file already. */
static gboolean
is_open(const Compile *compile, const char *path)
{
    g_autofree char *wanted = g_canonicalize_filename(path, "/");

    for (guint i = 0; i < compile->open->len; i++) {
        const Source *source = g_ptr_array_index(compile->open, i);
        g_autofree char *open = g_canonicalize_filename(source->name, "/");

        if (strcmp(open, wanted) == 0)
            return TRUE;
    }
    return FALSE;
}

/* include = "include" TEXT . */
static gboolean
parse_include(Compile *compile, G_GNUC_UNUSED const PolicyPlace *place)
{
    PolicyPlace value = compile->token.place;
    const char *path = compile_value(compile, "a path");

    if (path == NULL)
        return FALSE;
    g_autofree char *resolved = compile_resolve(value.file, path);
    if (is_open(compile, resolved)) {
        compile_error(compile, &value, NULL, "`%s` includes itself", path);
        return TRUE;
    }
    if (compile->open->len >= COMPILE_INCLUDE_DEPTH) {
        compile_error(compile, &value, NULL,
                      "more than %d files that include each other",
                      COMPILE_INCLUDE_DEPTH);
        return TRUE;
    }
    const Source *source = compile_read(compile, &value, resolved);
    if (source == NULL)
        compile->incomplete = TRUE;
    else if (compile_check_text(compile, source))
        parse_file(compile, source);
    return TRUE;
}

static gboolean
valid_name(const char *name)
{
    if (!g_ascii_isalnum(*name))
        return FALSE;
    while (g_ascii_isalnum(*name) || (*name != '\0' && strchr("-_.", *name)))
        name++;
    return *name == '\0';
}

const char *
parse_name(Compile *compile, const char *what)
{
    PolicyPlace place = compile->token.place;
    const char *name = compile_word(compile, what);

    if (name == NULL || valid_name(name))
        return name;
    compile_error(compile, &place,
                  "a name has letters, digits, `-`, `_` and `.` and begins "
                  "with a letter or digit",
                  "`%s` cannot be a name", name);
    return NULL;
}
