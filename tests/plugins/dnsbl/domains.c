/* domains.c: which domains lists are asked about, and what that says.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dnsbl/dnsbl.h"

#include <filterd/harness.h>

#include <string.h>

static const int everything[] = {DNSBL_MAIL, DNSBL_HELO, DNSBL_NAME, DNSBL_FROM,
                                 DNSBL_DKIM};
static const int proven[] = {DNSBL_NAME, DNSBL_DKIM};

static const ListZone zones[] = {
    {.name = "rhs.example.net",
     .weight = 3,
     .on = {everything, G_N_ELEMENTS(everything)},
     .test = "test"},
    {.name = "good.example.net",
     .weight = -2,
     .on = {proven, G_N_ELEMENTS(proven)},
     .ask = LIST_ASK_HOST,
     .test = "test"},
};
static const DnsblConfig config = {.domain_zones = {zones, 2}};

static const char *const needs[] = {
    [DNSBL_NEED_IP] = "client.ip",
    [DNSBL_NEED_NAME] = "client.name",
    [DNSBL_NEED_CONFIRMED] = "client.fcrdns",
    [DNSBL_NEED_HELO] = "helo.name",
    [DNSBL_NEED_MAIL] = "mail.domain",
    [DNSBL_NEED_FROM] = "header.from.domain",
    [DNSBL_NEED_DKIM] = "dkim.domains",
};

static const struct {
    DnsblNeed need;
    const char *value;
    FilterdStage stage;
    const char *questions, *score, *zones;
} rows[] = {
    {DNSBL_NEED_HELO, "mail.evil.example", FILTERD_HELO,
     "A evil.example.rhs.example.net\nTXT evil.example.rhs.example.net", "3",
     "rhs.example.net"},
    {DNSBL_NEED_HELO, "Mail.EVIL.example.", FILTERD_HELO,
     "A evil.example.rhs.example.net\nTXT evil.example.rhs.example.net", "3",
     "rhs.example.net"},
    {DNSBL_NEED_HELO, "fine.example", FILTERD_HELO,
     "A fine.example.rhs.example.net", "0", ""},
    {DNSBL_NEED_HELO, "a.b.co.uk", FILTERD_HELO, "A b.co.uk.rhs.example.net",
     "0", ""},
    {DNSBL_NEED_HELO, "co.uk", FILTERD_HELO, "A co.uk.rhs.example.net", "0",
     ""},
    {DNSBL_NEED_HELO, "[192.0.2.1]", FILTERD_HELO, "", "0", ""},
    {DNSBL_NEED_HELO, "192.0.2.1", FILTERD_HELO, "", "0", ""},
    {DNSBL_NEED_HELO, "[IPv6:2001:db8::1]", FILTERD_HELO, "", "0", ""},
    {DNSBL_NEED_HELO, "localhost", FILTERD_HELO, "", "0", ""},
    {DNSBL_NEED_HELO, "evil..example", FILTERD_HELO, "", "0", ""},
    {DNSBL_NEED_HELO, "evil.example x", FILTERD_HELO, "", "0", ""},
    {DNSBL_NEED_HELO, ".", FILTERD_HELO, "", "0", ""},
    {DNSBL_NEED_HELO, NULL, FILTERD_HELO, "", "0", ""},
    {DNSBL_NEED_MAIL, "bounce.evil.example", FILTERD_MAIL,
     "A evil.example.rhs.example.net\nTXT evil.example.rhs.example.net", "3",
     "rhs.example.net"},
    {DNSBL_NEED_MAIL, NULL, FILTERD_MAIL, "", "0", ""},
    {DNSBL_NEED_FROM, "evil.example", FILTERD_MESSAGE,
     "A evil.example.rhs.example.net\nTXT evil.example.rhs.example.net", "3",
     "rhs.example.net"},
    {DNSBL_NEED_DKIM, "fine.example,evil.example", FILTERD_MESSAGE,
     "A fine.example.rhs.example.net\nA evil.example.rhs.example.net\n"
     "A fine.example.good.example.net\nA evil.example.good.example.net\n"
     "TXT evil.example.rhs.example.net",
     "3", "rhs.example.net"},
    {DNSBL_NEED_DKIM, "m.good.example", FILTERD_MESSAGE,
     "A good.example.rhs.example.net\nA m.good.example.good.example.net", "-2",
     "good.example.net"},
};

static const char *const prefixes[] = {
    [FILTERD_HELO] = "helo-",
    [FILTERD_MAIL] = "mail-",
    [FILTERD_MESSAGE] = "message-",
};

#define RECORDS                                     \
    "evil.example.rhs.example.net 60 A 127.0.0.2\n" \
    "m.good.example.good.example.net 60 A 127.0.0.2"

static void
fact_check(Harness *harness, FilterdStage stage, const char *name,
           const char *expected)
{
    g_autofree char *fact = g_strconcat(prefixes[stage], name, NULL);

    g_assert_cmpstr(harness_fact(harness, fact), ==, expected);
}

static void
test_stages(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) harness = harness_new(&filterd_plugin, &config);

        g_test_message("%s", rows[i].value);
        harness_zone(harness, RECORDS);
        harness_set(harness, needs[rows[i].need], rows[i].value);
        harness_run(harness, rows[i].stage);
        g_assert_cmpstr(harness_questions(harness), ==, rows[i].questions);
        g_assert_cmpuint(harness_waits(harness), ==, 0);
        fact_check(harness, rows[i].stage, "score", rows[i].score);
        fact_check(harness, rows[i].stage, "zones", rows[i].zones);
    }
}

/* A list counts once, though it has both. */
static void
test_both(void)
{
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, &config);

    harness_zone(harness, RECORDS);
    harness_set(harness, "header.from.domain", "evil.example");
    harness_set(harness, "dkim.domains", "evil.example,m.good.example");
    harness_run(harness, FILTERD_MESSAGE);
    g_assert_cmpstr(harness_fact(harness, "message-score"), ==, "1");
    g_assert_cmpstr(harness_fact(harness, "message-reason"), ==,
                    "listed in rhs.example.net");
}

