/* sandbox.c: the world of a script: what of Lua it may use, its globals, its
 * modules.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * There is no way out of it to files, processes, other states or bytecode; nor
 * are there metatables (their finalizers run at any time) or coroutines (the
 * hooks are some). A global can be set only while the file is loaded: what a
 * hook left there would be seen by all sessions.
 */
#include "plugins/lua/script.h"

#include <lualib.h>
#include <string.h>

/* Keys of the registry. */
static const char globals_key, modules_key;

static const char *const kept[] = {
    "assert", "error",  "ipairs", "next",     "pairs",    "rawequal",
    "rawget", "rawlen", "select", "tonumber", "tostring", "type",
};

/* ---- globals ------------------------------------------------------------ */

/* `session` and `message` belong to whose hook it is. */
static int
find_global(lua_State *lua)
{
    const Run *run = script_run(lua);
    const char *name = luaL_optstring(lua, 2, "");
    const void *key = NULL;

    if (run->call != NULL && strcmp(name, "session") == 0)
        key = run->call->session;
    else if (run->call != NULL && strcmp(name, "message") == 0)
        key = run->call->message;
    if (key == NULL)
        return 0;
    script_push_table(lua, key);
    return 1;
}

static int
set_global(lua_State *lua)
{
    if (script_run(lua)->call != NULL)
        return luaL_error(lua,
                          "globals are fixed once the script is loaded: make "
                          "`%s` local, or a field of `session` or `message`",
                          luaL_tolstring(lua, 2, NULL));
    lua_rawgetp(lua, LUA_REGISTRYINDEX, &globals_key);
    lua_insert(lua, 2);
    lua_rawset(lua, 2);
    return 0;
}

static int
refuse_change(lua_State *lua)
{
    return luaL_error(lua, "`%s` cannot be changed here",
                      luaL_tolstring(lua, 2, NULL));
}

/* The table on top is replaced by one that shows it. */
static void
make_view(lua_State *lua, lua_CFunction set)
{
    lua_newtable(lua);
    lua_createtable(lua, 0, 3);
    lua_pushvalue(lua, -3);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, set);
    lua_setfield(lua, -2, "__newindex");
    lua_setmetatable(lua, -2);
    lua_remove(lua, -2);
}

void
sandbox_view(lua_State *lua)
{
    make_view(lua, refuse_change);
}

int
script_push_hook(lua_State *lua, const char *name)
{
    lua_rawgetp(lua, LUA_REGISTRYINDEX, &globals_key);
    lua_pushstring(lua, name);
    int type = lua_rawget(lua, -2);
    lua_remove(lua, -2);
    return type;
}

/* ---- what Lua has, with a fence ----------------------------------------- */

static int
end_pcall(lua_State *lua, int status, G_GNUC_UNUSED lua_KContext context)
{
    bool ok = status == LUA_OK || status == LUA_YIELD;

    if (script_run(lua)->over)
        return lua_error(lua);
    lua_pushboolean(lua, ok);
    lua_insert(lua, ok ? 1 : -2);
    return ok ? lua_gettop(lua) : 2;
}

/* As Lua's, but for the limit of work: that is not to be caught. */
static int
protected_call(lua_State *lua)
{
    luaL_checkany(lua, 1);
    script_check_stack(lua);
    return end_pcall(
        lua, lua_pcallk(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0, 0, end_pcall),
        0);
}

/* The function of Lua's that is the upvalue, once its work is paid for. */
static int
call_charged(lua_State *lua)
{
    int64_t units = 0;
    int64_t of_item = lua_tointeger(lua, lua_upvalueindex(2));

    for (int i = 1; i <= lua_gettop(lua); i++)
        if (lua_type(lua, i) == LUA_TSTRING)
            units += (int64_t)(lua_rawlen(lua, i) / SCRIPT_OCTETS);
        else if (lua_type(lua, i) == LUA_TTABLE)
            units += (int64_t)lua_rawlen(lua, i) * of_item;
    script_charge(lua, units);
    script_check_stack(lua);
    return lua_tocfunction(lua, lua_upvalueindex(1))(lua);
}

/* At the end of a table it is no work. */
static int
call_shifting(lua_State *lua)
{
    int at_end = (int)lua_tointeger(lua, lua_upvalueindex(2));

    if (lua_gettop(lua) > at_end && lua_type(lua, 1) == LUA_TTABLE)
        script_charge(lua, (int64_t)lua_rawlen(lua, 1) / 2);
    return lua_tocfunction(lua, lua_upvalueindex(1))(lua);
}

static void
charge_for(lua_State *lua, const char *name, int of_item)
{
    lua_getfield(lua, -1, name);
    lua_pushinteger(lua, of_item);
    lua_pushcclosure(lua, call_charged, 2);
    lua_setfield(lua, -2, name);
}

static void
charge_shift(lua_State *lua, const char *name, int at_end)
{
    lua_getfield(lua, -1, name);
    lua_pushinteger(lua, at_end);
    lua_pushcclosure(lua, call_shifting, 2);
    lua_setfield(lua, -2, name);
}

