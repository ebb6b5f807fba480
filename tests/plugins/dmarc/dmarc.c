/* dmarc.c: the DMARC plugin on the harness: discovery, alignment, policy (RFC
 * 9989 4.10, 5.3, appendix B; RFC 7489 6.6).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/harness/harness.h"

#include <string.h>

enum { RFC9989, RFC7489 };

/* spf: "RESULT DOMAIN". dkim: "RESULT:DOMAIN" with commas. broken: a name that
 * gets `status`. expected: result, policy, disposition, domain, organization
 * and alignment. */
typedef struct Case {
    const char *name;
    const char *zone;
    const char *from;
    const char *spf, *dkim;
    const char *expected;
    const char *broken;
    FilterdDnsStatus status;
    int mode;
} Case;

#define TXT(domain, record) "_dmarc." domain " 300 TXT \"" record "\"\n"

static void
set_spf(Harness *harness, const char *spf)
{
    g_auto(GStrv) words = g_strsplit(spf != NULL ? spf : "none", " ", 2);

    harness_set(harness, "spf.result", words[0]);
    harness_set(harness, "spf.domain", words[1]);
}

static void
set_dkim(Harness *harness, const char *dkim)
{
    g_auto(GStrv) signatures = g_strsplit(dkim != NULL ? dkim : "", ",", -1);
    g_autoptr(GString) domains = g_string_new(NULL);
    g_autoptr(GString) results = g_string_new(NULL);
    const char *best = signatures[0] != NULL ? "fail" : "none";

    for (unsigned i = 0; signatures[i] != NULL; i++) {
        const char *domain = strchr(signatures[i], ':') + 1;

        g_string_append_printf(results, "%s%s:s1:rsa-sha256", i > 0 ? "," : "",
                               signatures[i]);
        if (g_str_has_prefix(signatures[i], "temperror")
            && strcmp(best, "pass") != 0)
            best = "temperror";
        if (!g_str_has_prefix(signatures[i], "pass:"))
            continue;
        g_string_append_printf(domains, "%s%s", domains->len > 0 ? "," : "",
                               domain);
        best = "pass";
    }
    harness_set(harness, "dkim.result", best);
    harness_set(harness, "dkim.domains", domains->str);
    harness_set(harness, "dkim.results", results->str);
}

static char *
summary(Harness *harness)
{
    static const char *const names[] = {"result", "policy",       "disposition",
                                        "domain", "organization", "alignment"};
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        g_string_append_printf(text, "%s%s", i > 0 ? " " : "",
                               harness_fact(harness, names[i]));
    return g_string_free(text, FALSE);
}

static Harness *
evaluate(const Case *test)
{
    Harness *harness = harness_new(&filterd_plugin, &test->mode);

    harness_zone(harness, test->zone);
    if (test->broken != NULL)
        harness_dns_status(harness, test->broken, 0, test->status);
    harness_set(harness, "header.from.domain", test->from);
    harness_set(harness, "header.from.problem", "none");
    set_spf(harness, test->spf);
    set_dkim(harness, test->dkim);
    harness_run(harness, FILTERD_MESSAGE);
    return harness;
}

static void
run_case(gconstpointer data)
{
    const Case *test = data;
    g_autoptr(Harness) harness = evaluate(test);
    g_autofree char *got = summary(harness);

    g_assert_cmpstr(got, ==, test->expected);
}

#define EXAMPLE TXT("example.com", "v=DMARC1; p=reject; aspf=r")
#define B4 EXAMPLE TXT("signing.example.com", "v=DMARC1; p=none")
#define BANK                                         \
    TXT("bank.example", "v=DMARC1; p=reject; psd=y") \
    TXT("giant.bank.example", "v=DMARC1; p=quarantine")
#define CHILD "child.example.com 60 A 192.0.2.1\n"
#define WHOLE " example.com example.com "

