/* default.c: the policy that comes with filterd, judged.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/policy/world.h"

static PolicyConfig *
compile_default(void)
{
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(DEFAULT_POLICY, &text, NULL, NULL));
    return world_config(text);
}

#define STRANGER "client.ip=198.51.100.9 client.fcrdns=yes bl.score=0 "
#define NOBODY "client.ip=198.51.100.9 client.fcrdns=no bl.score=0 "
#define OURS "rcpt.to=b@example.com rcpt.local=b rcpt.domain=example.com "
#define FROM "header.from.problem=none "

static const struct {
    FilterdStage stage;
    const char *facts;
    const char *rule; /* NULL: goes on */
    const char *reply;
} cases[] = {
    {FILTERD_CONNECT, "client.ip=192.0.2.9", "trusted", NULL},
    {FILTERD_CONNECT, "client.ip=198.51.100.9", NULL, NULL},
    {FILTERD_RCPT, STRANGER OURS "auth.user=joe", "authenticated", NULL},
    {FILTERD_RCPT, STRANGER OURS "spf.result=pass", NULL, NULL},
    {FILTERD_RCPT, "rcpt.to=postmaster rcpt.local=postmaster bl.score=9",
     "postmaster", NULL},
    {FILTERD_RCPT,
     "rcpt.to=PostMaster@example.org rcpt.local=PostMaster "
     "rcpt.domain=example.org bl.score=9 spf.result=fail",
     "postmaster", NULL},
    {FILTERD_RCPT,
     STRANGER "rcpt.to=postmaster@x.test rcpt.local=postmaster "
              "rcpt.domain=x.test",
     "relay", "550 5.7.1 no relaying to x.test"},
    {FILTERD_RCPT, "client.ip=198.51.100.9 bl.score=5 bl.reason=why " OURS,
     "listed", "554 5.7.1 198.51.100.9 is listed: why"},
    {FILTERD_RCPT, STRANGER OURS "spf.result=temperror mail.domain=x.test",
     "spf-temperror", "451 4.4.3 the SPF record of x.test cannot be had now"},
    {FILTERD_RCPT, STRANGER OURS "spf.result=fail spf.domain=x.test",
     "spf-fail", "550 5.7.23 198.51.100.9 may not send mail for x.test"},
    {FILTERD_RCPT,
     "client.ip=203.0.113.25 client.fcrdns=yes bl.score=0 " OURS
     "spf.result=fail",
     NULL, NULL},
    {FILTERD_RCPT, NOBODY OURS "greylist.state=new greylist.wait=300000",
     "greylist", "451 4.7.1 new here: please try again in 5m"},
    {FILTERD_RCPT, NOBODY OURS "greylist.state=known", NULL, NULL},
    {FILTERD_RCPT, NOBODY OURS, NULL, NULL},
    {FILTERD_MESSAGE, STRANGER "header.from.problem=multiple", "from",
     "550 5.6.0 the From header field is multiple"},
    {FILTERD_MESSAGE, STRANGER FROM "dmarc.disposition=none", NULL, NULL},
    {FILTERD_MESSAGE, STRANGER FROM "dmarc.disposition=reject spf.result=none",
     "dmarc-quarantine", NULL},
    {FILTERD_MESSAGE,
     STRANGER FROM "dmarc.disposition=reject spf.result=softfail "
                   "dmarc.domain=x.test",
     "dmarc-reject",
     "550 5.7.26 x.test asks to refuse mail that it did not authenticate"},
    {FILTERD_MESSAGE,
     "client.ip=203.0.113.25 spf.result=fail " FROM "dmarc.disposition=reject",
     "dmarc-quarantine", NULL},
    {FILTERD_MESSAGE, STRANGER FROM "dmarc.disposition=quarantine",
     "dmarc-quarantine", NULL},
};

static void
test_verdicts(void)
{
    PolicyConfig *config = compile_default();

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        world_facts(config, cases[i].facts);
        const PolicyRule *rule =
            policy_judge(config, cases[i].stage, &world_client);
        g_assert_cmpstr(rule != NULL ? rule->name : NULL, ==, cases[i].rule);
        if (cases[i].reply == NULL)
            continue;
        MailReply reply = {0};
        policy_rule_reply(rule, &world_client, &reply);
        g_autofree char *text = mail_reply_format(&reply);
        g_assert_cmpstr(text, ==, cases[i].reply);
        mail_reply_clear(&reply);
    }
    world_facts(NULL, "");
    policy_config_free(config);
}

static void
test_own_network(void)
{
    PolicyConfig *config = compile_default();

    world_facts(config, "client.ip=2001:db8::9");
    g_assert_nonnull(policy_judge(config, FILTERD_CONNECT, &world_client));
    g_autofree char *asked = world_asked();
    g_assert_cmpstr(asked, ==, "client.ip");
    world_facts(NULL, "");
    policy_config_free(config);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/policy/default/judges-as-it-says", test_verdicts);
    g_test_add_func("/policy/default/asks-nothing-of-our-own-network",
                    test_own_network);
    return g_test_run();
}
