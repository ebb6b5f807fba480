/* lua.c: checks that are written as scripts.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/lua/convert.h"
#include "plugins/lua/describe.h"
#include "plugins/lua/manual.h"
#include "plugins/lua/plugin.h"
#include "plugins/lua/run.h"

#include <string.h>

/* Octets of the body that a hook gets at once. */
#define BODY_PIECE 16384

/* Their addresses are the keys of the tables `session` and `message`. */
typedef struct State {
    char unused;
} State;

/* ---- hooks -------------------------------------------------------------- */

static bool
run_stage(FilterdCall *call, ScriptHook hook, GError **error)
{
    const RunStart start = {.hook = script_hooks[hook], .stage = (int)hook};

    return run_hook(call->instance, call, &start, error);
}

static bool
lua_hook_connect(FilterdCall *call, GError **error)
{
    return run_stage(call, SCRIPT_CONNECT, error);
}

static bool
lua_hook_helo(FilterdCall *call, GError **error)
{
    return run_stage(call, SCRIPT_HELO, error);
}

static bool
lua_hook_mail(FilterdCall *call, GError **error)
{
    return run_stage(call, SCRIPT_MAIL, error);
}

static bool
lua_hook_rcpt(FilterdCall *call, GError **error)
{
    return run_stage(call, SCRIPT_RCPT, error);
}

static bool
lua_hook_data(FilterdCall *call, GError **error)
{
    return run_stage(call, SCRIPT_DATA, error);
}

static bool
lua_hook_eom(FilterdCall *call, GError **error)
{
    return run_stage(call, SCRIPT_EOM, error);
}

/* ---- the message -------------------------------------------------------- */

static void
push_lower(lua_State *lua, const char *bytes, size_t length)
{
    luaL_Buffer buffer;
    char *lower = luaL_buffinitsize(lua, &buffer, length);

    for (size_t i = 0; i < length; i++)
        lower[i] = g_ascii_tolower(bytes[i]);
    luaL_pushresultsize(&buffer, length);
}

/* Without the CRLFs that fold it, and the blanks round it. */
static void
push_unfolded(lua_State *lua, const char *bytes, size_t length)
{
    luaL_Buffer buffer;

    while (length > 0 && g_ascii_isspace(*bytes)) {
        bytes++;
        length--;
    }
    while (length > 0 && g_ascii_isspace(bytes[length - 1]))
        length--;
    luaL_buffinit(lua, &buffer);
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != '\r' && bytes[i] != '\n')
            luaL_addchar(&buffer, bytes[i]);
    luaL_pushresult(&buffer);
}

static int
push_field(lua_State *lua, const void *data)
{
    const FilterdField *field = data;

    push_lower(lua, field->bytes, field->name_length);
    push_unfolded(lua, field->bytes + field->value,
                  field->length - field->value);
    lua_pushlstring(lua, field->bytes, field->length);
    return 3;
}

static bool
lua_hook_header(FilterdCall *call, const FilterdField *field, GError **error)
{
    const RunStart start = {.hook = script_hooks[SCRIPT_HEADER],
                            .stage = -1,
                            .push = push_field,
                            .data = field};

    return run_hook(call->instance, call, &start, error);
}

typedef struct Piece {
    const char *bytes;
    size_t length;
} Piece;

static int
push_piece(lua_State *lua, const void *data)
{
    const Piece *piece = data;

    lua_pushlstring(lua, piece->bytes, piece->length);
    return 1;
}

static bool
lua_hook_body(FilterdCall *call, const char *bytes, size_t length,
              GError **error)
{
    while (length > 0) {
        const Piece piece = {bytes, MIN(length, BODY_PIECE)};
        const RunStart start = {.hook = script_hooks[SCRIPT_BODY],
                                .stage = -1,
                                .push = push_piece,
                                .data = &piece};
        if (!run_hook(call->instance, call, &start, error))
            return false;
        bytes += piece.length;
        length -= piece.length;
    }
    return true;
}

/* ---- what became of it -------------------------------------------------- */

static int
push_outcome(lua_State *lua, const void *data)
{
    static const char *const fates[] = {
        [FILTERD_ACCEPTED] = "accepted",
        [FILTERD_QUARANTINED] = "quarantined",
        [FILTERD_DISCARDED] = "discarded",
        [FILTERD_TEMPFAILED] = "tempfailed",
        [FILTERD_REJECTED] = "rejected",
    };
    const FilterdOutcome *outcome = data;

    lua_createtable(lua, 0, 3);
    lua_pushstring(lua, fates[outcome->fate]);
    lua_setfield(lua, -2, "fate");
    lua_pushstring(lua, outcome->rule);
    lua_setfield(lua, -2, "rule");
    lua_pushboolean(lua, outcome->asked);
    lua_setfield(lua, -2, "asked");
    return 1;
}

