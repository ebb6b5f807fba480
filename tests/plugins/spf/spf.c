/* spf.c: the spf plugin on the harness: results, limits, and records that are
 * meant to hurt. (RFC 7208)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/spf/check.h"
#include <filterd/harness.h>

#include <string.h>

static const SpfConfig ordinary = {.lookup_limit = 10,
                                   .void_limit = 2,
                                   .explanation = true,
                                   .receiver = "mx.example.com"};

static const char zone[] =
    "example.org 300 A 192.0.2.10\n"
    "example.org 300 AAAA 2001:db8::10\n"
    "example.org 300 MX 10 mail.example.org\n"
    "mail.example.org 300 A 192.0.2.20\n"
    "www.example.org 300 A 192.0.2.10\n"
    "10.2.0.192.in-addr.arpa 300 PTR www.example.org\n"
    "loopback.example 300 TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
    "silent.example 300 MX 10 dead.example\n"
    "silent.example 300 MX 20 mail.example.org\n"
    /* Local parts. */
    "eai.example 300 TXT \"v=spf1 include:%{l}.in.example "
    "?exists:%%{s.eai.example ~exists:%{S}.users.example "
    "exists:%{l1r-}.users.example -all\"\n"
    "*.users.example 300 A 127.0.0.2\n"
    "*.in.example 300 TXT \"v=spf1 a:www.example.org -all\"\n"
    /* Lookups. */
    "loop1.example 300 TXT \"v=spf1 include:loop2.example -all\"\n"
    "loop2.example 300 TXT \"v=spf1 include:loop1.example -all\"\n"
    "turn1.example 300 TXT \"v=spf1 redirect=turn2.example\"\n"
    "turn2.example 300 TXT \"v=spf1 redirect=turn1.example\"\n"
    "fan.example 300 TXT \"v=spf1 ?include:fan1.example ?include:fan1.example "
    "?include:fan1.example -all\"\n"
    "fan1.example 300 TXT \"v=spf1 -include:fan2.example "
    "-include:fan2.example\"\n"
    "fan2.example 300 TXT \"v=spf1 -exists:a.example.net -all\"\n"
    "a.example.net 300 MX 1 b.example.net\n"
    "ten.example 300 TXT \"v=spf1 exists:a.example.net a a:example.org "
    "a:example.org a:example.org a:example.org a:example.org a:example.org "
    "a:example.org a:mail.example.org -all\"\n"
    "ten.example 300 A 198.51.100.1\n"
    "eleven.example 300 TXT \"v=spf1 a:example.org a:example.org a:example.org "
    "a:example.org a:example.org a:example.org a:example.org a:example.org "
    "a:example.org a:example.org a:mail.example.org -all\"\n"
    "helped.example 300 TXT \"v=spf1 a:example.org a:example.org a:example.org "
    "a:example.org a:example.org a:example.org a:example.org a:example.org "
    "a:example.org a:example.org ip4:192.0.2.20 -all\"\n"
    "named.example 300 TXT \"v=spf1 a:example.org a:example.org a:example.org "
    "a:example.org a:example.org a:example.org a:example.org a:example.org "
    "a:example.org exists:%{p}.example ip4:192.0.2.20 -all\"\n"
    /* Voids. */
    "void2.example 300 TXT \"v=spf1 a:none1.test a:none2.test -all\"\n"
    "void3.example 300 TXT \"v=spf1 a:none1.test a:none2.test "
    "exists:none3.test -all\"\n"
    "void4.example 300 TXT \"v=spf1 mx:ghosts.example a:none1.test "
    "a:none2.test -all\"\n"
    "ghosts.example 300 MX 10 ghost1.test\n"
    "ghosts.example 300 MX 10 ghost2.test\n"
    "ghosts.example 300 MX 10 ghost3.test\n"
    /* Errors of the DNS. */
    "temp-a.example 300 TXT \"v=spf1 a:dead.example -all\"\n"
    "temp-include.example 300 TXT \"v=spf1 include:dead.example -all\"\n"
    "temp-redirect.example 300 TXT \"v=spf1 redirect=dead.example\"\n"
    "temp-mx.example 300 TXT \"v=spf1 mx:silent.example -all\"\n"
    "temp-exists.example 300 TXT \"v=spf1 exists:dead.example -all\"\n"
    "temp-ptr.example 300 TXT \"v=spf1 ptr -all\"\n"
    "temp-later.example 300 TXT \"v=spf1 ip4:192.0.2.20 a:dead.example -all\"\n"
    "deep.example 300 TXT \"v=spf1 include:temp-a.example ?all\"\n"
    /* Syntax. */
    "two.example 300 TXT \"v=spf1 -all\"\n"
    "two.example 300 TXT \"v=spf1 +all\"\n"
    "other.example 300 TXT \"v=spf10 -all\"\n"
    "empty.example 300 TXT \"v=spf1\"\n"
    "late.example 300 TXT \"v=spf1 +all foo:bar\"\n"
    "nul.example 300 TXT \"v=spf1 ip4:192.0.2.20\\000 -all\"\n"
    "tab.example 300 TXT \"v=spf1\\009+all\"\n"
    "tabs.example 300 TXT \"v=spf1 a\\009+all\"\n"
    "eight.example 300 TXT \"v=spf1 exists:\\228.example.org -all\"\n"
    "octal.example 300 TXT \"v=spf1 ip4:192.0.2.020 -all\"\n"
    "wrap.example 300 TXT \"v=spf1 ip4:192.0.2.0/4294967328 -all\"\n"
    "zeros.example 300 TXT \"v=spf1 ip4:192.0.2.0/024 -all\"\n"
    "wide.example 300 TXT \"v=spf1 ip4:192.0.2.0/33 -all\"\n"
    "bits.example 300 TXT \"v=spf1 ip4:192.0.2.32/27 ip4:192.0.2.20/30 "
    "-all\"\n"
    "zero.example 300 TXT \"v=spf1 ip4:10.0.0.1/0 -all\"\n"
    "zero6.example 300 TXT \"v=spf1 ip6:::1/0 -all\"\n"
    "digit0.example 300 TXT \"v=spf1 exists:%{d0}.example.org -all\"\n"
    "digits.example 300 TXT \"v=spf1 "
    "exists:%{d4294967297}.ok.example -all\"\n"
    "digits.example.ok.example 300 A 127.0.0.2\n"
    "open.example 300 TXT \"v=spf1 exists:%{d -all\"\n"
    "percent.example 300 TXT \"v=spf1 exists:%d.example.org -all\"\n"
    "letters.example 300 TXT \"v=spf1 exists:%{t}.example.org -all\"\n"
    "twice.example 300 TXT \"v=spf1 redirect=a.example redirect=b.example\"\n"
    "unknown.example 300 TXT \"v=spf1 future=%{t}thing moo.cow-1=. +all\"\n"
    "prefix.example 300 TXT \"v=spf1 -exp=x.example -all\"\n"
    /* Macros. */
    "local.example 300 TXT \"v=spf1 exists:%{l}.users.example -all\"\n"
    "strange+%{d}.users.example 300 A 127.0.0.2\n"
    "parts.example 300 TXT \"v=spf1 exists:%{l1r+-}.%{o1}.parts.test -all\"\n"
    "joe.example.parts.test 300 A 127.0.0.2\n"
    "url.example 300 TXT \"v=spf1 exists:%{L}.url.test -all\"\n"
    "a%2Fb%20c.url.test 300 A 127.0.0.2\n"
    "v6.example 300 TXT \"v=spf1 exists:%{ir}.%{v}.rev.test -all\"\n"
    "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.rev."
    "test 300 A 127.0.0.2\n"
    "reverse.example 300 TXT \"v=spf1 exists:%{I2R}.rev.test -all\"\n"
    "0.192.rev.test 300 A 127.0.0.2\n"
    "below.example 300 TXT \"v=spf1 exists:%{p}.name.test -all\"\n"
    "40.2.0.192.in-addr.arpa 300 PTR a.example\n"
    "40.2.0.192.in-addr.arpa 300 PTR b.below.example\n"
    "a.example 300 A 192.0.2.40\n"
    "b.below.example 300 A 192.0.2.40\n"
    "b.below.example.name.test 300 A 127.0.0.2\n"
    "name.example 300 TXT \"v=spf1 exists:%{p}.name.test -all\"\n"
    "www.example.org.name.test 300 A 127.0.0.2\n"
    "unknown.name.test 300 A 127.0.0.2\n"
    /* The order of things, and what decided. */
    "first.example 300 TXT \"v=spf1 include:soft.example ~all\"\n"
    "soft.example 300 TXT \"v=spf1 a:example.org ~ip4:192.0.2.20 +all\"\n"
    "via.example 300 TXT \"v=spf1 ?include:loopback.example "
    "redirect=soft.example\"\n"
    "inside.example 300 TXT \"v=spf1 include:own.example -all\"\n"
    "own.example 300 TXT \"v=spf1 exists:%{d}.own.test -all\"\n"
    "own.example.own.test 300 A 127.0.0.2\n"
    "without.example 300 TXT \"v=spf1 include:loopback.example\"\n"
    "norecord.example 300 TXT \"v=spf1 include:example.org -all\"\n"
    "badlabel.example 300 TXT \"v=spf1 include:a..example +all\"\n"
    "void-all.example 300 TXT \"v=spf1 redirect=loopback.example ?all\"\n";

