/* test-dnsbl.c: who is asked, what counts, and what a dead list does.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dnsbl/dnsbl.h"

#include <filterd/harness.h>

#include <string.h>

#define HOUR INT64_C(3600000)

static const char *const two[] = {"127.0.0.2"};
static const char *const policy[] = {"127.0.0.10", "127.0.0.11"};
static const char *const range[] = {"127.0.1.0/24"};

static const ListZone zones[] = {
    {.name = "bl.example.net", .answers = {two, 1}, .weight = 5},
    {.name = "bl.example.net", .answers = {policy, 2}, .weight = 2},
    {.name = "any.example.net", .weight = 1},
    {.name = "range.example.net", .answers = {range, 1}, .weight = 3},
    {.name = "good.example.net", .weight = -4},
};

static const DnsblConfig five = {.zones = {zones, G_N_ELEMENTS(zones)}};
static const DnsblConfig tested = {.zones = {zones, 3}, .self_test = true};

static Harness *
client_new(const DnsblConfig *config, const char *client)
{
    Harness *harness = harness_new(&filterd_plugin, config);

    harness_set(harness, "client.ip", client);
    return harness;
}

/* ---- scores ------------------------------------------------------------- */

#define C "9.100.51.198."

static void
test_scores(void)
{
    static const struct {
        const char *records;
        const char *score, *listed, *zones, *reason, *failed;
    } rows[] = {
        {"", "0", "no", "", "-", ""},
        {C "bl.example.net 60 A 127.0.0.2", "5", "yes", "bl.example.net",
         "listed in bl.example.net", ""},
        {C "bl.example.net 60 A 127.0.0.11", "2", "yes", "bl.example.net",
         "listed in bl.example.net", ""},
        {C "bl.example.net 60 A 127.0.0.2\n" C "bl.example.net 60 A 127.0.0.10",
         "7", "yes", "bl.example.net", "listed in bl.example.net", ""},
        {C "bl.example.net 60 A 127.0.0.3", "0", "no", "", "-", ""},
        {C "any.example.net 60 A 127.0.0.3", "1", "yes", "any.example.net",
         "listed in any.example.net", ""},
        {C "any.example.net 60 A 127.9.8.7", "1", "yes", "any.example.net",
         "listed in any.example.net", ""},
        {C "any.example.net 60 TXT \"only a text\"", "0", "no", "", "-", ""},
        {C "range.example.net 60 A 127.0.1.255", "3", "yes",
         "range.example.net", "listed in range.example.net", ""},
        {C "range.example.net 60 A 127.0.2.0", "0", "no", "", "-", ""},
        {C "good.example.net 60 A 127.0.0.2", "-4", "no", "good.example.net",
         "-", ""},
        {C "good.example.net 60 A 127.0.0.2\n" C "any.example.net 60 A "
           "127.0.0.2",
         "-3", "yes", "any.example.net,good.example.net",
         "listed in any.example.net", ""},
        /* errors */
        {C "any.example.net 60 A 127.0.0.1", "0", "no", "", "-",
         "any.example.net"},
        {C "any.example.net 60 A 127.255.255.254", "0", "no", "", "-",
         "any.example.net"},
        {C "any.example.net 60 A 127.255.255.0", "0", "no", "", "-",
         "any.example.net"},
        {C "any.example.net 60 A 127.255.254.0", "1", "yes", "any.example.net",
         "listed in any.example.net", ""},
        {C "any.example.net 60 A 192.0.2.80", "0", "no", "", "-",
         "any.example.net"},
        {C "any.example.net 60 A 128.0.0.2", "0", "no", "", "-",
         "any.example.net"},
        {C "any.example.net 60 A 126.255.255.255", "0", "no", "", "-",
         "any.example.net"},
        {C "bl.example.net 60 A 127.0.0.2\n" C "bl.example.net 60 A 192.0.2.80",
         "0", "no", "", "-", "bl.example.net"},
        {"*.any.example.net 60 A 192.0.2.80\n" C "bl.example.net 60 A "
         "127.0.0.2",
         "5", "yes", "bl.example.net", "listed in bl.example.net",
         "any.example.net"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) harness = client_new(&five, "198.51.100.9");

        g_test_message("%s", rows[i].records);
        harness_zone(harness, rows[i].records);
        harness_run(harness, FILTERD_CONNECT);
        g_assert_cmpstr(harness_fact(harness, "score"), ==, rows[i].score);
        g_assert_cmpstr(harness_fact(harness, "listed"), ==, rows[i].listed);
        g_assert_cmpstr(harness_fact(harness, "zones"), ==, rows[i].zones);
        g_assert_cmpstr(harness_fact(harness, "reason"), ==, rows[i].reason);
        g_assert_cmpstr(harness_fact(harness, "failed"), ==, rows[i].failed);
    }
}