/* RFC 9989 appendix B. */
static const Case appendix[] = {
    {"b-1-1-spf-example-1-is-strict", EXAMPLE, "example.com",
     "pass example.com", NULL, "pass reject none" WHOLE "spf:strict"},
    {"b-1-1-spf-example-2-is-relaxed", EXAMPLE, "example.com",
     "pass child.example.com", NULL, "pass reject none" WHOLE "spf:relaxed"},
    {"b-1-1-spf-example-3-is-not-aligned", EXAMPLE CHILD, "child.example.com",
     "pass example.net", NULL, "fail reject reject" WHOLE "none"},
    {"b-1-2-dkim-example-1-is-strict", EXAMPLE, "example.com", NULL,
     "pass:example.com", "pass reject none" WHOLE "dkim:strict"},
    {"b-1-2-dkim-example-2-is-relaxed", EXAMPLE, "child.example.com", NULL,
     "pass:example.com", "pass reject none" WHOLE "dkim:relaxed"},
    {"b-1-2-dkim-example-3-is-not-aligned", EXAMPLE CHILD, "child.example.com",
     NULL, "pass:example.net", "fail reject reject" WHOLE "none"},
    {"b-2-1-monitoring-changes-nothing",
     TXT("example.com", "v=DMARC1; p=none; \" "
                        "\"rua=mailto:dmarc-feedback@example.com"),
     "example.com", "fail example.com", NULL, "fail none none" WHOLE "none"},
    {"b-2-5-a-subdomain-tests-its-policy",
     TXT("test.example.com", "v=DMARC1; p=quarantine; "
                             "rua=mailto:dmarc-feedback@example.com,\" "
                             "\"mailto:tld-test@thirdparty.example.net; t=y"),
     "test.example.com", NULL, NULL,
     "fail quarantine none test.example.com test.example.com none"},
    {"b-3-1-both-align", EXAMPLE, "example.com", "pass mail.example.com",
     "pass:example.com", "pass reject none" WHOLE "spf:relaxed,dkim:strict"},
    {"b-4-1-simple-walk", B4, "example.com", "pass example.com",
     "pass:signing.example.com",
     "pass reject none" WHOLE "spf:strict,dkim:relaxed"},
    {"b-4-2-deep-walk", B4, "a.b.c.d.e.f.g.h.i.j.k.example.com",
     "pass example.com", "pass:signing.example.com",
     "pass reject none" WHOLE "spf:relaxed,dkim:relaxed"},
    {"b-4-3-below-a-public-suffix", BANK, "giant.bank.example",
     "pass mail.giant.bank.example", "pass:mail.mega.bank.example",
     "pass quarantine none giant.bank.example giant.bank.example "
     "spf:relaxed"},
    {"b-4-3-a-sibling-below-a-public-suffix-is-not-aligned", BANK,
     "giant.bank.example", NULL, "pass:mail.mega.bank.example",
     "fail quarantine quarantine giant.bank.example giant.bank.example none"},
    {NULL},
};

#define PSD TXT("com", "v=DMARC1; p=reject; sp=quarantine; np=reject; psd=y")
#define NP TXT("example.com", "v=DMARC1; p=none; sp=quarantine; np=reject")