static void
drop(lua_State *lua, const char *name)
{
    lua_pushnil(lua);
    lua_setfield(lua, -2, name);
}

static void
fence_table(lua_State *lua)
{
    drop(lua, "move");
    charge_for(lua, "sort", 40);
    charge_for(lua, "concat", 1);
    charge_for(lua, "unpack", 1);
    charge_shift(lua, "insert", 2);
    charge_shift(lua, "remove", 1);
}

static void
fence_string(lua_State *lua)
{
    static const char *const long_work[] = {"lower",  "upper",  "reverse",
                                            "unpack", "format", "rep"};

    drop(lua, "dump");
    for (gsize i = 0; i < G_N_ELEMENTS(long_work); i++)
        charge_for(lua, long_work[i], 1);
    strings_open(lua);
}

static void
fence_utf8(lua_State *lua)
{
    charge_for(lua, "len", 1);
    charge_for(lua, "offset", 1);
    charge_for(lua, "codepoint", 1);
}

static void
fence_math(lua_State *lua)
{
    drop(lua, "randomseed");
}

/* ---- modules ------------------------------------------------------------ */

static const FilterdFile *
find_module(const Config *config, const char *name)
{
    const FilterdFile *files = config->modules.items;

    for (size_t i = 0; i < config->modules.length; i++) {
        g_autofree char *base = g_path_get_basename(files[i].path);
        if (g_str_has_suffix(base, ".lua"))
            base[strlen(base) - 4] = '\0';
        if (strcmp(base, name) == 0)
            return &files[i];
    }
    return NULL;
}

/* Only files that the option `module` names, so that they are read with the
 * rest of the configuration. */
static int
require(lua_State *lua)
{
    const char *name = script_text(lua, 1);
    const Run *run = script_run(lua);

    lua_settop(lua, 1);
    if (run->call != NULL)
        return luaL_error(lua, "`require` is for the beginning of a script");
    script_push_table(lua, &modules_key);
    if (lua_getfield(lua, -1, name) != LUA_TNIL)
        return 1;
    const FilterdFile *file = find_module(run->script->config, name);
    if (file == NULL)
        return luaL_error(lua, "no option `module` gives a file %s.lua", name);
    lua_pushboolean(lua, 1);
    lua_setfield(lua, -3, name);
    sandbox_load(lua, file);
    if (lua_isnil(lua, -1))
        return 0;
    lua_pushvalue(lua, -1);
    lua_setfield(lua, 2, name);
    return 1;
}

/* Text, not bytecode. Leaves what the file returns. */
void
sandbox_load(lua_State *lua, const FilterdFile *file)
{
    const char *name = lua_pushfstring(lua, "@%s", file->path);

    if (luaL_loadbufferx(lua, file->bytes, file->length, name, "t") != LUA_OK)
        lua_error(lua);
    script_check_stack(lua);
    lua_rawgetp(lua, LUA_REGISTRYINDEX, &globals_key);
    make_view(lua, set_global);
    lua_setupvalue(lua, -2, 1);
    lua_call(lua, 0, 1);
}

/* ---- all of it ---------------------------------------------------------- */

static const struct {
    const char *name;
    lua_CFunction open;
    void (*fence)(lua_State *lua);
} libraries[] = {
    {"table", luaopen_table, fence_table},
    {"string", luaopen_string, fence_string},
    {"utf8", luaopen_utf8, fence_utf8},
    {"math", luaopen_math, fence_math},
};

static void
open_libraries(lua_State *lua)
{
    for (gsize i = 0; i < G_N_ELEMENTS(libraries); i++) {
        luaL_requiref(lua, libraries[i].name, libraries[i].open, 0);
        libraries[i].fence(lua);
        sandbox_view(lua);
        lua_setfield(lua, -2, libraries[i].name);
    }
}

/* What is kept of the functions that Lua has without a table. */
static void
open_base(lua_State *lua)
{
    luaL_requiref(lua, "_G", luaopen_base, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(kept); i++) {
        lua_getfield(lua, -1, kept[i]);
        lua_setfield(lua, -3, kept[i]);
    }
    lua_pop(lua, 1);
    lua_pushcfunction(lua, protected_call);
    lua_setfield(lua, -2, "pcall");
    lua_pushcfunction(lua, require);
    lua_setfield(lua, -2, "require");
}

void
sandbox_open(lua_State *lua)
{
    script_push_table(lua, &globals_key);
    open_base(lua);
    open_libraries(lua);
    declare_open(lua);
    api_open(lua);
    edits_open(lua);
    ip_open(lua);
    conversation_open(lua);
    lua_createtable(lua, 0, 1);
    lua_pushcfunction(lua, find_global);
    lua_setfield(lua, -2, "__index");
    lua_setmetatable(lua, -2);
    lua_pop(lua, 1);
}
