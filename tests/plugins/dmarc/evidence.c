/* evidence.c: what aligns, and what a failing DNS leaves open (RFC 9989 4.10.2,
 * 5.3.6).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/plugins/dmarc/case.h"

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

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    add_cases("alignment", alignment);
    add_cases("failure", failures);
    return g_test_run();
}
