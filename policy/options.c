/* options.c: blocks of options, from a table into a struct.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A group is a table of its own whose options stand on one line: those told by
 * their place first, then words.
 */
#include "policy/options.h"

#include "filterd/base/text.h"
#include "policy/literal.h"
#include "policy/option-value.h"
#include "policy/parse.h"

#include <string.h>

static unsigned
count_rows(const FilterdOption *table)
{
    unsigned rows = 0;

    while (table != NULL && table[rows].name != NULL)
        rows++;
    return rows;
}

void
options_init(Options *options, const char *owner, const FilterdOption *table,
             void *config)
{
    *options = (Options){.owner = owner, .table = table, .config = config};
    options->rows = count_rows(table);
    options->seen = g_new0(PolicyPlace, options->rows + 1);
    options->many = g_new0(GByteArray *, options->rows + 1);
}

void
options_clear(Options *options)
{
    for (unsigned i = 0; i < options->rows; i++)
        if (options->many[i] != NULL)
            g_byte_array_unref(options->many[i]);
    g_clear_pointer(&options->many, g_free);
    g_clear_pointer(&options->seen, g_free);
}

/* The row of the bare word at hand; -1. */
static int
find_row(const Options *options, const Token *token)
{
    for (unsigned i = 0; i < options->rows; i++)
        if (!(options->table[i].flags & FILTERD_POSITION)
            && token_is(token, options->table[i].name))
            return (int)i;
    return -1;
}

const PolicyPlace *
options_place(const Options *options, const char *name)
{
    for (unsigned i = 0; i < options->rows; i++)
        if (strcmp(options->table[i].name, name) == 0
            && options->seen[i].line > 0)
            return &options->seen[i];
    return NULL;
}

/* Whether the token at hand is a value: not the end of the block, not a word
 * of it nor of the block round it. */
static gboolean
at_value(const Compile *compile, const Options *options, const Options *outer)
{
    const Token *token = &compile->token;

    if (token->kind == TOKEN_TEXT)
        return TRUE;
    return token->kind == TOKEN_BARE && !parse_begins_statement(token)
           && find_row(options, token) < 0
           && (outer == NULL || find_row(outer, token) < 0);
}

static void *
slot_of(Options *options, unsigned row)
{
    return (char *)options->config + options->table[row].offset;
}

/* Room for one more item of a row with many. */
static gpointer
append_item(Options *options, unsigned row)
{
    gsize size = option_value_size(&options->table[row]);

    if (options->many[row] == NULL)
        options->many[row] = g_byte_array_new();
    guint before = options->many[row]->len;
    g_byte_array_set_size(options->many[row], before + (guint)size);
    return memset(options->many[row]->data + before, 0, size);
}

static GPtrArray *
option_names(const Options *options)
{
    GPtrArray *names = g_ptr_array_new();

    for (unsigned i = 0; i < options->rows; i++)
        if (!(options->table[i].flags & FILTERD_POSITION))
            g_ptr_array_add(names, (gpointer)options->table[i].name);
    g_ptr_array_add(names, NULL);
    return names;
}

static gboolean
no_such_option(Compile *compile, const Options *options)
{
    g_autoptr(GPtrArray) names = option_names(options);
    const Token *token = &compile->token;
    if (token->mistake != NULL)
        return FALSE;
    g_autofree char *word = g_strndup(token->start, token->length);
    g_autofree char *what = g_strdup_printf("%s has no option", options->owner);
    const char *const *words = (const char *const *)names->pdata;
    g_autofree char *owners = compile_guess(word, words) == NULL
                                  ? options_owners(compile, word)
                                  : NULL;

    if (owners != NULL)
        compile_error(compile, &token->place, owners, "%s `%s`", what, word);
    else
        compile_no_such(compile, &token->place, what, word, words);
    return FALSE;
}

#define MISSPELT_LENGTH 4

