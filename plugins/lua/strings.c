/* strings.c: find, match, gmatch and gsub of strings, as Lua's are (reference
 * manual 6.4), but with an end to each.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/lua/pattern.h"
#include "plugins/lua/script.h"

#include <string.h>

/* Steps that cost a unit. */
#define STEPS 2

/* ---- a match ------------------------------------------------------------ */

typedef struct Search {
    Pattern pattern;
    const char *item; /* the pattern, behind a ^ */
    bool anchored;
} Search;

static void
begin_search(lua_State *lua, Search *search, int subject, int pattern)
{
    size_t length, pattern_length;
    const char *text = luaL_checklstring(lua, subject, &length);
    const char *item = luaL_checklstring(lua, pattern, &pattern_length);

    search->pattern = (Pattern){.subject = text,
                                .subject_end = text + length,
                                .end = item + pattern_length};
    search->anchored = pattern_length > 0 && *item == '^';
    search->item = search->anchored ? item + 1 : item;
}

static void
pay(lua_State *lua, Search *search)
{
    script_charge(lua, search->pattern.steps / STEPS);
    search->pattern.steps = 0;
}

/* The end of the match that begins at `at`. */
static const char *
match_at(lua_State *lua, Search *search, const char *at)
{
    Pattern *pattern = &search->pattern;
    const char *end = pattern_end(pattern, at, search->item);

    if (pattern->problem == NULL)
        return end;
    pay(lua, search);
    luaL_error(lua, "%s", pattern->problem);
    return NULL;
}

/* The first match from `*at` on, whose begin `*at` is then. */
static const char *
find_from(lua_State *lua, Search *search, const char **at)
{
    const char *end;

    while ((end = match_at(lua, search, *at)) == NULL && !search->anchored
           && *at < search->pattern.subject_end)
        ++*at;
    pay(lua, search);
    return end;
}

/* ---- captures ----------------------------------------------------------- */

static void
push_capture(lua_State *lua, const Search *search, unsigned index)
{
    const PatternCapture *capture = &search->pattern.capture[index];

    if (capture->length == PATTERN_POSITION)
        lua_pushinteger(lua, capture->start - search->pattern.subject + 1);
    else if (capture->length == PATTERN_OPEN)
        luaL_error(lua, "the pattern has a `(` without its `)`");
    else
        lua_pushlstring(lua, capture->start, (size_t)capture->length);
}

/* The whole match counts as one where there are none. */
static void
push_first(lua_State *lua, const Search *search, const char *at,
           const char *end)
{
    if (search->pattern.captures > 0)
        push_capture(lua, search, 0);
    else
        lua_pushlstring(lua, at, (size_t)(end - at));
}

static int
push_captures(lua_State *lua, const Search *search, const char *at,
              const char *end)
{
    luaL_checkstack(lua, PATTERN_CAPTURES, "too many captures");
    if (search->pattern.captures == 0 && at != NULL)
        push_first(lua, search, at, end);
    for (unsigned i = 0; i < search->pattern.captures; i++)
        push_capture(lua, search, i);
    if (search->pattern.captures == 0)
        return at != NULL ? 1 : 0;
    return (int)search->pattern.captures;
}

/* ---- find and match ----------------------------------------------------- */

/* Where to begin, from 0; more than `length`: nowhere. */
static size_t
initial(lua_State *lua, int index, size_t length)
{
    lua_Integer from = luaL_optinteger(lua, index, 1);

    if (from > 0)
        return (size_t)from - 1;
    if (from == 0 || from < -(lua_Integer)length)
        return 0;
    return length + (size_t)from;
}

static int
find_plain(lua_State *lua, size_t from)
{
    size_t length, sought;
    const char *text = lua_tolstring(lua, 1, &length);
    const char *what = luaL_checklstring(lua, 2, &sought);

    const char *found = sought == 0
                            ? text + from
                            : memmem(text + from, length - from, what, sought);
    size_t passed =
        (found != NULL ? (size_t)(found - text) : length) - from + sought;
    script_charge(lua, (int64_t)(passed / SCRIPT_OCTETS));
    if (found == NULL)
        return 0;
    lua_pushinteger(lua, found - text + 1);
    lua_pushinteger(lua, found - text + (lua_Integer)sought);
    return 2;
}

