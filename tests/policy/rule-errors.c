/* rule-errors.c: what is said of rules and conditions that are wrong.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/policy/world.h"

#include <string.h>

static const WorldCase rules[] = {
    {PLUGINS "at mail {\n"
             "reject if mail.size > 5\n"
             "}\n",
     "3:1: `reject` needs a name | reject NAME if …\n"},
    {PLUGINS "at mail {\n"
             "reject\n"
             "accept all\n"
             "}\n",
     "3:1: `reject` needs a name | reject NAME if …\n"},
    {PLUGINS "at mail {\n"
             "reject reply if mail.size > 5\n"
             "}\n",
     "3:1: `reject` needs a name | reject NAME if …\n"},
    {PLUGINS "at mail {\n"
             "reject a/b if mail.size > 5\n"
             "}\n",
     "3:8: `a/b` cannot be a name | a name has letters, digits, `-`, `_` and "
     "`.` and begins with a letter or digit\n"},
    {PLUGINS "at mail {\n"
             "deny x if mail.size > 5\n"
             "reject y if mail.size = \"5\"\n"
             "}\n",
     "3:1: no rule begins with `deny`; did you mean `reject`?\n"
     "4:25: `mail.size` is an int and `5` is a text: they do not compare | "
     "only texts, words, domains and addresses are written in quotes\n"},
    {PLUGINS "at mail {\n"
             "would score 5 x\n"
             "}\n",
     "3:1: a `score` is no verdict to try | put it before the rule that asks "
     "for the `score`\n"},
    {PLUGINS "at mail {\n"
             "score many x\n"
             "}\n",
     "3:7: `many` is no number of points | score NUMBER NAME if …\n"},
    {PLUGINS "at mail {\n"
             "reject a if mail.size > 5\n"
             "tempfail a if mail.size > 4\n"
             "}\n",
     "4:10: a rule `a` is at `mail` already | it is in line 3\n"},
    {PLUGINS "at mail {\n"
             "reject x reply 5501 \"no\"\n"
             "}\n",
     "3:16: `5501` is no reply code | such as 550 or 451\n"},
    {PLUGINS "at mail {\n"
             "reject x reply 550 5.7 \"no\"\n"
             "}\n",
     "3:20: `5.7` is no enhanced status code | such as 5.7.1\n"},
    {PLUGINS "at mail {\n"
             "reject x reply 550 no\n"
             "}\n",
     "3:20: expected the reply's text in quotes, found `no` | such as reply "
     "550 5.7.1 \"…\"\n"},
    {PLUGINS "at mail {\n"
             "reject x reply\n"
             "}\n",
     "4:1: expected a code or a text in quotes, found `}` | such as reply 550 "
     "5.7.1 \"…\"\n"},
    {PLUGINS "at mail {\n"
             "reject x reply 450 \"no\"\n"
             "}\n",
     "3:16: `reject` cannot answer 450 | a 5xx code; `tempfail` answers 4xx\n"},
    {PLUGINS "at mail {\n"
             "tempfail x reply 550 \"no\"\n"
             "}\n",
     "3:18: `tempfail` cannot answer 550 | a 4xx code; `reject` answers 5xx\n"},
    {PLUGINS "at mail {\n"
             "reject x reply 550 4.7.1 \"no\"\n"
             "}\n",
     "3:20: 4.7.1 does not go with 550 | such as 5.7.1\n"},
    {PLUGINS "at mail {\n"
             "disconnect x reply 250 \"no\"\n"
             "}\n",
     "3:20: `disconnect` cannot answer 250 | a 4xx or 5xx code, such as 421\n"},
    {PLUGINS "at mail {\n"
             "accept x reply 250 \"yes\"\n"
             "}\n",
     "3:10: `accept` has no reply | only reject, tempfail and disconnect have "
     "one\n"},
    {PLUGINS "at mail {\n"
             "quarantine x reply \"yes\"\n"
             "}\n",
     "3:14: `quarantine` has no reply | only reject, tempfail and disconnect "
     "have one\n"},
    {PLUGINS "at mail {\n"
             "reject x reply \"no\" after\n"
             "}\n",
     "4:1: expected a duration, found `}`\n"},
    {PLUGINS "at mail {\n"
             "reject x reply \"no\" after soon\n"
             "}\n",
     "3:27: `soon` is not a duration | such as 500ms, 10s, 5m, 2h or "
     "7d\n"},
    {PLUGINS "at mail {\n"
             "reject x reply \"no\" after 31s\n"
             "}\n",
     "3:27: `31s` is too long for a client to wait | 30s at most\n"},
    {PLUGINS "at mail {\n"
             "reject x if\n"
             "}\n",
     "3:10: nothing stands behind `if`\n"},
    {PLUGINS "at mail {\n"
             "reject x if\n"
             "reject y if mail.size > 5\n"
             "}\n",
     "3:10: nothing stands behind `if`\n"},
    {PLUGINS "at mail {\n"
             "reject x if (mail.size > 5\n"
             "reject y if mail.size > 4\n"
             "}\n",
     "4:1: expected `and`, `or` or `)`, found `reject` | for the `(` in line "
     "3, column 13\n"},
    {PLUGINS "at mail {\n"
             "reject x if mail.size > 5)\n"
             "reject y if mail.size > 4 and\n"
             "\n"
             "}\n",
     "3:26: `)` closes nothing\n"
     "4:27: nothing stands behind `and`\n"},
    {PLUGINS "at mail {\n"
             "reject x if mail.size not 5\n"
             "}\n",
     "3:27: expected `in`, found `5`\n"},
    {PLUGINS "at mail {\n"
             "reject x if mail.domain matches foo\n"
             "}\n",
     "3:33: expected a pattern in quotes, found `foo` | such as matches "
     "\"^[0-9]+$\"\n"},
    {PLUGINS "at mail {\n"
             "reject x if mail.domain matches \"a(b\"\n"
             "}\n",
     "3:37: the pattern is wrong: missing closing parenthesis\n"},
    {PLUGINS "at mail {\n"
             "reject x if mail.size matches \"a\"\n"
             "}\n",
     "3:13: `mail.size` is an int, and a pattern matches texts\n"},
    {PLUGINS "at mail {\n"
             "reject x reply \"{mail.domian}\"\n"
             "}\n",
     "3:18: no fact `mail.domian`; did you mean `mail.domain`?\n"},
    {PLUGINS "at mail {\n"
             "reject x reply \"to {rcpt.to}\"\n"
             "}\n",
     "3:21: `rcpt.to` is not known at `mail` | it is known from `rcpt` on\n"},
    {PLUGINS "at mail {\n"
             "reject x reply \"{mail.domain\"\n"
             "}\n",
     "3:17: a `{` without its `}` | write `{{` to mean the character\n"},
    {PLUGINS "at mail {\n"
             "reject x reply \"a\\tb\"\n"
             "}\n",
     "3:18: no escape `\\t` | a text with facts knows \\\", \\\\ and \\n "
     "only\n"},
    {PLUGINS "at mail {\n"
             "rewrite add-heder(\"a\", \"b\")\n"
             "}\n",
     "3:9: no action `add-heder`; did you mean `add-header`?\n"},
    {PLUGINS "at mail {\n"
             "rewrite add-header(\"a\")\n"
             "}\n",
     "3:9: `add-header` takes 2 arguments, not 1 | add-header(a text, a "
     "text)\n"},
    {PLUGINS "at mail {\n"
             "rewrite probe.sign()\n"
             "rewrite probe.sign(\"a\", \"b\")\n"
             "rewrite probe.sign(\"a\")\n"
             "}\n",
     "5:9: `probe.sign` takes no 1 arguments | probe.sign() or probe.sign(a "
     "text, a text)\n"},
    {PLUGINS "at mail {\n"
             "rewrite add-header(\"a\", mail.size)\n"
             "}\n",
     "3:25: `add-header` wants a text here, not an int | \"{mail.size}\"\n"},
    {PLUGINS "at mail {\n"
             "rewrite set-sender(\"a b\")\n"
             "}\n",
     "3:20: `a b` is not an address | such as \"user@example.com\"\n"},
    {PLUGINS "at mail {\n"
             "rewrite add-header(\"a\", \"{spf.reslt}\")\n"
             "}\n",
     "3:27: no fact `spf.reslt`; did you mean `spf.result`?\n"},
    {PLUGINS "at mail {\n"
             "rewrite probe.act(5, 5m, client.fcrdns, client.ip, mail.domain)\n"
             "}\n",
     "3:52: `probe.act` wants a list here, not a domain\n"},
    {PLUGINS "at mail {\n"
             "rewrite nosuch.act(5)\n"
             "}\n",
     "3:9: no action `nosuch.act` | there is add-header, change-header, "
     "remove-header, set-sender, add-recipient, remove-recipient, "
     "probe.act or probe.sign\n"},
    {PLUGINS "at mail {\n"
             "rewrite add-header \"a\"\n"
             "}\n",
     "3:20: expected `(`, found a text | rewrite ACTION(…)\n"},
    {PLUGINS "at helo {\n"
             "rewrite add-header(\"a\", \"b\")\n"
             "}\n",
     "3:1: there is nothing to rewrite at `helo` | at `mail` or later\n"},
    {PLUGINS "at mail {\n"
             "rewrite add-header(\"a\", \"{message.id}\")\n"
             "}\n",
     "3:27: `message.id` is not known at `mail` | it is known from `message` "
     "on\n"},
};

static const WorldCase expressions[] = {
    {PLUGINS "at connect {\n"
             "reject x if bl.lsited\n"
             "}\n",
     "3:13: no fact `bl.lsited`; did you mean `bl.listed`?\n"},
    {PLUGINS "at connect {\n"
             "reject x if bl.nonsense-indeed\n"
             "}\n",
     "3:13: no fact `bl.nonsense-indeed` | there is bl.score, bl.listed, "
     "bl.zones or bl.reason\n"},
    {PLUGINS "at connect {\n"
             "reject x if dcc.result = bulk\n"
             "}\n",
     "3:13: no fact `dcc.result`; did you mean `spf.result`?\n"},
    {PLUGINS "at connect {\n"
             "reject x if spf.result = fail\n"
             "}\n",
     "3:13: `spf.result` is not known at `connect` | it is known from `mail` "
     "on\n"},
    {PLUGINS "let late = rcpt.count > 5\n"
             "at mail {\n"
             "reject x if late\n"
             "}\n",
     "4:13: `rcpt.count` is not known at `mail` | it is known from `rcpt` "
     "on\n"},
    {PLUGINS "at mail {\n"
             "reject x if spf.result = temperor\n"
             "}\n",
     "3:26: `spf.result` is never `temperor`; did you mean `temperror`? | it "
     "is none, neutral, pass, fail, softfail, temperror or permerror\n"},
    {PLUGINS "at mail {\n"
             "reject x if fial = spf.result\n"
             "}\n",
     "3:13: `spf.result` is never `fial`; did you mean `fail`? | it is none, "
     "neutral, pass, fail, softfail, temperror or permerror\n"},
    {PLUGINS "at mail {\n"
             "reject x if spf.result = \"pas\"\n"
             "}\n",
     "3:26: `spf.result` is never `pas`; did you mean `pass`? | it is none, "
     "neutral, pass, fail, softfail, temperror or permerror\n"},
    {PLUGINS "list ours of domain { example.com }\n"
             "at mail {\n"
             "reject x if client.ip in ours\n"
             "}\n",
     "4:23: `client.ip` is an ip, but `ours` holds domains\n"},
    {PLUGINS "list ours of domain { example.com }\n"
             "at mail {\n"
             "reject x if mail.from in ours\n"
             "}\n",
     "4:13: `mail.from` is an address, but `ours` holds domains; did "
     "you mean `mail.domain`?\n"},
    {PLUGINS "list ours of domain { example.com }\n"
             "at mail {\n"
             "reject x if mail.domain in our\n"
             "}\n",
     "4:28: no list `our`; did you mean `ours`?\n"},
    {PLUGINS "list bad of word { fail temperor }\n"
             "at mail {\n"
             "reject x if spf.result in bad\n"
             "}\n",
     "4:27: list `bad` has `temperor`, which `spf.result` can never be\n"},
    {PLUGINS "list ours of domain { example.com }\n"
             "at mail {\n"
             "reject x if ours\n"
             "}\n",
     "4:13: `ours` is a list, not a value | … in ours\n"},
    {"at mail { reject x if mail.domain in ours }\n"
     "list ours of domain { example.com }\n",
     "1:38: the list `ours` is declared below its use | it is in line 2\n"},
    {"at mail { reject x if late }\n"
     "let late = client.fcrdns\n",
     "1:23: `late` is declared below its use | it is in line 2\n"},
    {PLUGINS "list ours of domain { example.com }\n"
             "at mail {\n"
             "reject x if mail.domain = ours\n"
             "}\n",
     "4:27: `ours` is a list, not a value | … in ours\n"},
    {PLUGINS "at mail {\n"
             "reject x if mail.domain in client.ip\n"
             "}\n",
     "3:28: `client.ip` is an ip: nothing is in it | a list, a network or a "
     "fact that is a list\n"},
    {PLUGINS "at mail {\n"
             "reject x if mail.domain in 192.0.2.0/24\n"
             "}\n",
     "3:25: `mail.domain` is a domain, but `192.0.2.0/24` holds ips\n"},
    {PLUGINS "at mail {\n"
             "reject x if mail.domain in \"example.com\"\n"
             "}\n",
     "3:28: `example.com` is a text: nothing is in it | a list, a network or a "
     "fact that is a list\n"},
    {PLUGINS "at mail {\n"
             "reject x if client.ip = 192.0.2.0/24\n"
             "}\n",
     "3:23: `192.0.2.0/24` is a network: ask with `in` | client.ip in "
     "192.0.2.0/24\n"},
    {PLUGINS "at mail {\n"
             "reject x if client.ip = \"192.0.2.1\"\n"
             "}\n",
     "3:25: `client.ip` is an ip and `192.0.2.1` is a text: they do not "
     "compare | only texts, words, domains and addresses are written in "
     "quotes\n"},
    {PLUGINS "at mail {\n"
             "reject x if client.ip > 192.0.2.1\n"
             "}\n",
     "3:23: only ints and durations have an order; `client.ip` is an ip | use "
     "= or !=\n"},
    {PLUGINS "at mail {\n"
             "reject x if mail.size\n"
             "}\n",
     "3:13: `mail.size` is an int, not a condition | compare it, or ask `known "
     "mail.size`\n"},
    {PLUGINS "at mail {\n"
             "reject x if \"text\"\n"
             "}\n",
     "3:13: `text` is a text, not a condition | compare a fact with it\n"},
    {PLUGINS "at mail {\n"
             "reject x if mail.size > 5m\n"
             "}\n",
     "3:25: `mail.size` is an int and `5m` is a duration: they do not compare; "
     "did you mean `5M`?\n"},
    {PLUGINS "at mail {\n"
             "reject x if probe.wait > 10\n"
             "}\n",
     "3:26: `probe.wait` is a duration and `10` is an int: they do not "
     "compare\n"},
    {PLUGINS "at mail {\n"
             "reject x if mail.domain > \"a.example\"\n"
             "}\n",
     "3:25: only ints and durations have an order; `mail.domain` is a domain | "
     "use = or !=\n"},
    {PLUGINS "at mail {\n"
             "reject x if mail.domain = example.com\n"
             "}\n",
     "3:27: no fact `example.com` | quote it to mean a text: "
     "\"example.com\"\n"},
    {PLUGINS "at mail {\n"
             "reject x if mail.domain = \"exa mple\"\n"
             "}\n",
     "3:27: `exa mple` is not a domain | such as example.com\n"},
    {PLUGINS "at mail {\n"
             "reject x if mail.local = postmaster\n"
             "}\n",
     "3:26: no fact or let `postmaster` | quote it to mean a text: "
     "\"postmaster\"\n"},
    {PLUGINS "at mail {\n"
             "reject x if mail.from = \"a b\"\n"
             "}\n",
     "3:25: `a b` is not an address | such as \"user@example.com\"\n"},
    {PLUGINS "at mail {\n"
             "reject x if known 5\n"
             "}\n",
     "3:19: `5` is no fact: it is always known | known FACT\n"},
    {PLUGINS "at mail {\n"
             "reject x if known nothing\n"
             "}\n",
     "3:19: no fact or let `nothing` | quote it to mean a text: \"nothing\"\n"},
    {PLUGINS "at mail {\n"
             "reject x if bl.zones = \"a\"\n"
             "}\n",
     "3:22: `bl.zones` is a list: ask with `in` | `a` in bl.zones\n"},
    {PLUGINS "map m of text to int { a 1 }\n"
             "at mail {\n"
             "reject x if m[client.ip] = 1\n"
             "}\n",
     "4:15: `client.ip` is an ip, but the keys of `m` are texts\n"},
    {PLUGINS "map m of text to int { a 1 }\n"
             "at mail {\n"
             "reject x if n[\"a\"] = 1\n"
             "}\n",
     "4:13: no map `n` | there is m\n"},
    {PLUGINS "map m of text to int { a 1 }\n"
             "at mail {\n"
             "reject x if m[\"a\" = 1\n"
             "}\n",
     "4:19: expected `]`, found `=`\n"},
    {PLUGINS "map m of text to int { a 1 }\n"
             "at mail {\n"
             "reject x if m[\"a\"] = \"b\"\n"
             "}\n",
     "4:22: `m` is an int and `b` is a text: they do not compare | only texts, "
     "words, domains and addresses are written in quotes\n"},
    /* Found by the parser last, and said in the order of the lines. */
    {"at mail { reject x if spf.result = fail }\nset log jsn\n",
     "1:23: no fact `spf.result` | is `use spf` missing?\n"
     "2:9: `log` cannot be `jsn`; did you mean `json`? | it is text or "
     "json\n"},
};

