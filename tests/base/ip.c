/* ip.c: tests of base/ip.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/ip.h"

#include <string.h>

static FilterdIp
network(const char *text)
{
    FilterdIp ip;

    if (!ip_parse_network(text, &ip))
        g_error("not a network: %s", text);
    return ip;
}

static void
formats(void)
{
    static const char *const rows[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.9.10.99", "0.9.10.99"},
        {"100.109.200.255", "100.109.200.255"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"2001:DB8:0:0::1", "2001:db8::1"},
        {"::", "::"},
        {"192.0.2.77/24", "192.0.2.0/24"},
        {"192.0.2.77/32", "192.0.2.77"},
        {"10.255.255.255/9", "10.128.0.0/9"},
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"2001:db8:ffff::1/33", "2001:db8:8000::/33"},
        {"2001:db8::1/128", "2001:db8::1"},
        {"::/0", "::/0"},
        {"::ffff:192.0.2.77/120", "192.0.2.0/24"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/127",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127"},
    };
    char text[IP_TEXT_SIZE];

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        FilterdIp ip = network(rows[i][0]);

        g_assert_cmpstr(ip_format(&ip, text), ==, rows[i][1]);
    }
}

static void
refusals(void)
{
    static const char *const rows[] = {
        "",
        "192.0.2",
        "192.0.2.256",
        "192.0.02.1",
        "192.0.2.1 ",
        "192.0.2.1/33",
        "192.0.2.1/",
        "192.0.2.1/-1",
        "192.0.2.1/2x",
        "fe80::1%eth0",
        "2001:db8::/129",
        "2001:db8",
        "/24",
        "1.2.3.4/24/24",
        "0x7f.0.0.1",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd/1",
    };
    FilterdIp ip = {.prefix = 77};

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("%s", rows[i]);
        g_assert_false(ip_parse_network(rows[i], &ip));
    }
    g_assert_false(ip_parse("192.0.2.0/24", &ip));
    g_assert_cmpuint(ip.prefix, ==, 77);
}

static void
contains(void)
{
    static const struct {
        const char *network, *ip;
        gboolean inside;
    } rows[] = {
        {"192.0.2.0/24", "192.0.2.255", TRUE},
        {"192.0.2.0/24", "192.0.3.0", FALSE},
        {"192.0.2.0/24", "192.0.2.128/25", TRUE},
        {"192.0.2.128/25", "192.0.2.0/24", FALSE},
        {"192.0.2.9", "192.0.2.9", TRUE},
        {"0.0.0.0/0", "203.0.113.1", TRUE},
        {"0.0.0.0/0", "2001:db8::1", FALSE},
        {"::/0", "2001:db8::1", TRUE},
        {"::/0", "203.0.113.1", FALSE},
        {"2001:db8::/33", "2001:db8:7fff::1", TRUE},
        {"2001:db8::/33", "2001:db8:8000::1", FALSE},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        FilterdIp outer = network(rows[i].network), ip = network(rows[i].ip);

        g_test_message("%s in %s", rows[i].ip, rows[i].network);
        g_assert_cmpint(ip_contains(&outer, &ip), ==, rows[i].inside);
    }
}

static void
masks(void)
{
    FilterdIp v4 = network("198.51.100.77"), v6 = network("2001:db8:1:2::3");
    FilterdIp wide = network("10.0.0.0/8");
    char text[IP_TEXT_SIZE];

    v4 = ip_mask(&v4, 24);
    g_assert_cmpstr(ip_format(&v4, text), ==, "198.51.100.0/24");
    v6 = ip_mask(&v6, 48);
    g_assert_cmpstr(ip_format(&v6, text), ==, "2001:db8:1::/48");
    wide = ip_mask(&wide, 24);
    g_assert_cmpstr(ip_format(&wide, text), ==, "10.0.0.0/8");
}

static void
reverse_names(void)
{
    static const char nibbles[] =
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2";
    FilterdIp v4 = network("192.0.2.13"), v6 = network("2001:db8::1");
    g_autofree char *dnsbl = ip_reverse_name(&v4, "bl.example.net");
    g_autofree char *bare = ip_reverse_name(&v6, NULL);
    g_autofree char *ptr4 = ip_ptr_name(&v4), *ptr6 = ip_ptr_name(&v6);
    g_autofree char *expected = g_strconcat(nibbles, ".ip6.arpa", NULL);

    g_assert_cmpstr(dnsbl, ==, "13.2.0.192.bl.example.net");
    g_assert_cmpstr(ptr4, ==, "13.2.0.192.in-addr.arpa");
    g_assert_cmpstr(bare, ==, nibbles);
    g_assert_cmpstr(ptr6, ==, expected);
}

static void
within_any(void)
{
    FilterdIp items[] = {network("192.0.2.0/24"), network("2001:db8::/32")};
    const FilterdArray networks = {items, G_N_ELEMENTS(items)};
    const FilterdArray none = {NULL, 0};
    FilterdIp first = network("192.0.2.1"), second = network("2001:db8::1");
    FilterdIp neither = network("192.0.3.1");

    g_assert_true(ip_within(&networks, &first));
    g_assert_true(ip_within(&networks, &second));
    g_assert_false(ip_within(&networks, &neither));
    g_assert_false(ip_within(&none, &first));
}

static void
order(void)
{
    FilterdIp low = network("10.0.0.0/8"), same = network("10.1.2.3/8");
    FilterdIp longer = network("10.0.0.0/9"), high = network("10.0.0.1");

    g_assert_true(ip_equal(&low, &same));
    g_assert_false(ip_equal(&low, &longer));
    g_assert_cmpint(ip_compare(&low, &longer), <, 0);
    g_assert_cmpint(ip_compare(&high, &longer), >, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/ip/host-bits-are-cleared", formats);
    g_test_add_func("/base/ip/what-is-no-address-is-refused", refusals);
    g_test_add_func("/base/ip/families-do-not-contain-each-other", contains);
    g_test_add_func("/base/ip/masks-count-bits-of-the-family", masks);
    g_test_add_func("/base/ip/names-are-reversed", reverse_names);
    g_test_add_func("/base/ip/any-network-of-a-list-will-do", within_any);
    g_test_add_func("/base/ip/networks-sort-before-their-parts", order);
    return g_test_run();
}
