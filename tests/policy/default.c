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
    {FILTERD_RCPT, STRANGER OURS "spf.result=temperror spf.domain=x.test",
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
    {FILTERD_MESSAGE,
     STRANGER FROM "dmarc.result=temperror dmarc.disposition=none "
                   "header.from.domain=x.test",
     "dmarc-temperror", "451 4.4.3 DMARC for x.test cannot be evaluated now"},
    {FILTERD_MESSAGE,
     STRANGER FROM "dmarc.result=temperror dmarc.disposition=none "
                   "dmarc.policy=reject header.from.domain=x.test",
     "dmarc-temperror", "451 4.4.3 DMARC for x.test cannot be evaluated now"},
    {FILTERD_MESSAGE,
     STRANGER FROM "dmarc.result=temperror dmarc.disposition=none "
                   "dmarc.policy=none",
     NULL, NULL},
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

/* Whatever was written down first has to stay legal. */
static const char example[] =
    "set hostname mx.example.com\n"
    "\n"
    "listen smtp 0.0.0.0:25 {\n"
    "    tls         opportunistic\n"
    "    certificate \"/etc/filterd/mx.pem\"\n"
    "    key         \"/etc/filterd/mx.key\"\n"
    "}\n"
    "listen milter \"unix:/run/filterd/milter.sock\"\n"
    "\n"
    "backend smtp 127.0.0.1:10025 { identity xclient }\n"
    "\n"
    "store sqlite \"/var/lib/filterd/filterd.db\"        # or: store redis "
    "127.0.0.1:6379\n"
    "\n"
    "use spf\n"
    "use dkim\n"
    "use dmarc\n"
    "use dnsbl as bl { zone bl.example.net 127.0.0.2 weight 5 }\n"
    "use greylist    { delay 5m }\n"
    "\n"
    "list trusted    of ip     { 192.0.2.0/24 2001:db8::/32 }\n"
    "list forwarders of ip     from \"/etc/filterd/forwarders\"\n"
    "list ours       of domain { example.com }\n"
    "\n"
    "at connect {\n"
    "    accept   trusted    if client.ip in trusted\n"
    "}\n"
    "at rcpt {\n"
    "    accept   authenticated if known auth.user\n"
    "    reject   relay      if rcpt.domain not in ours           reply 550 "
    "5.7.1 \"relay denied\"\n"
    "    accept   postmaster if rcpt.local = \"postmaster\"\n"
    "    reject   listed     if bl.score >= 5\n"
    "             reply 554 5.7.1 \"{client.ip} is listed: {bl.reason}\"\n"
    "    tempfail spf-broken if spf.result = temperror\n"
    "    reject   spf-fail   if spf.result = fail and client.ip not in "
    "forwarders\n"
    "             reply 550 5.7.23 \"{client.ip} may not send mail for "
    "{mail.domain}\"\n"
    "    tempfail greylist   if not client.fcrdns and (greylist.state = new or "
    "greylist.state = early)\n"
    "             reply 451 4.7.1 \"please try again in {greylist.wait}\"\n"
    "}\n"
    "at message {\n"
    "    would reject dmarc-reject if dmarc.result = fail and dmarc.policy = "
    "reject and spf.result != pass\n"
    "             reply 550 5.7.26 \"{dmarc.domain} asks to refuse "
    "unauthenticated mail\"\n"
    "    rewrite add-header(\"X-Spam-Score\", \"{score}\") if score > 0\n"
    "    quarantine dmarc-quarantine if dmarc.disposition = quarantine\n"
    "}\n"
    "\n"
    "test \"our own network is never asked anything\" {\n"
    "    given client.ip = 192.0.2.9\n"
    "    expect accept trusted\n"
    "}\n";

static void
test_example(void)
{
    world_file("/etc/filterd/mx.pem", "certificate");
    world_file("/etc/filterd/mx.key", "key");
    world_file("/etc/filterd/forwarders", "203.0.113.25\n");
    PolicyConfig *config = world_config(example);
    g_assert_cmpuint(policy_rules(config)->len, ==, 11);
    policy_config_free(config);
    world_clear();
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/policy/default/judges-as-it-says", test_verdicts);
    g_test_add_func("/policy/default/asks-nothing-of-our-own-network",
                    test_own_network);
    g_test_add_func("/policy/default/the-first-example-compiles", test_example);
    return g_test_run();
}