/* RFC 8904: of lists of good ones, in words of the list. */
static void
test_allow_list_is_a_result(void)
{
    static const struct {
        const char *records, *results;
    } rows[] = {
        {C "good.example.net 60 A 127.0.0.2\n" C
           "good.example.net 60 A 127.0.9.3",
         "dnswl=pass dns.zone=good.example.net policy.ip=127.0.0.2,127.0.9.3"},
        {C "any.example.net 60 A 127.0.0.2",
         "dnswl=none dns.zone=good.example.net"},
        {C "good.example.net 60 A 192.0.2.80",
         "dnswl=permerror dns.zone=good.example.net policy.ip=192.0.2.80"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) harness = client_new(&five, "198.51.100.9");

        harness_zone(harness, rows[i].records);
        harness_run(harness, FILTERD_CONNECT);
        g_assert_cmpstr(harness_authres(harness), ==, rows[i].results);
    }
}

static void
test_reasons(void)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"\"https://example.net/why?\"", "https://example.net/why?"},
        {"\"two \" \"strings\"", "two strings"},
        {"\"a\\013\\010550 b\\000c\\027d\\200e\"", "a  550 b c d e"},
        {"\"  \\010 \"", "listed in bl.example.net"},
        {"\"\"", "listed in bl.example.net"},
        {"\"b\"\n" C "bl.example.net 60 TXT \"ab\"\n" C
         "bl.example.net 60 TXT \"a\"",
         "a"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) harness = client_new(&five, "198.51.100.9");
        g_autofree char *record =
            g_strconcat(C "bl.example.net 60 TXT ", rows[i].text, NULL);

        harness_zone(harness, record);
        harness_zone(harness, C "bl.example.net 60 A 127.0.0.2\n" C
                                "good.example.net 60 A 127.0.0.2\n" C
                                "good.example.net 60 TXT \"not this\"");
        harness_run(harness, FILTERD_CONNECT);
        g_assert_cmpstr(harness_fact(harness, "reason"), ==, rows[i].expected);
    }
}

static void
test_long_reason(void)
{
    g_autoptr(Harness) harness = client_new(&five, "198.51.100.9");
    g_autofree char *text = g_strnfill(5000, 'x');
    g_autofree char *record =
        g_strconcat(C "bl.example.net 60 TXT \"", text, "\"", NULL);

    harness_zone(harness, C "bl.example.net 60 A 127.0.0.2");
    harness_zone(harness, record);
    harness_run(harness, FILTERD_CONNECT);
    g_assert_cmpuint(strlen(harness_fact(harness, "reason")), ==, 200);
}

/* ---- questions ---------------------------------------------------------- */

static void
test_parallel(void)
{
    g_autoptr(Harness) harness = client_new(&five, "198.51.100.9");

    harness_zone(harness, C "bl.example.net 60 A 127.0.0.2");
    harness_run(harness, FILTERD_CONNECT);
    g_assert_cmpstr(harness_questions(harness), ==,
                    "A " C "bl.example.net\nA " C "any.example.net\n"
                    "A " C "range.example.net\nA " C "good.example.net\n"
                    "TXT " C "bl.example.net");
    g_assert_cmpuint(harness_waits(harness), ==, 0);
}

