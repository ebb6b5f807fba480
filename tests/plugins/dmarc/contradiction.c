/* contradiction.c: a library that contradicts neither lets a message pass nor
 * has it refused.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dmarc/library.h"
#include "plugins/dmarc/reporting.h"
#include <filterd/harness.h>

static DmarcOpinion stubborn;

DmarcOpinion
dmarc_library_judge(G_GNUC_UNUSED const DmarcQuestion *question)
{
    return stubborn;
}

static Harness *
evaluate(const char *spf)
{
    const DmarcConfig mode = {.mode = 0};
    Harness *harness = harness_new(&filterd_plugin, &mode);

    harness_zone(harness, "_dmarc.example.com 60 TXT \"v=DMARC1; p=reject\"\n");
    harness_set(harness, "header.from.domain", "example.com");
    harness_set(harness, "spf.result", spf);
    harness_set(harness, "spf.domain", "example.com");
    harness_set(harness, "dkim.result", "none");
    harness_set(harness, "dkim.domains", "");
    return harness;
}

static void
test_contradiction(const char *spf, DmarcOpinion opinion)
{
    g_autoptr(Harness) harness = evaluate(spf);

    stubborn = opinion;
    harness_expect_warning(harness, "libopendmarc contradicts");
    harness_run(harness, FILTERD_MESSAGE);
    g_assert_cmpstr(harness_fact(harness, "result"), ==, "fail");
    g_assert_cmpstr(harness_fact(harness, "disposition"), ==, "none");
    g_assert_cmpstr(harness_fact(harness, "problem"), ==,
                    "verdicts contradict");
}

static void
test_pass_against_reject(void)
{
    test_contradiction("pass", DMARC_SAYS_REJECT);
}

static void
test_reject_against_pass(void)
{
    test_contradiction("fail", DMARC_SAYS_PASS);
}

static void
test_reject_against_none(void)
{
    test_contradiction("fail", DMARC_SAYS_NONE);
}

static void
test_no_opinion_changes_nothing(void)
{
    g_autoptr(Harness) harness = evaluate("fail");

    stubborn = DMARC_NO_OPINION;
    harness_run(harness, FILTERD_MESSAGE);
    g_assert_cmpstr(harness_fact(harness, "disposition"), ==, "reject");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dmarc/contradiction/pass-against-reject",
                    test_pass_against_reject);
    g_test_add_func("/dmarc/contradiction/reject-against-pass",
                    test_reject_against_pass);
    g_test_add_func("/dmarc/contradiction/reject-against-none",
                    test_reject_against_none);
    g_test_add_func("/dmarc/contradiction/no-opinion-changes-nothing",
                    test_no_opinion_changes_nothing);
    return g_test_run();
}