static gboolean
is_alphabetic(const Token *token)
{
    for (gsize i = 0; i < token->length; i++)
        if (!g_ascii_islower(token->start[i]))
            return FALSE;
    return token->length >= MISSPELT_LENGTH;
}

/* Whether the bare word at hand is no value of that type, but nearly an
 * option. */
static gboolean
is_misspelt(Compile *compile, const Options *options, FilterdType type)
{
    const Token *token = &compile->token;
    FilterdValue value;

    gboolean words =
        options->nested && type == FILTERD_TEXT && is_alphabetic(token);
    if (token->kind != TOKEN_BARE
        || (type != FILTERD_IP && type != FILTERD_INT
            && type != FILTERD_DURATION && !words))
        return FALSE;
    g_autoptr(GPtrArray) names = option_names(options);
    g_autofree char *word = g_strndup(token->start, token->length);
    return (words || !literal_parse(compile, type, word, &value))
           && text_suggest(word, (const char *const *)names->pdata) != NULL;
}

/* One value of the row, from the token at hand; `due`, where nothing else may
 * stand. */
static gboolean
parse_value(Compile *compile, Options *options, unsigned row, gboolean due)
{
    const FilterdOption *option = &options->table[row];
    if (!due && is_misspelt(compile, options, option->type))
        return no_such_option(compile, options);
    void *slot = option->flags & FILTERD_MANY ? append_item(options, row)
                                              : slot_of(options, row);

    return option_value_parse(compile, option, slot);
}

static void
want_value(Compile *compile, const FilterdOption *option,
           const PolicyPlace *place)
{
    g_autofree char *words = NULL;
    const char *example = literal_example(option->type);

    if (compile->token.kind == TOKEN_BROKEN)
        return;
    if (option->words != NULL)
        words = compile_join(option->words);
    compile_error(compile, place, words != NULL ? words : example,
                  "`%s` needs a value: %s", option->name,
                  literal_phrase(option->type));
}

/* The values behind a row's word, or those that a position takes. */
static gboolean
parse_values(Compile *compile, Options *options, unsigned row,
             const Options *outer)
{
    const FilterdOption *option = &options->table[row];

    if (!at_value(compile, options, outer)) {
        want_value(compile, option, &options->seen[row]);
        return FALSE;
    }
    if (!parse_value(compile, options, row,
                     !(option->flags & FILTERD_POSITION)))
        return FALSE;
    while (option->flags & FILTERD_MANY && at_value(compile, options, outer))
        if (!parse_value(compile, options, row, FALSE))
            return FALSE;
    return TRUE;
}

static gboolean
note_seen(Compile *compile, Options *options, unsigned row)
{
    const FilterdOption *option = &options->table[row];
    PolicyPlace *seen = &options->seen[row];

    if (seen->line > 0 && !(option->flags & FILTERD_MANY)) {
        g_autofree char *line = compile_line(seen, &compile->token.place);
        g_autofree char *hint =
            g_strdup_printf("it is given in %s already", line);
        compile_error(compile, &compile->token.place, hint,
                      "`%s` is given twice", option->name);
        return FALSE;
    }
    *seen = compile->token.place;
    return TRUE;
}

static void
note_given(const Options *options, unsigned row)
{
    const FilterdOption *option = &options->table[row];
    const GByteArray *before = options->many[row];
    const PolicyOption given = {
        .name = option->name,
        .first = before != NULL ? before->len / option_value_size(option) : 0,
        .place = options->seen[row],
    };
    if (options->given != NULL)
        g_array_append_val(options->given, given);
}

