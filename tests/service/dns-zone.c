/* dns-zone.c: zone files, and what they answer.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/dns.h"

#include "filterd/base/metrics.h"
#include "tests/service/support.h"

#include <string.h>

static const char zone[] =
    "$TTL 1h\n"
    "$ORIGIN Example.ORG.   ; where relative names live\n"
    "@ IN SOA ns hostmaster\\.dns.example.org. ( 2026112200 ; serial\n"
    "        1d 2h ; refresh, retry\n"
    "        4w 5m ) ; minimum\n"
    "        NS ns\n"
    "        600 IN MX 10 mx\n"
    "        IN 300 MX 20 mx.example.net.\n"
    "        TXT \"v=spf1 \" \"-all\"\n"
    "        TXT plain\\032words \"a \\\"quoted\\\" ; one\\\\\" \"\"\n"
    "mx      A 192.0.2.1\n"
    "        AAAA 2001:db8::1\n"
    "host.deep A 192.0.2.2\r\n"
    "*.wild  A 192.0.2.3\n"
    "x.wild  TXT (\"one\"\n\"two\")\n"
    "alias   CNAME other\n"
    "other   CNAME mx\n"
    "loop    CNAME pool\n"
    "pool    CNAME loop\n"
    "gone    CNAME nowhere\n"
    "away    CNAME www.example.net.\n"
    "odd\\001\\ label A 192.0.2.4\n"
    "srv     SRV 1 2 3 mx\n"
    "null    MX 0 .\n"
    "$ORIGIN 2.0.192.in-addr.arpa.\n"
    "1 PTR MX.Example.org.\n"
    "$ORIGIN .\n"
    "example.net 60 A 192.0.2.5\n"
    "sub.example.net. 60 TXT x";

static char *
format(const FilterdDnsAnswer *answer)
{
    g_autofree char *text = support_answer_format(answer);
    return g_strdup_printf("%s %u", text, answer->ttl);
}

static void
load(const char *text)
{
    const FilterdFile file = {"test.zone", text, strlen(text)};
    const DnsConfig config = {
        .zones = &file, .n_zones = 1, .zones_only = TRUE, .timeout = 1000};
    g_autoptr(GError) error = NULL;
    dns_init(&config, &error);
    g_assert_no_error(error);
}

static const struct {
    const char *name;
    FilterdDnsType type;
    const char *expected;
} answers[] = {
    {"example.org", FILTERD_DNS_MX,
     "answer 10 mx.example.org 20 mx.example.net 300"},
    {"EXAMPLE.org", FILTERD_DNS_TXT,
     "answer 'v=spf1 -all' 'plain wordsa \"quoted\" ; one\\' 3600"},
    {"example.org", FILTERD_DNS_A, "no data 300"},
    {"mx.example.org", FILTERD_DNS_A, "answer 192.0.2.1 3600"},
    {"mx.example.org", FILTERD_DNS_AAAA, "answer 2001:db8::1 3600"},
    {"1.2.0.192.in-addr.arpa", FILTERD_DNS_PTR, "answer 0 mx.example.org 3600"},
    {"null.example.org", FILTERD_DNS_MX, "answer 0  3600"},
    {"odd\x01 label.example.org", FILTERD_DNS_A, "answer 192.0.2.4 3600"},
    {"host.deep.example.org", FILTERD_DNS_A, "answer 192.0.2.2 3600"},
    /* on the way to a name */
    {"deep.example.org", FILTERD_DNS_A, "no data 300"},
    {"wild.example.org", FILTERD_DNS_A, "no data 300"},
    {"srv.example.org", FILTERD_DNS_A, "no data 300"},
    {"nowhere.example.org", FILTERD_DNS_A, "no such name 300"},
    {"a.mx.example.org", FILTERD_DNS_A, "no such name 300"},
    /* RFC 4592 2.2.1: a name that exists shadows the wildcard */
    {"a.wild.example.org", FILTERD_DNS_A, "answer 192.0.2.3 3600"},
    {"a.b.wild.example.org", FILTERD_DNS_A, "answer 192.0.2.3 3600"},
    {"a.wild.example.org", FILTERD_DNS_TXT, "no data 300"},
    {"x.wild.example.org", FILTERD_DNS_A, "no data 300"},
    {"x.wild.example.org", FILTERD_DNS_TXT, "answer 'onetwo' 3600"},
    {"a.x.wild.example.org", FILTERD_DNS_A, "no such name 300"},
    {"alias.example.org", FILTERD_DNS_A, "answer 192.0.2.1 3600"},
    {"alias.example.org", FILTERD_DNS_TXT, "no data 300"},
    {"gone.example.org", FILTERD_DNS_A, "no such name 300"},
    {"loop.example.org", FILTERD_DNS_A, "servfail 0"},
    {"away.example.org", FILTERD_DNS_A, "no such name 0"},
    /* without a SOA */
    {"example.net", FILTERD_DNS_A, "answer 192.0.2.5 60"},
    {"example.net", FILTERD_DNS_TXT, "no data 0"},
    {"www.example.net", FILTERD_DNS_A, "no such name 0"},
    {"net", FILTERD_DNS_A, "no data 0"},
    {"com", FILTERD_DNS_A, "no such name 0"},
};

