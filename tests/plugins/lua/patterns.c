/* patterns.c: find, match, gmatch and gsub against Lua's own.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/lua/script.h"

#include <glib.h>
#include <lualib.h>
#include <string.h>

/* What both are asked: a subject, a pattern, what replaces. */
typedef struct Question {
    const char *subject, *pattern, *replacement;
} Question;

static const Question questions[] = {
    {"hello world", "o w", "<%0>"},
    {"hello world", "(o)(%s)", "%2%1"},
    {"hello", "l*", "x"},
    {"hello", "l+", "%%"},
    {"hello", "l-", "x"},
    {"hello", "l-o", "x"},
    {"hello", "x?", "-"},
    {"hello", "", "-"},
    {"hello", "^h", "H"},
    {"hello", "o$", "O"},
    {"hello", "$", "!"},
    {"a$b", "a$b", "x"},
    {"", "", "x"},
    {"", "^$", "x"},
    {"key = value", "^(%w+)%s*=%s*(%w+)$", "%2=%1"},
    {"f(a(b)c)d", "%b()", "[]"},
    {"xxx(", "%b()", "[]"},
    {"THE (quick) fox", "%f[%a]%a+", "w"},
    {"a1", "()%1", "x"},
    {"aXbX", "[^X]", "."},
    {"a-b]c", "[]-]", "."},
    {"a-b]c", "[^]]", "."},
    {"a.b", "%.", "%%"},
    {"abcabc", "(a)b(c)%1b%2", "[%1]"},
    {"abc", "()b()", "%1%2"},
    {"0123456789", "[0-4]", "."},
    {"a\\0b", "%z", "."},
    {"tab\there", "%c", "."},
    {"äöü", "[\\128-\\255]+", "u"},
    {"aaab", "a-b", "x"},
    {"aaa", "a*a", "x"},
    {"x", "%", "x"},
    {"x", "[", "x"},
    {"x", "(", "x"},
    {"x", ")", "x"},
    {"x", "%1", "x"},
    {"x", "%b", "x"},
    {"x", "%f", "x"},
    {"x", "[%", "x"},
    {"x", "x", "%2"},
    {"x", "x", "%x"},
    {"x", "(((x)))", "%1%2%3"},
    {"[x]", "[[]", "."},
    {"a,b,,c", "([^,]*)", "<%1>"},
    {"^a", "%^a", "x"},
    {"ab^a", "^", "x"},
};

/* All that is found, as text; the error's text is not compared. */
static const char asks[] =
    "local s, p, r = ...\n"
    "local out = {}\n"
    "local function note(ok, ...)\n"
    "    out[#out + 1] = tostring(ok)\n"
    "    for i = 1, ok and select('#', ...) or 0 do\n"
    "        out[#out + 1] = tostring((select(i, ...)))\n"
    "    end\n"
    "end\n"
    "note(pcall(string.find, s, p))\n"
    "note(pcall(string.find, s, p, 2))\n"
    "note(pcall(string.find, s, p, -2))\n"
    "note(pcall(string.find, s, p, 1, true))\n"
    "note(pcall(string.match, s, p))\n"
    "note(pcall(string.match, s, p, 99))\n"
    "note(pcall(string.gsub, s, p, r))\n"
    "note(pcall(string.gsub, s, p, r, 1))\n"
    "note(pcall(string.gsub, s, p, { a = 'A', b = false }))\n"
    "note(pcall(string.gsub, s, p, function(a, b)\n"
    "    return b and tostring(a) .. tostring(b)\n"
    "end))\n"
    "note(pcall(function()\n"
    "    local all = {}\n"
    "    for a, b in string.gmatch(s, p) do\n"
    "        all[#all + 1] = tostring(a) .. ',' .. tostring(b)\n"
    "    end\n"
    "    return table.concat(all, ';')\n"
    "end))\n"
    "return table.concat(out, '|')\n";

static Script script;
static const Config config = {.work = G_MAXINT64};

static lua_State *
new_state(bool ours)
{
    lua_State *lua = luaL_newstate();

    script.config = &config;
    script.load = (Run){.script = &script, .thread = lua};
    *(Run **)lua_getextraspace(lua) = &script.load;
    luaL_openlibs(lua);
    if (ours) {
        lua_getglobal(lua, "string");
        strings_open(lua);
        lua_pop(lua, 1);
    }
    return lua;
}

static char *
ask(lua_State *lua, const Question *question)
{
    g_assert_cmpint(luaL_loadstring(lua, asks), ==, LUA_OK);
    lua_pushstring(lua, question->subject);
    lua_pushstring(lua, question->pattern);
    lua_pushstring(lua, question->replacement);
    g_assert_cmpint(lua_pcall(lua, 3, 1, 0), ==, LUA_OK);
    char *text = g_strdup(lua_tostring(lua, -1));
    lua_settop(lua, 0);
    return text;
}

typedef struct Both {
    lua_State *theirs, *ours;
} Both;

static void
compare(const Both *both, const Question *question)
{
    g_autofree char *theirs = ask(both->theirs, question);
    g_autofree char *ours = ask(both->ours, question);

    if (strcmp(theirs, ours) != 0)
        g_test_fail_printf("“%s” in “%s”: Lua says %s, we say %s",
                           question->pattern, question->subject, theirs, ours);
}

static void
both_open(Both *both)
{
    *both = (Both){new_state(false), new_state(true)};
}

static void
both_close(Both *both)
{
    lua_close(both->theirs);
    lua_close(both->ours);
}

static void
as_in_the_manual(void)
{
    Both both;

    both_open(&both);
    for (gsize i = 0; i < G_N_ELEMENTS(questions); i++)
        compare(&both, &questions[i]);
    both_close(&both);
}

/* Of few characters, so that something is found. */
static void
fill(char *text, gsize length, const char *letters)
{
    gsize end = (gsize)g_test_rand_int_range(0, (gint32)length);

    for (gsize i = 0; i < end; i++)
        text[i] = letters[g_test_rand_int_range(0, (gint32)strlen(letters))];
    text[end] = '\0';
}

static void
as_by_chance(void)
{
    char subject[16], pattern[12], replacement[8];
    const Question question = {subject, pattern, replacement};
    Both both;

    both_open(&both);
    for (unsigned i = 0; i < 20000; i++) {
        fill(subject, sizeof subject, "ab()1 ");
        fill(pattern, sizeof pattern, "ab.%*+-?[]^$()1fwsd");
        fill(replacement, sizeof replacement, "ab%01");
        compare(&both, &question);
    }
    both_close(&both);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lua/patterns/as-in-the-manual", as_in_the_manual);
    g_test_add_func("/lua/patterns/as-by-chance", as_by_chance);
    return g_test_run();
}