/* `zone a.example=127.0.0.2*5`, as postscreen has it: FALSE if it is not so. */
static gboolean
pass_weighted(Compile *compile, const Options *group)
{
    PolicyPlace place = compile->token.place;
    const FilterdOption *weight = group->table;
    Lexer ahead = *compile->lexer;
    Token value = lexer_next(&ahead);

    while (weight->name != NULL
           && (weight->type != FILTERD_INT || weight->flags & FILTERD_POSITION))
        weight++;
    if (compile->token.kind != TOKEN_EQUAL || weight->name == NULL
        || value.kind != TOKEN_BARE || value.leads)
        return FALSE;
    g_autofree char *text = g_strndup(value.start, value.length);
    g_auto(GStrv) parts = g_strsplit(text, "*", 2);
    g_autofree char *right =
        parts[1] != NULL
            ? g_strdup_printf(" %s %s %s", parts[0], weight->name, parts[1])
            : g_strdup_printf(" %s", parts[0]);
    const Complaint complaint = {.right = right, .hint = right + 1};
    place.length = value.place.column + value.place.length - place.column;
    compile_complain(compile, &place, &complaint,
                     "white space parts values, and `%s` stands before its "
                     "number",
                     weight->name);
    compile_advance(compile);
    compile_advance(compile);
    return TRUE;
}

/* What the word of the outer block is good for. */
static const char *
doc_of(const Options *group, const Options *outer)
{
    for (unsigned i = 0; i < outer->rows; i++)
        if (outer->table[i].group == group->table)
            return outer->table[i].doc;
    return NULL;
}

/* Values by their places, then words with theirs, up to a word of the outer
 * block or its end. */
static gboolean
parse_group_line(Compile *compile, Options *group, const Options *outer)
{
    for (unsigned i = 0; i < group->rows; i++) {
        if (!(group->table[i].flags & FILTERD_POSITION)
            || !at_value(compile, group, outer))
            continue;
        group->seen[i] = compile->token.place;
        if (!parse_values(compile, group, i, outer))
            return FALSE;
    }
    if (pass_weighted(compile, group))
        return TRUE;
    while (compile->token.kind == TOKEN_BARE
           && find_row(outer, &compile->token) < 0) {
        int row = find_row(group, &compile->token);

        if (row < 0) {
            compile_wanted(compile, doc_of(group, outer), "the next option");
            return FALSE;
        }
        if (!note_seen(compile, group, (unsigned)row))
            return FALSE;
        compile_advance(compile);
        if (!parse_values(compile, group, (unsigned)row, outer))
            return FALSE;
    }
    return TRUE;
}

static gboolean
parse_group(Compile *compile, Options *outer, unsigned row)
{
    const FilterdOption *option = &outer->table[row];
    g_autofree char *owner = g_strdup_printf("`%s`", option->name);
    g_autofree void *item = g_malloc0(option->size);
    unsigned before = compile->report->errors;
    Options group;

    options_init(&group, owner, option->group, item);
    group.place = outer->seen[row];
    group.nested = TRUE;
    gboolean ok = parse_group_line(compile, &group, outer);
    if (ok)
        options_finish(compile, &group);
    if (option->flags & FILTERD_MANY)
        memcpy(append_item(outer, row), item, option->size);
    options_clear(&group);
    return ok && compile->report->errors == before;
}

/* As if it were not there. */
static void
pass_equal(Compile *compile, const char *name)
{
    const Complaint complaint = {.right = ""};

    if (compile->token.kind != TOKEN_EQUAL)
        return;
    if (compile->token.mistake == NULL)
        compile_complain(compile, &compile->token.place, &complaint,
                         "no `=` stands between `%s` and its value", name);
    compile_advance(compile);
}

/* Values that are parted by commas. */
static gboolean
refuse_comma(Compile *compile)
{
    const Complaint complaint = {.right = ""};

    if (compile->token.kind != TOKEN_COMMA)
        return FALSE;
    compile_complain(compile, &compile->token.place, &complaint,
                     "values are parted by white space, not by commas");
    return TRUE;
}

