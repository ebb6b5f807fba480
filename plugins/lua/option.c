/* option.c: options that a script declares; each `set` of the block gives the
 * value of one.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/lua/convert.h"
#include "plugins/lua/declare.h"

#include <string.h>

/* An option that is being declared. */
typedef struct Declaring {
    Script *script;
    FilterdType type;
    const char *const *words;
    int64_t low, high;
    ScriptOption option;
    GArray *values; /* FilterdValue */
} Declaring;

/* Not what the script says is wrong, but what it is given. */
static bool
blame(Declaring *declaring, size_t row, GError *problem)
{
    FilterdDescribe *describe = declaring->script->describe;

    describe->blame(describe, "set", row);
    g_prefix_error(&problem, "`%s`: ", declaring->option.name);
    declaring->script->problem = problem;
    return false;
}

static GError *
wrong(const char *format, const char *text)
{
    GError *error = NULL;

    g_set_error(&error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "`%s` %s", text,
                format);
    return error;
}

static bool
parse(Declaring *declaring, size_t row, const char *text)
{
    FilterdDescribe *describe = declaring->script->describe;
    FilterdValue value;
    GError *problem = NULL;

    if (declaring->words != NULL && !g_strv_contains(declaring->words, text)) {
        g_autofree char *words = g_strjoinv(", ", (char **)declaring->words);
        problem = wrong("is no word of it", text);
        g_autofree char *hint =
            g_strdup_printf("%s\nit has %s", problem->message, words);
        g_error_free(problem);
        return blame(
            declaring, row,
            g_error_new_literal(G_FILE_ERROR, G_FILE_ERROR_INVAL, hint));
    }
    if (!describe->parse(describe, declaring->type, text, &value, &problem))
        return blame(declaring, row, problem);
    if ((declaring->type == FILTERD_INT || declaring->type == FILTERD_DURATION)
        && (value.integer < declaring->low || value.integer > declaring->high))
        return blame(declaring, row,
                     wrong(value.integer < declaring->low ? "is too little"
                                                          : "is too much",
                           text));
    g_array_append_val(declaring->values, value);
    return true;
}

/* All values that the block gives it. */
static bool
collect(Declaring *declaring)
{
    const Config *config = declaring->script->config;
    const Given *given = config->given.items;

    for (size_t row = 0; row < config->given.length; row++) {
        const char *const *texts = given[row].values.items;
        if (strcmp(given[row].name, declaring->option.name) != 0)
            continue;
        for (size_t i = 0; i < given[row].values.length; i++) {
            if (declaring->values->len > 0 && !declaring->option.many)
                return blame(declaring, row,
                             wrong("is a value more than it takes", texts[i]));
            if (!parse(declaring, row, texts[i]))
                return false;
        }
    }
    return true;
}

static void
keep(Declaring *declaring)
{
    FilterdDescribe *describe = declaring->script->describe;
    ScriptOption *option = &declaring->option;
    const GArray *values = declaring->values;

    option->length = values->len;
    option->values =
        describe->allocate(describe, (values->len + 1) * sizeof(FilterdValue));
    if (values->len > 0)
        memcpy(option->values, values->data,
               values->len * sizeof(FilterdValue));
    g_array_append_val(declaring->script->declared->options, *option);
}

/* The first time it is seen: looks into the block. */
static void
take(lua_State *lua, const char *name)
{
    Script *script = script_run(lua)->script;
    Declaring declaring = {
        .script = script, .low = G_MININT64, .high = G_MAXINT64};

    if (script->declared->options->len >= SCRIPT_DECLARATIONS)
        luaL_error(lua, "more than %d options", SCRIPT_DECLARATIONS);
    const char *type = declare_get_text(lua, "type");
    declaring.type = convert_type(lua, type);
    if (declaring.type == FILTERD_LIST)
        luaL_error(lua, "an option of several values has `many = true`");
    declare_find_integer(lua, "low", &declaring.low);
    declare_find_integer(lua, "high", &declaring.high);
    if (declaring.type == FILTERD_WORD)
        declaring.words = declare_keep_list(lua, "words");
    lua_pushfstring(lua, "`%s` (%s): %s", name, type,
                    declare_get_text(lua, "doc"));
    declaring.option =
        (ScriptOption){.name = declare_keep(lua, name),
                       .doc = declare_keep(lua, lua_tostring(lua, -1)),
                       .many = declare_flag(lua, "many")};
    declaring.values = g_array_new(FALSE, FALSE, sizeof(FilterdValue));
    bool ok = collect(&declaring);
    if (ok)
        keep(&declaring);
    g_array_unref(declaring.values);
    if (!ok)
        luaL_error(lua, "what is given");
}

static const ScriptOption *
find(const Script *script, const char *name)
{
    const Declared *known = script->config->declared;
    const GArray *collected =
        script->declared != NULL ? script->declared->options : NULL;
    size_t length = collected != NULL ? collected->len
                    : known != NULL   ? known->n_options
                                      : 0;

    for (size_t i = 0; i < length; i++) {
        const ScriptOption *option =
            collected != NULL ? &g_array_index(collected, ScriptOption, i)
                              : &known->options[i];
        if (strcmp(option->name, name) == 0)
            return option;
    }
    return NULL;
}

static int
push(lua_State *lua, const ScriptOption *option)
{
    FilterdValue all = filterd_list(option->values, option->length);

    if (option->length == 0 && declare_flag(lua, "required"))
        return luaL_error(lua, "the block has to `set %s`", option->name);
    if (option->length == 0)
        lua_getfield(lua, 1, "default");
    else
        convert_push(lua, option->many ? &all : &option->values[0]);
    return 1;
}

/* Gives its value. */
int
declare_option(lua_State *lua)
{
    static const char *const fields[] = {"name", "type",  "doc",      "default",
                                         "many", "words", "required", "low",
                                         "high", NULL};
    const Run *run = script_run(lua);
    declare_fields(lua, fields);
    const char *name = declare_name(lua);
    const ScriptOption *option = find(run->script, name);

    if (run->call != NULL)
        return luaL_error(lua, "only the script itself declares, no hook");
    if (run->script->declared != NULL && option != NULL)
        return luaL_error(lua, "the option `%s` is declared twice", name);
    if (run->script->declared != NULL) {
        take(lua, name);
        option = find(run->script, name);
    }
    if (option == NULL)
        return luaL_error(lua, "the option `%s` was not there before", name);
    return push(lua, option);
}
