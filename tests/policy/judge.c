/* judge.c: conditions, verdicts, texts and what is asked for them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/policy/world.h"

#define LISTS                                                           \
    "use greylist\n"                                                    \
    "list nets of ip { 192.0.2.0/24 198.51.100.7 2001:db8::/32 }\n"     \
    "list some of domain { example.com .example.org "                   \
    "xn--bcher-kva.example }\n"                                         \
    "list users of address { Joe@Example.com \"\" }\n"                  \
    "list six of ip { ::/0 }\n"                                         \
    "list four of ip { 0.0.0.0/0 }\n"                                   \
    "list names of text { Alpha \"two words\" }\n"                      \
    "list bad of word { fail softfail }\n"                              \
    "list odd of pattern { \"^dyn\\d+\" \"(?i)^POOL-\" \"^(a+)+$\" }\n" \
    "list sizes of int { 5 10k }\n"                                     \
    "map limits of domain to int { example.com 5 .example.com 3 }\n"    \
    "map roles of ip to text { 192.0.2.0/24 net 192.0.2.1 host }\n"

/* y, n or ? of one condition, asked at message. */
static char
truth_of(const char *condition, const char *facts, char **asked)
{
    static const char letters[] = {'n', 'y', '?'};
    g_autofree char *text = g_strdup_printf(
        PLUGINS LISTS "at message { accept x if %s }\n", condition);
    PolicyConfig *config;
    g_autofree char *notes = world_compile(text, &world_loader, &config);
    PolicyTruth truth = POLICY_NO;

    if (config == NULL)
        g_error("%s: %s", condition, notes);
    world_facts(config, facts);
    if (policy_judge(config, FILTERD_MESSAGE, &world_client) != NULL)
        truth = POLICY_YES;
    *asked = world_asked();
    g_clear_pointer(&config, policy_config_free);
    if (truth == POLICY_NO) {
        /* Unknown is what its negation does not make yes either. */
        g_autofree char *negated = g_strdup_printf(
            PLUGINS LISTS "at message { accept x if not (%s) }\n", condition);
        g_free(world_compile(negated, &world_loader, &config));
        world_facts(config, facts);
        if (policy_judge(config, FILTERD_MESSAGE, &world_client) == NULL)
            truth = POLICY_UNKNOWN;
        policy_config_free(config);
    }
    world_facts(NULL, "");
    return letters[truth];
}

typedef struct Case {
    const char *condition;
    const char *facts;
    char truth;
    const char *asked; /* NULL: whatever */
} Case;

static void
check(const Case *cases, gsize count)
{
    for (gsize i = 0; i < count; i++) {
        g_autofree char *asked = NULL;
        char truth = truth_of(cases[i].condition, cases[i].facts, &asked);

        if (truth != cases[i].truth)
            g_error("%s with %s: %c", cases[i].condition, cases[i].facts,
                    truth);
        if (cases[i].asked != NULL)
            g_assert_cmpstr(asked, ==, cases[i].asked);
    }
}

#define A "client.fcrdns"
#define B "client.tls"

static const Case kleene[] = {
    {A " and " B, A "=no " B "=yes", 'n', A},
    {A " and " B, A "=yes " B "=no", 'n', A " " B},
    {A " and " B, A "=yes " B "=yes", 'y', A " " B},
    {A " and " B, A "=yes", '?', A " " B},
    {A " and " B, B "=no", 'n', A " " B},
    {A " and " B, B "=yes", '?', A " " B},
    {A " and " B, "", '?', A " " B},
    {A " or " B, A "=yes", 'y', A},
    {A " or " B, A "=no " B "=no", 'n', A " " B},
    {A " or " B, A "=no", '?', A " " B},
    {A " or " B, B "=yes", 'y', A " " B},
    {A " or " B, B "=no", '?', A " " B},
    {"not " A, A "=yes", 'n', A},
    {"not " A, "", '?', A},
    {"not not " A, A "=yes", 'y', A},
    {A " or " B " and client.early-talker", A "=no " B "=yes", '?', NULL},
    {"(" A " or " B ") and probe.yes", A "=yes probe.yes=no", 'n', NULL},
    {"known " A, "", 'n', A},
    {"known " A, A "=no", 'y', A},
    {"not known " A, "", 'y', A},
    {"true", "", 'y', ""},
    {"false", "", 'n', ""},
    {A " = no", A "=no", 'y', NULL},
    {A " != " B, A "=no " B "=yes", 'y', NULL},
};