static void
test_answers(void)
{
    DnsBudget budget;
    load(zone);
    dns_budget_init(&budget, 1000);
    for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
        g_autofree char *text =
            format(dns_query(&budget, answers[i].name, answers[i].type));
        g_test_message("%s", answers[i].name);
        g_assert_cmpstr(text, ==, answers[i].expected);
    }
    g_assert_cmpint(budget.left, ==, 1000);
    dns_clear();
    /* They outlive the service. */
    g_assert_cmpint(dns_query(&budget, "example.net", FILTERD_DNS_A)->length,
                    ==, 1);
    dns_budget_clear(&budget);
}

static void
test_root_zone(void)
{
    DnsBudget budget;
    load(". SOA . . 1 1 1 1 1\n* TXT any\nb.a TXT b\n");
    dns_budget_init(&budget, 1000);
    g_autofree char *any = format(dns_query(&budget, "x.y", FILTERD_DNS_TXT));
    g_assert_cmpstr(any, ==, "answer 'any' 3600");
    g_autofree char *none = format(dns_query(&budget, "x.a", FILTERD_DNS_TXT));
    g_assert_cmpstr(none, ==, "no such name 1");
    dns_budget_clear(&budget);
    dns_clear();
}

static const struct {
    const char *text;
    const char *error;
} errors[] = {
    {"a A 192.0.2.1\nb A nonsense\n", "test.zone:2: not an IPv4 address"},
    {"a AAAA 192.0.2.1\n", "test.zone:1: not an IPv6 address"},
    {"\n\n A 192.0.2.1\n", "test.zone:3: no name before this record"},
    {"a TXT \"open\n", "test.zone:1: the quote is not closed"},
    {"a (\nTXT \"x\"\n", "test.zone:1: '(' is not closed"},
    {"a TXT x)\n", "test.zone:1: ')' without '('"},
    {"a MX (\n10\n", "test.zone:1: '(' is not closed"},
    {"a MX (\nten\nb )\n", "test.zone:2: not a number, or too large"},
    {"a MX 65536 b\n", "test.zone:1: not a number, or too large"},
    {"a MX 10\n", "test.zone:1: a name is missing"},
    {"a A\n", "test.zone:1: an address is missing"},
    {"a TXT\n", "test.zone:1: a string is missing"},
    {"a\n", "test.zone:1: the record's type is missing"},
    {"a A 192.0.2.1 192.0.2.2\n", "test.zone:1: more than belongs there"},
    {"$TTL 1 2\n", "test.zone:1: more than belongs there"},
    {"a SPLAT x\n", "test.zone:1: unknown type \"SPLAT\""},
    {"a CH TXT x\n", "test.zone:1: unknown type \"CH\""},
    {"a 3x A 192.0.2.1\n", "test.zone:1: not a time in seconds"},
    {"a 99999999999 A 192.0.2.1\n", "test.zone:1: a time over 68 years"},
    {"$INCLUDE x\n", "test.zone:1: only $ORIGIN and $TTL are supported"},
    {"a..b A 192.0.2.1\n", "test.zone:1: not a name (labels of 1 to 63 octets,"
                           " 253 in all)"},
    {"a\\.b A 192.0.2.1\n",
     "test.zone:1: a name with an escape that is not supported"},
    {"a\\999 A 192.0.2.1\n",
     "test.zone:1: a name with an escape that is not supported"},
    {"a TXT \"\\3\"\n", "test.zone:1: an escape is \\X or \\DDD"},
    {"a SOA b c 1 2 3 4\n", "test.zone:1: a time is missing"},
};

static void
test_errors(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(errors); i++) {
        const char *text = errors[i].text;
        const FilterdFile file = {"test.zone", text, strlen(text)};
        const DnsConfig config = {
            .zones = &file, .n_zones = 1, .zones_only = TRUE, .timeout = 1000};
        g_autoptr(GError) error = NULL;
        g_test_message("%s", text);
        g_assert_false(dns_init(&config, &error));
        g_assert_error(error, DNS_ERROR, DNS_ERROR_INVALID);
        g_assert_cmpstr(error->message, ==, errors[i].error);
    }
}

static void
test_string_limits(void)
{
    g_autofree char *string = g_strnfill(256, 'x');
    g_autofree char *text = g_strdup_printf("a TXT \"%s\"\n", string);
    g_autoptr(GError) error = NULL;
    const FilterdFile file = {"test.zone", text, strlen(text)};
    const DnsConfig config = {
        .zones = &file, .n_zones = 1, .zones_only = TRUE, .timeout = 1000};
    g_assert_false(dns_init(&config, &error));
    g_assert_cmpstr(error->message, ==,
                    "test.zone:1: a string of over 255 octets: split it");
    const FilterdFile nul = {"test.zone", "a A 192.0.2.1\0x\n", 16};
    const DnsConfig other = {
        .zones = &nul, .n_zones = 1, .zones_only = TRUE, .timeout = 1000};
    g_clear_error(&error);
    g_assert_false(dns_init(&other, &error));
    g_assert_cmpstr(error->message, ==, "test.zone:1: a NUL octet");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    metrics_init(1);
    metrics_use_row(0);
    g_test_add_func("/service/zone/answers-as-a-server-would", test_answers);
    g_test_add_func("/service/zone/the-root-may-be-a-zone", test_root_zone);
    g_test_add_func("/service/zone/errors-name-file-and-line", test_errors);
    g_test_add_func("/service/zone/octets-have-limits", test_string_limits);
    return g_test_run();
}
