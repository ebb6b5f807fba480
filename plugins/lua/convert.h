/* convert.h: values of filterd and of Lua.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *   bool  boolean    int  integer    duration  integer, milliseconds
 *   text, word, domain, address, ip  string    list  table from 1 on
 *   unknown  nil
 */
#pragma once

#include "plugins/lua/script.h"

/* Octets of a text that is published; what is longer is cut. */
#define CONVERT_TEXT 4096
/* Items of a list that is published. */
#define CONVERT_LIST 200

void convert_push(lua_State *lua, const FilterdValue *value);
/* What stands at `index` as that fact's value; raises an error where it cannot
 * be that. The texts live until the hook returns. */
FilterdValue convert_get(lua_State *lua, int index, const FilterdFact *fact);

/* The type that a word means; raises an error where it means none. */
FilterdType convert_type(lua_State *lua, const char *word);
/* Whether that is "example.com", in lower case and with A-labels. */
bool convert_is_domain(const char *text);