static const Case discovery[] = {
    {"no-record-is-none", "", "example.com", "pass example.com", NULL,
     "none - none - example.com -"},
    {"nothing-aligned-is-fail", EXAMPLE, "example.com", "pass example.net",
     NULL, "fail reject reject" WHOLE "none"},
    {"the-authors-own-record-comes-first",
     EXAMPLE TXT("a.example.com", "v=DMARC1; p=quarantine; sp=none"),
     "a.example.com", NULL, NULL,
     "fail quarantine quarantine a.example.com example.com none"},
    {"an-intermediate-record-is-passed-over",
     EXAMPLE TXT("mail.example.com", "v=DMARC1; p=none"), "a.mail.example.com",
     NULL, NULL, "fail reject reject" WHOLE "none"},
    {"psd-n-ends-the-walk",
     EXAMPLE TXT("mail.example.com", "v=DMARC1; p=quarantine; psd=n"),
     "a.mail.example.com", "pass example.com", NULL,
     "fail quarantine quarantine mail.example.com mail.example.com none"},
    {"psd-n-aligns-what-is-below",
     EXAMPLE TXT("mail.example.com", "v=DMARC1; p=quarantine; psd=n"),
     "a.mail.example.com", "pass b.mail.example.com", NULL,
     "pass quarantine none mail.example.com mail.example.com spf:relaxed"},
    {"the-author-at-psd-n-is-its-own-organization",
     EXAMPLE TXT("mail.example.com", "v=DMARC1; p=quarantine; psd=n"),
     "example.com", "pass mail.example.com", NULL,
     "fail reject reject" WHOLE "none"},
    {"a-public-suffix-speaks-for-those-without-a-record",
     PSD "example.com 60 A 192.0.2.1\n", "example.com", NULL, NULL,
     "fail reject quarantine com example.com none"},
    {"np-of-a-public-suffix", PSD, "example.com", NULL, NULL,
     "fail reject reject com example.com none"},
    {"a-public-suffix-aligns-below-it", PSD, "a.example.com",
     "pass b.example.com", NULL,
     "pass reject none com example.com spf:relaxed"},
    {"a-public-suffix-does-not-align-its-children", PSD, "example.com",
     "pass example2.com", "pass:com",
     "fail reject reject com example.com none"},
    {"the-public-suffix-itself-as-author", PSD, "com", NULL, NULL,
     "fail reject reject com com none"},
    {"a-public-suffix-does-not-override", PSD EXAMPLE, "example.com", NULL,
     NULL, "fail reject reject" WHOLE "none"},
    {"a-top-level-record-without-psd-is-the-organization",
     TXT("com", "v=DMARC1; p=reject"), "example.com", "pass example2.com", NULL,
     "pass reject none com com spf:relaxed"},
    {"psd-y-where-the-walk-starts-is-no-suffix",
     TXT("example.com", "v=DMARC1; p=reject; psd=y"), "example.com",
     "pass example.com", NULL, "pass reject none" WHOLE "spf:strict"},
    {"psd-y-above-a-long-name", PSD, "a.b.c.d.e.f.g.h.i.example.com",
     "pass example.com", NULL, "pass reject none com example.com spf:relaxed"},
    {"several-records-are-none",
     EXAMPLE TXT("a.example.com", "v=DMARC1; p=none")
         TXT("a.example.com", "v=DMARC1; p=quarantine"),
     "a.example.com", NULL, NULL, "fail reject reject" WHOLE "none"},
    {"several-records-and-none-above",
     TXT("example.com", "v=DMARC1; p=none")
         TXT("example.com", "v=DMARC1; p=reject"),
     "example.com", NULL, NULL, "none - none - example.com -"},
    {"other-txt-records-do-not-count",
     EXAMPLE TXT("example.com", "v=spf1 -all") TXT("example.com", "v=DMARC2")
         TXT("example.com", ""),
     "example.com", NULL, NULL, "fail reject reject" WHOLE "none"},
    {"a-cname-is-followed",
     "_dmarc.example.com 60 CNAME d.example.net\n"
     "d.example.net 60 TXT \"v=DMARC1; p=reject\"\n",
     "example.com", NULL, NULL, "fail reject reject" WHOLE "none"},
    {"a-single-label", TXT("localhost", "v=DMARC1; p=reject"), "localhost",
     NULL, NULL, "fail reject reject localhost localhost none"},
    {"a-one-letter-single-label", TXT("x", "v=DMARC1; p=reject"), "x", "pass x",
     NULL, "pass reject none x x spf:strict"},
    {"a-name-of-253-octets", EXAMPLE,
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com",
     NULL, NULL, "fail reject reject" WHOLE "none"},
    {NULL},
};

#define TESTING TXT("example.com", "v=DMARC1; p=reject; sp=quarantine; t=y")

