/* convert.c: values of filterd and of Lua.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/lua/convert.h"

#include "plugins/lua/address.h"

#include <string.h>

#define DOMAIN_LENGTH 253

static const char *const type_words[] = {
    [FILTERD_BOOL] = "bool",         [FILTERD_INT] = "int",
    [FILTERD_DURATION] = "duration", [FILTERD_TEXT] = "text",
    [FILTERD_WORD] = "word",         [FILTERD_DOMAIN] = "domain",
    [FILTERD_ADDRESS] = "address",   [FILTERD_IP] = "ip",
    [FILTERD_LIST] = "list",
};

FilterdType
convert_type(lua_State *lua, const char *word)
{
    for (unsigned i = FILTERD_BOOL; i <= FILTERD_LIST; i++)
        if (strcmp(type_words[i], word) == 0)
            return (FilterdType)i;
    luaL_error(lua,
               "no type `%s`: it is bool, int, duration, text, word, domain, "
               "address, ip or list",
               word);
    return FILTERD_UNKNOWN;
}

/* ---- to Lua ------------------------------------------------------------- */

static void
push_list(lua_State *lua, const FilterdList *list)
{
    luaL_checkstack(lua, 4, "lists in lists");
    lua_createtable(lua, (int)MIN(list->length, G_MAXINT16), 0);
    for (size_t i = 0; i < list->length; i++) {
        convert_push(lua, &list->items[i]);
        lua_rawseti(lua, -2, (lua_Integer)i + 1);
    }
}

void
convert_push(lua_State *lua, const FilterdValue *value)
{
    char text[ADDRESS_TEXT];

    switch (value->type) {
    case FILTERD_BOOL:
        lua_pushboolean(lua, value->boolean);
        return;
    case FILTERD_INT:
    case FILTERD_DURATION:
        lua_pushinteger(lua, value->integer);
        return;
    case FILTERD_IP:
        address_format(&value->ip, text);
        lua_pushstring(lua, text);
        return;
    case FILTERD_LIST:
        push_list(lua, &value->list);
        return;
    case FILTERD_TEXT:
    case FILTERD_WORD:
    case FILTERD_DOMAIN:
    case FILTERD_ADDRESS:
        lua_pushstring(lua, value->text);
        return;
    default:
        lua_pushnil(lua);
    }
}

/* ---- from Lua ----------------------------------------------------------- */

/* What is wanted of the value at hand. */
typedef struct Wish {
    const FilterdFact *fact;
    FilterdType type; /* the fact's, or its items' */
    int index;
} Wish;

static int
refuse(lua_State *lua, const Wish *wish)
{
    const char *shown = luaL_tolstring(lua, wish->index, NULL);

    return luaL_error(lua, "`%s` is to be %s%s, not %s `%s`", wish->fact->name,
                      wish->fact->type == FILTERD_LIST ? "a list of " : "",
                      type_words[wish->type], luaL_typename(lua, wish->index),
                      shown);
}

/* Whether that is a name of labels; what is written in it is not looked at
 * further. */
bool
convert_is_domain(const char *text)
{
    size_t length = strlen(text), label = 0;

    for (const char *at = text; *at != '\0'; at++) {
        label = *at == '.' ? 0 : label + 1;
        if ((*at == '.' && (at == text || at[-1] == '.')) || label > 63
            || (!g_ascii_isalnum(*at) && strchr("-_.", *at) == NULL)
            || g_ascii_isupper(*at))
            return false;
    }
    return length > 0 && length <= DOMAIN_LENGTH && label > 0;
}

/* A text is one line. */
static char *
copy_text(lua_State *lua, const Wish *wish)
{
    FilterdCall *call = script_run(lua)->call;
    size_t length;

    if (lua_type(lua, wish->index) != LUA_TSTRING)
        refuse(lua, wish);
    const char *text = lua_tolstring(lua, wish->index, &length);
    if (wish->type == FILTERD_TEXT)
        length = MIN(length, CONVERT_TEXT);
    else if (length > CONVERT_TEXT || strlen(text) != length)
        refuse(lua, wish);
    char *copy = call->host->allocate(call, length + 1);
    for (size_t i = 0; i < length; i++)
        copy[i] = g_ascii_iscntrl(text[i]) ? ' ' : text[i];
    return copy;
}

static FilterdValue
get_string(lua_State *lua, const Wish *wish)
{
    char *text = copy_text(lua, wish);

    if (wish->type == FILTERD_DOMAIN) {
        for (char *at = text; *at != '\0'; at++)
            *at = g_ascii_tolower(*at);
        if (!convert_is_domain(text))
            refuse(lua, wish);
    }
    if (wish->type == FILTERD_WORD && !g_strv_contains(wish->fact->words, text))
        refuse(lua, wish);
    if (wish->type == FILTERD_ADDRESS && *text != '\0'
        && strchr(text, '@') == NULL)
        refuse(lua, wish);
    return filterd_string(wish->type, text);
}

static FilterdValue
get_ip(lua_State *lua, const Wish *wish)
{
    FilterdIp ip;

    if (lua_type(lua, wish->index) != LUA_TSTRING
        || !address_parse(lua_tostring(lua, wish->index), &ip))
        refuse(lua, wish);
    return filterd_ip(ip);
}

static FilterdValue
get_integer(lua_State *lua, const Wish *wish)
{
    int is_integer = 0;
    lua_Integer number = lua_type(lua, wish->index) == LUA_TNUMBER
                             ? lua_tointegerx(lua, wish->index, &is_integer)
                             : 0;

    if (!is_integer)
        refuse(lua, wish);
    return wish->type == FILTERD_INT ? filterd_int(number)
                                     : filterd_duration(number);
}

static FilterdValue
get_item(lua_State *lua, const Wish *wish)
{
    if (lua_isnil(lua, wish->index))
        return filterd_unknown();
    if (wish->type == FILTERD_INT || wish->type == FILTERD_DURATION)
        return get_integer(lua, wish);
    if (wish->type == FILTERD_IP)
        return get_ip(lua, wish);
    if (wish->type != FILTERD_BOOL)
        return get_string(lua, wish);
    if (!lua_isboolean(lua, wish->index))
        refuse(lua, wish);
    return filterd_bool(lua_toboolean(lua, wish->index));
}

static FilterdValue
get_list(lua_State *lua, int index, const FilterdFact *fact)
{
    FilterdCall *call = script_run(lua)->call;
    Wish wish = {fact, FILTERD_LIST, index};

    if (!lua_istable(lua, index))
        refuse(lua, &wish);
    size_t length = MIN(lua_rawlen(lua, index), CONVERT_LIST);
    FilterdValue *items =
        call->host->allocate(call, sizeof *items * (length + 1));
    for (size_t i = 0; i < length; i++) {
        lua_rawgeti(lua, index, (lua_Integer)i + 1);
        wish = (Wish){fact, fact->items, lua_gettop(lua)};
        items[i] = get_item(lua, &wish);
        lua_pop(lua, 1);
    }
    return filterd_list(items, length);
}

FilterdValue
convert_get(lua_State *lua, int index, const FilterdFact *fact)
{
    Wish wish = {fact, fact->type, lua_absindex(lua, index)};

    if (fact->type == FILTERD_LIST && !lua_isnil(lua, wish.index))
        return get_list(lua, wish.index, fact);
    return get_item(lua, &wish);
}
