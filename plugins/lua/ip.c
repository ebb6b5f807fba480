/* ip.c: what a script may ask about addresses.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/lua/address.h"
#include "plugins/lua/script.h"

/* ip.within(ADDRESS, NETWORK …): nil where ADDRESS is none. */
static int
within(lua_State *lua)
{
    FilterdIp ip, network;
    bool found = false;

    if (!address_parse(script_text(lua, 1), &ip)) {
        lua_pushnil(lua);
        return 1;
    }
    for (int i = 2; i <= lua_gettop(lua); i++) {
        luaL_argcheck(lua, address_parse(script_text(lua, i), &network), i,
                      "no network, such as 192.0.2.0/24");
        found = found || address_within(&ip, &network);
    }
    lua_pushboolean(lua, found);
    return 1;
}

void
ip_open(lua_State *lua)
{
    static const luaL_Reg functions[] = {{"within", within}, {NULL, NULL}};

    luaL_newlib(lua, functions);
    sandbox_view(lua);
    lua_setfield(lua, -2, "ip");
}