static const WorldCase tests[] = {
    {"test \"x\" { give client.ip = 192.0.2.1 }\n",
     "1:12: a test knows no `give`; did you mean `given`?\n"},
    {"test \"x\" { \"given\" }\n",
     "1:12: expected `given` or `expect`, found a text\n"},
    {"test \"x\" { given client.ip = example expect nothing }\n",
     "1:30: no fact or let `example` | such as 192.0.2.1, 192.0.2.0/24 or "
     "2001:db8::/32\n"},
    {"test \"x\" { given client.ip = 5 expect nothing }\n",
     "1:30: `client.ip` is an ip and `5` is an int | such as 192.0.2.1, "
     "192.0.2.0/24 or 2001:db8::/32\n"},
    {"test \"x\" { given clint.ip = 192.0.2.1 expect nothing }\n",
     "1:18: no fact `clint.ip`; did you mean `client.ip`?\n"},
    {"test \"x\" { given 5 = 5 expect nothing }\n",
     "1:18: `5` is no fact | given FACT = value\n"},
    {"use spf test \"x\" { given spf.result = fial expect nothing }\n",
     "1:39: `spf.result` is never `fial`; did you mean `fail`? | it is none, "
     "neutral, pass, fail, softfail, temperror or permerror\n"},
    {"at mail { reject big if mail.size > 5 }\n"
     "test \"x\" { expect reject bog }\n",
     "2:26: no rule `reject bog`; did you mean `big`?\n"},
    {"at mail { reject big if mail.size > 5 }\n"
     "test \"x\" { expect accept big }\n",
     "2:26: no rule `accept big` | there is `reject big` at mail\n"},
    {"at mail { reject big if mail.size > 5 }\n"
     "test \"x\" { expect reject big at rcpt }\n",
     "2:26: no rule `reject big` at rcpt | there is `reject big` at mail\n"},
    {"test \"x\" { expect rejct y }\n",
     "1:19: a test cannot expect `rejct`; did you mean `reject`?\n"},
    {"test \"x\" { expect 5 }\n",
     "1:19: a test cannot expect `5` | there is accept, pass, reject, "
     "tempfail, discard, quarantine, disconnect, rewrite, score, would, no or "
     "nothing\n"},
    {"test \"x\" { expect no expect would }\n",
     "1:22: expected a verdict or `nothing`, found `expect`\n"
     "1:35: expected a verdict or `nothing`, found `}`\n"},
    {"test \"x\" { expect nothing at rpct }\n",
     "1:30: no stage `rpct`; did you mean `rcpt`?\n"},
    {"test \"x\" { expect score = many }\n",
     "1:27: `many` is not an int | such as 5, -2 or 10M\n"},
    {"test \"x\" { expect accept reply 250 }\n",
     "1:26: `accept` has no reply | only reject, tempfail and disconnect have "
     "one\n"},
    {"test \"x\" { expect rewrite reply 550 expect no score reply \"x\" }\n",
     "1:27: `rewrite` has no reply | only reject, tempfail and disconnect have "
     "one\n"
     "1:53: `score` has no reply | only reject, tempfail and disconnect have "
     "one\n"},
    {"test \"x\" { expect reject reply }\n",
     "1:32: expected a code or a text, found `}`\n"},
    {"test \"x\" { expect reject reply 5500 }\n",
     "1:32: `5500` is no reply code | such as 550 or 451\n"},
    {"test \"x\" { expect reject reply 450 }\n",
     "1:32: `reject` cannot answer 450 | a 5xx code; `tempfail` answers 4xx\n"},
    {"test \"x\" { expect reject reply 550 4.7.1 }\n",
     "1:36: 4.7.1 does not go with 550 | such as 5.7.1\n"},
    {"test \"x\" { expect reject(\"x\") }\n",
     "1:19: `reject` has no arguments | rewrite ACTION(…)\n"},
    {"test \"x\" { expect rewrite add-header(client.ip) }\n",
     "1:27: no rule `rewrite add-header`\n"
     "1:38: `client.ip` is no value | a text or a number\n"},
    {"test \"x\" { given client.port = { 1 2 } expect nothing }\n",
     "1:18: `client.port` is an int | only a list has several values\n"},
    {"test \"x\" { given client.port = 1 given client.port = 2 }\n",
     "1:1: this test expects nothing, so nothing can fail it | expect VERDICT "
     "NAME\n"
     "1:40: `client.port` is given twice | it is given in line 1 already\n"},
    {"test \"x\" { given client.ip = 192.0.2.0/24 expect nothing }\n",
     "1:30: `192.0.2.0/24` is a network, not an address | such as "
     "192.0.2.1\n"},
    {"test \"x\" { given client.ip = 192.0.2.1\n",
     "2:1: the block opened in line 1 is not closed | a `}` is missing\n"},
};

