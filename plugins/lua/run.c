/* run.c: a hook of a script, run as a coroutine in the fiber that called it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/lua/run.h"

/* How long others have their turn. */
#define TURN_PAUSE 1

typedef struct Beginning {
    Run *run;
    const RunStart *start;
} Beginning;

/* ---- in the coroutine --------------------------------------------------- */

static int
leave(G_GNUC_UNUSED lua_State *lua, G_GNUC_UNUSED int status,
      G_GNUC_UNUSED lua_KContext context)
{
    return 0;
}

static int
enter(lua_State *lua)
{
    const RunStart *start = lua_touserdata(lua, 1);
    int arguments = 0;

    if (start->action)
        declare_push_action(lua, start->hook);
    else
        script_push_hook(lua, start->hook);
    if (start->push != NULL)
        arguments = start->push(lua, start->data);
    lua_callk(lua, arguments, 0, 0, leave);
    return 0;
}

Run *
run_of_hook(lua_State *lua, const char *what)
{
    Run *run = script_run(lua);

    if (run->call == NULL)
        luaL_error(lua, "`%s` is for hooks: there is no mail yet", what);
    return run;
}

int
run_wait(lua_State *lua, const char *what, const Wait *wait, lua_KFunction end)
{
    Run *run = run_of_hook(lua, what);

    if (!lua_isyieldable(lua))
        return luaL_error(lua,
                          "`%s` waits, which cannot be in a function given to "
                          "table.sort or string.gsub",
                          what);
    script_charge(lua, RUN_ASKING);
    run->wait = *wait;
    return lua_yieldk(lua, 0, 0, end);
}

/* ---- round it ----------------------------------------------------------- */

static int
begin(lua_State *lua)
{
    const Beginning *beginning = lua_touserdata(lua, 1);
    Run *run = beginning->run;

    run->thread = lua_newthread(lua);
    *(Run **)lua_getextraspace(run->thread) = run;
    lua_rawsetp(lua, LUA_REGISTRYINDEX, run);
    lua_pushcfunction(run->thread, enter);
    lua_pushlightuserdata(run->thread, (void *)beginning->start);
    return 0;
}

static bool
start_thread(Run *run, const RunStart *start)
{
    lua_State *lua = run->script->lua;
    Beginning beginning = {run, start};

    lua_pushcfunction(lua, begin);
    lua_pushlightuserdata(lua, &beginning);
    bool ok = lua_pcall(lua, 1, 0, 0) == LUA_OK;
    lua_settop(lua, 0);
    return ok;
}

static int
resume(Run *run, int arguments)
{
    int results;

    run->script->running = run;
    run->stack = __builtin_frame_address(0);
    run->script->charged = 0;
    int status = lua_resume(run->thread, NULL, arguments, &results);
    run->script->running = NULL;
    return status;
}

/* Lua is not on the stack: others may run. */
static bool
wait_for(Run *run)
{
    run->turn = 0;
    if (run->wait.ask == NULL)
        return run->call->host->sleep(run->call, TURN_PAUSE);
    return run->wait.ask(run->call, &run->wait);
}

static bool
finish(Run *run, int status, GError **error)
{
    if (status == LUA_YIELD)
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_INTR,
                            "the session ended before it did");
    else if (status != LUA_OK)
        script_error(run->thread, error);
    run_close_streams(run);
    script_drop_table(run->script, run);
    return status == LUA_OK;
}

bool
run_hook(Script *script, FilterdCall *call, const RunStart *start,
         GError **error)
{
    Run run = {
        .script = script,
        .call = call,
        .hook = start->hook,
        .stage = start->stage,
        .edits = start->edits,
        .number = ++script->runs,
    };

    if (!start_thread(&run, start)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOMEM,
                    "not enough memory to begin with");
        return false;
    }
    int status = resume(&run, 1);
    while (status == LUA_YIELD && wait_for(&run))
        status = resume(&run, 0);
    return finish(&run, status, error);
}
