/* script.h: a script that is loaded: its Lua state within its limits, and what
 * it declared.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Two owners have one for the same file: describe() for as long as it reads
 * what the script declares, and an instance from start to stop. Nothing of Lua
 * is called outside of a protected call but what cannot fail.
 */
#pragma once

#include "plugins/lua/config.h"

#include <lauxlib.h>
#include <lua.h>

/* Octets of one string, or of one part of a table. */
#define SCRIPT_BLOCK 1048576
/* Units of work between two looks at the limits, and until others have their
 * turn. A unit is about an instruction. */
#define SCRIPT_STEP 250
#define SCRIPT_TURN 200000
/* Octets that cost one unit. */
#define SCRIPT_OCTETS 8
/* Units for memory that there is not. */
#define SCRIPT_DENIED 500000
/* Octets of the C stack below which no function of the script is called by a
 * C function: a fiber has few. */
#define SCRIPT_STACK 65536
/* Conversations of one run at a time. */
#define RUN_STREAMS 4
/* Of each kind. */
#define SCRIPT_DECLARATIONS 200

typedef struct Script Script;

typedef enum ScriptHook {
    SCRIPT_CONNECT,
    SCRIPT_HELO,
    SCRIPT_MAIL,
    SCRIPT_RCPT,
    SCRIPT_DATA,
    SCRIPT_EOM, /* up to here as FilterdStage */
    SCRIPT_HEADER,
    SCRIPT_BODY,
    SCRIPT_DONE,
    SCRIPT_HOOKS,
} ScriptHook;

extern const char *const script_hooks[SCRIPT_HOOKS];

/* What a coroutine yields for. */
typedef struct Wait {
    /* On the fiber's own C stack; false: cancelled, nothing goes on. NULL: it
     * yields for others to have their turn. */
    bool (*ask)(FilterdCall *call, struct Wait *wait);
    const char *key; /* on the coroutine's stack, as is `value` */
    const char *value;
    size_t length;
    int64_t number, lifetime;
    FilterdStream *stream;
    const char *problem; /* of the stream; NULL: none */
    union {
        const FilterdDnsAnswer *answer;
        const FilterdValue *fact;
        FilterdStoreStatus status;
    };
} Wait;

/* One run of a hook, or of the file. */
typedef struct Run {
    Script *script;
    FilterdCall *call; /* NULL: the file is being loaded */
    lua_State *thread;
    const char *stack; /* where the C stack was when Lua was entered */
    const char *hook;
    int stage;      /* whose facts it publishes; -1: none */
    int64_t work;   /* units so far */
    int64_t turn;   /* units since others had theirs */
    bool over;      /* the limit is passed: nothing catches that */
    unsigned edits; /* that it may request: bits of 1 << FilterdEditKind */
    int64_t number; /* its own */
    FilterdStream *streams[RUN_STREAMS]; /* NULL: free */
    Wait wait;
} Run;

struct Script {
    lua_State *lua;
    const Config *config;
    size_t used;
    int64_t charged;           /* units that the next look will see */
    Run load;                  /* of the file itself */
    int64_t runs;              /* so far */
    Run *running;              /* whose Lua code is on the C stack */
    Declarations *declared;    /* NULL: not collected any more */
    FilterdDescribe *describe; /* while describing */
    GError *problem;           /* why the file does not load, if not Lua's */
    unsigned hooks;            /* that it has: bits of 1 << ScriptHook */
};

/* False with an error; nothing is left then. With `describe` the declarations
 * are collected, else they are those of config->declared. */
bool script_open(Script *script, const Config *config,
                 FilterdDescribe *describe, GError **error);
void script_close(Script *script);

/* The run that this Lua code belongs to. */
Run *script_run(lua_State *lua);
/* Takes note of work that no instruction shows; raises an error over the
 * limit. */
void script_charge(lua_State *lua, int64_t units);
/* Raises an error where the C stack is at its end: what calls functions of the
 * script from C comes by here. */
void script_check_stack(lua_State *lua);
/* Raises an error where `index` is no text, or has a NUL in it. */
const char *script_text(lua_State *lua, int index);

/* The error that was raised, with where it came from; pops nothing. */
void script_error(lua_State *lua, GError **error);

/* ---- tables of the registry --------------------------------------------- */

/* Pushes the table with that key, made where there is none. */
void script_push_table(lua_State *lua, const void *key);
/* Cannot fail. */
void script_drop_table(const Script *script, const void *key);
/* Pushes the hook of that name, or nil. */
int script_push_hook(lua_State *lua, const char *name);

/* ---- parts of the environment; each fills the table on top -------------- */

void sandbox_open(lua_State *lua);
void sandbox_load(lua_State *lua, const FilterdFile *file);
/* The table on top cannot be changed from now on. */
void sandbox_view(lua_State *lua);
void strings_open(lua_State *lua);
void declare_open(lua_State *lua);
/* Once the file is loaded: looks at its hooks. */
void declare_finish(lua_State *lua);
/* Pushes what that action runs. */
void declare_push_action(lua_State *lua, const char *name);
void api_open(lua_State *lua);
void edits_open(lua_State *lua);
void ip_open(lua_State *lua);
void conversation_open(lua_State *lua);
