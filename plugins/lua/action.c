/* action.c: actions that a script declares, and what they may request.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/lua/convert.h"
#include "plugins/lua/declare.h"
#include "plugins/lua/plugin.h"

#include <string.h>

static const char actions_key;

/* By FilterdEditKind. */
static const struct {
    const char *word, *function;
    bool named; /* its first argument is the name of a field */
    bool valued;
} kinds[] = {
    [FILTERD_ADD_HEADER] = {"add-header", "add_header", true, true},
    [FILTERD_CHANGE_HEADER] = {"change-header", "change_header", true, true},
    [FILTERD_REMOVE_HEADER] = {"remove-header", "remove_header", true, false},
    [FILTERD_SET_SENDER] = {"set-sender", "set_sender", false, true},
    [FILTERD_ADD_RECIPIENT] = {"add-recipient", "add_recipient", false, true},
    [FILTERD_REMOVE_RECIPIENT] = {"remove-recipient", "remove_recipient", false,
                                  true},
    [FILTERD_REPLACE_BODY] = {"replace-body", "replace_body", false, true},
    [FILTERD_QUARANTINE] = {"quarantine", "quarantine", false, true},
};

/* ---- declaring ---------------------------------------------------------- */

static unsigned
get_edits(lua_State *lua)
{
    const char *const *words = declare_keep_list(lua, "edits");
    unsigned edits = 0;

    for (; words != NULL && *words != NULL; words++) {
        unsigned kind = 0;
        while (kind < G_N_ELEMENTS(kinds)
               && strcmp(kinds[kind].word, *words) != 0)
            kind++;
        if (kind == G_N_ELEMENTS(kinds))
            luaL_error(lua, "no edit is called `%s`", *words);
        edits |= 1U << kind;
    }
    return edits;
}

static const FilterdType *
keep_arguments(lua_State *lua)
{
    FilterdDescribe *describe = script_run(lua)->script->describe;
    const char *const *words = declare_keep_list(lua, "arguments");
    unsigned length = 0;

    while (words != NULL && words[length] != NULL)
        length++;
    FilterdType *types =
        describe->allocate(describe, (length + 1) * sizeof *types);
    for (unsigned i = 0; i < length; i++)
        types[i] = convert_type(lua, words[i]);
    return types;
}

static void
collect(lua_State *lua, Declarations *declared, const char *name)
{
    FilterdAction action = {.run = plugin_act};

    if (declared->actions->len >= SCRIPT_DECLARATIONS)
        luaL_error(lua, "more than %d actions", SCRIPT_DECLARATIONS);
    for (guint i = 0; i < declared->actions->len; i++)
        if (strcmp(g_array_index(declared->actions, FilterdAction, i).name,
                   name)
            == 0)
            luaL_error(lua, "the action `%s` is declared twice", name);
    action.name = declare_keep(lua, name);
    action.doc = declare_keep(lua, declare_get_text(lua, "doc"));
    action.arguments = keep_arguments(lua);
    unsigned edits = get_edits(lua);
    g_array_append_val(declared->actions, action);
    g_array_append_val(declared->edits, edits);
}

/* The function is kept under the action's name. */
int
declare_action(lua_State *lua)
{
    static const char *const fields[] = {"name",  "doc", "arguments",
                                         "edits", "run", NULL};
    const Run *run = script_run(lua);
    declare_fields(lua, fields);
    const char *name = declare_name(lua);

    if (run->call != NULL)
        return luaL_error(lua, "only the script itself declares, no hook");
    if (run->script->declared != NULL)
        collect(lua, run->script->declared, name);
    if (lua_getfield(lua, 1, "run") != LUA_TFUNCTION)
        return luaL_error(lua, "`run` is to be a function");
    script_push_table(lua, &actions_key);
    lua_insert(lua, -2);
    lua_setfield(lua, -2, name);
    return 0;
}

void
declare_push_action(lua_State *lua, const char *name)
{
    script_push_table(lua, &actions_key);
    lua_getfield(lua, -1, name);
    lua_remove(lua, -2);
}

/* ---- requests ----------------------------------------------------------- */

static int
request(lua_State *lua)
{
    const Run *run = script_run(lua);
    unsigned kind = (unsigned)lua_tointeger(lua, lua_upvalueindex(1));
    FilterdEdit edit = {.kind = (FilterdEditKind)kind};

    if (run->call == NULL || (run->edits & 1U << kind) == 0)
        return luaL_error(lua, "this is for an action whose `edits` has `%s`",
                          kinds[kind].word);
    if (kinds[kind].named)
        edit.name = script_text(lua, 1);
    if (kinds[kind].valued)
        edit.value = script_text(lua, kinds[kind].named ? 2 : 1);
    run->call->host->edit(run->call, &edit);
    return 0;
}

void
edits_open(lua_State *lua)
{
    lua_newtable(lua);
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        lua_pushinteger(lua, i);
        lua_pushcclosure(lua, request, 1);
        lua_setfield(lua, -2, kinds[i].function);
    }
    sandbox_view(lua);
    lua_setfield(lua, -2, "edit");
}