static const Case comparisons[] = {
    {"mail.size = 10k", "mail.size=10240", 'y', NULL},
    {"mail.size != 5", "mail.size=5", 'n', NULL},
    {"mail.size < 5", "mail.size=5", 'n', NULL},
    {"mail.size <= 5", "mail.size=5", 'y', NULL},
    {"mail.size > -5", "mail.size=0", 'y', NULL},
    {"5 >= mail.size", "mail.size=6", 'n', NULL},
    {"mail.size >= 5", "", '?', "mail.size"},
    {"mail.size > message.size", "message.size=1", '?', "mail.size"},
    {"mail.size > message.size", "mail.size=2 message.size=1", 'y', NULL},
    {"probe.wait > 5m", "probe.wait=300001", 'y', NULL},
    {"probe.wait = 0", "probe.wait=0", 'y', NULL},
    {"probe.wait < 1h", "probe.wait=3600000", 'n', NULL},
    {"spf.result = fail", "spf.result=fail", 'y', NULL},
    {"fail = spf.result", "spf.result=pass", 'n', NULL},
    {"spf.result = \"fail\"", "spf.result=fail", 'y', NULL},
    {"greylist.state = known", "", '?', NULL},
    {"mail.domain = \"B\303\274cher.Example\"",
     "mail.domain=xn--bcher-kva.example", 'y', NULL},
    {"mail.domain = \"EXAMPLE.com\"", "mail.domain=example.com", 'y', NULL},
    {"mail.domain = rcpt.domain", "mail.domain=a.b rcpt.domain=a.b", 'y', NULL},
    {"mail.from = \"\"", "mail.from=", 'y', NULL},
    {"mail.from = \"Joe@Example.com\"", "mail.from=joe@example.COM", 'y', NULL},
    {"rcpt.local = \"postmaster\"", "rcpt.local=PostMaster", 'y', NULL},
    {"helo.name = mail.domain", "helo.name=a.b mail.domain=a.c", 'n', NULL},
    {"client.ip = 192.0.2.1", "client.ip=192.0.2.1", 'y', NULL},
    {"client.ip = 192.0.2.1", "client.ip=::ffff:192.0.2.1", 'y', NULL},
    {"client.ip != 2001:db8::1", "client.ip=2001:db8::2", 'y', NULL},
};

static const Case memberships[] = {
    {"client.ip in nets", "client.ip=192.0.2.255", 'y', NULL},
    {"client.ip in nets", "client.ip=::ffff:192.0.2.255", 'y', NULL},
    {"client.ip in nets", "client.ip=192.0.3.0", 'n', NULL},
    {"client.ip in nets", "client.ip=198.51.100.7", 'y', NULL},
    {"client.ip in nets", "client.ip=198.51.100.8", 'n', NULL},
    {"client.ip in nets", "client.ip=2001:db8:ffff::1", 'y', NULL},
    {"client.ip in nets", "client.ip=2001:db9::1", 'n', NULL},
    {"client.ip not in nets", "client.ip=2001:db9::1", 'y', NULL},
    {"client.ip not in nets", "", '?', NULL},
    {"client.ip in 192.0.2.0/24", "client.ip=192.0.2.9", 'y', NULL},
    {"client.ip in 192.0.2.0/24", "client.ip=192.0.3.9", 'n', NULL},
    {"client.ip in probe.ips", "client.ip=192.0.2.9 probe.ips=::1,192.0.2.9",
     'y', NULL},
    {"client.ip in six", "client.ip=192.0.2.1", 'n', NULL},
    {"client.ip in six", "client.ip=2001:db8::1", 'y', NULL},
    {"client.ip in four", "client.ip=192.0.2.1", 'y', NULL},
    {"client.ip in four", "client.ip=2001:db8::1", 'n', NULL},
    {"client.ip in ::/0", "client.ip=192.0.2.1", 'n', NULL},
    {"client.ip in ::/0", "client.ip=2001:db8::1", 'y', NULL},
    {"client.ip in 0.0.0.0/0", "client.ip=192.0.2.1", 'y', NULL},
    {"mail.domain in some", "mail.domain=example.com", 'y', NULL},
    {"mail.domain in some", "mail.domain=a.example.com", 'n', NULL},
    {"mail.domain in some", "mail.domain=notexample.com", 'n', NULL},
    {"mail.domain in some", "mail.domain=example.org", 'n', NULL},
    {"mail.domain in some", "mail.domain=a.example.org", 'y', NULL},
    {"mail.domain in some", "mail.domain=a.b.example.org", 'y', NULL},
    {"mail.domain in some", "mail.domain=notexample.org", 'n', NULL},
    {"mail.domain in some", "mail.domain=xn--bcher-kva.example", 'y', NULL},
    {"mail.from in users", "mail.from=joe@example.com", 'y', NULL},
    {"mail.from in users", "mail.from=", 'y', NULL},
    {"mail.from in users", "mail.from=ann@example.com", 'n', NULL},
    {"mail.local in names", "mail.local=ALPHA", 'y', NULL},
    {"mail.local in names", "mail.local=two", 'n', NULL},
    {"spf.result in bad", "spf.result=softfail", 'y', NULL},
    {"spf.result in bad", "spf.result=pass", 'n', NULL},
    {"mail.size in sizes", "mail.size=10240", 'y', NULL},
    {"mail.domain in dkim.domains",
     "mail.domain=b.test dkim.domains=a.test,b.test", 'y', NULL},
    {"mail.domain in dkim.domains", "mail.domain=b.test dkim.domains=", 'n',
     NULL},
    {"mail.domain in dkim.domains", "mail.domain=b.test", '?', NULL},
    {"\"b.test\" in dkim.domains", "dkim.domains=a.test,b.test", 'y', NULL},
    {"dkim.domains in some", "dkim.domains=a.test,example.com", 'y', NULL},
    {"dkim.domains in some", "dkim.domains=a.test", 'n', NULL},
    {"limits[mail.domain] = 5", "mail.domain=example.com", 'y', NULL},
    {"limits[mail.domain] = 3", "mail.domain=x.example.com", 'y', NULL},
    {"limits[mail.domain] = 3", "mail.domain=example.org", '?', NULL},
    {"known limits[mail.domain]", "mail.domain=example.org", 'n', NULL},
    {"roles[client.ip] = \"host\"", "client.ip=192.0.2.1", 'y', NULL},
    {"roles[client.ip] = \"net\"", "client.ip=192.0.2.2", 'y', NULL},
};