static const Case policy[] = {
    {"sp-for-an-existing-subdomain", NP CHILD, "child.example.com", NULL, NULL,
     "fail none quarantine" WHOLE "none"},
    {"np-for-one-that-does-not-exist", NP, "ghost.example.com", NULL, NULL,
     "fail none reject" WHOLE "none"},
    {"an-empty-non-terminal-exists", NP "a.ent.example.com 60 A 192.0.2.1\n",
     "ent.example.com", NULL, NULL, "fail none quarantine" WHOLE "none"},
    {"other-types-make-it-exist", NP "t.example.com 60 TXT \"x\"\n",
     "t.example.com", NULL, NULL, "fail none quarantine" WHOLE "none"},
    {"sp-stands-in-for-np",
     TXT("example.com", "v=DMARC1; p=none; sp=quarantine"), "ghost.example.com",
     NULL, NULL, "fail none quarantine" WHOLE "none"},
    {"p-stands-in-for-sp", TXT("example.com", "v=DMARC1; p=reject; np=none"),
     "child.example.com", NULL, NULL, "fail reject none" WHOLE "none"},
    {"p-stands-in-for-sp-of-an-existing-one",
     TXT("example.com", "v=DMARC1; p=reject; np=none") CHILD,
     "child.example.com", NULL, NULL, "fail reject reject" WHOLE "none"},
    {"p-at-the-domain-itself", NP, "example.com", NULL, NULL,
     "fail none none" WHOLE "none"},
    {"existence-unknown-is-temperror", NP, "ghost.example.com", NULL, NULL,
     "temperror none none" WHOLE "none", "ghost.example.com",
     FILTERD_DNS_SERVFAIL},
    {"a-test-lowers-reject", TESTING, "example.com", NULL, NULL,
     "fail reject quarantine" WHOLE "none"},
    {"a-test-lowers-quarantine", TESTING, "child.example.com", NULL, NULL,
     "fail reject none" WHOLE "none"},
    {"a-test-leaves-none", TXT("example.com", "v=DMARC1; p=none; t=y"),
     "example.com", NULL, NULL, "fail none none" WHOLE "none"},
    {"pct-is-history", TXT("example.com", "v=DMARC1; p=reject; pct=0"),
     "example.com", NULL, NULL, "fail reject reject" WHOLE "none"},
    {"without-p-it-is-none", TXT("example.com", "v=DMARC1"), "example.com",
     NULL, NULL, "fail none none" WHOLE "none"},
    {"a-broken-p-is-permerror", TXT("example.com", "v=DMARC1; p=rejekt"),
     "example.com", "pass example.com", NULL, "permerror - none" WHOLE "-"},
    {"a-broken-p-with-rua-is-none",
     TXT("example.com", "v=DMARC1; p=rejekt; rua=mailto:a@example.com"),
     "example.com", NULL, NULL, "fail none none" WHOLE "none"},
    {"a-broken-sp-with-rua-is-none",
     TXT("example.com", "v=DMARC1; p=reject; sp=foo; rua=mailto:a@example.com"),
     "example.com", NULL, NULL, "fail none none" WHOLE "none"},
    {"a-broken-np-is-permerror",
     TXT("example.com", "v=DMARC1; p=reject; np=foo"), "example.com", NULL,
     NULL, "permerror - none" WHOLE "-"},
    {"a-broken-rua-does-not-help",
     TXT("example.com", "v=DMARC1; p=rejekt; rua=a@example.com"), "example.com",
     NULL, NULL, "permerror - none" WHOLE "-"},
    {"a-broken-record-hides-the-one-above",
     EXAMPLE TXT("a.example.com", "v=DMARC1; p=rejekt"), "a.example.com", NULL,
     NULL, "permerror - none a.example.com example.com -"},
    {NULL},
};

#define STRICT TXT("example.com", "v=DMARC1; p=reject; adkim=s; aspf=s")
#define ONE TXT("x.com", "v=DMARC1; p=reject")

