/* library.c: libopendmarc agrees with us on what it is asked, and would not on
 * what it is kept from.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dmarc/library.h"

#include <glib.h>
#include <opendmarc/dmarc.h>

/* Names on which its own alignment or suffix rules go wrong, or might. */
static const char *const domains[] = {
    "example.com",
    "x.com",
    "a.b.c.d",
    "co.uk",
    "a.co.uk",
    "github.io",
    "a.github.io",
    "b.ck",
    "a.b.kawasaki.jp",
    "x.compute.amazonaws.com",
    "xn--bcher-kva.example",
    "xn--p1ai.xn--p1ai",
    "_a._b.example",
    "-.-",
    "1.2.3.4",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};

static DmarcOpinion
expected(const DmarcQuestion *question)
{
    return question->spf || question->dkim
               ? DMARC_SAYS_PASS
               : DMARC_SAYS_NONE + (DmarcOpinion)question->policy;
}

static void
test_agrees(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(domains); i++) {
        for (unsigned bits = 0; bits < 12; bits++) {
            DmarcQuestion question = {domains[i], (DmarcPolicy)(bits / 4),
                                      bits & 1, bits & 2};
            DmarcOpinion opinion = dmarc_library_judge(&question);

            if (opinion != expected(&question))
                g_test_fail_printf("%s, %u: %d", domains[i], bits, opinion);
        }
    }
}

static void
test_is_not_asked_about_single_labels(void)
{
    DmarcQuestion question = {"x", DMARC_REJECT, false, false};

    g_assert_cmpint(dmarc_library_judge(&question), ==, DMARC_NO_OPINION);
}

/* What it says of evidence as it came. */
static int
raw_verdict(const char *author, const char *record, const char *signer)
{
    DMARC_POLICY_T *context =
        opendmarc_policy_connect_init((unsigned char *)"192.0.2.1", 0);

    opendmarc_policy_store_dmarc(context, (unsigned char *)record,
                                 (unsigned char *)author, NULL);
    opendmarc_policy_store_dkim(context, (unsigned char *)signer, NULL,
                                DMARC_POLICY_DKIM_OUTCOME_PASS, NULL);
    int status = opendmarc_get_policy_to_enforce(context);
    opendmarc_policy_connect_shutdown(context);
    return status;
}

/* Why the fence stands; when one of these fails, the library was mended. */
static void
test_own_reading_is_wrong(void)
{
    static const struct {
        const char *author, *record, *signer;
    } rows[] = {
        {"x.com", "v=DMARC1; p=reject", "attacker.com"},
        {"a.example.com", "v=DMARC1; p=reject; adkim=s", "b.example.com"},
        {"example.co.uk", "v=DMARC1; p=reject", "co.uk"},
        {"example.github.io", "v=DMARC1; p=reject", "github.io"},
        {"example.com", "p=reject", "example.com"},
        {"example.com", "v=dmarc1; p=r", "example.com"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        int status =
            raw_verdict(rows[i].author, rows[i].record, rows[i].signer);

        g_test_message("%s %s", rows[i].author, rows[i].signer);
        g_assert_cmpint(status, ==, DMARC_POLICY_PASS);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/dmarc/library/agrees-on-clean-questions", test_agrees);
    g_test_add_func("/dmarc/library/is-not-asked-about-single-labels",
                    test_is_not_asked_about_single_labels);
    g_test_add_func("/dmarc/library/its-own-reading-is-wrong",
                    test_own_reading_is_wrong);
    return g_test_run();
}