static void
test_name(void)
{
    static const struct {
        const char *confirmed, *score, *allowed;
    } names[] = {{"yes", "-2", "yes"}, {"no", "0", "no"}, {NULL, "0", "no"}};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(Harness) harness = harness_new(&filterd_plugin, &config);

        harness_zone(harness, RECORDS);
        harness_set(harness, "client.ip", "198.51.100.9");
        harness_set(harness, "client.name", "m.good.example");
        harness_set(harness, "client.fcrdns", names[i].confirmed);
        harness_run(harness, FILTERD_CONNECT);
        g_assert_cmpstr(harness_fact(harness, "score"), ==, names[i].score);
        g_assert_cmpstr(harness_fact(harness, "allowed"), ==, names[i].allowed);
        g_assert_cmpstr(harness_fact(harness, "listed"), ==, "no");
    }
}

static void
test_crowd(void)
{
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, &config);
    g_autoptr(GString) domains = g_string_new(NULL);

    for (int i = 0; i < 25; i++)
        g_string_append_printf(domains, "%sd%d.example", i > 0 ? "," : "", i);
    harness_set(harness, "dkim.domains", domains->str);
    harness_run(harness, FILTERD_MESSAGE);
    g_assert_cmpuint(harness_question_count(harness), ==, 20);
}

static void
test_dead(void)
{
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, &config);

    harness_set(harness, "helo.name", "evil.example");
    harness_dns_status(harness, "evil.example.rhs.example.net", 0,
                       FILTERD_DNS_TIMEOUT);
    harness_run(harness, FILTERD_HELO);
    g_assert_cmpstr(harness_fact(harness, "helo-score"), ==, "-");
    g_assert_cmpstr(harness_fact(harness, "helo-problem"), ==,
                    "rhs.example.net does not answer");
    g_assert_cmpint(harness_metric(harness, "failed rhs.example.net"), ==, 1);
}

/* ---- self-test ---------------------------------------------------------- */

static void
test_self_test(void)
{
    static const struct {
        const char *records, *warning, *score;
    } tests[] = {
        {"test.rhs.example.net 60 A 127.0.0.2\n", NULL, "3"},
        {"", "rhs.example.net is suspended: it does not list its test entry",
         "-"},
        {"*.rhs.example.net 60 A 127.0.0.2\n",
         "rhs.example.net is suspended: it lists invalid", "-"},
    };
    static const DnsblConfig tested = {.domain_zones = {zones, 1},
                                       .self_test = true};

    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autoptr(Harness) harness = harness_new(&filterd_plugin, &tested);

        harness_zone(harness, RECORDS);
        harness_zone(harness, tests[i].records);
        if (tests[i].warning != NULL)
            harness_expect_warning(harness, tests[i].warning);
        harness_advance(harness, 0);
        harness_set(harness, "helo.name", "evil.example");
        harness_run(harness, FILTERD_HELO);
        g_assert_cmpstr(harness_fact(harness, "helo-score"), ==,
                        tests[i].score);
    }
}

static void
test_unproven(void)
{
    for (int source = DNSBL_MAIL; source < DNSBL_SOURCES; source++) {
        const ListZone zone = {.name = "good.example.net",
                               .weight = -1,
                               .on = {&source, 1},
                               .test = "test"};
        const DnsblConfig good = {.domain_zones = {&zone, 1}};
        g_autofree char *error = harness_start_error(&filterd_plugin, &good);

        g_assert_true((error == NULL)
                      == (source == DNSBL_NAME || source == DNSBL_DKIM));
        if (error != NULL)
            g_assert_nonnull(strstr(error, "`name` and `dkim` alone"));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dnsbl/domains-are-asked-at-their-stage", test_stages);
    g_test_add_func("/dnsbl/a-list-counts-once-for-many-domains", test_both);
    g_test_add_func("/dnsbl/a-name-counts-that-leads-back", test_name);
    g_test_add_func("/dnsbl/of-many-domains-ten-are-asked", test_crowd);
    g_test_add_func("/dnsbl/a-dead-domain-list-has-no-score", test_dead);
    g_test_add_func("/dnsbl/a-domain-list-is-tested-by-names", test_self_test);
    g_test_add_func("/dnsbl/what-anybody-can-write-allows-nobody",
                    test_unproven);
    return g_test_run();
}
