/* remarks.c: lists, maps and values that are legal and probably not meant.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/policy/world.h"

#define IN_MAIL(condition) "at mail { reject x if " condition " }\n"

static const WorldCase empty[] = {
    {"list a of ip { }\n" IN_MAIL("client.ip in a"),
     "1:6: warning: the list `a` is empty: nothing is ever in it\n"},
    {"list a of ip from \"nothing\"\n" IN_MAIL("client.ip in a"),
     "1:6: warning: the list `a` is empty: nothing is ever in it\n"},
    {"list a of pattern { }\n" IN_MAIL("mail.local in a"),
     "1:6: warning: the list `a` is empty: nothing is ever in it\n"},
    {"map a of ip to int { }\n" IN_MAIL("a[client.ip] = 1"),
     "1:5: warning: the map `a` is empty: all that it gives is unknown\n"},
};

static const WorldCase host_bits[] = {
    {"list a of ip { 192.0.2.1/24 198.51.100.0/24 2001:db8::1/32 "
     "192.0.2.0/25 }\n" IN_MAIL("client.ip in a"),
     "1:6: warning: `192.0.2.0/25` in list `a` changes nothing: "
     "`192.0.2.0/24` has it\n"
     "1:16: warning: `192.0.2.1/24` in list `a` has host bits: it means "
     "`192.0.2.0/24` (and 1 more) | 192.0.2.0/24\n"},
    {"map a of ip to int from \"hosts\"\n" IN_MAIL("a[client.ip] = 1"),
     "hosts:2:1: warning: `192.0.2.7/24` in map `a` has host bits: it means "
     "`192.0.2.0/24` | 192.0.2.0/24\n"},
    {"let near = client.ip in 192.0.2.1/24\n"
     "at mail { reject x if near or client.ip not in 2001:db8::1/32 }\n",
     "1:25: warning: `192.0.2.1/24` has host bits: it means `192.0.2.0/24` | "
     "192.0.2.0/24\n"
     "2:48: warning: `2001:db8::1/32` has host bits: it means "
     "`2001:db8::/32` | 2001:db8::/32\n"},
    {"list a of ip { 192.0.2.1/32 ::1/128 0.0.0.0/0 }\n" IN_MAIL(
         "client.ip in a or client.ip in 203.0.113.0/24"),
     "1:6: warning: `192.0.2.1` in list `a` changes nothing: `0.0.0.0/0` has "
     "it\n"},
};

static const WorldCase twice[] = {
    {"list a of ip { 192.0.2.1 192.0.2.2 192.0.2.1 192.0.2.1 }\n" IN_MAIL(
         "client.ip in a"),
     "1:36: warning: `192.0.2.1` is in list `a` already (and 1 more)\n"},
    {"list a of text { A a b }\n" IN_MAIL("mail.local in a"),
     "1:20: warning: `a` is in list `a` already\n"},
    {"list a of pattern { \"A\" \"a\" \"A\" }\n" IN_MAIL("mail.local in a"),
     "1:29: warning: `A` is in list `a` already\n"},
    {"list a of domain { example.com .example.com www.example.com "
     ".a.b.example.com example.org }\n" IN_MAIL("mail.domain in a"),
     "1:6: warning: `www.example.com` in list `a` changes nothing: "
     "`.example.com` has it (and 1 more)\n"},
    {"list a of ip { 10.0.0.0/8 10.1.0.0/16 10.1.1.1 192.0.2.0/24 "
     "2001:db8::1 }\n" IN_MAIL("client.ip in a"),
     "1:6: warning: `10.1.0.0/16` in list `a` changes nothing: `10.0.0.0/8` "
     "has it (and 1 more)\n"},
    /* The narrower one has a value of its own. */
    {"map a of ip to int { 10.0.0.0/8 1 10.1.0.0/16 2 }\n" IN_MAIL(
         "a[client.ip] = 1"),
     ""},
    {"list a of domain { example.com www.example.com com }\n" IN_MAIL(
         "mail.domain in a"),
     ""},
};