static void
test_asked(void)
{
    static const struct {
        const char *client, *name; /* NULL: never */
    } rows[] = {
        {"192.0.2.1", "1.2.0.192"},
        {"198.18.0.1", "1.0.18.198"},
        {"198.51.100.255", "255.100.51.198"},
        {"203.0.113.7", "7.113.0.203"},
        {"8.8.4.4", "4.4.8.8"},
        {"::ffff:192.0.2.1", "1.2.0.192"},
        {"100.63.255.255", "255.255.63.100"},
        {"100.128.0.0", "0.0.128.100"},
        {"172.15.255.255", "255.255.15.172"},
        {"172.32.0.0", "0.0.32.172"},
        {"192.0.1.0", "0.1.0.192"},
        {"223.255.255.255", "255.255.255.223"},
        {"2001:db8::567:89ab", "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0."
                               "0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"},
        {"0.0.0.0", NULL},
        {"10.1.2.3", NULL},
        {"100.64.0.1", NULL},
        {"100.127.255.255", NULL},
        {"127.0.0.2", NULL},
        {"::ffff:127.0.0.2", NULL},
        {"169.254.1.1", NULL},
        {"172.16.0.1", NULL},
        {"172.31.255.255", NULL},
        {"192.0.0.8", NULL},
        {"192.168.1.1", NULL},
        {"224.0.0.1", NULL},
        {"255.255.255.255", NULL},
        {"::", NULL},
        {"::1", NULL},
        {"64:ff9b::808:808", NULL},
        {"fc00::1", NULL},
        {"fd00::1", NULL},
        {"fe80::1", NULL},
        {"ff02::1", NULL},
    };
    static const DnsblConfig one = {.zones = {zones, 1}};

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) harness = client_new(&one, rows[i].client);
        g_autofree char *question =
            g_strconcat("A ", rows[i].name, ".bl.example.net", NULL);

        g_test_message("%s", rows[i].client);
        harness_zone(harness, "*.bl.example.net 60 A 127.0.0.2");
        harness_dns_status(harness, rows[i].name ? question + 2 : "none",
                           FILTERD_DNS_TXT, FILTERD_DNS_TIMEOUT);
        harness_run(harness, FILTERD_CONNECT);
        g_assert_cmpstr(harness_fact(harness, "score"), ==,
                        rows[i].name ? "5" : "0");
        if (rows[i].name == NULL)
            g_assert_cmpuint(harness_question_count(harness), ==, 0);
        else
            g_assert_true(
                g_str_has_prefix(harness_questions(harness), question));
    }
}

static void
test_unknown_client(void)
{
    g_autoptr(Harness) harness = client_new(&five, NULL);

    harness_run(harness, FILTERD_CONNECT);
    g_assert_cmpstr(harness_fact(harness, "score"), ==, "-");
    g_assert_cmpuint(harness_question_count(harness), ==, 0);
}

static void
test_no_zones(void)
{
    static const DnsblConfig none = {0};
    g_autoptr(Harness) harness = client_new(&none, "198.51.100.9");

    harness_run(harness, FILTERD_CONNECT);
    g_assert_cmpstr(harness_fact(harness, "score"), ==, "0");
}

/* ---- failures ----------------------------------------------------------- */

static void
test_failures(void)
{
    static const char *const names[] = {"bl.example.net", "any.example.net",
                                        "range.example.net",
                                        "good.example.net"};
    static const struct {
        FilterdDnsStatus states[4];
        const char *score, *listed, *failed;
    } rows[] = {
        {{0, FILTERD_DNS_TIMEOUT}, "5", "yes", "any.example.net"},
        {{FILTERD_DNS_SERVFAIL}, "1", "yes", "bl.example.net"},
        {{FILTERD_DNS_BOGUS, FILTERD_DNS_TIMEOUT, FILTERD_DNS_SERVFAIL},
         "0",
         "no",
         "bl.example.net,any.example.net,range.example.net"},
        {{FILTERD_DNS_TIMEOUT, FILTERD_DNS_TIMEOUT, FILTERD_DNS_SERVFAIL,
          FILTERD_DNS_BOGUS},
         "-",
         "-",
         "bl.example.net,any.example.net,range.example.net,good.example.net"},
        {{FILTERD_DNS_CANCELLED}, "-", "-", "-"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) harness = client_new(&five, "198.51.100.9");

        harness_zone(harness, C "bl.example.net 60 A 127.0.0.2\n" C
                                "any.example.net 60 A 127.0.0.2");
        for (gsize j = 0; j < 4; j++) {
            g_autofree char *name = g_strconcat(C, names[j], NULL);

            harness_dns_status(harness, name, 0, rows[i].states[j]);
        }
        harness_run(harness, FILTERD_CONNECT);
        g_assert_cmpstr(harness_fact(harness, "score"), ==, rows[i].score);
        g_assert_cmpstr(harness_fact(harness, "listed"), ==, rows[i].listed);
        g_assert_cmpstr(harness_fact(harness, "failed"), ==, rows[i].failed);
    }
}

