/* api.c: what a script may ask of the host.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What waits is three functions: one that reads the arguments and yields, one
 * that asks the host outside of Lua, one that turns the answer into values.
 */
#include "plugins/lua/convert.h"
#include "plugins/lua/run.h"

#include <string.h>

/* Octets of a value in the store. */
#define VALUE_LIMIT 65536
/* Octets of a line in the log. */
#define LOG_LIMIT 1000

/* ---- waiting ------------------------------------------------------------ */

static const Wait *
answer(lua_State *lua)
{
    return &script_run(lua)->wait;
}

/* What failed may have failed because the session ends. */
static bool
goes_on(FilterdCall *call)
{
    return call->host->sleep(call, 0);
}

/* ---- facts -------------------------------------------------------------- */

static const FilterdFact *
find_fact(const Script *script, const char *name, unsigned *index)
{
    const FilterdFact *rows = script->config->declared->facts;

    for (*index = 0; rows[*index].name != NULL; ++*index)
        if (strcmp(rows[*index].name, name) == 0)
            return &rows[*index];
    return NULL;
}

static int
publish(lua_State *lua)
{
    const Run *run = run_of_hook(lua, "publish");
    const char *name = script_text(lua, 1);
    unsigned index;
    const FilterdFact *fact = find_fact(run->script, name, &index);

    if (fact == NULL)
        return luaL_error(lua, "no fact `%s` is declared", name);
    if ((int)fact->since != run->stage)
        return luaL_error(lua, "`%s` is to be published by `%s`, not by `%s`",
                          name, script_hooks[fact->since], run->hook);
    lua_settop(lua, 2);
    run->call->host->publish(run->call, index, convert_get(lua, 2, fact));
    return 0;
}

static bool
ask_lookup(FilterdCall *call, Wait *wait)
{
    wait->fact = call->host->lookup(call, (unsigned)wait->number);
    return wait->fact->type != FILTERD_UNKNOWN || goes_on(call);
}

static int
end_lookup(lua_State *lua, G_GNUC_UNUSED int status,
           G_GNUC_UNUSED lua_KContext context)
{
    convert_push(lua, answer(lua)->fact);
    return 1;
}

static bool
is_need(const FilterdNeed *need, const char *name)
{
    size_t length = strlen(need->fact);

    if (length > 0 && need->fact[length - 1] == '?')
        length--;
    return strlen(name) == length && strncmp(need->fact, name, length) == 0;
}

static int
lookup(lua_State *lua)
{
    const Run *run = run_of_hook(lua, "lookup");
    const char *name = script_text(lua, 1);
    const FilterdNeed *needs = run->script->config->declared->needs;
    Wait wait = {.ask = ask_lookup};

    while (needs[wait.number].fact != NULL
           && !is_need(&needs[wait.number], name))
        wait.number++;
    if (needs[wait.number].fact == NULL)
        return luaL_error(lua, "say `need \"%s\"` at the top of the script",
                          name);
    return run_wait(lua, "lookup", &wait, end_lookup);
}

/* ---- DNS ---------------------------------------------------------------- */

static const struct {
    const char *word;
    FilterdDnsType type;
} dns_types[] = {
    {"A", FILTERD_DNS_A},     {"AAAA", FILTERD_DNS_AAAA},
    {"MX", FILTERD_DNS_MX},   {"PTR", FILTERD_DNS_PTR},
    {"TXT", FILTERD_DNS_TXT},
};

static const char *const dns_words[] = {
    [FILTERD_DNS_ANSWER] = "answer",     [FILTERD_DNS_NODATA] = "nodata",
    [FILTERD_DNS_NXDOMAIN] = "nxdomain", [FILTERD_DNS_SERVFAIL] = "servfail",
    [FILTERD_DNS_TIMEOUT] = "timeout",   [FILTERD_DNS_BOGUS] = "bogus",
    [FILTERD_DNS_BADNAME] = "badname",   [FILTERD_DNS_CANCELLED] = "cancelled",
};

static FilterdDnsType
get_dns_type(lua_State *lua, int index)
{
    const char *word = script_text(lua, index);

    for (size_t i = 0; i < G_N_ELEMENTS(dns_types); i++)
        if (strcmp(dns_types[i].word, word) == 0)
            return dns_types[i].type;
    return (FilterdDnsType)luaL_argerror(lua, index, "A, AAAA, MX, PTR or TXT");
}

static bool
ask_dns(FilterdCall *call, Wait *wait)
{
    wait->answer =
        call->host->dns(call, wait->key, (FilterdDnsType)wait->number);
    return wait->answer->status != FILTERD_DNS_CANCELLED;
}