static const Case alignment[] = {
    {"strict-wants-the-same-domain", STRICT, "example.com",
     "pass mail.example.com", "pass:mail.example.com",
     "fail reject reject" WHOLE "none"},
    {"strict-siblings-are-not-aligned", STRICT CHILD, "child.example.com",
     "pass a.example.com", "pass:b.example.com,pass:example.com",
     "fail reject reject" WHOLE "none"},
    {"strict-one-letter-siblings-are-not-aligned", STRICT, "a.example.com",
     NULL, "pass:b.example.com", "fail reject reject" WHOLE "none"},
    {"strict-takes-the-same", STRICT, "a.example.com", NULL,
     "pass:b.example.com,pass:a.example.com",
     "pass reject none" WHOLE "dkim:strict"},
    {"strict-spf-relaxed-dkim",
     TXT("example.com", "v=DMARC1; p=reject; aspf=s"), "example.com",
     "pass a.example.com", "pass:b.example.com",
     "pass reject none" WHOLE "dkim:relaxed"},
    {"one-letter-domains-are-domains", ONE, "x.com", NULL, "pass:attacker.com",
     "fail reject reject x.com x.com none"},
    {"one-letter-domains-align-with-themselves", ONE, "x.com", NULL,
     "pass:x.com", "pass reject none x.com x.com dkim:strict"},
    {"a-suffix-of-the-text-is-no-ancestor", EXAMPLE, "example.com",
     "pass badexample.com", "pass:ample.com",
     "fail reject reject" WHOLE "none"},
    {"a-public-suffix-signs-for-nobody", TXT("x.co.uk", "v=DMARC1; p=reject"),
     "x.co.uk", NULL, "pass:co.uk,pass:uk",
     "fail reject reject x.co.uk x.co.uk none"},
    {"an-identifier-that-is-no-name-is-not-aligned", EXAMPLE, "example.com",
     NULL, "pass:EXAMPLE.com,pass:..,pass:a..example.com",
     "fail reject reject" WHOLE "none"},
    {"a-relaxed-pass-before-an-exact-fail", EXAMPLE, "example.com", NULL,
     "pass:a.example.com,fail:example.com",
     "pass reject none" WHOLE "dkim:relaxed"},
    {"spf-that-did-not-pass-does-not-count", EXAMPLE, "example.com",
     "softfail example.com", NULL, "fail reject reject" WHOLE "none"},
    {"one-aligned-among-many", EXAMPLE, "example.com", NULL,
     "pass:example.net,pass:example.org,pass:a.example.com",
     "pass reject none" WHOLE "dkim:relaxed"},
    {NULL},
};

static const Case failures[] = {
    {"servfail-at-the-author-does-not-fall-through", EXAMPLE, "a.example.com",
     "pass example.com", NULL, "temperror - none - - -", "_dmarc.a.example.com",
     FILTERD_DNS_SERVFAIL},
    {"a-timeout-at-the-author-is-temperror", EXAMPLE, "a.example.com", NULL,
     NULL, "temperror - none - - -", "_dmarc.a.example.com",
     FILTERD_DNS_TIMEOUT},
    {"a-forged-answer-is-temperror", EXAMPLE, "example.com", NULL, NULL,
     "temperror - none - - -", "_dmarc.example.com", FILTERD_DNS_BOGUS},
    {"a-failure-further-up-is-temperror", EXAMPLE, "a.example.com", NULL, NULL,
     "temperror - none - - -", "_dmarc.com", FILTERD_DNS_SERVFAIL},
    {"a-failure-above-psd-n-is-never-met",
     TXT("example.com", "v=DMARC1; p=reject; psd=n"), "a.example.com", NULL,
     NULL, "fail reject reject" WHOLE "none", "_dmarc.com",
     FILTERD_DNS_SERVFAIL},
    {"a-failure-further-up-spares-the-identical", EXAMPLE, "example.com",
     "pass example.com", NULL, "pass reject none example.com - spf:strict",
     "_dmarc.com", FILTERD_DNS_TIMEOUT},
    {"a-failure-further-up-leaves-relaxed-open", EXAMPLE, "example.com",
     "pass a.example.com", NULL, "temperror reject none example.com - none",
     "_dmarc.com", FILTERD_DNS_TIMEOUT},
    {"a-failure-further-up-does-not-matter-to-strict", STRICT, "example.com",
     "pass a.example.com", NULL, "fail reject reject example.com - none",
     "_dmarc.com", FILTERD_DNS_TIMEOUT},
    {"a-failure-at-the-identifier-is-temperror", EXAMPLE, "example.com",
     "pass a.example.com", NULL, "temperror reject none" WHOLE "none",
     "_dmarc.a.example.com", FILTERD_DNS_SERVFAIL},
    {"another-pass-outweighs-a-failure", EXAMPLE, "example.com",
     "pass a.example.com", "pass:example.com",
     "pass reject none" WHOLE "dkim:strict", "_dmarc.a.example.com",
     FILTERD_DNS_SERVFAIL},
    {"spf-temperror-that-could-align", EXAMPLE, "example.com",
     "temperror a.example.com", NULL, "temperror reject none" WHOLE "none"},
    {"spf-temperror-of-somebody-else", EXAMPLE, "example.com",
     "temperror example.net", NULL, "fail reject reject" WHOLE "none"},
    {"spf-temperror-and-an-aligned-signature", EXAMPLE, "example.com",
     "temperror example.com", "pass:example.com",
     "pass reject none" WHOLE "dkim:strict"},
    {"dkim-temperror-that-could-align", EXAMPLE, "example.com", NULL,
     "temperror:example.com,pass:example.net",
     "temperror reject none" WHOLE "none"},
    {"dkim-temperror-of-somebody-else", EXAMPLE, "example.com", NULL,
     "temperror:example.net,fail:example.com",
     "fail reject reject" WHOLE "none"},
    {"cancelled-publishes-nothing", EXAMPLE, "example.com", NULL, NULL,
     "- - - - - -", "_dmarc.example.com", FILTERD_DNS_CANCELLED},
    {"cancelled-at-the-identifier-publishes-nothing", EXAMPLE, "example.com",
     "pass a.example.com", NULL, "- - - - - -", "_dmarc.a.example.com",
     FILTERD_DNS_CANCELLED},
    {NULL},
};

