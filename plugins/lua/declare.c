/* declare.c: the facts that a script declares, and those that it needs.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A file is loaded once to see what it declares and once for each worker. The
 * second time all of it is known, and what it says is not looked at again.
 */
#include "plugins/lua/declare.h"

#include "plugins/lua/convert.h"

#include <string.h>

static const char *const stages[] = {"connect", "helo",    "mail", "rcpt",
                                     "data",    "message", NULL};

/* ---- fields ------------------------------------------------------------- */

const char *
declare_find_text(lua_State *lua, const char *field)
{
    const char *text = NULL;

    luaL_checktype(lua, 1, LUA_TTABLE);
    int type = lua_getfield(lua, 1, field);
    if (type == LUA_TSTRING)
        text = script_text(lua, -1);
    else if (type != LUA_TNIL)
        luaL_error(lua, "`%s` is to be a string", field);
    lua_pop(lua, 1);
    return text;
}

const char *
declare_get_text(lua_State *lua, const char *field)
{
    const char *text = declare_find_text(lua, field);

    if (text == NULL)
        luaL_error(lua, "`%s` is missing", field);
    return text;
}

bool
declare_flag(lua_State *lua, const char *field)
{
    lua_getfield(lua, 1, field);
    bool flag = lua_toboolean(lua, -1);
    lua_pop(lua, 1);
    return flag;
}

bool
declare_find_integer(lua_State *lua, const char *field, int64_t *number)
{
    int is_integer = 1;
    bool given = lua_getfield(lua, 1, field) != LUA_TNIL;

    if (given)
        *number = lua_tointegerx(lua, -1, &is_integer);
    if (!is_integer)
        luaL_error(lua, "`%s` is to be an integer", field);
    lua_pop(lua, 1);
    return given;
}

void
declare_fields(lua_State *lua, const char *const *known)
{
    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_pushnil(lua);
    while (lua_next(lua, 1) != 0) {
        bool fine = lua_type(lua, -2) == LUA_TSTRING
                    && g_strv_contains(known, lua_tostring(lua, -2));
        if (!fine)
            luaL_error(lua, "there is no field `%s`",
                       luaL_tolstring(lua, -2, NULL));
        lua_pop(lua, 1);
    }
}

const char *
declare_keep(lua_State *lua, const char *text)
{
    FilterdDescribe *describe = script_run(lua)->script->describe;
    size_t size = strlen(text) + 1;

    return memcpy(describe->allocate(describe, size), text, size);
}