typedef struct Case {
    const char *name;
    const char *client;
    const char *from;
    const char *result;
    const char *mechanism; /* NULL: whatever */
    const char *problem;   /* a part of it; NULL: that of its mechanism */
} Case;

#define A10 "192.0.2.10"
#define A20 "192.0.2.20"

static const Case cases[] = {
    {"pass-names-the-term", A10, "joe@first.example", "pass",
     "include:soft.example", NULL},
    {"include-of-softfail-does-not-match", A20, "joe@first.example", "softfail",
     "~all", NULL},
    {"local-part-finds-its-record", A10, "joe@eai.example", "pass",
     "include:%{l}.in.example", NULL},
    {"local-part-finds-its-name", A20, "joe@eai.example", "softfail",
     "~exists:%{S}.users.example", NULL},
    {"local-part-beyond-ascii-matches-nothing", A10, "jo\303\253@eai.example",
     "fail", "-all", NULL},
    {"mapped-client-is-ipv4", "::ffff:192.0.2.10", "joe@first.example", "pass",
     "include:soft.example", NULL},
    {"redirect-decides-as-its-own-record", A20, "joe@via.example", "softfail",
     "~ip4:192.0.2.20", NULL},
    {"included-record-has-its-own-domain", A20, "joe@inside.example", "pass",
     "include:own.example", NULL},
    {"nothing-matches-is-neutral", A20, "joe@without.example", "neutral",
     "default", NULL},
    {"empty-record-is-neutral", A20, "joe@empty.example", "neutral", "default",
     NULL},
    {"all-makes-redirect-void", A20, "joe@void-all.example", "neutral", "?all",
     NULL},
    {"no-record-is-none", A10, "joe@example.org", "none", "-",
     "example.org has no SPF record"},
    {"no-domain-is-none", A10, "joe@[192.0.2.1]", "none", "-", "is no domain"},
    {"single-label-is-none", A10, "joe@localhost", "none", "-", "is no domain"},
    {"include-without-record-is-permerror", A10, "joe@norecord.example",
     "permerror", "-", "example.org has no SPF record"},
    {"include-of-no-domain-is-permerror", A10, "joe@badlabel.example",
     "permerror", "-", "\"a..example\" is no domain"},
    {"another-version-is-none", A10, "joe@other.example", "none", "-",
     "has no SPF record"},
    {"two-records-are-permerror", A10, "joe@two.example", "permerror", "-",
     "more than one SPF record"},
    {"loopback-is-judged-by-the-record", "127.0.0.1", "joe@loopback.example",
     "fail", "-all", NULL},
    {"loopback6-is-judged-by-the-record", "::1", "joe@loopback.example", "fail",
     "-all", NULL},

    {"include-loop-is-permerror", A10, "joe@loop1.example", "permerror", "-",
     "more than 10 terms"},
    {"redirect-loop-is-permerror", A10, "joe@turn1.example", "permerror", "-",
     "more than 10 terms"},
    {"limit-counts-over-all-includes", A10, "joe@fan.example", "permerror", "-",
     "more than"},
    {"tenth-lookup-counts", A20, "joe@ten.example", "pass",
     "a:mail.example.org", NULL},
    {"eleventh-lookup-does-not-match", A20, "joe@eleven.example", "permerror",
     "-", "more than 10 terms"},
    {"ip4-behind-ten-lookups-matches", A20, "joe@helped.example", "pass",
     "ip4:192.0.2.20", NULL},
    {"client-name-macro-is-a-lookup", A20, "joe@named.example", "permerror",
     "-", "more than 10 terms"},
    {"two-voids-are-allowed", A10, "joe@void2.example", "fail", "-all", NULL},
    {"third-void-is-permerror", A10, "joe@void3.example", "permerror", "-",
     "more than 2 lookups without an answer"},
    {"mx-of-ghosts-is-one-void", A10, "joe@void4.example", "permerror", "-",
     "more than 2 lookups without an answer"},

    {"dead-record-is-temperror", A10, "joe@dead.example", "temperror", "-",
     "no answer for dead.example"},
    {"dead-a-is-temperror", A10, "joe@temp-a.example", "temperror", "-",
     "no answer for dead.example"},
    {"dead-include-is-temperror", A10, "joe@temp-include.example", "temperror",
     "-", "no answer for dead.example"},
    {"dead-redirect-is-temperror", A10, "joe@temp-redirect.example",
     "temperror", "-", "no answer for dead.example"},
    {"dead-exists-is-temperror", A10, "joe@temp-exists.example", "temperror",
     "-", "no answer for dead.example"},
    {"dead-mx-host-is-temperror", A10, "joe@temp-mx.example", "temperror", "-",
     "no answer for dead.example"},
    {"mx-host-that-matches-outdoes-a-dead-one", A20, "joe@temp-mx.example",
     "pass", "mx:silent.example", NULL},
    {"dead-ptr-does-not-match", "192.0.2.66", "joe@temp-ptr.example", "fail",
     "-all", NULL},
    {"match-before-a-dead-term-stays", A20, "joe@temp-later.example", "pass",
     "ip4:192.0.2.20", NULL},
    {"temperror-goes-through-include", A10, "joe@deep.example", "temperror",
     "-", "no answer for dead.example"},

    {"bad-term-behind-all-is-permerror", A10, "joe@late.example", "permerror",
     "-", "\"foo:bar\" is no valid term"},
    {"nul-in-a-term-is-permerror", A20, "joe@nul.example", "permerror", "-",
     "no valid term"},
    {"tab-behind-the-version-is-no-record", A10, "joe@tab.example", "none", "-",
     "no SPF record"},
    {"tab-between-terms-is-permerror", A10, "joe@tabs.example", "permerror",
     "-", "\"a?+all\" is no valid term"},
    {"eight-bit-term-is-permerror", A10, "joe@eight.example", "permerror", "-",
     "no valid term"},
    {"octal-address-is-permerror", A10, "joe@octal.example", "permerror", "-",
     "no valid term"},
    {"prefix-that-wraps-is-permerror", A10, "joe@wrap.example", "permerror",
     "-", "no valid term"},
    {"prefix-with-a-leading-zero-is-permerror", A10, "joe@zeros.example",
     "permerror", "-", "no valid term"},
    {"prefix-over-32-is-permerror", A10, "joe@wide.example", "permerror", "-",
     "no valid term"},
    {"prefix-counts-bits", A20, "joe@bits.example", "pass", "ip4:192.0.2.20/30",
     NULL},
    {"prefix-counts-every-bit", "192.0.2.24", "joe@bits.example", "fail",
     "-all", NULL},
    {"prefix-0-matches-ip4", A10, "joe@zero.example", "pass", "ip4:10.0.0.1/0",
     NULL},
    {"prefix-0-of-ip4-does-not-match-ip6", "2001:db8::1", "joe@zero.example",
     "fail", "-all", NULL},
    {"prefix-0-of-ip6-does-not-match-ip4", A10, "joe@zero6.example", "fail",
     "-all", NULL},
    {"zero-labels-are-permerror", A10, "joe@digit0.example", "permerror", "-",
     "no valid term"},
    {"label-count-does-not-wrap", A10, "joe@digits.example", "pass", NULL,
     NULL},
    {"open-macro-is-permerror", A10, "joe@open.example", "permerror", "-",
     "no valid term"},
    {"bare-percent-is-permerror", A10, "joe@percent.example", "permerror", "-",
     "no valid term"},
    {"explanation-letter-elsewhere-is-permerror", A10, "joe@letters.example",
     "permerror", "-", "no valid term"},
    {"second-redirect-is-permerror", A10, "joe@twice.example", "permerror", "-",
     "no valid term"},
    {"unknown-modifier-is-ignored", A10, "joe@unknown.example", "pass", "+all",
     NULL},
    {"modifier-with-qualifier-is-permerror", A10, "joe@prefix.example",
     "permerror", "-", "no valid term"},

    {"local-part-is-not-expanded-again", A10, "strange+%{d}@local.example",
     "pass", "exists:%{l}.users.example", NULL},
    {"parts-are-split-reversed-and-cut", A10, "joe-b+c@parts.example", "pass",
     NULL, NULL},
    {"upper-case-letter-escapes", A10, "a/b c@url.example", "pass", NULL, NULL},
    {"ip6-is-nibbles", "2001:db8::10", "joe@v6.example", "pass", NULL, NULL},
    {"reversed-by-either-case", A10, "joe@reverse.example", "pass", NULL, NULL},
    {"name-below-the-domain-is-preferred", "192.0.2.40", "joe@below.example",
     "pass", NULL, NULL},
    {"validated-name-is-expanded", A10, "joe@name.example", "pass", NULL, NULL},
    {"unvalidated-name-is-unknown", A20, "joe@name.example", "pass", NULL,
     NULL},
};