#define STEPS "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const Case patterns[] = {
    {"mail.local matches \"^a\\.b$\"", "mail.local=a.b", 'y', NULL},
    {"mail.local matches \"^a\\.b$\"", "mail.local=aXb", 'n', NULL},
    {"mail.local matches \"A\"", "mail.local=a", 'n', NULL},
    {"mail.local matches \"(?i)A\"", "mail.local=a", 'y', NULL},
    {"mail.local matches \"a\"", "", '?', NULL},
    {"dkim.results matches \"^pass:\"", "dkim.results=fail:a,pass:b", 'y',
     NULL},
    {"dkim.results matches \"^pass:\"", "dkim.results=fail:a", 'n', NULL},
    /* Steps without end: given up, so unknown. */
    {"mail.local matches \"^(a+)+$\"", "mail.local=" STEPS "b", '?', NULL},
    {"mail.local in odd", "mail.local=dyn7", 'y', NULL},
    {"mail.local in odd", "mail.local=Dyn7", 'n', NULL},
    {"mail.local not in odd", "mail.local=x", 'y', NULL},
    {"mail.local in odd", "mail.local=pool-x", 'y', NULL},
    {"mail.local in odd", "", '?', NULL},
    {"mail.domain in odd", "mail.domain=pool-1.example", 'y', NULL},
    {"mail.from in odd", "mail.from=pool-1@example.com", 'y', NULL},
    {"spf.result in odd", "spf.result=pass", 'n', NULL},
    {"dkim.results in odd", "dkim.results=x,pool-1", 'y', NULL},
    {"dkim.results in odd", "dkim.results=x,y", 'n', NULL},
    {"\"pool-1\" in odd", "", 'y', NULL},
    {"mail.local in odd", "mail.local=" STEPS "b", '?', NULL},
    {"mail.local not in odd", "mail.local=" STEPS "b", '?', NULL},
    {"dkim.results in odd", "dkim.results=" STEPS "b,dyn1", 'y', NULL},
};

static void
test_kleene(void)
{
    check(kleene, G_N_ELEMENTS(kleene));
}

static void
test_comparisons(void)
{
    check(comparisons, G_N_ELEMENTS(comparisons));
}

static void
test_memberships(void)
{
    check(memberships, G_N_ELEMENTS(memberships));
}

static void
test_patterns(void)
{
    check(patterns, G_N_ELEMENTS(patterns));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/policy/judge/unknown-is-neither-yes-nor-no", test_kleene);
    g_test_add_func("/policy/judge/comparisons", test_comparisons);
    g_test_add_func("/policy/judge/lists-networks-and-maps", test_memberships);
    g_test_add_func("/policy/judge/patterns-within-bounds", test_patterns);
    return g_test_run();
}
