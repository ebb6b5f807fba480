/* conversation.c: conversations of a script with servers.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One lasts no longer than the hook that opened it: what a script keeps of it
 * afterwards is a conversation that is over.
 */
#include "plugins/lua/run.h"

#include <string.h>

/* Octets of one read. */
#define READ_SIZE 16384
/* Where the script says nothing of patience. */
#define PATIENCE 5000

static const char methods_key;

/* What the script has: which stream of which run. */
typedef struct Handle {
    int64_t run;
    unsigned index;
} Handle;

/* ---- outside of Lua ----------------------------------------------------- */

/* Keeps what was wrong until the hook returns; false: cancelled. */
static bool
note_problem(FilterdCall *call, Wait *wait, GError *error)
{
    bool cancelled = error->code == FILTERD_STREAM_CANCELLED;
    size_t size = strlen(error->message) + 1;

    wait->problem =
        memcpy(call->host->allocate(call, size), error->message, size);
    g_error_free(error);
    return !cancelled;
}

static bool
ask_open(FilterdCall *call, Wait *wait)
{
    GError *error = NULL;

    wait->stream =
        call->host->stream_open(call, wait->key, wait->number, &error);
    return wait->stream != NULL || note_problem(call, wait, error);
}

static bool
ask_write(FilterdCall *call, Wait *wait)
{
    GError *error = NULL;

    return call->host->stream_write(call, wait->stream, wait->value,
                                    wait->length, &error)
           || note_problem(call, wait, error);
}

static bool
ask_line(FilterdCall *call, Wait *wait)
{
    GError *error = NULL;

    wait->value =
        call->host->stream_line(call, wait->stream, &wait->length, &error);
    return wait->value != NULL || note_problem(call, wait, error);
}

static bool
ask_read(FilterdCall *call, Wait *wait)
{
    GError *error = NULL;
    char *bytes = call->host->allocate(call, READ_SIZE);

    wait->value = bytes;
    return call->host->stream_read(call, wait->stream, bytes, READ_SIZE,
                                   &wait->length, &error)
           || note_problem(call, wait, error);
}

void
run_close_streams(Run *run)
{
    for (unsigned i = 0; i < RUN_STREAMS; i++)
        if (run->streams[i] != NULL)
            run->call->host->stream_close(run->call, run->streams[i]);
}

/* ---- in Lua ------------------------------------------------------------- */

static int
push_problem(lua_State *lua, const Wait *wait)
{
    lua_pushnil(lua);
    lua_pushstring(lua, wait->problem);
    return 2;
}

static unsigned
free_place(const Run *run)
{
    unsigned place = 0;

    while (place < RUN_STREAMS && run->streams[place] != NULL)
        place++;
    return place;
}

/* The handle was made before: nothing can fail once the stream is there. */
static int
end_open(lua_State *lua, G_GNUC_UNUSED int status,
         G_GNUC_UNUSED lua_KContext context)
{
    Run *run = script_run(lua);
    Handle *handle = lua_touserdata(lua, -1);

    if (run->wait.stream == NULL)
        return push_problem(lua, &run->wait);
    *handle = (Handle){run->number, free_place(run)};
    run->streams[handle->index] = run->wait.stream;
    return 1;
}

static int
converse(lua_State *lua)
{
    Wait wait = {.ask = ask_open,
                 .key = script_text(lua, 1),
                 .number = luaL_optinteger(lua, 2, PATIENCE)};
    const Run *run = script_run(lua);

    luaL_argcheck(lua, wait.number > 0, 2, "patience is more than 0");
    if (run->call != NULL && free_place(run) == RUN_STREAMS)
        return luaL_error(lua, "%d conversations are open already",
                          RUN_STREAMS);
    *(Handle *)lua_newuserdatauv(lua, sizeof(Handle), 0) = (Handle){0};
    lua_rawgetp(lua, LUA_REGISTRYINDEX, &methods_key);
    lua_setmetatable(lua, -2);
    return run_wait(lua, "converse", &wait, end_open);
}

static const Handle *
get_handle(lua_State *lua)
{
    const Handle *handle = lua_touserdata(lua, 1);
    const Run *run = script_run(lua);

    if (!lua_isuserdata(lua, 1) || run->number != handle->run
        || run->streams[handle->index] == NULL)
        luaL_error(lua, "this is no conversation that is open in this hook");
    return handle;
}

static FilterdStream *
get_stream(lua_State *lua)
{
    return script_run(lua)->streams[get_handle(lua)->index];
}

static int
end_write(lua_State *lua, G_GNUC_UNUSED int status,
          G_GNUC_UNUSED lua_KContext context)
{
    const Wait *wait = &script_run(lua)->wait;

    if (wait->problem != NULL)
        return push_problem(lua, wait);
    lua_pushboolean(lua, 1);
    return 1;
}

static int
end_read(lua_State *lua, G_GNUC_UNUSED int status,
         G_GNUC_UNUSED lua_KContext context)
{
    const Wait *wait = &script_run(lua)->wait;

    if (wait->problem != NULL)
        return push_problem(lua, wait);
    lua_pushlstring(lua, wait->value, wait->length);
    return 1;
}

static int
stream_write(lua_State *lua)
{
    Wait wait = {.ask = ask_write, .stream = get_stream(lua)};

    wait.value = luaL_checklstring(lua, 2, &wait.length);
    return run_wait(lua, "write", &wait, end_write);
}

static int
stream_line(lua_State *lua)
{
    const Wait wait = {.ask = ask_line, .stream = get_stream(lua)};

    return run_wait(lua, "line", &wait, end_read);
}

static int
stream_read(lua_State *lua)
{
    const Wait wait = {.ask = ask_read, .stream = get_stream(lua)};

    return run_wait(lua, "read", &wait, end_read);
}

static int
stream_close(lua_State *lua)
{
    Run *run = script_run(lua);
    unsigned index = get_handle(lua)->index;

    run->call->host->stream_close(run->call, run->streams[index]);
    run->streams[index] = NULL;
    return 0;
}

void
conversation_open(lua_State *lua)
{
    static const luaL_Reg methods[] = {{"write", stream_write},
                                       {"line", stream_line},
                                       {"read", stream_read},
                                       {"close", stream_close},
                                       {NULL, NULL}};

    lua_pushcfunction(lua, converse);
    lua_setfield(lua, -2, "converse");
    lua_createtable(lua, 0, 2);
    luaL_newlib(lua, methods);
    sandbox_view(lua);
    lua_setfield(lua, -2, "__index");
    lua_rawsetp(lua, LUA_REGISTRYINDEX, &methods_key);
}