static Harness *
world(const SpfConfig *config)
{
    Harness *harness = harness_new(&filterd_plugin, config);
    harness_zone(harness, zone);
    harness_dns_status(harness, "dead.example", 0, FILTERD_DNS_TIMEOUT);
    harness_dns_status(harness, "66.2.0.192.in-addr.arpa", 0,
                       FILTERD_DNS_SERVFAIL);
    return harness;
}

static void
run_mail(Harness *harness, const char *client, const char *helo,
         const char *from)
{
    const char *at = strrchr(from, '@');
    g_autofree char *local = at ? g_strndup(from, (gsize)(at - from)) : NULL;
    harness_set(harness, "client.ip", client);
    harness_set(harness, "helo.name", helo);
    harness_set(harness, "mail.from", from);
    harness_set(harness, "mail.local", local);
    harness_set(harness, "mail.domain", at ? at + 1 : NULL);
    harness_run(harness, FILTERD_MAIL);
}

static void
assert_fact(Harness *harness, const char *fact, const char *value)
{
    g_assert_cmpstr(harness_fact(harness, fact), ==, value);
}

static void
assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        g_test_fail_printf("\"%s\" does not contain \"%s\"", text, part);
}

/* Nothing is wrong with a pass; else client, term and record are told. */
static void
assert_mechanism_tells(Harness *harness, const Case *row)
{
    bool matched = row->mechanism != NULL && strcmp(row->mechanism, "default");
    const char *quote = matched ? "\"" : "";
    g_autofree char *text =
        g_strdup_printf("%s matches %s%s%s in the record of ", row->client,
                        quote, matched ? row->mechanism : "nothing", quote);
    if (strcmp(row->result, "pass") == 0)
        assert_fact(harness, "problem", "-");
    else
        g_assert_true(g_str_has_prefix(harness_fact(harness, "problem"), text));
}

