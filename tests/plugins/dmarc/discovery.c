/* discovery.c: which record applies, and what it asks for (RFC 9989 4.10,
 * appendix B).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/plugins/dmarc/case.h"

#define B4 EXAMPLE TXT("signing.example.com", "v=DMARC1; p=none")
#define BANK                                         \
    TXT("bank.example", "v=DMARC1; p=reject; psd=y") \
    TXT("giant.bank.example", "v=DMARC1; p=quarantine")
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
    {"a-broken-p-is-no-policy", TXT("example.com", "v=DMARC1; p=rejekt"),
     "example.com", "pass example.com", NULL, "none - none" WHOLE "-"},
    {"a-broken-p-with-rua-is-none",
     TXT("example.com", "v=DMARC1; p=rejekt; rua=mailto:a@example.com"),
     "example.com", NULL, NULL, "fail none none" WHOLE "none"},
    {"a-broken-sp-with-rua-is-none",
     TXT("example.com", "v=DMARC1; p=reject; sp=foo; rua=mailto:a@example.com"),
     "example.com", NULL, NULL, "fail none none" WHOLE "none"},
    {"a-broken-np-with-rua-is-none-below-too",
     TXT("example.com",
         "v=DMARC1; p=reject; sp=reject; np=x; rua=mailto:a@example.com"),
     "ghost.example.com", NULL, NULL, "fail none none" WHOLE "none"},
    {"an-empty-p-is-no-policy", TXT("example.com", "v=DMARC1; p=; sp=reject"),
     "example.com", NULL, NULL, "none - none" WHOLE "-"},
    {"two-p-that-differ-are-no-policy",
     TXT("example.com", "v=DMARC1; p=reject; p=none"), "example.com", NULL,
     NULL, "none - none" WHOLE "-"},
    {"a-broken-np-is-no-policy",
     TXT("example.com", "v=DMARC1; p=reject; np=foo"), "example.com", NULL,
     NULL, "none - none" WHOLE "-"},
    {"a-broken-rua-does-not-help",
     TXT("example.com", "v=DMARC1; p=rejekt; rua=a@example.com"), "example.com",
     NULL, NULL, "none - none" WHOLE "-"},
    {"a-broken-record-hides-the-one-above",
     EXAMPLE TXT("a.example.com", "v=DMARC1; p=rejekt"), "a.example.com", NULL,
     NULL, "none - none a.example.com example.com -"},
    {NULL},
};

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    add_cases("appendix", appendix);
    add_cases("discovery", discovery);
    add_cases("policy", policy);
    return g_test_run();
}
