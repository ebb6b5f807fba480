/* prefix.c: tests of `would`, `canary` and `until` before a rule.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/clock.h"
#include "policy/test.h"
#include "tests/policy/world.h"

#include <string.h>

/* 2027-01-31 12:00 UTC. */
#define NOON INT64_C(1801396800000)
#define DAY INT64_C(86400000)

static const WorldCase orders[] = {
    {"at rcpt { until 2099-01-31 would reject a }", ""},
    {"at rcpt { would until 2099-01-31 reject a }", ""},
    {"at rcpt { canary 5% until 2099-01-31 reject a }", ""},
    {"at rcpt { until 2099-01-31 canary 0.5% reject a }", ""},
    {"at rcpt { until 2099-01-31 score 2 a }", ""},
    {"at mail { canary 99.999% rewrite add-header(\"X\", \"y\") }", ""},
    {"at rcpt { canary 0.001% pass a  canary 007% pass b }", ""},
};

#define EXAMPLE " | such as canary 5% or canary 0.5%\n"
#define DATE " | YEAR-MONTH-DAY, such as 2027-01-31\n"
#define SENSE                                                           \
    " | leave one of them out: outside of its sample a `canary` is as " \
    "`would`\n"

static const WorldCase wrong[] = {
    {"at rcpt { canary 5 reject a }",
     "1:18: `5` is no share: `%` is missing" EXAMPLE},
    {"at rcpt { canary 0% reject a }",
     "1:18: `0%` of the mail is none | a rule that never acts is a `would` "
     "rule\n"},
    {"at rcpt { canary 100% reject a }",
     "1:18: `100%` of the mail is all of it | leave `canary` out\n"},
    {"at rcpt { canary 250% reject a }",
     "1:18: `250%` of the mail is all of it | leave `canary` out\n"},
    {"at rcpt { canary 0.0001% reject a }",
     "1:18: `0.0001%` is no share" EXAMPLE},
    {"at rcpt { canary 5.% reject a }", "1:18: `5.%` is no share" EXAMPLE},
    {"at rcpt { canary .5% reject a }",
     "1:18: expected how much mail it acts on, found `.5%`" EXAMPLE},
    {"at rcpt { canary -5% reject a }",
     "1:18: expected how much mail it acts on, found `-5%`" EXAMPLE},
    {"at rcpt { canary reject a }",
     "1:18: expected how much mail it acts on, found `reject`" EXAMPLE},
    {"at rcpt { canary 99999999999999999999% reject a }",
     "1:18: `99999999999999999999` is no share" EXAMPLE},
    {"at rcpt { until reject a }",
     "1:17: expected a date, found `reject` | such as until 2027-01-31\n"},
    {"at rcpt { until 2027-1-31 reject a }",
     "1:17: `2027-1-31` is no date" DATE},
    {"at rcpt { until 31.01.2027 reject a }",
     "1:17: `31.01.2027` is no date" DATE},
    {"at rcpt { until tomorrow reject a }", "1:17: `tomorrow` is no date" DATE},
    {"at rcpt { until 2027-02-29 reject a }",
     "1:17: `2027-02-29` is a day that no calendar has" DATE},
    {"at rcpt { until 2027-13-01 reject a }",
     "1:17: `2027-13-01` is a day that no calendar has" DATE},
    {"at rcpt { until 0000-01-01 reject a }",
     "1:17: `0000-01-01` is a day that no calendar has" DATE},
    {"at rcpt { would canary 5% reject a }",
     "1:17: `would` never acts, `canary` does on its share" SENSE},
    {"at rcpt { canary 5% until 2099-01-31 would reject a }",
     "1:38: `would` never acts, `canary` does on its share" SENSE},
    {"at rcpt { would would reject a }",
     "1:17: `would` stands before this rule twice | leave one of them out\n"},
    {"at rcpt { canary 5% canary 6% reject a }",
     "1:21: `canary` stands before this rule twice | leave one of them out\n"},
    {"at rcpt { would score 2 a }",
     "1:11: a `score` is no verdict to try | put it before the rule that asks "
     "for the `score`\n"},
    {"at rcpt { canary 5% score 2 a }",
     "1:11: a `score` is no verdict to try | put it before the rule that asks "
     "for the `score`\n"},
    {"test \"t\" { given date = 2027-02-30 expect nothing }",
     "1:25: `2027-02-30` is a day that no calendar has" DATE},
    {"test \"t\" { given canary = inn expect nothing }",
     "1:27: no sample `inn`; did you mean `in`?\n"},
    {"test \"t\" { given canary = in given canary = out expect nothing }",
     "1:36: `canary` is given twice | it is given in line 1 already\n"},
};