/* ---- the self-test ------------------------------------------------------ */

#define SOUND                                   \
    "2.0.0.127.bl.example.net 60 A 127.0.0.2\n" \
    "2.0.0.127.any.example.net 60 A 127.0.0.4\n"

/* RFC 5782 5: ::FFFF:7F00:1, in nibbles. */
#define V6(last)                                           \
    last ".0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0." \
         "0.0.0.0.0.0.0.0."

/* Its zones, by words that stand in the problem too. */
static const char *
failed_get(Harness *harness)
{
    harness_run(harness, FILTERD_CONNECT);
    return harness_fact(harness, "failed");
}

static void
test_self_test(void)
{
    static const struct {
        const char *records, *warning, *failed;
    } rows[] = {
        {SOUND, NULL, ""},
        {"2.0.0.127.bl.example.net 60 A 127.0.0.2",
         "any.example.net is suspended: it does not list 127.0.0.2",
         "any.example.net"},
        {"2.0.0.127.any.example.net 60 A 127.0.0.2",
         "bl.example.net is suspended: it does not list 127.0.0.2",
         "bl.example.net"},
        {"2.0.0.127.bl.example.net 60 A 127.0.0.2\n"
         "*.any.example.net 60 A 127.0.0.2",
         "any.example.net is suspended: it lists 127.0.0.1", "any.example.net"},
        {"2.0.0.127.bl.example.net 60 A 127.0.0.2\n"
         "*.any.example.net 60 A 192.0.2.80",
         "any.example.net is suspended: it lists 127.0.0.1", "any.example.net"},
        {"2.0.0.127.bl.example.net 60 A 127.0.0.2\n"
         "2.0.0.127.any.example.net 60 A 127.255.255.254",
         "any.example.net is suspended: it does not list", "any.example.net"},
        /* of IPv6 this client, who has none, is not concerned */
        {SOUND V6("1") "any.example.net 60 A 127.0.0.2",
         "any.example.net is suspended for IPv6: it lists ::ffff:127.0.0.1",
         ""},
        {SOUND V6("2") "any.example.net 60 A 127.0.0.2", NULL, ""},
        {SOUND V6("2") "any.example.net 60 A 127.255.255.254",
         "any.example.net is suspended for IPv6: it answers with an error", ""},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) harness = client_new(&tested, "198.51.100.9");

        harness_zone(harness, rows[i].records);
        if (rows[i].warning != NULL)
            harness_expect_warning(harness, rows[i].warning);
        harness_advance(harness, 3 * HOUR);
        g_assert_cmpstr(failed_get(harness), ==, rows[i].failed);
    }
}

static void
test_suspended(void)
{
    g_autoptr(Harness) harness = client_new(&tested, "198.51.100.9");

    harness_zone(harness, "2.0.0.127.bl.example.net 60 A 127.0.0.2");
    harness_expect_warning(harness, "any.example.net is suspended");
    harness_advance(harness, 0);
    harness_reset(harness);
    g_assert_cmpstr(failed_get(harness), ==, "any.example.net");
    g_assert_cmpstr(harness_questions(harness), ==, "A " C "bl.example.net");
    g_assert_cmpstr(harness_fact(harness, "score"), ==, "0");
    g_assert_cmpstr(harness_fact(harness, "problem"), ==,
                    "any.example.net is suspended: it does not list 127.0.0.2");
    g_assert_cmpint(harness_metric(harness, "suspended any.example.net"), ==,
                    1);
    harness_zone(harness, SOUND);
    harness_advance(harness, HOUR - 1);
    g_assert_cmpstr(failed_get(harness), ==, "any.example.net");
    harness_advance(harness, 1);
    g_assert_cmpstr(failed_get(harness), ==, "");
    g_assert_cmpstr(harness_fact(harness, "problem"), ==, "-");
    g_assert_cmpint(harness_metric(harness, "suspended any.example.net"), ==,
                    0);
    harness_zone(harness, NULL);
    harness_expect_warning(harness, "bl.example.net is suspended");
    harness_expect_warning(harness, "any.example.net is suspended");
    harness_advance(harness, HOUR);
    g_assert_cmpstr(failed_get(harness), ==, "bl.example.net,any.example.net");
    g_assert_cmpstr(harness_fact(harness, "score"), ==, "-");
}