gboolean
options_parse_one(Compile *compile, Options *options, gboolean block)
{
    static const Options none = {0};

    if (refuse_comma(compile))
        return FALSE;
    if (compile->token.kind != TOKEN_BARE) {
        compile_expected(compile, "an option");
        return FALSE;
    }
    int row = find_row(options, &compile->token);
    if (row < 0)
        return no_such_option(compile, options);
    if (!note_seen(compile, options, (unsigned)row))
        return FALSE;
    note_given(options, (unsigned)row);
    compile_advance(compile);
    pass_equal(compile, options->table[row].name);
    if (options->table[row].type == FILTERD_GROUP)
        return parse_group(compile, options, (unsigned)row);
    if (block)
        return parse_values(compile, options, (unsigned)row, NULL);
    if (!at_value(compile, &none, NULL)
        || parse_begins_statement(&compile->token)) {
        want_value(compile, &options->table[row], &options->seen[row]);
        return FALSE;
    }
    return parse_value(compile, options, (unsigned)row, TRUE);
}

/* To the next option, or the end of the block. */
static void
recover(Compile *compile, const Options *options)
{
    while (compile->token.kind != TOKEN_END
           && compile->token.kind != TOKEN_CLOSE
           && !(compile->token.leads && compile->token.kind == TOKEN_BARE)
           && find_row(options, &compile->token) < 0) {
        if (compile->token.kind == TOKEN_OPEN)
            compile_skip_block(compile);
        else
            compile_advance(compile);
    }
}

/* Whether a statement begins, where a `}` is missing. */
static gboolean
ends_without(const Options *options, const Token *token)
{
    return parse_begins_statement(token) && find_row(options, token) < 0;
}

gboolean
options_parse_block(Compile *compile, Options *options)
{
    PolicyPlace open = compile->token.place;

    if (!compile_expect(compile, TOKEN_OPEN, "`{`"))
        return FALSE;
    while (compile->token.kind != TOKEN_CLOSE
           && compile->token.kind != TOKEN_END
           && !ends_without(options, &compile->token)) {
        PolicyPlace before = compile->token.place;

        if (options_parse_one(compile, options, TRUE))
            continue;
        if (compile->token.place.line == before.line
            && compile->token.place.column == before.column)
            compile_advance(compile);
        recover(compile, options);
    }
    return compile_close(compile, &open);
}

/* The values that the table itself gives. */
static void
parse_fallback(Compile *compile, Options *options, unsigned row)
{
    const FilterdOption *option = &options->table[row];
    g_autofree char *name = g_strdup_printf("(fallback of `%s` in %s)",
                                            option->name, options->owner);
    Lexer lexer, *outer = compile->lexer;
    Token at_hand = compile->token;
    const Source *source = compile_add_source(
        compile, name,
        g_bytes_new_static(option->fallback, strlen(option->fallback)));

    lexer_init(&lexer, source->name, source->text, source->length);
    compile->lexer = &lexer;
    compile_advance(compile);
    options->seen[row] = compile->token.place;
    if (option->type == FILTERD_GROUP)
        parse_group(compile, options, row);
    else
        parse_values(compile, options, row, NULL);
    options->seen[row].line = 0;
    compile->lexer = outer;
    if (!compile->gave_up)
        compile->token = at_hand;
}

static void
write_array(Compile *compile, Options *options, unsigned row)
{
    const FilterdOption *option = &options->table[row];
    const GByteArray *items = options->many[row];
    FilterdArray *array = slot_of(options, row);

    if (items == NULL)
        return;
    array->items = arena_copy(&compile->rules->arena, items->data, items->len);
    array->length = items->len / option_value_size(option);
}

void
options_finish(Compile *compile, Options *options)
{
    for (unsigned i = 0; i < options->rows; i++) {
        const FilterdOption *option = &options->table[i];

        if (options->seen[i].line == 0 && option->flags & FILTERD_REQUIRED)
            compile_error(compile, &options->place, option->doc,
                          "%s needs `%s`", options->owner, option->name);
        else if (options->seen[i].line == 0 && option->fallback != NULL)
            parse_fallback(compile, options, i);
        if (option->flags & FILTERD_MANY)
            write_array(compile, options, i);
    }
}