static void
any_order(void)
{
    world_check(orders, G_N_ELEMENTS(orders));
}

static void
mistakes(void)
{
    world_check(wrong, G_N_ELEMENTS(wrong));
}

/* ---- judged ------------------------------------------------------------- */

static int64_t now;
static PolicyMode mode;

static int64_t
get_now(G_GNUC_UNUSED void *data)
{
    return now;
}

static void
note_mode(G_GNUC_UNUSED void *data, G_GNUC_UNUSED const PolicyRule *rule,
          G_GNUC_UNUSED PolicyTruth truth, PolicyMode of)
{
    mode = of;
}

/* "": nothing; else the verdict's rule, or ~ and what would. */
static const char *
judge(const PolicyConfig *config, const char *facts)
{
    PolicyClient client = world_client;

    client.now = get_now;
    client.judged = note_mode;
    world_facts(config, facts);
    const PolicyRule *rule = policy_judge(config, FILTERD_RCPT, &client);
    if (rule != NULL)
        return rule->name;
    g_autofree char *fired = world_fired();
    return *fired != '\0' ? "~" : "";
}

static void
day_is_over(void)
{
    g_autoptr(PolicyConfig) config =
        world_config("at rcpt { until 2099-01-31 reject a }");
    const int64_t end = G_GINT64_CONSTANT(4073587200000);

    now = end - 1;
    g_assert_cmpstr(judge(config, ""), ==, "a");
    g_assert_cmpint(mode, ==, POLICY_APPLIED);
    now = end;
    g_assert_cmpstr(judge(config, ""), ==, "");
    g_assert_cmpint(mode, ==, POLICY_EXPIRED);
    world_facts(NULL, "");
}

static void
expired_asks_nothing(void)
{
    g_autoptr(PolicyConfig) config =
        world_config("at rcpt { until 2099-01-31 reject a if client.fcrdns }");

    now = G_MAXINT64;
    judge(config, "client.fcrdns=yes");
    g_autofree char *asked = world_asked();
    g_assert_cmpstr(asked, ==, "");
    world_facts(NULL, "");
}

static void
out_asks_as_would(void)
{
    g_autoptr(PolicyConfig) config =
        world_config("at rcpt { canary 0.001% reject a if client.fcrdns }");

    g_assert_cmpstr(judge(config, "client.fcrdns=yes"), ==, "~");
    g_assert_cmpint(mode, ==, POLICY_CANARY_OUT);
    world_facts(config, "client.fcrdns=yes");
    policy_judge(config, FILTERD_RCPT, &world_client);
    g_autofree char *asked = world_asked();
    g_assert_nonnull(strstr(asked, "~client.fcrdns"));
    world_facts(NULL, "");
}

/* As in filterd.conf(5):
 *   printf 'half 192.0.2.0/24 example.com' | sha256sum
 * and the like; these were told by another program. */
static void
sample_is_as_documented(void)
{
    static const struct {
        const char *facts;
        gboolean in;
    } cases[] = {
        {"client.ip=192.0.2.77 mail.domain=example.com", FALSE},
        {"client.ip=192.0.2.1 mail.domain=example.com", FALSE},
        {"client.ip=192.0.2.1 mail.domain=example.org", TRUE},
        {"client.ip=192.0.2.1", FALSE},
        {"client.ip=198.51.100.3", TRUE},
        {"client.ip=2001:db8:1:2:3::4 mail.domain=a.example", TRUE},
        {"client.ip=2001:db8:1:3:3::4 mail.domain=a.example", TRUE},
        {"mail.domain=a.example", TRUE},
        {"", FALSE},
    };
    g_autoptr(PolicyConfig) config =
        world_config("at rcpt { canary 50% reject half }");

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpstr(judge(config, cases[i].facts), ==,
                        cases[i].in ? "half" : "~");
    world_facts(NULL, "");
}