const char *const *
declare_keep_list(lua_State *lua, const char *field)
{
    FilterdDescribe *describe = script_run(lua)->script->describe;
    int type = lua_getfield(lua, 1, field);

    if (type == LUA_TNIL) {
        lua_pop(lua, 1);
        return NULL;
    }
    if (type != LUA_TTABLE)
        luaL_error(lua, "`%s` is to be a list of strings", field);
    size_t length = lua_rawlen(lua, -1);
    const char **list =
        describe->allocate(describe, (length + 1) * sizeof *list);
    for (size_t i = 0; i < length; i++) {
        if (lua_rawgeti(lua, -1, (lua_Integer)i + 1) != LUA_TSTRING)
            luaL_error(lua, "`%s` is to be a list of strings", field);
        list[i] = declare_keep(lua, script_text(lua, -1));
        lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
    return list;
}

const char *
declare_name(lua_State *lua)
{
    const char *name = declare_get_text(lua, "name");

    if (*name == '\0' || !g_ascii_isalpha(*name)
        || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")
               != strlen(name))
        luaL_error(lua, "`%s` is no name: lower case, digits and -", name);
    return name;
}

/* While the file is loaded; the collection, or NULL where all is known. */
static Declarations *
collection(lua_State *lua)
{
    const Run *run = script_run(lua);

    if (run->call != NULL)
        luaL_error(lua, "only the script itself declares, no hook");
    return run->script->declared;
}

static void
limit(lua_State *lua, const GArray *rows)
{
    if (rows->len >= SCRIPT_DECLARATIONS)
        luaL_error(lua, "more than %d of them", SCRIPT_DECLARATIONS);
}

/* ---- facts -------------------------------------------------------------- */

static FilterdStage
get_stage(lua_State *lua)
{
    const char *word = declare_get_text(lua, "stage");

    for (unsigned i = 0; stages[i] != NULL; i++)
        if (strcmp(stages[i], word) == 0)
            return (FilterdStage)i;
    luaL_error(lua,
               "no stage `%s`: it is connect, helo, mail, rcpt, data or "
               "message",
               word);
    return FILTERD_CONNECT;
}

static FilterdType
get_items(lua_State *lua)
{
    FilterdType items = convert_type(lua, declare_get_text(lua, "items"));

    if (items == FILTERD_LIST || items == FILTERD_WORD)
        luaL_error(lua, "no list of those");
    return items;
}

static const char *
keep_place(lua_State *lua)
{
    luaL_where(lua, 1);
    const char *place = declare_keep(lua, lua_tostring(lua, -1));
    lua_pop(lua, 1);
    return place;
}

static int
declare_fact(lua_State *lua)
{
    static const char *const fields[] = {"name",  "type",  "stage",  "doc",
                                         "words", "items", "effect", NULL};
    Declarations *declared = collection(lua);
    declare_fields(lua, fields);
    FilterdFact fact = {.name = declare_name(lua)};

    if (declared == NULL)
        return 0;
    limit(lua, declared->facts);
    for (guint i = 0; i < declared->facts->len; i++)
        if (strcmp(g_array_index(declared->facts, FilterdFact, i).name,
                   fact.name)
            == 0)
            return luaL_error(lua, "the fact `%s` is declared twice",
                              fact.name);
    fact.name = declare_keep(lua, fact.name);
    fact.type = convert_type(lua, declare_get_text(lua, "type"));
    fact.since = get_stage(lua);
    fact.doc = declare_keep(lua, declare_get_text(lua, "doc"));
    fact.flags = declare_flag(lua, "effect") ? FILTERD_EFFECT : 0;
    if (fact.type == FILTERD_WORD)
        fact.words = declare_keep_list(lua, "words");
    if (fact.type == FILTERD_WORD && fact.words == NULL)
        return luaL_error(lua, "`words` is missing");
    if (fact.type == FILTERD_LIST)
        fact.items = get_items(lua);
    const char *place = keep_place(lua);
    g_array_append_val(declared->facts, fact);
    g_array_append_val(declared->places, place);
    return 0;
}

static int
declare_need(lua_State *lua)
{
    Declarations *declared = collection(lua);
    const char *name = script_text(lua, 1);
    FilterdNeed need = {.type = FILTERD_UNKNOWN};

    if (declared == NULL)
        return 0;
    limit(lua, declared->needs);
    if (!lua_isnoneornil(lua, 2))
        need.type = convert_type(lua, script_text(lua, 2));
    need.fact = declare_keep(lua, name);
    g_array_append_val(declared->needs, need);
    return 0;
}

/* ---- words for people --------------------------------------------------- */

static int
declare_summary(lua_State *lua)
{
    Declarations *declared = collection(lua);
    const char *text = script_text(lua, 1);

    if (declared != NULL)
        declared->summary = declare_keep(lua, text);
    return 0;
}

static int
declare_description(lua_State *lua)
{
    Declarations *declared = collection(lua);
    const char *text = script_text(lua, 1);

    if (declared != NULL)
        declared->description = declare_keep(lua, text);
    return 0;
}

/* ---- at the end --------------------------------------------------------- */

/* A fact that no hook could publish would be unknown for ever. */
static void
check_facts(lua_State *lua, const Script *script)
{
    const Declarations *declared = script->declared;

    for (guint i = 0; i < declared->facts->len; i++) {
        const FilterdFact *fact =
            &g_array_index(declared->facts, FilterdFact, i);
        if ((script->hooks & 1U << fact->since) == 0)
            luaL_error(lua, "%sthere is no function `%s` to publish `%s`",
                       g_array_index(declared->places, const char *, i),
                       script_hooks[fact->since], fact->name);
    }
}

void
declare_finish(lua_State *lua)
{
    Script *script = script_run(lua)->script;

    for (unsigned i = 0; i < SCRIPT_HOOKS; i++) {
        int type = script_push_hook(lua, script_hooks[i]);
        if (type == LUA_TFUNCTION)
            script->hooks |= 1U << i;
        else if (type != LUA_TNIL)
            luaL_error(lua, "%s: `%s` is a %s: a hook is a function",
                       script->config->script.path, script_hooks[i],
                       lua_typename(lua, type));
        lua_pop(lua, 1);
    }
    if (script->declared != NULL)
        check_facts(lua, script);
}

void
declare_open(lua_State *lua)
{
    static const luaL_Reg functions[] = {{"fact", declare_fact},
                                         {"need", declare_need},
                                         {"option", declare_option},
                                         {"action", declare_action},
                                         {"summary", declare_summary},
                                         {"description", declare_description},
                                         {NULL, NULL}};

    luaL_setfuncs(lua, functions, 0);
}