static void
test_case(gconstpointer data)
{
    const Case *row = data;
    g_autoptr(Harness) harness = world(&ordinary);
    run_mail(harness, row->client, "mail.example.org", row->from);
    assert_fact(harness, "result", row->result);
    if (row->mechanism != NULL)
        assert_fact(harness, "mechanism", row->mechanism);
    if (row->problem == NULL)
        assert_mechanism_tells(harness, row);
    else
        assert_contains(harness_fact(harness, "problem"), row->problem);
    g_assert_cmpuint(harness_question_count(harness), <=, 121);
}

/* ---- records too long for a table --------------------------------------- */

static void
publish_record(Harness *harness, const char *domain, const char *record)
{
    g_autofree char *line =
        g_strconcat(domain, " 60 TXT \"", record, "\"", NULL);
    harness_zone(harness, line);
}

static char *
repeat(const char *text, unsigned count)
{
    GString *out = g_string_new(NULL);
    while (count-- > 0)
        g_string_append(out, text);
    return g_string_free(out, FALSE);
}

static void
test_long(void)
{
    g_autoptr(Harness) harness = world(&ordinary);
    GString *record = g_string_new("v=spf1");
    for (unsigned i = 0; i < 64; i++)
        g_string_append_printf(record, " ip4:198.51.100.%u", i);
    g_string_append(record, " ip6:2001:db8::7 a:example.org ~all");
    g_autofree char *text = g_string_free(record, FALSE);
    publish_record(harness, "long.example", text);
    static const char *const matches[][2] = {
        {"198.51.100.63", "ip4:198.51.100.63"},
        {"2001:db8::7", "ip6:2001:db8::7"},
        {A10, "a:example.org"},
        {A20, "~all"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(matches); i++) {
        harness_reset(harness);
        run_mail(harness, matches[i][0], "h.example", "joe@long.example");
        assert_fact(harness, "mechanism", matches[i][1]);
    }
}

/* A record that is too big for the library in every way, and is 64 KB. */
static void
test_huge(void)
{
    g_autoptr(Harness) harness = world(&ordinary);
    g_autofree char *includes = repeat(" ?a:example.org", 4000);
    g_autofree char *record = g_strconcat("v=spf1", includes, " -all", NULL);
    publish_record(harness, "huge.example", record);
    run_mail(harness, A20, "h.example", "joe@huge.example");
    assert_fact(harness, "result", "permerror");
    assert_fact(harness, "lookups", "10");

    g_autofree char *macros = repeat("%{s}%{D}", 8000);
    g_autofree char *name =
        g_strconcat("v=spf1 exists:", macros, ".example -all", NULL);
    publish_record(harness, "swell.example", name);
    harness_reset(harness);
    run_mail(harness, A20, "h.example", "joe@swell.example");
    assert_fact(harness, "result", "fail");
}

/* CVE-2023-42118: both records end a process that gives them to libspf2. */
static void
test_smash(void)
{
    g_autoptr(Harness) harness = world(&ordinary);
    g_autofree char *macros = repeat("%{d}", 127);
    g_autofree char *literal = repeat("a", 400);
    g_autofree char *record =
        g_strconcat("v=spf1 exists:", macros, literal, ".example -all", NULL);
    publish_record(harness, "smash.example", record);
    run_mail(harness, A10, "h.example", "joe@smash.example");
    assert_fact(harness, "result", "fail");

    g_autofree char *senders = repeat("%{s}", 127);
    g_autofree char *text = g_strconcat(senders, literal, NULL);
    publish_record(harness, "exp.example", "v=spf1 exp=why.exp.example -all");
    publish_record(harness, "why.exp.example", text);
    harness_reset(harness);
    run_mail(harness, A10, "h.example", "joe@exp.example");
    assert_fact(harness, "result", "fail");
    g_assert_true(g_str_has_prefix(harness_fact(harness, "explanation"),
                                   "joe@exp.examplejoe@exp.example"));
    g_assert_cmpuint(strlen(harness_fact(harness, "explanation")), ==, 255);
}

/* Four labels are cut from the left, whole. */
static void
test_long_name(void)
{
    g_autoptr(Harness) harness = world(&ordinary);
    g_autofree char *label = repeat("x", 60);
    g_autofree char *record =
        g_strdup_printf("v=spf1 exists:%s.%s.%s.%s.%s.cut.example -all", label,
                        label, label, label, label);
    publish_record(harness, "longname.example", record);
    run_mail(harness, A10, "h.example", "joe@longname.example");
    g_autofree char *question = g_strdup_printf("A %s.%s.%s.%s.cut.example",
                                                label, label, label, label);
    g_assert_cmpuint(strlen(question) - strlen("A "), >, 253);
    g_autofree char *cut =
        g_strdup_printf("A %s.%s.%s.cut.example", label, label, label);
    assert_contains(harness_questions(harness), cut);
    g_assert_null(strstr(harness_questions(harness), question));
}

/* ---- names of the client ------------------------------------------------ */

/* `names` of the client lead back to it, zzz.ptr.example is one of them. */
static Harness *
crowd(const char *record, unsigned names)
{
    Harness *harness = world(&ordinary);
    for (unsigned i = 0; i < names; i++) {
        g_autofree char *lines = g_strdup_printf(
            "30.2.0.192.in-addr.arpa 60 PTR n%02u.crowd.example\n"
            "n%02u.crowd.example 60 A 192.0.2.31\n"
            "many.example 60 MX 10 n%02u.crowd.example\n",
            i, i, i);
        harness_zone(harness, lines);
    }
    harness_zone(harness, "30.2.0.192.in-addr.arpa 60 PTR zzz.ptr.example\n"
                          "zzz.ptr.example 60 A 192.0.2.30\n"
                          "many.example 60 MX 20 zzz.ptr.example\n");
    publish_record(harness, "ptr.example", record);
    return harness;
}

static void
test_ten_names(void)
{
    static const struct {
        const char *record;
        unsigned names;
        const char *result;
    } rows[] = {
        {"v=spf1 ptr -all", 9, "pass"},
        {"v=spf1 ptr -all", 10, "fail"},
        {"v=spf1 mx:many.example -all", 9, "pass"},
        {"v=spf1 mx:many.example -all", 10, "permerror"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) harness = crowd(rows[i].record, rows[i].names);
        run_mail(harness, "192.0.2.30", "h.example", "joe@ptr.example");
        assert_fact(harness, "result", rows[i].result);
    }
}

/* The record, 10 mx with 10 names each, and %{p}: as much as a record can make
 * us ask; no address leads back. */
static void
test_most_questions(void)
{
    g_autoptr(Harness) harness = crowd("v=spf1 -all", 2 * SPF_NAME_LIMIT);
    GString *record = g_string_new("v=spf1");
    for (int i = 0; i < ordinary.lookup_limit; i++) {
        g_string_append_printf(record, " mx:m%d.example", i);
        for (int j = 0; j < SPF_NAME_LIMIT; j++) {
            g_autofree char *lines =
                g_strdup_printf("m%d.example 60 MX 10 h%d.m%d.example\n"
                                "h%d.m%d.example 60 A 192.0.2.31\n",
                                i, j, i, j, i);
            harness_zone(harness, lines);
        }
    }
    g_string_append(record, " -all exp=%{p}.example");
    publish_record(harness, "bomb.example", record->str);
    g_string_free(record, TRUE);
    run_mail(harness, "192.0.2.30", "h.example", "joe@bomb.example");
    assert_fact(harness, "result", "fail");
    g_assert_cmpuint(harness_question_count(harness), ==, 1 + 110 + 12);
}

/* A name that does not lead back is nobody's. */
static void
test_false_name(void)
{
    g_autoptr(Harness) harness = world(&ordinary);
    harness_zone(harness, "99.2.0.192.in-addr.arpa 60 PTR www.example.org\n");
    publish_record(harness, "claims.example", "v=spf1 ptr:example.org -all");
    run_mail(harness, "192.0.2.99", "h.example", "joe@claims.example");
    assert_fact(harness, "result", "fail");
    harness_reset(harness);
    run_mail(harness, A10, "h.example", "joe@claims.example");
    assert_fact(harness, "result", "pass");
}

/* ---- explanations ------------------------------------------------------- */

static void
test_explanations(void)
{
    static const struct {
        const char *text;
        const char *explanation;
    } rows[] = {
        {"\"not %{i}, %{l} at %{r}\"", "not 192.0.2.10, j?b at mx.example.com"},
        {"\"two \" \"strings\"", "two strings"},
        {"\"line\\010break\"", "-"},
        {"\"escape\\027[2J\"", "-"},
        {"\"eight\\228\"", "-"},
        {"\"nul\\000\"", "-"},
        {"\"%{unclosed\"", "-"},
        {"\"\"", "-"},
        {"\"one\"\nwhy.exp.example 60 TXT \"two\"", "-"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) harness = world(&ordinary);
        g_autofree char *line =
            g_strconcat("why.exp.example 60 TXT ", rows[i].text, NULL);
        harness_zone(harness, line);
        publish_record(harness, "exp.example",
                       "v=spf1 exp=why.%{d} include:mild.example -all");
        publish_record(harness, "mild.example",
                       "v=spf1 exp=wrong.example -all");
        run_mail(harness, A10, "h.example", "j\033b@exp.example");
        assert_fact(harness, "explanation", rows[i].explanation);
    }
}

static void
test_explanation_follows_redirect(void)
{
    g_autoptr(Harness) harness = world(&ordinary);
    publish_record(harness, "here.example",
                   "v=spf1 exp=wrong.example redirect=there.example");
    publish_record(harness, "there.example", "v=spf1 exp=why.%{d} -all");
    publish_record(harness, "why.there.example", "says %{d}");
    publish_record(harness, "wrong.example", "wrong");
    run_mail(harness, A10, "h.example", "joe@here.example");
    assert_fact(harness, "explanation", "says there.example");
}

static void
test_explanation_only_of_fail(void)
{
    SpfConfig mute = ordinary;
    mute.explanation = false;
    static const struct {
        const char *record;
        gboolean mute;
    } rows[] = {
        {"v=spf1 exp=why.example ~all", FALSE},
        {"v=spf1 exp=why.example +all", FALSE},
        {"v=spf1 exp=why.example -all", TRUE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) harness = world(rows[i].mute ? &mute : &ordinary);
        publish_record(harness, "exp.example", rows[i].record);
        publish_record(harness, "why.example", "because");
        run_mail(harness, A10, "h.example", "joe@exp.example");
        assert_fact(harness, "explanation", "-");
        g_assert_cmpuint(harness_question_count(harness), ==, 1);
    }
}

/* ---- identities and what is written about them -------------------------- */

static void
test_null_sender(void)
{
    g_autoptr(Harness) harness = world(&ordinary);
    publish_record(harness, "helo.example",
                   "v=spf1 exists:%{l}.%{o}.%{h}.users.example -all");
    harness_zone(harness, "postmaster.Helo.example.Helo.example.users.example "
                          "60 A 127.0.0.2");
    run_mail(harness, A10, "Helo.example", "");
    assert_fact(harness, "result", "pass");
    assert_fact(harness, "domain", "helo.example");
    assert_contains(harness_authres(harness),
                    "spf=pass smtp.helo=Helo.example");
    g_assert_null(strstr(harness_authres(harness), "mailfrom"));
}

static void
test_helo(void)
{
    static const struct {
        const char *helo;
        const char *result;
    } rows[] = {
        {"loopback.example", "pass"},  {"[192.0.2.1]", "none"},
        {"192.0.2.1", "none"},         {"localhost", "none"},
        {"two.example", "permerror"},  {"dead.example", "temperror"},
        {"b\303\274.example", "none"}, {"a;dkim=pass.example", "none"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) harness = world(&ordinary);
        harness_set(harness, "client.ip", "192.0.2.1");
        harness_set(harness, "helo.name", rows[i].helo);
        harness_run(harness, FILTERD_HELO);
        bool pass = strcmp(rows[i].result, "pass") == 0;
        assert_fact(harness, "helo", rows[i].result);
        g_assert_cmpint(strcmp(harness_fact(harness, "helo-problem"), "-") == 0,
                        ==, pass);
        assert_fact(harness, "result", "-");
        g_assert_cmpstr(harness_authres(harness), ==, "");
    }
}

static void
test_authres(void)
{
    g_autoptr(Harness) harness = world(&ordinary);
    run_mail(harness, A10, "helo.example", "joe@first.example");
    assert_fact(harness, "domain", "first.example");
    assert_contains(harness_authres(harness),
                    "spf=pass smtp.mailfrom=first.example");
    g_assert_null(strstr(harness_authres(harness), "helo"));
}

static void
test_received(void)
{
    g_autoptr(Harness) harness = world(&ordinary);
    const FilterdValue none[] = {{.type = FILTERD_UNKNOWN}};
    run_mail(harness, A10, "x (\"y; z", "joe\" x=y\\@first.example");
    harness_act(harness, "received", none);
    assert_contains(
        harness_edits(harness),
        "add-header Received-SPF: pass (client is permitted to send for the "
        "domain)"
        "\\n    client-ip=192.0.2.10;"
        "\\n    envelope-from=\"joe\\\" x=y\\\\@first.example\";"
        "\\n    helo=\"x (\\\"y; z\";"
        "\\n    receiver=mx.example.com;"
        "\\n    identity=mailfrom;"
        "\\n    mechanism=\"include:soft.example\";");
}

/* `problem` is there for errors (RFC 7208 9.1). */
static void
test_received_of_a_fail(void)
{
    g_autoptr(Harness) harness = world(&ordinary);
    const FilterdValue none[] = {{.type = FILTERD_UNKNOWN}};
    run_mail(harness, A10, "mail.example", "joe@loopback.example");
    harness_act(harness, "received", none);
    assert_contains(harness_edits(harness), "\\n    mechanism=-all;");
    g_assert_null(strstr(harness_edits(harness), "problem="));
}

static void
test_cancelled(void)
{
    g_autoptr(Harness) harness = world(&ordinary);
    harness_dns_status(harness, "soft.example", 0, FILTERD_DNS_CANCELLED);
    run_mail(harness, A10, "h.example", "joe@first.example");
    assert_fact(harness, "result", "-");
    g_assert_cmpstr(harness_authres(harness), ==, "");
    g_assert_cmpuint(harness_question_count(harness), ==, 2);
}

static void
test_unknown_client(void)
{
    g_autoptr(Harness) harness = world(&ordinary);
    run_mail(harness, NULL, "h.example", "joe@first.example");
    assert_fact(harness, "result", "-");
    g_assert_cmpuint(harness_question_count(harness), ==, 0);
}

static void
test_limits_are_options(void)
{
    SpfConfig tight = ordinary;
    tight.lookup_limit = 1;
    tight.void_limit = 0;
    g_autoptr(Harness) harness = world(&tight);
    run_mail(harness, A10, "h.example", "joe@first.example");
    assert_contains(harness_fact(harness, "problem"), "more than 1 terms");
    harness_reset(harness);
    run_mail(harness, A10, "h.example", "joe@void2.example");
    assert_contains(harness_fact(harness, "problem"), "more than 0 lookups");
}

static const struct {
    const char *path;
    GTestFunc run;
} tests[] = {
    {"/spf/record-over-512-octets-is-read-to-its-end", test_long},
    {"/spf/record-of-64-kilobytes-is-bounded-work", test_huge},
    {"/spf/records-of-cve-2023-42118-are-harmless", test_smash},
    {"/spf/long-name-loses-whole-labels", test_long_name},
    {"/spf/ten-names-of-mx-and-ptr-are-looked-at", test_ten_names},
    {"/spf/no-record-makes-us-ask-more-than-123-questions",
     test_most_questions},
    {"/spf/name-that-does-not-lead-back-is-nobodys", test_false_name},
    {"/spf/explanation-is-one-clean-line", test_explanations},
    {"/spf/explanation-follows-redirect", test_explanation_follows_redirect},
    {"/spf/explanation-is-asked-for-only-after-fail",
     test_explanation_only_of_fail},
    {"/spf/null-reverse-path-is-postmaster-at-helo", test_null_sender},
    {"/spf/helo-has-a-result-of-its-own", test_helo},
    {"/spf/authentication-results-name-the-reverse-path", test_authres},
    {"/spf/received-spf-quotes-what-strangers-say", test_received},
    {"/spf/received-spf-of-a-fail-has-no-problem", test_received_of_a_fail},
    {"/spf/cancelled-session-publishes-nothing", test_cancelled},
    {"/spf/unknown-client-is-not-judged", test_unknown_client},
    {"/spf/limits-are-options", test_limits_are_options},
};

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat("/spf/", cases[i].name, NULL);
        g_test_add_data_func(path, &cases[i], test_case);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add_func(tests[i].path, tests[i].run);
    return g_test_run();
}