static void
push_record(lua_State *lua, const FilterdDnsRecord *record, int64_t type)
{
    if (type == FILTERD_DNS_A || type == FILTERD_DNS_AAAA) {
        FilterdValue ip = filterd_ip(record->ip);
        convert_push(lua, &ip);
    } else if (type == FILTERD_DNS_TXT) {
        lua_pushlstring(lua, record->bytes, record->length);
    } else if (type == FILTERD_DNS_PTR) {
        lua_pushstring(lua, record->name);
    } else {
        lua_createtable(lua, 0, 2);
        lua_pushstring(lua, record->name);
        lua_setfield(lua, -2, "name");
        lua_pushinteger(lua, record->preference);
        lua_setfield(lua, -2, "preference");
    }
}

/* The records, nil where nothing was found out; then the status. */
static int
end_dns(lua_State *lua, G_GNUC_UNUSED int status,
        G_GNUC_UNUSED lua_KContext context)
{
    const Wait *wait = answer(lua);
    const FilterdDnsAnswer *dns = wait->answer;
    int64_t type = wait->number;

    if (filterd_dns_failed(dns)) {
        lua_pushnil(lua);
    } else {
        lua_createtable(lua, (int)dns->length, 0);
        for (size_t i = 0; i < dns->length; i++) {
            push_record(lua, &dns->records[i], type);
            lua_rawseti(lua, -2, (lua_Integer)i + 1);
        }
    }
    lua_pushstring(lua, dns_words[dns->status]);
    lua_pushboolean(lua, dns->secure);
    return 3;
}

static int
dns(lua_State *lua)
{
    Wait wait = {.ask = ask_dns, .key = script_text(lua, 1)};

    wait.number = get_dns_type(lua, 2);
    return run_wait(lua, "dns", &wait, end_dns);
}

static int
prefetch(lua_State *lua)
{
    const Run *run = run_of_hook(lua, "prefetch");

    script_charge(lua, RUN_ASKING);
    run->call->host->prefetch(run->call, script_text(lua, 1),
                              get_dns_type(lua, 2));
    return 0;
}

/* ---- the store ---------------------------------------------------------- */

/* What writes must not happen early, nor for a `would` rule alone: the fact
 * that the hook finds out has to say so. Actions and `done` find out none. */
static void
check_effect(lua_State *lua)
{
    const Run *run = run_of_hook(lua, "store");
    const FilterdFact *fact = run->script->config->declared->facts;
    bool hears = run->hook == script_hooks[SCRIPT_HEADER]
                 || run->hook == script_hooks[SCRIPT_BODY];
    int stage = hears ? (int)FILTERD_MESSAGE : run->stage;

    while (fact->name != NULL
           && ((int)fact->since != stage || fact->flags == 0))
        fact++;
    if (stage >= 0 && fact->name == NULL)
        luaL_error(lua,
                   "`%s` writes to the store: a fact that it publishes has to "
                   "say `effect = true`",
                   run->hook);
}

static const char *
get_key(lua_State *lua)
{
    const char *key = script_text(lua, 1);

    luaL_argcheck(lua, strlen(key) <= 512, 1, "longer than 512 octets");
    return key;
}

static bool
ask_get(FilterdCall *call, Wait *wait)
{
    wait->status =
        call->host->store_get(call, wait->key, &wait->value, &wait->length);
    return wait->status != FILTERD_STORE_FAILED || goes_on(call);
}

static bool
ask_put(FilterdCall *call, Wait *wait)
{
    wait->status = call->host->store_put(call, wait->key, wait->value,
                                         wait->length, wait->lifetime);
    return wait->status != FILTERD_STORE_FAILED || goes_on(call);
}

static bool
ask_add(FilterdCall *call, Wait *wait)
{
    wait->status = call->host->store_add(call, wait->key, wait->number,
                                         wait->lifetime, &wait->number);
    return wait->status != FILTERD_STORE_FAILED || goes_on(call);
}

static int
push_failure(lua_State *lua, FilterdStoreStatus status)
{
    lua_pushnil(lua);
    lua_pushstring(lua, status == FILTERD_STORE_ABSENT ? "absent" : "failed");
    return 2;
}

static int
end_get(lua_State *lua, G_GNUC_UNUSED int status,
        G_GNUC_UNUSED lua_KContext context)
{
    const Wait *wait = answer(lua);

    if (wait->status != FILTERD_STORE_OK)
        return push_failure(lua, wait->status);
    lua_pushlstring(lua, wait->value, wait->length);
    return 1;
}

