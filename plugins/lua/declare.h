/* declare.h: fields of what a script declares.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * All raise errors that name the line of the script.
 */
#pragma once

#include "plugins/lua/script.h"

/* Of the table at 1. NULL: not there; else it is a text without NUL, which
 * lives as long as the table. */
const char *declare_find_text(lua_State *lua, const char *field);
const char *declare_get_text(lua_State *lua, const char *field);
bool declare_flag(lua_State *lua, const char *field);
/* FALSE: not there. */
bool declare_find_integer(lua_State *lua, const char *field, int64_t *number);
/* Raises an error where the table has a field that is none of these. */
void declare_fields(lua_State *lua, const char *const *known);
/* A copy that lives as long as the options. */
const char *declare_keep(lua_State *lua, const char *text);
/* What a list of texts says, kept, with NULL at its end; NULL: not there. */
const char *const *declare_keep_list(lua_State *lua, const char *field);
/* A name of a fact, an action, an option. */
const char *declare_name(lua_State *lua);

int declare_option(lua_State *lua);
int declare_action(lua_State *lua);
