/* dns-packet.c: packets that nobody should send.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/dns.h"
#include "tests/service/support.h"

#include <string.h>

#define HEAD "\x12\x34\x81\x80\x00\x01"
/* The question a.example; its name is at 12, "example" at 14. */
#define QUESTION "\1a\7example\0"
#define ASKED_A QUESTION "\0\1\0\1"
#define ASKED_MX QUESTION "\0\17\0\1"
#define ASKED_TXT QUESTION "\0\20\0\1"
#define SELF "\xc0\x0c"
#define IN_A "\0\1\0\1\0\0\1\x2c\0\4"
#define IN_CNAME "\0\5\0\1\0\0\0\x3c"
#define SOA                                \
    "\xc0\x0e\0\6\0\1\0\0\0\x64\0\x16\0\0" \
    "\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\x32"

static const struct {
    const char *what;
    FilterdDnsType type;
    const char *packet;
    gsize length;
    const char *expected;
} cases[] = {
#define ROW(what, type, packet, expected)                              \
    {                                                                  \
        what, FILTERD_DNS_##type, packet, sizeof(packet) - 1, expected \
    }
    ROW("an address", A, HEAD "\0\1\0\0\0\0" ASKED_A SELF IN_A "\xc0\0\2\1",
        "answer 192.0.2.1 300"),
    ROW("case does not matter", A,
        HEAD "\0\1\0\0\0\0" ASKED_A "\1A\7EXAMPLE\0" IN_A "\xc0\0\2\1",
        "answer 192.0.2.1 300"),
    ROW("another's address", A,
        HEAD "\0\1\0\0\0\0" ASKED_A "\xc0\x0e" IN_A "\xc0\0\2\1", "no data 0"),
    ROW("an address too short", A,
        HEAD "\0\1\0\0\0\0" ASKED_A SELF "\0\1\0\1\0\0\1\x2c\0\3\xc0\0\2",
        "servfail 0"),
    ROW("another class", A,
        HEAD "\0\1\0\0\0\0" ASKED_A SELF "\0\1\0\3\0\0\1\x2c\0\4\xc0\0\2\1",
        "no data 0"),
    ROW("a chain, out of order", A,
        HEAD "\0\3\0\0\0\0" ASKED_A "\1b\xc0\x0e" IN_A
             "\xc0\0\2\1" SELF IN_CNAME "\0\4\1b\xc0\x0e" SELF IN_A
             "\xc0\0\2\2",
        "answer 192.0.2.1 60"),
    ROW("a chain in a circle", A,
        HEAD "\0\1\0\0\0\0" ASKED_A SELF IN_CNAME "\0\2" SELF, "servfail 0"),
    ROW("no such name at the end of a chain", A,
        "\x12\x34\x81\x83\0\1\0\1\0\1\0\0" ASKED_A SELF IN_CNAME
        "\0\4\1b\xc0\x0e" SOA,
        "no such name 50"),
    ROW("no data", A, HEAD "\0\0\0\1\0\0" ASKED_A SOA, "no data 50"),
    ROW("servfail", A, "\x12\x34\x81\x82\0\1\0\0\0\0\0\0" ASKED_A,
        "servfail 0"),
    ROW("refused", A, "\x12\x34\x81\x85\0\1\0\0\0\0\0\0" ASKED_A, "servfail 0"),
    ROW("a question", A, "\x12\x34\x01\x00\0\1\0\0\0\0\0\0" ASKED_A,
        "servfail 0"),
    ROW("a truncated answer", A,
        "\x12\x34\x83\x80\0\1\0\1\0\0\0\0" ASKED_A SELF IN_A "\xc0\0\2\1",
        "servfail 0"),
    ROW("an answer to another question", A,
        HEAD "\0\1\0\0\0\0" ASKED_MX SELF IN_A "\xc0\0\2\1", "servfail 0"),
    ROW("an answer of another class", A,
        HEAD "\0\1\0\0\0\0" QUESTION "\0\1\0\3" SELF IN_A "\xc0\0\2\1",
        "servfail 0"),
    ROW("two questions", A, "\x12\x34\x81\x80\0\2\0\0\0\0\0\0" ASKED_A ASKED_A,
        "servfail 0"),
    ROW("fewer records than said", A,
        HEAD "\0\2\0\0\0\0" ASKED_A SELF IN_A "\xc0\0\2\1", "servfail 0"),
    ROW("a pointer to itself", A,
        HEAD "\0\1\0\0\0\0" ASKED_A "\xc0\x1b" IN_A "\xc0\0\2\1", "servfail 0"),
    ROW("a pointer forward", A,
        HEAD "\0\1\0\0\0\0" ASKED_A "\xc0\x1d" IN_A "\0\0\2\1", "servfail 0"),
    ROW("a label of an unknown kind", A,
        HEAD "\0\1\0\0\0\0" ASKED_A "\x41"
             "a" IN_A "\xc0\0\2\1",
        "servfail 0"),
    ROW("a TTL with its highest bit", A,
        HEAD "\0\1\0\0\0\0" ASKED_A SELF "\0\1\0\1\x80\0\0\0\0\4\xc0\0\2\1",
        "answer 192.0.2.1 0"),
    ROW("a mail host", MX,
        HEAD "\0\1\0\0\0\0" ASKED_MX SELF "\0\17\0\1\0\0\0\1\0\4\1\2" SELF,
        "answer 258 a.example 1"),
    ROW("the null MX", MX,
        HEAD "\0\1\0\0\0\0" ASKED_MX SELF "\0\17\0\1\0\0\0\1\0\3\0\0\0",
        "answer 0  1"),
    ROW("a dot in a label", MX,
        HEAD "\0\1\0\0\0\0" ASKED_MX SELF
             "\0\17\0\1\0\0\0\1\0\10\0\1\3a.b\xc0\x0e",
        "no data 0"),
    ROW("a NUL in a label", MX,
        HEAD "\0\1\0\0\0\0" ASKED_MX SELF
             "\0\17\0\1\0\0\0\1\0\10\0\1\3a\0b\xc0\x0e",
        "no data 0"),
    ROW("a name beyond its record", MX,
        HEAD "\0\1\0\0\0\0" ASKED_MX SELF "\0\17\0\1\0\0\0\1\0\3\0\1\1a\0",
        "servfail 0"),
    ROW("strings", TXT,
        HEAD "\0\1\0\0\0\0" ASKED_TXT SELF "\0\20\0\1\0\0\0\1\0\6\2ab\0\1c",
        "answer 'abc' 1"),
    ROW("a string beyond its record", TXT,
        HEAD "\0\1\0\0\0\0" ASKED_TXT SELF "\0\20\0\1\0\0\0\1\0\3\3ab",
        "servfail 0"),
    ROW("no string at all", TXT,
        HEAD "\0\1\0\0\0\0" ASKED_TXT SELF "\0\20\0\1\0\0\0\1\0\0",
        "answer '' 1"),
    ROW("nothing", A, "", "servfail 0"),
    ROW("half a head", A, "\x12\x34\x81\x80\0", "servfail 0"),
};