static void
test_suspended_for_v6(void)
{
    static const char *const clients[] = {"198.51.100.9", "2001:db8::1"};
    static const char *const failed[] = {"", "any.example.net"};

    for (gsize i = 0; i < G_N_ELEMENTS(clients); i++) {
        g_autoptr(Harness) harness = client_new(&tested, clients[i]);

        harness_zone(harness, SOUND V6("1") "any.example.net 60 A 127.0.0.2");
        harness_expect_warning(harness, "suspended for IPv6");
        harness_advance(harness, 0);
        g_assert_cmpstr(failed_get(harness), ==, failed[i]);
    }
}

static void
test_self_test_timeout(void)
{
    g_autoptr(Harness) harness = client_new(&tested, "198.51.100.9");

    harness_zone(harness, SOUND);
    harness_dns_status(harness, "2.0.0.127.any.example.net", 0,
                       FILTERD_DNS_TIMEOUT);
    harness_dns_status(harness, "1.0.0.127.bl.example.net", 0,
                       FILTERD_DNS_SERVFAIL);
    harness_advance(harness, HOUR);
    g_assert_cmpstr(failed_get(harness), ==, "");
}

static void
test_self_test_off(void)
{
    g_autoptr(Harness) harness = client_new(&five, "198.51.100.9");

    harness_advance(harness, HOUR);
    g_assert_cmpuint(harness_question_count(harness), ==, 0);
}

/* ---- start -------------------------------------------------------------- */

static gint64
code_score(const DnsblConfig *config, const char *code)
{
    g_autoptr(Harness) harness = client_new(config, "198.51.100.9");
    g_autofree char *record = g_strconcat(C "bl.example.net 60 A ", code, NULL);

    harness_zone(harness, record);
    harness_run(harness, FILTERD_CONNECT);
    g_assert_cmpstr(harness_fact(harness, "failed"), ==, "");
    return g_ascii_strtoll(harness_fact(harness, "score"), NULL, 10);
}