static unsigned
count_in(const PolicyConfig *config)
{
    unsigned in = 0;

    for (unsigned i = 0; i < 4000; i++) {
        g_autofree char *facts =
            g_strdup_printf("client.ip=10.%u.%u.1 mail.domain=d%u.example",
                            i / 200, i % 200, i % 7);
        in += strcmp(judge(config, facts), "~") != 0;
    }
    return in;
}

static void
share_is_the_share(void)
{
    g_autoptr(PolicyConfig) quarter =
        world_config("at rcpt { canary 25% reject a }");
    g_autoptr(PolicyConfig) few =
        world_config("at rcpt { canary 0.5% reject a }");

    g_assert_cmpint(ABS((int)count_in(quarter) - 1000), <, 120);
    g_assert_cmpint(ABS((int)count_in(few) - 20), <, 15);
    world_facts(NULL, "");
}

/* Whoever is in the sample stays in it when the share grows. */
static void
share_grows(void)
{
    g_autoptr(PolicyConfig) small =
        world_config("at rcpt { canary 10% reject a }");
    g_autoptr(PolicyConfig) large =
        world_config("at rcpt { canary 20% reject a }");

    for (unsigned i = 0; i < 500; i++) {
        g_autofree char *facts =
            g_strdup_printf("client.ip=10.0.%u.1", i % 250);
        if (strcmp(judge(small, facts), "a") == 0)
            g_assert_cmpstr(judge(large, facts), ==, "a");
    }
    world_facts(NULL, "");
}

/* ---- warned of ---------------------------------------------------------- */

static void
check_warning(const char *day, const char *expected)
{
    g_autofree char *text =
        g_strdup_printf("at mail { until %s pass a if client.fcrdns }", day);
    g_autoptr(PolicyConfig) config = NULL;
    g_autofree char *notes = world_compile(text, &world_loader, &config);

    g_assert_nonnull(config);
    g_assert_cmpstr(notes, ==, expected);
}

static void
warned_of(void)
{
    clock_stop(NOON);
    check_warning(
        "2027-01-30",
        "1:11: warning: `a` expired: after 2027-01-30 it is as if it were not "
        "there | take the rule out, or give it a later day\n");
    check_warning("2027-01-31",
                  "1:11: warning: `a` acts until 2027-01-31, 0 days from "
                  "now | give it a later day, or leave `until` out, if it "
                  "shall stay\n");
    check_warning("2027-02-01",
                  "1:11: warning: `a` acts until 2027-02-01, 1 day from "
                  "now | give it a later day, or leave `until` out, if it "
                  "shall stay\n");
    check_warning("2027-02-13",
                  "1:11: warning: `a` acts until 2027-02-13, 13 days from "
                  "now | give it a later day, or leave `until` out, if it "
                  "shall stay\n");
    check_warning("2027-02-14", "");
    clock_start();
}

static void
not_early(void)
{
    g_autoptr(PolicyConfig) config = NULL;

    clock_stop(NOON);
    g_free(world_compile("at mail { until 2027-01-30 reject a if client.fcrdns "
                         "pass b if client.tls }",
                         &world_loader, &config));
    g_autoptr(GPtrArray) facts = policy_certain_facts(config, FILTERD_MAIL);
    g_assert_cmpuint(facts->len, ==, 1);
    g_assert_cmpstr(((const PolicyFact *)facts->pdata[0])->name, ==,
                    "client.tls");
    clock_start();
}

/* ---- in a policy's own tests -------------------------------------------- */

