/* run.h: a hook of a script, run as a coroutine in the fiber that called it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Where the script asks for something that waits, the coroutine yields to
 * run_hook(), which asks the host from the fiber's own C stack and resumes. So
 * no other fiber ever runs while Lua is on this one's stack.
 */
#pragma once

#include "plugins/lua/script.h"

/* Units that asking the host costs. */
#define RUN_ASKING 500

typedef struct RunStart {
    const char *hook;
    int stage; /* as in Run */
    /* Pushes what the hook gets and says how many that is; may raise errors.
     * NULL: nothing. */
    int (*push)(lua_State *lua, const void *data);
    const void *data;
    bool action;    /* `hook` is the name of an action */
    unsigned edits; /* that it may request */
} RunStart;

/* Of a hook or an action; raises an error that names `what` while the file is
 * loaded. */
Run *run_of_hook(lua_State *lua, const char *what);
/* Yields for `wait`; then `end` goes on, with what is on the stack. `what` is
 * for errors. */
int run_wait(lua_State *lua, const char *what, const Wait *wait,
             lua_KFunction end);
/* Those that the script left open. */
void run_close_streams(Run *run);

/* False with an error, also where it was cancelled. */
bool run_hook(Script *script, FilterdCall *call, const RunStart *start,
              GError **error);
