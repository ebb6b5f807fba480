/* hooks.c: what scripts declare, ask, publish and request.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/plugins/lua/fixture.h"

#define FACT(name, type, stage)                                         \
    "fact { name = \"" name "\", type = \"" type "\", stage = \"" stage \
    "\", doc = \"Of a test.\" }\n"

#define EFFECT(name, type, stage)                                       \
    "fact { name = \"" name "\", type = \"" type "\", stage = \"" stage \
    "\", effect = true, doc = \"Of a test.\" }\n"

/* A script with a fact `x` of that type, published by helo. */
#define PUBLISHES(type, value) \
    FACT("x", type, "helo")    \
    "function helo() publish('x', " value ") end"

static void
values(void)
{
    static const struct {
        const char *script, *shown;
    } cases[] = {
        {PUBLISHES("bool", "1 < 2"), "yes"},
        {PUBLISHES("int", "7 // 2"), "3"},
        {PUBLISHES("int", "3.0"), "3"},
        {PUBLISHES("duration", "90 * second"), "1m30s"},
        {PUBLISHES("text", "'a b'"), "a b"},
        {PUBLISHES("text", "'a\\0b'"), "a b"},
        {PUBLISHES("domain", "'Example.COM'"), "example.com"},
        {PUBLISHES("address", "'a@b.example'"), "a@b.example"},
        {PUBLISHES("ip", "'192.0.2.1'"), "192.0.2.1"},
        {PUBLISHES("ip", "'2001:db8::/32'"), "2001:db8::/32"},
        {PUBLISHES("ip", "'192.0.2.0/24'"), "192.0.2.0/24"},
        {PUBLISHES("text", "nil"), "-"},
        {"fact { name = 'x', type = 'list', items = 'text', stage = 'helo',"
         "       doc = 'Of a test.' }"
         "function helo() publish('x', { 'a', 'b' }) end",
         "a,b"},
        {"fact { name = 'x', type = 'word', words = { 'good', 'bad' },"
         "       stage = 'helo', doc = 'Of a test.' }"
         "function helo() publish('x', 'bad') end",
         "bad"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Harness) harness = fixture_new(cases[i].script);
        harness_run(harness, FILTERD_HELO);
        g_assert_cmpstr(harness_fact(harness, "x"), ==, cases[i].shown);
    }
}

static void
wrong_values(void)
{
    static const struct {
        const char *script, *problem;
    } cases[] = {
        {PUBLISHES("bool", "1"), "`x` is to be bool, not number `1`"},
        {PUBLISHES("int", "'1'"), "`x` is to be int, not string `1`"},
        {PUBLISHES("int", "1.5"), "`x` is to be int, not number `1.5`"},
        {PUBLISHES("text", "true"), "`x` is to be text, not boolean `true`"},
        {PUBLISHES("domain", "'a b'"), "`x` is to be domain"},
        {PUBLISHES("domain", "'a..b'"), "`x` is to be domain"},
        {PUBLISHES("address", "'nobody'"), "`x` is to be address"},
        {PUBLISHES("ip", "'192.0.2.1/24'"), "`x` is to be ip"},
        {PUBLISHES("ip", "'300.0.2.1'"), "`x` is to be ip"},
        {FACT("x", "bool", "helo") "function helo() publish('y', true) end",
         "t.lua:2: no fact `y` is declared"},
        {FACT("x", "bool", "mail") "function mail() end function helo() "
                                   "publish('x', true) end",
         "`x` is to be published by `mail`, not by `helo`"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Harness) harness = fixture_new(cases[i].script);
        harness_expect_warning(harness, cases[i].problem);
        harness_run(harness, FILTERD_HELO);
        g_assert_cmpstr(harness_fact(harness, "x"), ==, "-");
    }
}

/* ---- asking ------------------------------------------------------------- */

static void
facts_of_others(void)
{
    g_autoptr(Harness) harness = fixture_new(
        "need 'client.ip'\n"
        "need('client.fcrdns', 'bool')\n"
        "need 'spf.result?'\n" FACT(
            "x", "text",
            "mail") "function mail()\n"
                    "    publish('x', lookup 'client.ip' .. ' '\n"
                    "            .. tostring(lookup 'client.fcrdns' == true) "
                    ".. ' '\n"
                    "            .. tostring(lookup 'spf.result'))\n"
                    "end");
    harness_set(harness, "client.ip", "192.0.2.9");
    harness_set(harness, "client.fcrdns", "yes");
    harness_run(harness, FILTERD_MAIL);
    g_assert_cmpstr(harness_fact(harness, "x"), ==, "192.0.2.9 true nil");
}

