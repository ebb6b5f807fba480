/* hostile.c: scripts that mean harm: each is an error of its own, and the next
 * hook runs as ever.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/plugins/lua/fixture.h"

#include <string.h>

#define HOOK(body)                                                     \
    "fact { name = 'x', type = 'bool', stage = 'helo', doc = 'Any.' }" \
    "fact { name = 'y', type = 'text', stage = 'mail', doc = 'Any.' }" \
    "function helo() " body " end\n"                                   \
    "function mail() publish('y', 'alive') end"

typedef struct Case {
    const char *name, *script, *problem;
} Case;

/* ---- in a hook ---------------------------------------------------------- */

static const Case hooks[] = {
    {"a-loop", HOOK("while true do end"), "it works too long"},
    {"a-loop-of-calls", HOOK("local function f() return f() end f()"),
     "it works too long"},
    {"a-loop-round-pcall",
     HOOK("while true do pcall(function() while true do end end) end"),
     "it works too long"},
    {"a-loop-of-errors", HOOK("while true do pcall(error) end"),
     "it works too long"},
    {"a-loop-of-pcalls-of-pcall",
     HOOK("local function f() pcall(f) f() end f()"), "it works too long"},
    {"a-loop-of-asking", HOOK("while true do now() end"), "it works too long"},
    {"a-loop-of-waiting", HOOK("while true do store.get 'k' end"),
     "it works too long"},
    {"a-loop-in-gsub",
     HOOK("('x'):gsub('.', function() while true do end end)"),
     "it works too long"},
    {"a-loop-in-a-comparison",
     HOOK("table.sort({ 1, 2, 3 }, function() while true do end end)"),
     "it works too long"},
    {"a-loop-over-large-texts",
     HOOK("local s = ('x'):rep(500000) while true do local t = s .. 'y' end"),
     "it works too long"},
    {"a-loop-of-sorting",
     HOOK("local t = {} for i = 1, 30000 do t[i] = i end "
          "while true do table.sort(t) end"),
     "it works too long"},
    {"a-loop-of-counting-characters",
     HOOK("local s = ('x'):rep(500000) while true do utf8.len(s) end"),
     "it works too long"},
    {"a-pattern-that-backtracks", HOOK("('a'):rep(5000):find('.-.-.-.-b')"),
     "the pattern takes too long for this text"},
    {"a-pattern-with-many-quantifiers",
     HOOK("('a'):rep(500):find(('a*'):rep(20) .. 'b')"),
     "the pattern takes too long for this text"},
    {"patterns-again-and-again",
     HOOK("while true do pcall(string.find, ('a'):rep(5000), '.-.-.-b') end"),
     "it works too long"},
    {"a-pattern-that-nests", HOOK("('a'):find(('('):rep(500))"), "the pattern"},
    {"memory-in-a-text", HOOK("local s = 'x' while true do s = s .. s end"),
     "not enough memory"},
    {"memory-in-rep", HOOK("('x'):rep(1 << 40)"), "t.lua"},
    {"memory-in-format",
     HOOK("local t = {} for i = 1, 1e6 do t[i] = ('%99d'):format(i) end"),
     "not enough memory"},
    {"memory-in-tables",
     HOOK("local t = {} while true do t = { t, {}, {}, {} } end"),
     "it works too long"},
    {"memory-in-a-table-that-grows",
     HOOK("local t = {} while true do t[#t + 1] = 1 end"), "not enough memory"},
    {"memory-that-is-caught",
     HOOK("while true do pcall(string.rep, 'x', 1 << 30) end"),
     "it works too long"},
    {"memory-in-the-session", HOOK("for i = 1, 1e9 do session[i] = { i } end"),
     "not enough memory"},
    {"depth", HOOK("local function f() return 1 + f() end f()"), "t.lua"},
    {"depth-through-pcall",
     HOOK("local function f() return pcall(f) and 1 or error('deep') end "
          "assert(f())"),
     "t.lua"},
    {"depth-through-gsub",
     HOOK("local function f() return (('x'):gsub('.', f)) end f()"),
     "too deeply"},
    {"depth-through-sort",
     HOOK("local function f() table.sort({ 1, 2 }, f) end f()"), "too deeply"},
    {"many-results", HOOK("table.unpack({}, 1, 1e7)"), "too many results"},
    {"an-error-that-is-a-table", HOOK("error({ a = 1 })"),
     "an error that is a table"},
    {"an-error-that-is-nil", HOOK("error()"), "an error that is a nil"},
    {"an-error-that-is-a-number", HOOK("error(5)"),
     "an error that is a number"},
    {"an-error-that-is-long", HOOK("error(('x'):rep(100000))"), "xxx"},
    {"an-error-with-a-break", HOOK("error('a\\nb\\0c\\r')"), "a b c "},
    {"waiting-in-sort", HOOK("table.sort({ 1, 2 }, function() sleep(1) end)"),
     "`sleep` waits, which cannot be in a function given to"},
    {"waiting-in-gsub", HOOK("('x'):gsub('x', function() sleep(1) end)"),
     "`sleep` waits, which cannot be in a function given to"},
    {"no-metatables", HOOK("setmetatable({}, {})"), "setmetatable"},
    {"no-metatable-of-texts", HOOK("getmetatable('')"), "getmetatable"},
    {"no-coroutines", HOOK("coroutine.wrap(helo)()"), "coroutine"},
    {"no-os", HOOK("os.execute('true')"), "os"},
    {"no-io", HOOK("io.open('/etc/passwd')"), "io"},
    {"no-debug", HOOK("(_ENV['debug'] == debug and nil)()"), "t.lua"},
    {"no-load", HOOK("load('return 1')()"), "load"},
    {"no-dofile", HOOK("dofile('/etc/passwd')"), "dofile"},
    {"no-package", HOOK("package.loadlib('x', '*')"), "package"},
    {"no-dump", HOOK("string.dump(helo)"), "dump"},
    {"no-collecting", HOOK("collectgarbage('stop')"), "collectgarbage"},
    {"no-rawset", HOOK("rawset(string, 'find', 1)"), "rawset"},
    {"a-global", HOOK("count = 1"), "make `count` local"},
    {"a-global-that-is-there", HOOK("mail = nil"), "make `mail` local"},
    {"a-library", HOOK("string.format = nil"),
     "`format` cannot be changed here"},
    {"a-library-of-ours", HOOK("store.get = nil"),
     "`get` cannot be changed here"},
    {"a-fact-in-a-hook", HOOK("fact { name = 'z' }"), "only the script"},
    {"a-need-in-a-hook", HOOK("need 'client.ip'"), "only the script"},
    {"an-option-in-a-hook", HOOK("option { name = 'z' }"), "only the script"},
    {"a-module-in-a-hook", HOOK("require 'm'"), "`require` is for"},
    {"a-need-that-is-not-declared", HOOK("lookup 'client.ip'"),
     "say `need \"client.ip\"`"},
    {"a-nul-in-a-name", HOOK("dns('a\\0b', 'A')"), "a NUL in a text"},
    {"a-nul-in-a-key", HOOK("store.get('a\\0b')"), "a NUL in a text"},
    {"a-long-key", HOOK("store.get(('x'):rep(513))"), "longer than 512"},
    {"a-long-value", HOOK("store.put('k', ('x'):rep(100000))"),
     "longer than 65536"},
    {"a-lifetime-that-was", HOOK("store.put('k', 'v', -1)"), "less than 0"},
    {"a-write-without-effect", HOOK("store.add 'k'"),
     "`helo` writes to the store: a fact that it publishes has to say"},
    {"a-type-that-is-none", HOOK("dns('a.example', 'ANY')"), "A, AAAA, MX"},
    {"a-format-that-is-none", HOOK("('%q'):format({})"), "t.lua"},
    {"a-list-of-everything", HOOK("publish('x', table)"),
     "`x` is to be bool, not table"},
    {"a-fact-and-then-an-error", HOOK("publish('x', true) error 'late'"),
     "late"},
    {"no-world", HOOK("local _ENV = nil; return x"), "t.lua"},
};