static const WorldCase stars[] = {
    {"list a of text { \"*.x\" \"*\" y }\n" IN_MAIL("mail.local in a"),
     "1:18: warning: `*` is no wildcard: `*.x` in list `a` is only itself "
     "(and 1 more) | list NAME of pattern { … }\n"},
    {"list a of address { *@example.com }\n" IN_MAIL("mail.from in a"),
     "1:21: warning: `*` is no wildcard: `*@example.com` in list `a` is only "
     "itself | list NAME of domain { .example.com }, asked for the domain; or "
     "list NAME of pattern { … }\n"},
    {IN_MAIL("mail.from = \"*@example.com\""),
     "1:35: warning: `*` is no wildcard: `*@example.com` is only itself | "
     "mail.from matches \"(?i)@example\\.com$\"\n"},
    {IN_MAIL("helo.name != \"*.dyn.*\" or helo.name = \"m*x\""),
     "1:36: warning: `*` is no wildcard: `*.dyn.*` is only itself | not "
     "helo.name matches \"(?i)\\.dyn\\.\"\n"
     "1:61: warning: `*` is no wildcard: `m*x` is only itself | helo.name "
     "matches \"(?i)^m.*x$\"\n"},
    {IN_MAIL("\"a*\" = helo.name"),
     "1:23: warning: `*` is no wildcard: `a*` is only itself | helo.name "
     "matches \"(?i)^a\"\n"},
    {IN_MAIL("helo.name = \"*\""),
     "1:35: warning: `*` is no wildcard: `*` is only itself | known "
     "helo.name\n"},
    {IN_MAIL("helo.name matches \"a*\""), ""},
    {IN_MAIL("mail.domain = \"*.example.com\""),
     "1:37: `*.example.com` is not a domain | a list has it: list NAME of "
     "domain { .example.com }, then … in NAME\n"},
    {IN_MAIL("mail.domain = \".example.com\""),
     "1:37: `.example.com` is not a domain | a list has it: list NAME of "
     "domain { .example.com }, then … in NAME\n"},
    {IN_MAIL("mail.domain = \"mx*.example.com\""),
     "1:37: `mx*.example.com` is not a domain | `*` is no wildcard: ask with "
     "`matches`\n"},
    {"list a of domain { mx*.example.com }\n" IN_MAIL("mail.domain in a"),
     "1:20: `mx*.example.com` is not a domain | `*` is no wildcard: ask with "
     "`matches`\n"},
};

static const WorldCase quotes[] = {
    {"list a of text from \"quotes\"\n" IN_MAIL("mail.local in a"),
     "quotes:1:1: warning: in a file the quotes belong to the text: `\"a b\"` "
     "in list `a` (and 1 more) | leave them out\n"},
    {"map a of text to text from \"quoted-pairs\"\n" IN_MAIL(
         "a[mail.local] = \"x\""),
     "quoted-pairs:2:3: warning: in a file the quotes belong to the text: "
     "`\"x y\"` in map `a` (and 1 more) | leave them out\n"},
    {"list a of text { \"a b\" }\n" IN_MAIL("mail.local in a"), ""},
};

#define TEST(name)                             \
    static void test_##name(void)              \
    {                                          \
        world_check(name, G_N_ELEMENTS(name)); \
    }
TEST(empty)
TEST(host_bits)
TEST(twice)
TEST(stars)
TEST(quotes)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    world_file("nothing", "# none yet\n\n");
    world_file("hosts", "192.0.2.0/25 1\n192.0.2.7/24 2\n");
    world_file("quotes", "\"a b\"\nit's\n'c'\n");
    world_file("quoted-pairs", "a x\nb \"x y\"\n\"c\" x\n");
    g_test_add_func("/policy/remarks/empty-lists-and-maps", test_empty);
    g_test_add_func("/policy/remarks/networks-with-host-bits", test_host_bits);
    g_test_add_func("/policy/remarks/entries-that-change-nothing", test_twice);
    g_test_add_func("/policy/remarks/stars-are-no-wildcards", test_stars);
    g_test_add_func("/policy/remarks/quotes-in-files-belong-to-texts",
                    test_quotes);
    return g_test_run();
}