static const char asks_dns[] =
    "local function show(name, type)\n"
    "    local records, status, secure = dns(name, type)\n"
    "    local parts = {}\n"
    "    for i, record in ipairs(records or {}) do\n"
    "        parts[i] = type == 'MX' and record.preference .. record.name\n"
    "                   or record\n"
    "    end\n"
    "    return (records and #records or 'none') .. status\n"
    "           .. table.concat(parts, '+')\n"
    "end\n"
    "function mail()\n"
    "    publish('x', show('a.example', 'A') .. ' ' .. show('a.example', "
    "'MX')\n"
    "            .. ' ' .. show('a.example', 'TXT') .. ' '\n"
    "            .. show('none.example', 'A') .. ' '\n"
    "            .. show('a.example', 'AAAA') .. ' '\n"
    "            .. show('dead.example', 'A') .. ' ' .. show('a..b', 'A'))\n"
    "end\n" FACT("x", "text", "mail");

static void
dns(void)
{
    g_autoptr(Harness) harness = fixture_new(asks_dns);

    harness_zone(harness, "a.example 60 A 192.0.2.1\n"
                          "a.example 60 A 192.0.2.2\n"
                          "a.example 60 MX 10 mx.a.example\n"
                          "a.example 60 TXT \"v=x\"\n");
    harness_dns_status(harness, "dead.example", 0, FILTERD_DNS_SERVFAIL);
    harness_run(harness, FILTERD_MAIL);
    g_assert_cmpstr(harness_fact(harness, "x"), ==,
                    "2answer192.0.2.1+192.0.2.2 1answer10mx.a.example "
                    "1answerv=x 0nxdomain 0nodata noneservfail 0badname");
}

static const char uses_store[] =
    "function mail()\n"
    "    local before, why = store.get 'k'\n"
    "    store.put('k', 'a\\0b', hour)\n"
    "    local sum = store.add('n', 2, day)\n"
    "    publish('x', tostring(before) .. ' ' .. tostring(why) .. ' '\n"
    "            .. tostring(sum) .. ' ' .. tostring(#(store.get 'k' or '')))\n"
    "end\n" EFFECT("x", "text", "mail");

static void
the_store(void)
{
    g_autoptr(Harness) harness = fixture_new(uses_store);

    harness_run(harness, FILTERD_MAIL);
    g_assert_cmpstr(harness_fact(harness, "x"), ==, "nil absent 2 3");
    harness_store_fails(harness, true);
    harness_reset(harness);
    harness_run(harness, FILTERD_MAIL);
    g_assert_cmpstr(harness_fact(harness, "x"), ==, "nil failed nil 0");
}

static void
time_and_log(void)
{
    g_autoptr(Harness) harness =
        fixture_new(FACT("x", "int", "mail") "function mail()\n"
                                             "    local begun = now()\n"
                                             "    sleep(1500)\n"
                                             "    log 'slept'\n"
                                             "    debug(now() - begun)\n"
                                             "    publish('x', begun)\n"
                                             "end");
    harness_run(harness, FILTERD_MAIL);
    g_assert_cmpstr(harness_fact(harness, "x"), ==, "1800000000000");
    g_assert_nonnull(strstr(harness_log(harness), "info slept"));
}

/* ---- state -------------------------------------------------------------- */

static void
session_and_message(void)
{
    g_autoptr(Harness) harness = fixture_new(FACT("s", "int", "mail") FACT(
        "m", "int", "mail") "function helo() session.count = 10 end\n"
                            "function mail()\n"
                            "    session.count = (session.count or 0) + 1\n"
                            "    message.count = (message.count or 0) + 1\n"
                            "    publish('s', session.count)\n"
                            "    publish('m', message.count)\n"
                            "end");
    harness_run(harness, FILTERD_HELO);
    harness_run(harness, FILTERD_MAIL);
    harness_reset(harness);
    harness_run(harness, FILTERD_MAIL);
    g_assert_cmpstr(harness_fact(harness, "s"), ==, "12");
    g_assert_cmpstr(harness_fact(harness, "m"), ==, "1");
    harness_reconnect(harness);
    harness_run(harness, FILTERD_MAIL);
    g_assert_cmpstr(harness_fact(harness, "s"), ==, "1");
}

static const char reads_message[] =
    "function header(name, value, raw)\n"
    "    message.text = (message.text or '') .. '[' .. name .. '=' .. value\n"
    "                   .. '=' .. #raw .. ']'\n"
    "end\n"
    "function body(chunk) message.text = message.text .. chunk end\n"
    "function eom() publish('x', message.text) end\n" FACT("x", "text",
                                                           "message");

static void
message(void)
{
    for (size_t chunk = 0; chunk < 5; chunk++) {
        g_autoptr(Harness) harness = fixture_new(reads_message);
        harness_message(harness,
                        "From: a@b\nSubject:  Hello\n\tthere\nX-Empty:\n\n"
                        "one\ntwo\n",
                        chunk);
        g_assert_cmpstr(harness_fact(harness, "x"), ==,
                        "[from=a@b=9][subject=Hello there=23][x-empty==8]"
                        "one  two  ");
    }
}