static char *
format(const FilterdDnsAnswer *answer)
{
    g_autofree char *text = support_answer_format(answer);
    return g_strdup_printf("%s %u", text, answer->ttl);
}

/* From memory of exactly that size, so that reading beyond it is seen. */
static char *
parse(const void *bytes, gsize length, FilterdDnsType type)
{
    g_autofree uint8_t *packet = g_memdup2(bytes, length);
    FilterdDnsAnswer *answer = dns_answer_parse(packet, length, type);
    char *text = format(answer);
    dns_answer_free(answer);
    return text;
}

static void
test_packets(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text =
            parse(cases[i].packet, cases[i].length, cases[i].type);
        g_test_message("%s", cases[i].what);
        g_assert_cmpstr(text, ==, cases[i].expected);
    }
}

static void
test_cut(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        for (gsize length = 0; length < cases[i].length; length++) {
            g_autofree char *text =
                parse(cases[i].packet, length, cases[i].type);
            g_assert_cmpstr(text, ==, "servfail 0");
        }
}

static void
test_many(void)
{
    static const char record[] = SELF IN_A "\xc0\0\2\1";
    g_autoptr(GByteArray) packet = g_byte_array_new();
    g_byte_array_append(packet, (const uint8_t *)HEAD "\x0f\xa0\0\0\0\0", 12);
    g_byte_array_append(packet, (const uint8_t *)ASKED_A, sizeof ASKED_A - 1);
    for (int i = 0; i < 4000; i++)
        g_byte_array_append(packet, (const uint8_t *)record, sizeof record - 1);
    FilterdDnsAnswer *answer =
        dns_answer_parse(packet->data, packet->len, FILTERD_DNS_A);
    g_assert_cmpuint(answer->length, ==, 1000);
    dns_answer_free(answer);
}

static void
test_long_name(void)
{
    g_autoptr(GByteArray) packet = g_byte_array_new();
    g_byte_array_append(packet, (const uint8_t *)HEAD "\0\0\0\0\0\0", 12);
    for (int i = 0; i < 128; i++)
        g_byte_array_append(packet, (const uint8_t *)"\1a", 2);
    g_byte_array_append(packet, (const uint8_t *)"\0\0\1\0\1", 5);
    g_autofree char *text = parse(packet->data, packet->len, FILTERD_DNS_A);
    g_assert_cmpstr(text, ==, "servfail 0");
    g_byte_array_remove_range(packet, 12, 2);
    g_autofree char *shorter = parse(packet->data, packet->len, FILTERD_DNS_A);
    g_assert_cmpstr(shorter, ==, "no data 0");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/service/packet/only-the-chain-of-the-question-counts",
                    test_packets);
    g_test_add_func("/service/packet/a-cut-packet-is-a-failure", test_cut);
    g_test_add_func("/service/packet/records-are-bounded", test_many);
    g_test_add_func("/service/packet/names-are-bounded", test_long_name);
    return g_test_run();
}