/* As Lua has it, a `)` alone is no mistake then. */
static bool
is_plain(lua_State *lua)
{
    size_t length;
    const char *pattern = lua_tolstring(lua, 2, &length);

    for (size_t i = 0; i < length; i++)
        if (pattern[i] != '\0' && strchr("^$*+?.([%-", pattern[i]) != NULL)
            return false;
    return true;
}

static int
find_or_match(lua_State *lua, bool find)
{
    Search search;
    size_t length;

    luaL_checklstring(lua, 1, &length);
    size_t from = initial(lua, 3, length);
    luaL_checkstring(lua, 2);
    if (from > length) {
        lua_pushnil(lua);
        return 1;
    }
    if (find && (lua_toboolean(lua, 4) || is_plain(lua))) {
        int results = find_plain(lua, from);
        return results > 0 ? results : (lua_pushnil(lua), 1);
    }
    begin_search(lua, &search, 1, 2);
    const char *at = search.pattern.subject + from;
    const char *end = find_from(lua, &search, &at);
    if (end == NULL) {
        lua_pushnil(lua);
        return 1;
    }
    if (!find)
        return push_captures(lua, &search, at, end);
    lua_pushinteger(lua, at - search.pattern.subject + 1);
    lua_pushinteger(lua, end - search.pattern.subject);
    return 2 + push_captures(lua, &search, NULL, NULL);
}

static int
find(lua_State *lua)
{
    return find_or_match(lua, true);
}

static int
match(lua_State *lua)
{
    return find_or_match(lua, false);
}

/* ---- gmatch ------------------------------------------------------------- */

/* Upvalues: the subject, the pattern, where to go on, where the last match
 * ended. */
static int
next_match(lua_State *lua)
{
    Search search;

    begin_search(lua, &search, lua_upvalueindex(1), lua_upvalueindex(2));
    search.item -= search.anchored ? 1 : 0; /* here a ^ is itself */
    search.anchored = false;
    const char *subject = search.pattern.subject;
    const char *at = subject + lua_tointeger(lua, lua_upvalueindex(3));
    const char *last = subject + lua_tointeger(lua, lua_upvalueindex(4));
    while (at <= search.pattern.subject_end) {
        const char *end = find_from(lua, &search, &at);
        if (end == NULL)
            break;
        if (end == last) {
            at++;
            continue;
        }
        lua_pushinteger(lua, end - subject);
        lua_copy(lua, -1, lua_upvalueindex(3));
        lua_replace(lua, lua_upvalueindex(4));
        return push_captures(lua, &search, at, end);
    }
    return 0;
}

static int
gmatch(lua_State *lua)
{
    size_t length;

    luaL_checklstring(lua, 1, &length);
    luaL_checkstring(lua, 2);
    size_t from = MIN(initial(lua, 3, length), length + 1);
    lua_settop(lua, 2);
    lua_pushinteger(lua, (lua_Integer)from);
    lua_pushinteger(lua, -1);
    lua_pushcclosure(lua, next_match, 4);
    return 1;
}

/* ---- gsub --------------------------------------------------------------- */

static void
add_text(lua_State *lua, const Search *search, const char *at, const char *end)
{
    size_t length;
    const char *text = lua_tolstring(lua, 3, &length);
    luaL_Buffer buffer;

    luaL_buffinit(lua, &buffer);
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '%') {
            luaL_addchar(&buffer, text[i]);
            continue;
        }
        char which = ++i < length ? text[i] : '\0';
        if (which == '%') {
            luaL_addchar(&buffer, '%');
        } else if (which == '0') {
            luaL_addlstring(&buffer, at, (size_t)(end - at));
        } else if (which >= '1' && which <= '9'
                   && (which == '1'
                       || which - '1' < (int)search->pattern.captures)) {
            if (which == '1')
                push_first(lua, search, at, end);
            else
                push_capture(lua, search, (unsigned)(which - '1'));
            luaL_addvalue(&buffer);
        } else {
            luaL_error(lua, "`%%` in what replaces is not followed by a "
                            "capture's number or `%%`");
        }
    }
    luaL_pushresult(&buffer);
}