static void
outcome(void)
{
    g_autoptr(Harness) harness = fixture_new(
        "function done(outcome)\n"
        "    log(outcome.fate .. ' ' .. tostring(outcome.rule) .. ' '\n"
        "        .. tostring(outcome.asked))\n"
        "end");
    const FilterdOutcome told = {sizeof told, FILTERD_REJECTED, FILTERD_MESSAGE,
                                 "listed", true};
    harness_message(harness, "A: b\n\n", 0);
    harness_done(harness, &told);
    g_assert_nonnull(strstr(harness_log(harness), "info rejected listed true"));
}

/* ---- actions ------------------------------------------------------------ */

static void
actions(void)
{
    g_autoptr(Harness) harness = fixture_new(
        "action { name = 'tag', doc = 'Of a test.',\n"
        "         arguments = { 'text', 'int' }, edits = { 'add-header' },\n"
        "         run = function(text, number)\n"
        "             edit.add_header('X-Tag', text .. number)\n"
        "         end }\n"
        "action { name = 'more', doc = 'Of a test.', edits = { 'quarantine' "
        "},\n"
        "         run = function() edit.add_header('X', 'y') end }");
    const FilterdValue some[] = {filterd_text("a"), filterd_int(5),
                                 filterd_unknown()};
    const FilterdValue none[] = {filterd_unknown()};

    harness_message(harness, "A: b\n\n", 0);
    g_assert_true(harness_act(harness, "tag", some));
    g_assert_cmpstr(harness_edits(harness), ==, "add-header X-Tag: a5");
    harness_expect_warning(harness, "this is for an action whose `edits` has "
                                    "`add-header`");
    g_assert_false(harness_act(harness, "more", none));
}

/* ---- options ------------------------------------------------------------ */

static const char has_options[] =
    "local number = option { name = 'number', type = 'int', default = 3, low = "
    "1,\n"
    "                        doc = 'Of a test.' }\n"
    "local names = option { name = 'names', type = 'text', many = true,\n"
    "                       default = {}, doc = 'Of a test.' }\n"
    "local kind = option { name = 'kind', type = 'word',\n"
    "                      words = { 'one', 'two' }, doc = 'Of a test.' "
    "}\n" FACT("x", "text", "helo") "function helo()\n"
                                    "    publish('x', number .. ' ' .. "
                                    "table.concat(names, '+') .. ' '\n"
                                    "                 .. tostring(kind))\n"
                                    "end";

static void
options(void)
{
    static const struct {
        const char *given, *shown;
    } cases[] = {
        {NULL, "3  nil"},
        {"number 5\nkind two", "5  two"},
        {"names a b\nnames c", "3 a+b+c nil"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Harness) harness = harness_new(
            &filterd_plugin, fixture_config(has_options, cases[i].given));
        harness_run(harness, FILTERD_HELO);
        g_assert_cmpstr(harness_fact(harness, "x"), ==, cases[i].shown);
    }
}