static void
in_hook(gconstpointer data)
{
    const Case *row = data;
    g_autoptr(Harness) harness = fixture_new(row->script);

    harness_expect_warning(harness, row->problem);
    harness_run(harness, FILTERD_HELO);
    g_assert_cmpstr(harness_fact(harness, "x"), ==, "-");
    harness_run(harness, FILTERD_MAIL);
    g_assert_cmpstr(harness_fact(harness, "y"), ==, "alive");
}

/* ---- while it is loaded ------------------------------------------------- */

static const Case loads[] = {
    {"syntax", "local x =\n\n= 1", "t.lua:3: unexpected symbol near '='"},
    {"a-loop", "while true do end", "t.lua:1: it works too long"},
    {"a-loop-round-pcall", "while true do pcall(error) end",
     "it works too long"},
    {"memory", "local s = 'x' while true do s = s .. s end",
     "not enough memory"},
    {"an-error", "\nerror 'no'", "t.lua:2: no"},
    {"an-error-that-is-a-table", "error {}", "an error that is a table"},
    {"bytecode", "\033Lua", "attempt to load a binary chunk"},
    {"asking", "now()", "`now` is for hooks"},
    {"waiting", "sleep(1)", "`sleep` is for hooks"},
    {"a-session", "session.x = 1", "session"},
    {"no-name", "fact { type = 'bool' }", "t.lua:1: `name` is missing"},
    {"a-name-that-is-none", "fact { name = 'A b' }", "`A b` is no name"},
    {"a-field-that-is-none", "fact { name = 'a', stages = 'helo' }",
     "t.lua:1: there is no field `stages`"},
    {"a-field-without-a-name", "fact { 'a' }", "there is no field `1`"},
    {"a-bound-that-is-none",
     "option { name = 'a', type = 'int', doc = 'x', low = 'x' }",
     "`low` is to be an integer"},
    {"no-type", "fact { name = 'a' }", "`type` is missing"},
    {"a-type-that-is-none", "fact { name = 'a', type = 'boolean', doc = '' }",
     "no type `boolean`"},
    {"a-stage-that-is-none",
     "fact { name = 'a', type = 'bool', stage = 'eom' }", "no stage `eom`"},
    {"no-words",
     "fact { name = 'a', type = 'word', stage = 'helo', doc = 'x' }",
     "`words` is missing"},
    {"words-that-are-none",
     "fact { name = 'a', type = 'word', stage = 'helo', doc = 'x',\n"
     "words = { 1 } }",
     "`words` is to be a list of strings"},
    {"twice",
     "local row = { name = 'a', type = 'bool', stage = 'helo', doc = 'x' }\n"
     "fact(row)\nfact(row)\nfunction helo() end",
     "t.lua:3: the fact `a` is declared twice"},
    {"no-hook",
     "\nfact { name = 'a', type = 'bool', stage = 'message', doc = 'x' }",
     "t.lua:2: there is no function `eom` to publish `a`"},
    {"a-hook-that-is-none", "helo = 5",
     "t.lua: `helo` is a number: a hook is a function"},
    {"no-table", "fact 'a'", "table expected"},
    {"no-such-module", "require 'mime'",
     "no option `module` gives a file mime.lua"},
    {"an-option-that-has-to-be-there",
     "option { name = 'a', type = 'int', doc = 'x', required = true }",
     "t.lua:1: the block has to `set a`"},
    {"no-such-edit",
     "action { name = 'a', doc = 'x', edits = { 'eat' }, run = error }",
     "no edit is called `eat`"},
    {"an-action-without-a-function", "action { name = 'a', doc = 'x' }",
     "`run` is to be a function"},
    {"too-many-facts",
     "for i = 1, 1000 do fact { name = 'a' .. i, type = 'bool',\n"
     "stage = 'helo', doc = 'x' } end",
     "more than 200 of them"},
    {"deep-parentheses", NULL, "overflow"},
    {"deep-tables", NULL, "overflow"},
};