static void
check_test(const char *clauses)
{
    g_autofree char *text = g_strdup_printf(
        "at rcpt { canary 1%% reject c if client.fcrdns\n"
        "until 2099-01-31 reject u if client.tls }\n"
        "test \"t\" { given client.fcrdns = yes given client.tls = yes\n %s }",
        clauses);
    g_autoptr(PolicyConfig) config = world_config(text);
    g_autoptr(PolicyTest) test = policy_test_run(config, 0);

    for (guint i = 0; i < test->unmet->len; i++) {
        const PolicyUnmet *unmet = g_ptr_array_index(test->unmet, i);
        g_error("%s: expected %s, found %s", clauses, unmet->expected,
                unmet->found);
    }
}

static void
tests_settle_both(void)
{
    check_test("expect reject c");
    check_test("given canary = in expect reject c");
    check_test("given canary = out expect would reject c expect reject u");
    check_test("given canary = out given date = 2099-01-31 expect reject u");
    check_test("given canary = out given date = 2099-02-01 expect no reject u "
               "expect nothing");
}

/* ---- several recipients ------------------------------------------------- */

static void
each_recipient(void)
{
    g_autoptr(PolicyConfig) config =
        world_config("at rcpt { reject a if rcpt.domain = \"a.example\"\n"
                     "          reject b if client.fcrdns }\n"
                     "test \"t\" {\n"
                     "  given client.fcrdns = yes\n"
                     "  recipient \"x@a.example\" { expect reject a }\n"
                     "  recipient \"x@b.example\" { expect reject b }\n"
                     "  recipient \"x@c.example\" { given client.fcrdns = no\n"
                     "                             expect nothing }\n"
                     "  expect no reject c }\n"
                     "at message { reject c if client.fcrdns = yes }\n");
    static const char *const names[] = {"t: x@a.example", "t: x@b.example",
                                        "t: x@c.example"};

    g_assert_cmpuint(policy_test_count(config), ==, 3);
    for (unsigned i = 0; i < 3; i++) {
        g_autoptr(PolicyTest) test = policy_test_run(config, i);
        g_assert_cmpstr(test->name, ==, names[i]);
        g_assert_cmpuint(test->unmet->len, ==, 0);
    }
}

static const WorldCase wrong_recipients[] = {
    {"at rcpt { reject a }\ntest \"t\" { recipient \"x@a.example\" { } }",
     "2:22: this test expects nothing, so nothing can fail it | expect VERDICT "
     "NAME\n"},
    {"at rcpt { reject a }\n"
     "test \"t\" { recipient \"x@a.example\" { recipient \"y@a.example\" { "
     "expect reject a } expect reject a } }",
     "2:48: a recipient stands beside another, not in it | behind the `}` of "
     "the other\n"},
    {"at rcpt { reject a }\n"
     "test \"t\" { recipient \"x y\" { expect reject a } }",
     "2:22: `x y` is not an address | such as \"user@example.com\"\n"},
};

static void
recipients_are_checked(void)
{
    world_check(wrong_recipients, G_N_ELEMENTS(wrong_recipients));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/policy/prefix/stand-in-any-order", any_order);
    g_test_add_func("/policy/prefix/mistakes-have-their-place", mistakes);
    g_test_add_func("/policy/prefix/until-ends-with-its-day", day_is_over);
    g_test_add_func("/policy/prefix/an-expired-rule-asks-nothing",
                    expired_asks_nothing);
    g_test_add_func("/policy/prefix/out-of-the-sample-asks-as-would",
                    out_asks_as_would);
    g_test_add_func("/policy/prefix/the-sample-is-as-documented",
                    sample_is_as_documented);
    g_test_add_func("/policy/prefix/the-share-is-the-share",
                    share_is_the_share);
    g_test_add_func("/policy/prefix/a-sample-grows-with-its-share",
                    share_grows);
    g_test_add_func("/policy/prefix/a-day-that-is-near-is-warned-of",
                    warned_of);
    g_test_add_func("/policy/prefix/an-expired-rule-asks-nothing-early",
                    not_early);
    g_test_add_func("/policy/prefix/tests-settle-sample-and-date",
                    tests_settle_both);
    g_test_add_func("/policy/tests/each-recipient-has-its-part",
                    each_recipient);
    g_test_add_func("/policy/tests/a-recipient's-part-is-checked",
                    recipients_are_checked);
    return g_test_run();
}