static void
wrong_options(void)
{
    static const struct {
        const char *given, *problem;
    } cases[] = {
        {"number many", "set 0: `number`: `many` is nothing of that type"},
        {"kind two\nnumber 1 2",
         "set 1: `number`: `2` is a value more than it takes"},
        {"number 0", "set 0: `number`: `0` is too little"},
        {"kind three", "set 0: `kind`: `three` is no word of it\nit has one, "
                       "two"},
        {"names a\nnumer 5", "set 1: the script has no option `numer`\nit has "
                             "`number`, `names`, `kind`"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *problem = harness_start_error(
            &filterd_plugin, fixture_config(has_options, cases[i].given));
        g_assert_cmpstr(problem, ==, cases[i].problem);
    }
}

/* ---- conversations ------------------------------------------------------ */

#define SERVER "unix:/run/echo"

static const char converses[] =
    "function mail()\n"
    "    local one, why = converse('unix:/run/echo', 1000)\n"
    "    if not one then return publish('x', 'none: ' .. why) end\n"
    "    one:write('hel')\n"
    "    one:write('lo\\n')\n"
    "    local line = one:line()\n"
    "    local rest = one:read()\n"
    "    if line and rest then publish('x', line .. '+' .. rest) end\n"
    "    session.one = one\n"
    "end\n"
    "function rcpt() session.one:write('more') end\n"
    "function data()\n"
    "    for i = 1, 5 do converse('unix:/run/echo') end\n"
    "end\n"
    "function eom()\n"
    "    local one = converse('unix:/run/echo')\n"
    "    one:close()\n"
    "    one:line()\n"
    "end\n" FACT("x", "text", "mail");

static void
prepare_peer(Harness *harness, G_GNUC_UNUSED void *data)
{
    harness_peer(harness, SERVER, "hears hello\\n\nsays good\\nday\n");
}

static void
conversation(void)
{
    g_autoptr(Harness) harness = fixture_new(converses);

    prepare_peer(harness, NULL);
    harness_run(harness, FILTERD_MAIL);
    g_assert_cmpstr(harness_fact(harness, "x"), ==, "good+day");
    harness_run(harness, FILTERD_MAIL);
    g_assert_true(g_str_has_prefix(harness_fact(harness, "x"), "none: "));
}

/* The host has closed what the script kept. */
static void
conversation_that_is_over(void)
{
    g_autoptr(Harness) harness = fixture_new(converses);

    prepare_peer(harness, NULL);
    harness_run(harness, FILTERD_MAIL);
    harness_expect_warning(harness, "this is no conversation that is open");
    harness_run(harness, FILTERD_RCPT);
    for (unsigned i = 0; i < 4; i++)
        harness_peer(harness, SERVER, "");
    harness_expect_warning(harness, "4 conversations are open already");
    harness_run(harness, FILTERD_DATA);
    harness_peer(harness, SERVER, "");
    harness_expect_warning(harness, "this is no conversation that is open");
    harness_run(harness, FILTERD_MESSAGE);
}

static void
run_mail(Harness *harness, G_GNUC_UNUSED void *data)
{
    harness_run(harness, FILTERD_MAIL);
}

/* What a server said wrong, or that it was not there, is no lie. */
static bool
tells_of_it(const HarnessTrial *trial, G_GNUC_UNUSED const char *what,
            G_GNUC_UNUSED const char *whole, const char *now)
{
    return trial->fault == HARNESS_GARBAGE || trial->fault == HARNESS_CLOSED
           || g_str_has_prefix(now, "none: ");
}

static void
conversation_with_faults(void)
{
    const HarnessScene scene = {
        .prepare = prepare_peer, .play = run_mail, .allows = tells_of_it};

    g_assert_cmpuint(harness_explore(&filterd_plugin,
                                     fixture_config(converses, NULL), &scene),
                     >, 8);
}

/* ---- every fault, everywhere -------------------------------------------- */

static const char waits_everywhere[] =
    "need 'mail.domain'\n"
    "function mail()\n"
    "    local domain = lookup 'mail.domain'\n"
    "    if not domain then return end\n"
    "    local records = dns(domain, 'MX')\n"
    "    if records and records[1] then\n"
    "        publish('host', records[1].name)\n"
    "        while dns(records[1].name, 'A') == nil do sleep(10) end\n"
    "    end\n"
    "    sleep(5)\n"
    "    local seen = store.add('seen ' .. domain, 1, day)\n"
    "    if seen and store.put('last', domain) and store.get 'last' then\n"
    "        publish('seen', seen)\n"
    "    end\n"
    "end\n" FACT("host", "text", "mail") EFFECT("seen", "int", "mail");

static void
prepare(Harness *harness, G_GNUC_UNUSED void *data)
{
    harness_zone(harness, "a.example 60 MX 10 mx.a.example\n"
                          "mx.a.example 60 A 192.0.2.1\n");
    harness_set(harness, "mail.domain", "a.example");
}

static void
play(Harness *harness, G_GNUC_UNUSED void *data)
{
    harness_run(harness, FILTERD_MAIL);
}

/* `while` asks on: only the limit of work ends it where nothing answers. */
static void
faults(void)
{
    const HarnessScene scene = {.prepare = prepare, .play = play};
    unsigned runs = harness_explore(
        &filterd_plugin, fixture_config(waits_everywhere, NULL), &scene);

    g_assert_cmpuint(runs, >, 15);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lua/facts-have-values-of-their-types", values);
    g_test_add_func("/lua/other-values-are-errors", wrong_values);
    g_test_add_func("/lua/facts-of-others", facts_of_others);
    g_test_add_func("/lua/dns", dns);
    g_test_add_func("/lua/store", the_store);
    g_test_add_func("/lua/time-and-log", time_and_log);
    g_test_add_func("/lua/session-and-message", session_and_message);
    g_test_add_func("/lua/message-as-it-comes", message);
    g_test_add_func("/lua/what-became-of-it", outcome);
    g_test_add_func("/lua/actions-request-what-they-declared", actions);
    g_test_add_func("/lua/options-of-the-script", options);
    g_test_add_func("/lua/wrong-options-are-told-where-they-are",
                    wrong_options);
    g_test_add_func("/lua/conversation", conversation);
    g_test_add_func("/lua/conversation-that-is-over",
                    conversation_that_is_over);
    g_test_add_func("/lua/conversation-with-every-fault",
                    conversation_with_faults);
    g_test_add_func("/lua/every-fault-everywhere", faults);
    return g_test_run();
}