static void
test_rules(void)
{
    world_check(rules, G_N_ELEMENTS(rules));
    world_clear();
}

static void
test_expressions(void)
{
    world_check(expressions, G_N_ELEMENTS(expressions));
    world_clear();
}

static void
test_tests(void)
{
    world_check(tests, G_N_ELEMENTS(tests));
    world_clear();
}

/* So deep that the parser's own stack would be at stake. */
static void
test_nesting(void)
{
    static const char *const openers[] = {"(", "not ", "x["};

    for (gsize i = 0; i < G_N_ELEMENTS(openers); i++) {
        g_autoptr(GString) text = g_string_new("at mail { reject x if ");
        PolicyConfig *config;

        for (int n = 0; n < 100000; n++)
            g_string_append(text, openers[i]);
        g_autofree char *notes =
            world_compile(text->str, &world_loader, &config);
        g_assert_nonnull(strstr(notes, "nested too deeply"));
    }
}

/* Each let doubles the one before. */
static void
test_doubling(void)
{
    g_autoptr(GString) text = g_string_new("let a0 = client.tls\n");
    PolicyConfig *config;

    for (int i = 1; i < 60; i++)
        g_string_append_printf(text, "let a%d = a%d and a%d\n", i, i - 1,
                               i - 1);
    g_autofree char *notes = world_compile(text->str, &world_loader, &config);
    g_assert_nonnull(strstr(notes, "this condition is too large"));
}

static void
test_many_errors(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    PolicyConfig *config;

    for (int i = 0; i < 1000; i++)
        g_string_append(text, "set nonsense 5\n");
    g_autofree char *notes = world_compile(text->str, &world_loader, &config);
    g_auto(GStrv) lines = g_strsplit(notes, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 52);
    g_assert_nonnull(strstr(notes, "too many errors"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/policy/errors/rules-replies-and-actions", test_rules);
    g_test_add_func("/policy/errors/conditions", test_expressions);
    g_test_add_func("/policy/errors/tests", test_tests);
    g_test_add_func("/policy/errors/nesting-has-a-limit", test_nesting);
    g_test_add_func("/policy/errors/lets-that-double-have-a-limit",
                    test_doubling);
    g_test_add_func("/policy/errors/end-after-fifty", test_many_errors);
    return g_test_run();
}
