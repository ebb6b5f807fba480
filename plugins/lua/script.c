/* script.c: a script that is loaded: its Lua state within its limits.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/lua/script.h"

#include <lualib.h>
#include <stdlib.h>
#include <string.h>

/* Frames that an error shows beside its own. */
#define FRAMES 8
/* Octets of an error's text. */
#define ERROR_TEXT 500

const char *const script_hooks[SCRIPT_HOOKS] = {
    [SCRIPT_CONNECT] = "connect", [SCRIPT_HELO] = "helo",
    [SCRIPT_MAIL] = "mail",       [SCRIPT_RCPT] = "rcpt",
    [SCRIPT_DATA] = "data",       [SCRIPT_EOM] = "eom",
    [SCRIPT_HEADER] = "header",   [SCRIPT_BODY] = "body",
    [SCRIPT_DONE] = "done",
};

static void look(lua_State *lua, lua_Debug *where);

Run *
script_run(lua_State *lua)
{
    return *(Run **)lua_getextraspace(lua);
}

/* ---- memory ------------------------------------------------------------- */

/* The next instruction looks at the limits: the one thing of Lua that may be
 * called at any time. */
static void
look_soon(Script *script)
{
    Run *run = script->running;

    if (script->charged > SCRIPT_STEP && run != NULL && run->thread != NULL)
        lua_sethook(run->thread, look, LUA_MASKCOUNT, 1);
}

static void *
refuse(Script *script)
{
    script->charged += SCRIPT_DENIED;
    look_soon(script);
    return NULL;
}

static void *
allocate(void *data, void *block, size_t old, size_t size)
{
    Script *script = data;
    size_t before = block != NULL ? old : 0;

    if (size == 0) {
        free(block);
        script->used -= before;
        return NULL;
    }
    if (size > before
        && (size > SCRIPT_BLOCK
            || script->used - before + size > (size_t)script->config->memory))
        return refuse(script);
    void *larger = realloc(block, size);
    if (larger == NULL)
        return refuse(script);
    script->used = script->used - before + size;
    if (size > before) {
        script->charged += (int64_t)(size / SCRIPT_OCTETS);
        look_soon(script);
    }
    return larger;
}

/* ---- work --------------------------------------------------------------- */

static void
spend(lua_State *lua, int64_t units, int level)
{
    Run *run = script_run(lua);

    units += run->script->charged;
    run->script->charged = 0;
    run->work += units;
    run->turn += units;
    if (run->work <= run->script->config->work)
        return;
    run->over = true;
    luaL_where(lua, level);
    lua_pushfstring(lua, "it works too long: more than `work` %I",
                    (LUAI_UACINT)run->script->config->work);
    lua_concat(lua, 2);
    lua_error(lua);
}

/* Every SCRIPT_STEP instructions, and after much was allocated. */
static void
look(lua_State *lua, G_GNUC_UNUSED lua_Debug *where)
{
    Run *run = script_run(lua);

    lua_sethook(lua, look, LUA_MASKCOUNT, run->over ? 1 : SCRIPT_STEP);
    spend(lua, SCRIPT_STEP, 0);
    if (run->turn < SCRIPT_TURN || !lua_isyieldable(lua))
        return;
    run->wait.ask = NULL;
    lua_yield(lua, 0);
}

void
script_charge(lua_State *lua, int64_t units)
{
    spend(lua, units, 1);
}

void
script_check_stack(lua_State *lua)
{
    const char *here = __builtin_frame_address(0);

    if (script_run(lua)->stack - here > SCRIPT_STACK)
        luaL_error(lua, "functions call each other too deeply");
}

const char *
script_text(lua_State *lua, int index)
{
    size_t length;
    const char *text = luaL_checklstring(lua, index, &length);

    luaL_argcheck(lua, strlen(text) == length, index, "a NUL in a text");
    return text;
}

/* ---- errors ------------------------------------------------------------- */

/* Where the calls came from that led to it, as far as they are the script's. */
static void
append_frames(GString *text, lua_State *lua)
{
    lua_Debug frame;
    unsigned shown = 0, own = 0;

    for (int level = 0; shown < FRAMES && lua_getstack(lua, level, &frame);
         level++) {
        if (!lua_getinfo(lua, "Sl", &frame) || frame.currentline < 0)
            continue;
        if (own++ == 0)
            continue;
        g_string_append_printf(text, "%s%s:%d", shown++ == 0 ? ", from " : ", ",
                               frame.short_src, frame.currentline);
    }
}

void
script_error(lua_State *lua, GError **error)
{
    GString *text = g_string_new(NULL);

    if (lua_type(lua, -1) == LUA_TSTRING)
        g_string_append_len(text, lua_tostring(lua, -1),
                            (gssize)MIN(lua_rawlen(lua, -1), ERROR_TEXT));
    else
        g_string_append_printf(text, "an error that is a %s",
                               luaL_typename(lua, -1));
    for (gsize i = 0; i < text->len; i++)
        if (g_ascii_iscntrl(text->str[i]))
            text->str[i] = ' ';
    append_frames(text, lua);
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, text->str);
    g_string_free(text, TRUE);
}

/* ---- tables ------------------------------------------------------------- */

void
script_push_table(lua_State *lua, const void *key)
{
    if (lua_rawgetp(lua, LUA_REGISTRYINDEX, key) == LUA_TTABLE)
        return;
    lua_pop(lua, 1);
    lua_newtable(lua);
    lua_pushvalue(lua, -1);
    lua_rawsetp(lua, LUA_REGISTRYINDEX, key);
}

void
script_drop_table(const Script *script, const void *key)
{
    if (script->lua == NULL)
        return;
    lua_pushnil(script->lua);
    lua_rawsetp(script->lua, LUA_REGISTRYINDEX, key);
}

/* ---- life --------------------------------------------------------------- */

static int
fail_unprotected(lua_State *lua)
{
    g_error("an error outside of any call of Lua: %s",
            lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : "?");
    return 0;
}

static int
load(lua_State *lua)
{
    const Script *script = script_run(lua)->script;

    sandbox_open(lua);
    sandbox_load(lua, &script->config->script);
    declare_finish(lua);
    return 0;
}

static bool
run_file(Script *script, GError **error)
{
    lua_State *lua = script->lua;

    lua_sethook(lua, look, LUA_MASKCOUNT, SCRIPT_STEP);
    script->running = &script->load;
    script->load.stack = __builtin_frame_address(0);
    lua_pushcfunction(lua, load);
    bool ok = lua_pcall(lua, 0, 0, 0) == LUA_OK;
    script->running = NULL;
    script->load.call = NULL;
    if (!ok && script->problem != NULL)
        g_propagate_error(error, g_steal_pointer(&script->problem));
    else if (!ok)
        script_error(lua, error);
    lua_settop(lua, 0);
    return ok;
}

bool
script_open(Script *script, const Config *config, FilterdDescribe *describe,
            GError **error)
{
    Declarations *declared = script->declared;

    *script =
        (Script){.config = config, .describe = describe, .declared = declared};
    script->lua = lua_newstate(allocate, script);
    if (script->lua == NULL) {
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_NOMEM,
                            "`memory` is too little to begin with");
        return false;
    }
    script->load = (Run){.script = script, .thread = script->lua, .stage = -1};
    *(Run **)lua_getextraspace(script->lua) = &script->load;
    lua_atpanic(script->lua, fail_unprotected);
    if (run_file(script, error))
        return true;
    script_close(script);
    return false;
}

void
script_close(Script *script)
{
    g_clear_pointer(&script->lua, lua_close);
    g_clear_error(&script->problem);
}