/* Pushes what the match is replaced by. */
static void
push_replacement(lua_State *lua, const Search *search, const char *at,
                 const char *end)
{
    if (lua_type(lua, 3) == LUA_TFUNCTION) {
        script_check_stack(lua);
        lua_pushvalue(lua, 3);
        lua_call(lua, push_captures(lua, search, at, end), 1);
    } else if (lua_type(lua, 3) == LUA_TTABLE) {
        push_first(lua, search, at, end);
        lua_gettable(lua, 3);
    } else {
        add_text(lua, search, at, end);
    }
    if (!lua_toboolean(lua, -1)) {
        lua_pop(lua, 1);
        lua_pushlstring(lua, at, (size_t)(end - at));
    } else if (!lua_isstring(lua, -1)) {
        luaL_error(lua, "what replaces is a %s", luaL_typename(lua, -1));
    }
}

/* The parts go into a table, which is joined at the end: nothing else may be
 * on the stack while a buffer grows. */
typedef struct Parts {
    lua_Integer length;
    int table;
} Parts;

static void
add_part(lua_State *lua, Parts *parts)
{
    lua_rawseti(lua, parts->table, ++parts->length);
}

static void
add_between(lua_State *lua, Parts *parts, const char *from, const char *to)
{
    if (from >= to)
        return;
    lua_pushlstring(lua, from, (size_t)(to - from));
    add_part(lua, parts);
}

static void
join_parts(lua_State *lua, const Parts *parts)
{
    luaL_Buffer buffer;

    luaL_buffinit(lua, &buffer);
    for (lua_Integer i = 1; i <= parts->length; i++) {
        lua_rawgeti(lua, parts->table, i);
        luaL_addvalue(&buffer);
    }
    luaL_pushresult(&buffer);
}

/* How many were replaced; `*rest` is what stands behind the last of them. */
static lua_Integer
replace_all(lua_State *lua, Search *search, Parts *parts, const char **rest)
{
    const char *at = search->pattern.subject, *last = NULL;
    lua_Integer limit = luaL_optinteger(lua, 4, LUA_MAXINTEGER), count = 0;

    *rest = at;
    while (count < limit) {
        const char *end = match_at(lua, search, at);
        pay(lua, search);
        if (end != NULL && end != last) {
            add_between(lua, parts, *rest, at);
            push_replacement(lua, search, at, end);
            add_part(lua, parts);
            count++;
            at = last = *rest = end;
        } else if (at < search->pattern.subject_end) {
            at++;
        } else {
            break;
        }
        if (search->anchored)
            break;
    }
    return count;
}

static int
gsub(lua_State *lua)
{
    Search search;
    Parts parts = {0, 5};
    const char *rest;
    int type = lua_type(lua, 3);

    begin_search(lua, &search, 1, 2);
    luaL_argexpected(lua,
                     type == LUA_TSTRING || type == LUA_TNUMBER
                         || type == LUA_TTABLE || type == LUA_TFUNCTION,
                     3, "string, function or table");
    lua_settop(lua, 4);
    if (type == LUA_TNUMBER)
        lua_tostring(lua, 3);
    lua_newtable(lua);
    lua_Integer count = replace_all(lua, &search, &parts, &rest);
    add_between(lua, &parts, rest, search.pattern.subject_end);
    join_parts(lua, &parts);
    lua_pushinteger(lua, count);
    return 2;
}

void
strings_open(lua_State *lua)
{
    static const luaL_Reg functions[] = {{"find", find},
                                         {"match", match},
                                         {"gmatch", gmatch},
                                         {"gsub", gsub},
                                         {NULL, NULL}};

    luaL_setfuncs(lua, functions, 0);
}