static void
lua_hook_done(FilterdCall *call, const FilterdOutcome *outcome)
{
    const RunStart start = {.hook = script_hooks[SCRIPT_DONE],
                            .stage = -1,
                            .push = push_outcome,
                            .data = outcome};
    g_autoptr(GError) error = NULL;

    if (!run_hook(call->instance, call, &start, &error)
        && !g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_INTR))
        call->host->log(call, FILTERD_LOG_WARNING, "done: %s", error->message);
}

/* ---- actions ------------------------------------------------------------ */

typedef struct Arguments {
    const FilterdAction *action;
    const FilterdValue *values;
} Arguments;

static int
push_arguments(lua_State *lua, const void *data)
{
    const Arguments *arguments = data;
    int length = 0;

    for (; arguments->action->arguments[length] != FILTERD_UNKNOWN; length++) {
        luaL_checkstack(lua, 2, "too many arguments");
        convert_push(lua, &arguments->values[length]);
    }
    return length;
}

bool
plugin_act(FilterdCall *call, const FilterdValue *values, GError **error)
{
    const Declared *declared = ((const Config *)call->config)->declared;
    const Arguments arguments = {call->action, values};
    const RunStart start = {
        .hook = call->action->name,
        .stage = -1,
        .push = push_arguments,
        .data = &arguments,
        .action = true,
        .edits = declared->edits[call->action - declared->actions],
    };

    return run_hook(call->instance, call, &start, error);
}

/* ---- life --------------------------------------------------------------- */

static bool
start(FilterdCall *call, GError **error)
{
    call->host->blame(call, "script", 0);
    return script_open(call->instance, call->config, NULL, error);
}

static void
stop(FilterdCall *call)
{
    script_close(call->instance);
}

static void
clear_message(FilterdCall *call)
{
    script_drop_table(call->instance, call->message);
}

static void
clear_session(FilterdCall *call)
{
    script_drop_table(call->instance, call->session);
}

/* ---- tables ------------------------------------------------------------- */

static const FilterdOption given_group[] = {
    {"name", FILTERD_TEXT, FILTERD_POSITION | FILTERD_REQUIRED,
     offsetof(Given, name), .doc = "An option that the script declares."},
    {"value", FILTERD_TEXT, FILTERD_POSITION | FILTERD_MANY | FILTERD_REQUIRED,
     offsetof(Given, values), .doc = "Its value, or values."},
    {NULL},
};

static const FilterdOption options[] = {
    {"script", FILTERD_FILE, FILTERD_REQUIRED, offsetof(Config, script),
     .doc = "The script."},
    {"module", FILTERD_FILE, FILTERD_MANY, offsetof(Config, modules),
     .doc = "A file that the script may `require` by its name without `.lua`. "
            "There is no other place where it would be looked for."},
    {"set", FILTERD_GROUP, FILTERD_MANY, offsetof(Config, given),
     .doc = "Gives a value to an option that the script declares, and that "
            "says its type.",
     .group = given_group, .size = sizeof(Given)},
    {"memory", FILTERD_INT, 0, offsetof(Config, memory), "32M",
     "Octets that the script may have in a worker, for all its sessions. What "
     "would go beyond is an error of the hook that asks for them.",
     .low = 1 << 20, .high = INT64_C(1) << 32},
    {"work", FILTERD_INT, 0, offsetof(Config, work), "10M",
     "How long a hook may work, and the file when it is loaded: about so many "
     "instructions of Lua. A hook that works longer is ended. What it waits "
     "does not count.",
     .low = 10000, .high = INT64_C(10000000000)},
    {NULL},
};

FILTERD_PLUGIN(.name = "lua", .version = "1",
               .summary = "checks that are written as scripts",
               .options = options, .config_size = sizeof(Config),
               .instance_size = sizeof(Script), .session_size = sizeof(State),
               .message_size = sizeof(State), .start = start, .stop = stop,
               .connect = lua_hook_connect, .helo = lua_hook_helo,
               .mail = lua_hook_mail, .rcpt = lua_hook_rcpt,
               .data = lua_hook_data, .header = lua_hook_header,
               .body = lua_hook_body, .eom = lua_hook_eom,
               .clear_message = clear_message, .clear_session = clear_session,
               .done = lua_hook_done, .describe = describe_script, .edits = ~0U,
               .description = description, .example = example);