static const Case older[] = {
    {"the-list-finds-the-organization", EXAMPLE, "a.b.example.com", NULL,
     "pass:example.com", "pass reject none" WHOLE "dkim:relaxed",
     .mode = RFC7489},
    {"names-between-are-not-asked",
     EXAMPLE TXT("b.example.com", "v=DMARC1; p=none"), "a.b.example.com", NULL,
     NULL, "fail reject reject" WHOLE "none", .mode = RFC7489},
    {"a-public-suffix-of-two-labels",
     TXT("example.co.uk", "v=DMARC1; p=reject"), "a.example.co.uk", NULL,
     "pass:co.uk,pass:uk,pass:other.co.uk",
     "fail reject reject example.co.uk example.co.uk none", .mode = RFC7489},
    {"a-wildcard-suffix", TXT("a.b.ck", "v=DMARC1; p=reject"), "x.a.b.ck", NULL,
     "pass:y.a.b.ck", "pass reject none a.b.ck a.b.ck dkim:relaxed",
     .mode = RFC7489},
    {"a-wildcard-suffix-does-not-align", TXT("a.b.ck", "v=DMARC1; p=reject"),
     "a.b.ck", NULL, "pass:c.b.ck,pass:b.ck",
     "fail reject reject a.b.ck a.b.ck none", .mode = RFC7489},
    {"the-suffix-itself-as-author", TXT("co.uk", "v=DMARC1; p=reject"), "co.uk",
     NULL, "pass:example.co.uk", "fail reject reject co.uk co.uk none",
     .mode = RFC7489},
    {"a-private-suffix", TXT("a.github.io", "v=DMARC1; p=reject"),
     "a.github.io", NULL, "pass:b.github.io,pass:github.io",
     "fail reject reject a.github.io a.github.io none", .mode = RFC7489},
    {"an-unknown-top-level-domain", TXT("a.nosuchtld", "v=DMARC1; p=reject"),
     "b.a.nosuchtld", NULL, "pass:a.nosuchtld",
     "pass reject none a.nosuchtld a.nosuchtld dkim:relaxed", .mode = RFC7489},
    {"np-t-and-psd-are-unknown-tags",
     TXT("example.com", "v=DMARC1; p=reject; np=foo; t=y; psd=n"),
     "ghost.example.com", NULL, NULL, "fail reject reject" WHOLE "none",
     .mode = RFC7489},
    {"sp-is-known", TXT("example.com", "v=DMARC1; p=reject; sp=none"),
     "ghost.example.com", NULL, NULL, "fail reject none" WHOLE "none",
     .mode = RFC7489},
    {"several-records-end-it",
     EXAMPLE TXT("a.example.com", "v=DMARC1; p=none")
         TXT("a.example.com", "v=DMARC1; p=quarantine"),
     "a.example.com", NULL, NULL, "none - none - example.com -",
     .mode = RFC7489},
    {"p-is-required", TXT("example.com", "v=DMARC1; aspf=s"), "example.com",
     NULL, NULL, "permerror - none" WHOLE "-", .mode = RFC7489},
    {"pct-0-lowers", TXT("example.com", "v=DMARC1; p=reject; pct=0"),
     "example.com", NULL, NULL, "fail reject quarantine" WHOLE "none",
     .mode = RFC7489},
    {"pct-100-does-not", TXT("example.com", "v=DMARC1; p=reject; pct=100"),
     "example.com", NULL, NULL, "fail reject reject" WHOLE "none",
     .mode = RFC7489},
    {"servfail-does-not-fall-through", EXAMPLE, "a.example.com", NULL, NULL,
     "temperror - none - example.com -", "_dmarc.a.example.com",
     FILTERD_DNS_SERVFAIL, RFC7489},
    {NULL},
};