static int
end_put(lua_State *lua, G_GNUC_UNUSED int status,
        G_GNUC_UNUSED lua_KContext context)
{
    const Wait *wait = answer(lua);

    if (wait->status != FILTERD_STORE_OK)
        return push_failure(lua, wait->status);
    lua_pushboolean(lua, 1);
    return 1;
}

static int
end_add(lua_State *lua, G_GNUC_UNUSED int status,
        G_GNUC_UNUSED lua_KContext context)
{
    const Wait *wait = answer(lua);

    if (wait->status != FILTERD_STORE_OK)
        return push_failure(lua, wait->status);
    lua_pushinteger(lua, wait->number);
    return 1;
}

static int64_t
get_lifetime(lua_State *lua)
{
    lua_Integer lifetime = luaL_optinteger(lua, 3, 0);

    luaL_argcheck(lua, lifetime >= 0, 3, "a lifetime is not less than 0");
    return lifetime;
}

static int
get(lua_State *lua)
{
    const Wait wait = {.ask = ask_get, .key = get_key(lua)};

    return run_wait(lua, "store.get", &wait, end_get);
}

static int
put(lua_State *lua)
{
    Wait wait = {.ask = ask_put, .key = get_key(lua)};
    wait.value = luaL_checklstring(lua, 2, &wait.length);
    luaL_argcheck(lua, wait.length <= VALUE_LIMIT, 2,
                  "longer than 65536 octets");
    wait.lifetime = get_lifetime(lua);
    check_effect(lua);
    return run_wait(lua, "store.put", &wait, end_put);
}

static int
add(lua_State *lua)
{
    Wait wait = {.ask = ask_add, .key = get_key(lua)};
    wait.number = luaL_optinteger(lua, 2, 1);
    wait.lifetime = get_lifetime(lua);
    check_effect(lua);
    return run_wait(lua, "store.add", &wait, end_add);
}

/* ---- time --------------------------------------------------------------- */

static bool
ask_sleep(FilterdCall *call, Wait *wait)
{
    return call->host->sleep(call, wait->number);
}

static int
end_sleep(G_GNUC_UNUSED lua_State *lua, G_GNUC_UNUSED int status,
          G_GNUC_UNUSED lua_KContext context)
{
    return 0;
}

static int
sleep_for(lua_State *lua)
{
    const Wait wait = {.ask = ask_sleep, .number = luaL_checkinteger(lua, 1)};

    return run_wait(lua, "sleep", &wait, end_sleep);
}

static int
now(lua_State *lua)
{
    const Run *run = run_of_hook(lua, "now");

    lua_pushinteger(lua, run->call->host->now(run->call));
    return 1;
}

/* ---- the log ------------------------------------------------------------ */

/* The level is the upvalue. */
static int
write_log(lua_State *lua)
{
    const Run *run = run_of_hook(lua, "log");
    size_t length;
    const char *text = luaL_tolstring(lua, 1, &length);

    script_charge(lua, RUN_ASKING);
    run->call->host->log(
        run->call, (FilterdLogLevel)lua_tointeger(lua, lua_upvalueindex(1)),
        "%.*s", (int)MIN(length, LOG_LIMIT), text);
    return 0;
}

/* ---- all of it ---------------------------------------------------------- */

static const struct {
    const char *name;
    lua_Integer milliseconds;
} units[] = {
    {"second", 1000},
    {"minute", 60 * 1000},
    {"hour", 60 * 60 * 1000},
    {"day", 24 * 60 * 60 * 1000},
};

static const struct {
    const char *name;
    FilterdLogLevel level;
} logs[] = {
    {"debug", FILTERD_LOG_DEBUG},
    {"log", FILTERD_LOG_INFO},
    {"warn", FILTERD_LOG_WARNING},
};

void
api_open(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        {"publish", publish}, {"lookup", lookup},
        {"dns", dns},         {"prefetch", prefetch},
        {"sleep", sleep_for}, {"now", now},
        {NULL, NULL}};
    static const luaL_Reg store[] = {
        {"get", get}, {"put", put}, {"add", add}, {NULL, NULL}};

    luaL_setfuncs(lua, functions, 0);
    luaL_newlib(lua, store);
    sandbox_view(lua);
    lua_setfield(lua, -2, "store");
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        lua_pushinteger(lua, units[i].milliseconds);
        lua_setfield(lua, -2, units[i].name);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(logs); i++) {
        lua_pushinteger(lua, logs[i].level);
        lua_pushcclosure(lua, write_log, 1);
        lua_setfield(lua, -2, logs[i].name);
    }
}