static void
test_answers(void)
{
    static const struct {
        const char *answer;
        const char *in, *out; /* NULL: the answer is refused */
    } rows[] = {
        {"127.0.0.2", "127.0.0.2", "127.0.0.3"},
        {"127.0.0.0/24", "127.0.0.255", "127.0.1.0"},
        {"127.0.0.4/30", "127.0.0.7", "127.0.0.8"},
        {"127.0.0.0/8", "127.200.3.4", "-"},
        {"127.0.0.2/32", "127.0.0.2", "127.0.0.3"},
        {"127.0.0.2-127.0.0.11", "127.0.0.11", "127.0.0.12"},
        {"127.0.0.2-11", "127.0.0.2", "127.0.0.12"},
        {"127.0.1.250-127.0.2.3", "127.0.2.0", "127.0.2.4"},
        {"127.0.0.0&4", "127.0.0.14", "127.0.0.10"},
        {"127.0.0.0&6", "127.0.0.2", "127.0.0.8"},
        {"127.0.0.0&128", "127.0.0.129", "127.0.1.128"},
        {"127.0.0.0-255", "127.0.0.2", "127.0.1.2"},
        {"127.0.0.1", NULL, NULL},
        {"127.0.0.1/32", NULL, NULL},
        {"127.0.0.1-1", NULL, NULL},
        {"127.255.255.0/24", NULL, NULL},
        {"127.255.255.8", NULL, NULL},
        {"127.255.255.8-9", NULL, NULL},
        {"127.255.255.0&2", NULL, NULL},
        {"126.0.0.0/7", NULL, NULL},
        {"0.0.0.0/0", NULL, NULL},
        {"127.0.0.2/24", NULL, NULL},
        {"127.0.0.0/33", NULL, NULL},
        {"192.0.2.2", NULL, NULL},
        {"126.0.0.1-127.0.0.9", NULL, NULL},
        {"127.0.0.2-128.0.0.9", NULL, NULL},
        {"127.0.0.9-2", NULL, NULL},
        {"127.0.0.2-256", NULL, NULL},
        {"127.0.0.2&4", NULL, NULL},
        {"127.0.0.0&0", NULL, NULL},
        {"127.0.0.0&256", NULL, NULL},
        {"127.0.0", NULL, NULL},
        {"127.0.0.02", NULL, NULL},
        {"127.0.0.2.3", NULL, NULL},
        {"127.0.0.2x", NULL, NULL},
        {"127.0.0.4294967298", NULL, NULL},
        {"::1", NULL, NULL},
        {"weigth", NULL, NULL},
        {"", NULL, NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        const ListZone zone = {.name = "bl.example.net",
                               .answers = {&rows[i].answer, 1},
                               .weight = 1};
        const DnsblConfig config = {.zones = {&zone, 1}};

        g_test_message("%s", rows[i].answer);
        if (rows[i].in == NULL) {
            g_autofree char *error =
                harness_start_error(&filterd_plugin, &config);

            g_assert_nonnull(error);
            g_assert_nonnull(strstr(error, "zone bl.example.net"));
            continue;
        }
        g_assert_cmpint(code_score(&config, rows[i].in), ==, 1);
        if (*rows[i].out != '-')
            g_assert_cmpint(code_score(&config, rows[i].out), ==, 0);
    }
}

static void
test_limits(void)
{
    ListZone many[LIST_ZONES_LIMIT + 1];
    DnsblConfig config = {.zones = {many, LIST_ZONES_LIMIT + 1}};
    g_autofree char *long_name = g_strnfill(190, 'x');

    for (gsize i = 0; i < G_N_ELEMENTS(many); i++)
        many[i] = zones[0];

    g_autofree char *crowd = harness_start_error(&filterd_plugin, &config);

    g_assert_cmpstr(crowd, ==, "there may be 64 zones");
    config.zones.length = 1;
    many[0].name = long_name;

    g_autofree char *longish = harness_start_error(&filterd_plugin, &config);

    g_assert_nonnull(strstr(longish, "may have 189 octets"));
    many[0].name = long_name + 1;
    g_assert_null(harness_start_error(&filterd_plugin, &config));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dnsbl/only-codes-that-count-score", test_scores);
    g_test_add_func("/dnsbl/an-allow-list-is-a-result",
                    test_allow_list_is_a_result);
    g_test_add_func("/dnsbl/a-reason-is-one-clean-line", test_reasons);
    g_test_add_func("/dnsbl/a-reason-is-cut", test_long_reason);
    g_test_add_func("/dnsbl/a-list-is-asked-once", test_parallel);
    g_test_add_func("/dnsbl/special-addresses-are-never-asked", test_asked);
    g_test_add_func("/dnsbl/an-unknown-client-has-no-score",
                    test_unknown_client);
    g_test_add_func("/dnsbl/no-zones-no-score", test_no_zones);
    g_test_add_func("/dnsbl/a-failure-is-no-listing", test_failures);
    g_test_add_func("/dnsbl/a-list-that-lies-is-suspended", test_self_test);
    g_test_add_func("/dnsbl/a-suspended-list-comes-back", test_suspended);
    g_test_add_func("/dnsbl/a-list-may-be-suspended-for-ipv6-alone",
                    test_suspended_for_v6);
    g_test_add_func("/dnsbl/a-timeout-suspends-nothing",
                    test_self_test_timeout);
    g_test_add_func("/dnsbl/the-self-test-may-be-off", test_self_test_off);
    g_test_add_func("/dnsbl/answers-are-addresses-networks-ranges-or-bits",
                    test_answers);
    g_test_add_func("/dnsbl/zones-and-their-names-have-limits", test_limits);
    return g_test_run();
}