/* Exactly eight, whatever the length (RFC 9989 4.10). */
static void
test_walk_asks_eight_names(void)
{
    static const Case test = {.zone = "",
                              .from = "a.b.c.d.e.f.g.h.i.j.mail.example.com"};
    g_autoptr(Harness) harness = evaluate(&test);

    g_assert_cmpstr(harness_questions(harness), ==,
                    "TXT _dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.com\n"
                    "TXT _dmarc.g.h.i.j.mail.example.com\n"
                    "TXT _dmarc.h.i.j.mail.example.com\n"
                    "TXT _dmarc.i.j.mail.example.com\n"
                    "TXT _dmarc.j.mail.example.com\n"
                    "TXT _dmarc.mail.example.com\n"
                    "TXT _dmarc.example.com\n"
                    "TXT _dmarc.com");
}

static void
test_eight_labels_ask_eight_names(void)
{
    static const Case test = {.zone = "", .from = "a.b.c.d.e.f.g.h"};
    g_autoptr(Harness) harness = evaluate(&test);

    g_assert_cmpuint(harness_question_count(harness), ==, 8);
}

static void
test_strangers_cost_no_query(void)
{
    static const Case test = {.zone = EXAMPLE,
                              .from = "example.com",
                              .spf = "pass a.b.c.example.net",
                              .dkim = "pass:a.b.example.org,pass:x.y.com"};
    g_autoptr(Harness) harness = evaluate(&test);

    g_assert_cmpuint(harness_question_count(harness), ==, 2);
}

static void
test_from_problem_is_permerror(gconstpointer word)
{
    const int mode = RFC9989;
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, &mode);
    g_autofree char *problem = g_strdup_printf("From is %s", (char *)word);

    harness_zone(harness, EXAMPLE);
    harness_set(harness, "header.from.domain", "example.com");
    harness_set(harness, "header.from.problem", word);
    harness_run(harness, FILTERD_MESSAGE);
    g_assert_cmpstr(harness_fact(harness, "result"), ==, "permerror");
    g_assert_cmpstr(harness_fact(harness, "disposition"), ==, "none");
    g_assert_cmpstr(harness_fact(harness, "problem"), ==, problem);
    g_assert_cmpuint(harness_question_count(harness), ==, 0);
    g_assert_cmpstr(harness_authres(harness), ==, "dmarc=permerror");
}

static const char *const unusable[] = {
    "a_label_of_64_octets_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example",
    "example..com",
    ".com",
    "m\xc3\xbcller.example",
    "ex ample.com",
    "[192.0.2.1]",
    NULL,
};

static void
test_unusable_author_is_permerror(void)
{
    for (unsigned i = 0; unusable[i] != NULL; i++) {
        Case test = {.zone = "", .from = unusable[i]};
        g_autoptr(Harness) harness = evaluate(&test);

        g_assert_cmpstr(harness_fact(harness, "result"), ==, "permerror");
        g_assert_cmpuint(harness_question_count(harness), ==, 0);
    }
}