static char *
nest(const char *open, unsigned depth)
{
    GString *text = g_string_new("local x = ");

    for (unsigned i = 0; i < depth; i++)
        g_string_append(text, open);
    return g_string_free(text, FALSE);
}

static void
in_file(gconstpointer data)
{
    const Case *row = data;
    g_autofree char *made =
        nest(strcmp(row->name, "deep-tables") == 0 ? "{" : "(", 10000);
    g_autofree char *problem = harness_start_error(
        &filterd_plugin,
        fixture_config(row->script != NULL ? row->script : made, NULL));

    g_assert_nonnull(problem);
    if (strstr(problem, row->problem) == NULL)
        g_test_fail_printf("expected “%s”, got “%s”", row->problem, problem);
    g_assert_true(g_str_has_prefix(problem, "script 0: "));
}

/* ---- others ------------------------------------------------------------- */

/* What an error says leads to the line. */
static void
traceback(void)
{
    g_autoptr(Harness) harness = fixture_new("local function deep()\n"
                                             "    return nil + 1\n"
                                             "end\n"
                                             "function helo()\n"
                                             "    deep()\n"
                                             "    return 1\n"
                                             "end");
    harness_expect_warning(harness,
                           "t.lua:2: attempt to perform arithmetic on a nil "
                           "value, from t.lua:5");
    harness_run(harness, FILTERD_HELO);
}

/* Memory that one message took is there for the next. */
static void
memory_comes_back(void)
{
    g_autoptr(Harness) harness = fixture_new(
        HOOK("message.all = {} for i = 1, 10 do "
             "message.all[i] = ('x'):rep(1000000) end publish('x', true)"));

    for (unsigned i = 0; i < 50; i++) {
        harness_run(harness, FILTERD_MAIL);
        harness_run(harness, FILTERD_HELO);
        g_assert_cmpstr(harness_fact(harness, "x"), ==, "yes");
        harness_reset(harness);
    }
}

static void
add_cases(const char *prefix, const Case *cases, gsize length,
          GTestDataFunc test)
{
    for (gsize i = 0; i < length; i++) {
        g_autofree char *path = g_strconcat(prefix, cases[i].name, NULL);
        g_test_add_data_func(path, &cases[i], test);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_cases("/lua/hostile/hook/", hooks, G_N_ELEMENTS(hooks), in_hook);
    add_cases("/lua/hostile/file/", loads, G_N_ELEMENTS(loads), in_file);
    g_test_add_func("/lua/an-error-leads-to-its-line", traceback);
    g_test_add_func("/lua/memory-comes-back", memory_comes_back);
    return g_test_run();
}