static void
test_no_evidence_is_no_failure(void)
{
    const int mode = RFC9989;
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, &mode);

    harness_zone(harness, EXAMPLE);
    harness_set(harness, "header.from.domain", "example.com");
    harness_run(harness, FILTERD_MESSAGE);
    g_assert_cmpstr(harness_fact(harness, "result"), ==, "temperror");
}

static void
test_authentication_results(void)
{
    static const struct {
        Case test;
        const char *expected;
    } rows[] = {
        {{.zone = EXAMPLE, .from = "example.com", .spf = "pass example.com"},
         "dmarc=pass (p=reject) header.from=example.com policy.dmarc=none"},
        {{.zone = EXAMPLE, .from = "example.com"},
         "dmarc=fail (p=reject) header.from=example.com "
         "policy.dmarc=reject"},
        {{.zone = NP, .from = "ghost.example.com"},
         "dmarc=fail (p=none np=reject) header.from=ghost.example.com "
         "policy.dmarc=reject"},
        {{.zone = "", .from = "example.com"},
         "dmarc=none header.from=example.com"},
        {{.zone = EXAMPLE,
          .from = "example.com",
          .broken = "_dmarc.example.com",
          .status = FILTERD_DNS_SERVFAIL},
         "dmarc=temperror header.from=example.com"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) harness = evaluate(&rows[i].test);

        g_assert_cmpstr(harness_authres(harness), ==, rows[i].expected);
    }
}

/* 1,000 records at the name, then one of 64 KB. */
static void
test_floods_are_bounded(void)
{
    g_autoptr(GString) many = g_string_new(NULL);
    g_autoptr(GString) big = g_string_new("_dmarc.example.com 60 TXT ");

    for (unsigned i = 0; i < 1000; i++)
        g_string_append_printf(
            many, "_dmarc.example.com 60 TXT \"v=DMARC1; p=reject; x=%u\"\n",
            i);
    g_string_append(big, "\"v=DMARC1; p=reject\"");
    for (unsigned i = 0; i < 320; i++)
        g_string_append_printf(big, " \"%0200u\"", i);
    g_string_append(big, "\n");

    Case several = {.zone = many->str, .from = "example.com"};
    Case long_one = {.zone = big->str, .from = "example.com"};
    g_autoptr(Harness) first = evaluate(&several);
    g_autoptr(Harness) second = evaluate(&long_one);
    g_assert_cmpstr(harness_fact(first, "result"), ==, "none");
    g_assert_cmpstr(harness_fact(first, "problem"), ==,
                    "several records at _dmarc.example.com");
    g_assert_cmpstr(harness_fact(second, "result"), ==, "permerror");
}

static void
add_cases(const char *group, const Case *cases)
{
    for (; cases->name != NULL; cases++) {
        g_autofree char *path =
            g_strdup_printf("/dmarc/%s/%s", group, cases->name);

        g_test_add_data_func(path, cases, run_case);
    }
}

static void
add_from_problems(void)
{
    static const char *const words[] = {"missing", "repeated", "multiple",
                                        "malformed"};

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *path =
            g_strdup_printf("/dmarc/from/%s-is-permerror", words[i]);

        g_test_add_data_func(path, words[i], test_from_problem_is_permerror);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    add_cases("appendix", appendix);
    add_cases("discovery", discovery);
    add_cases("policy", policy);
    add_cases("alignment", alignment);
    add_cases("failure", failures);
    add_cases("rfc7489", older);
    add_from_problems();
    g_test_add_func("/dmarc/walk/asks-eight-names", test_walk_asks_eight_names);
    g_test_add_func("/dmarc/walk/eight-labels-ask-eight-names",
                    test_eight_labels_ask_eight_names);
    g_test_add_func("/dmarc/walk/strangers-cost-no-query",
                    test_strangers_cost_no_query);
    g_test_add_func("/dmarc/from/an-unusable-domain-is-permerror",
                    test_unusable_author_is_permerror);
    g_test_add_func("/dmarc/evidence/none-at-all-is-no-failure",
                    test_no_evidence_is_no_failure);
    g_test_add_func("/dmarc/authentication-results",
                    test_authentication_results);
    g_test_add_func("/dmarc/floods-are-bounded", test_floods_are_bounded);
    return g_test_run();
}
