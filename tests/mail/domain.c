/* domain.c: tests of host names and mail domains. (RFC 5321 2.3.5, RFC 5890)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/mail/domain.h"

#include <string.h>

#define LABEL_63 \
    "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"
#define NAME_252                           \
    LABEL_63 "." LABEL_63 "." LABEL_63 "." \
             "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwx"

typedef struct Row {
    const char *text;
    const char *normal; /* NULL: not a domain */
} Row;

static const Row names[] = {
    {"example.org", "example.org"},
    {"Example.ORG", "example.org"},
    {"example.org.", "example.org"},
    {"org", "org"},
    {"_dmarc.example.org", "_dmarc.example.org"},
    {"under_score.example", "under_score.example"},
    {"192.0.2.1", "192.0.2.1"},
    {"a-b.example", "a-b.example"},
    {LABEL_63 ".example", LABEL_63 ".example"},
    {NAME_252, NAME_252},
    {"a" LABEL_63 ".example", NULL},
    {NAME_252 ".a", NULL},
    {"", NULL},
    {".", NULL},
    {"example.org..", NULL},
    {".example.org", NULL},
    {"a..b", NULL},
    {"-a.example", NULL},
    {"a-.example", NULL},
    {"a b.example", NULL},
    {"a\tb.example", NULL},
    {"a\r\nb.example", NULL},
    {"a\x01.example", NULL},
    {"a@b.example", NULL},
    {"a\"b.example", NULL},
    {"[192.0.2.1]", NULL},
    {"b\xc3\xbc"
     "cher.example",
     "xn--bcher-kva.example"},
    {"B\xc3\x9c"
     "CHER.example.",
     "xn--bcher-kva.example"},
    {"XN--BCHER-KVA.example", "xn--bcher-kva.example"},
    {"stra\xc3\x9f"
     "e.example",
     "xn--strae-oqa.example"},
    {"xn--bcher-kva.b\xc3\xbc"
     "cher.example",
     "xn--bcher-kva.xn--bcher-kva.example"},
    /* decomposed */
    {"bu\xcc\x88"
     "cher.example",
     "xn--bcher-kva.example"},
    /* mapped away, or to ASCII: zero width space, wide p */
    {"exa\xe2\x80\x8bmple.org", NULL},
    {"b\xc3\xbc\xe2\x80\x8b"
     "cher.example",
     NULL},
    {"\xef\xbd\x90"
     "aypal.example",
     NULL},
    {"_x.b\xc3\xbc"
     "cher.example",
     "_x.xn--bcher-kva.example"},
    {"example\xef\xbc\x8e"
     "org",
     NULL},
    {"example\xe3\x80\x82"
     "org",
     NULL},
    {"example\xef\xbd\xa1"
     "org",
     NULL},
    {"b\xfc"
     "cher.example",
     NULL},
    {"b\xc3\xbc cher.example", NULL},
    {"b\xc3\xbc\x01.example", NULL},
    {"b\xc3\xbc\xef\xbc\xa0x.example", NULL}, /* fullwidth @ */
};

static void
test_normalize(gconstpointer data)
{
    const Row *row = data;
    g_autofree char *normal = mail_domain_normalize(row->text, -1);
    g_assert_cmpstr(normal, ==, row->normal);
}

static void
test_nul_is_no_end(void)
{
    g_assert_null(mail_domain_normalize("example.org\0.example.com", 24));
}

static void
test_length_counts(void)
{
    g_autofree char *normal = mail_domain_normalize("example.organic", 11);
    g_assert_cmpstr(normal, ==, "example.org");
}

static void
test_valid_has_no_final_dot(void)
{
    g_assert_true(mail_domain_valid("Example.org"));
    g_assert_false(mail_domain_valid("example.org."));
    g_assert_false(mail_domain_valid("b\xc3\xbc"
                                     "cher.example"));
}

typedef struct Literal {
    const char *text;
    gboolean valid;
} Literal;

static const Literal literals[] = {
    {"[192.0.2.1]", TRUE},
    {"[IPv6:2001:db8::1]", TRUE},
    {"[ipv6:2001:DB8::1]", TRUE},
    {"[IPv6:::ffff:192.0.2.1]", TRUE},
    {"[2001:db8::1]", FALSE},
    {"[IPv6:192.0.2.1]", FALSE},
    {"[192.0.2.256]", FALSE},
    {"[192.0.2]", FALSE},
    {"[192.0.2.1", FALSE},
    {"[192.0.2.1]x", FALSE},
    {"[]", FALSE},
    {"[192.0.2.1/24]", FALSE},
    {"[IPv6:fe80::1%eth0]", FALSE},
    {"[TAG:thing]", FALSE},
    {"[192.0.2.1]\r\nX", FALSE},
    {"", FALSE},
};

static void
test_literal(gconstpointer data)
{
    const Literal *row = data;
    g_assert_cmpint(mail_domain_literal_valid(row->text, strlen(row->text)), ==,
                    row->valid);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_strdup_printf(
            "/mail/domain/is-normalized-or-refused/%02" G_GSIZE_FORMAT, i);
        g_test_add_data_func(path, &names[i], test_normalize);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(literals); i++) {
        g_autofree char *path = g_strdup_printf(
            "/mail/domain/literal-is-an-address-in-brackets/%02" G_GSIZE_FORMAT,
            i);
        g_test_add_data_func(path, &literals[i], test_literal);
    }
    g_test_add_func("/mail/domain/nul-is-no-end", test_nul_is_no_end);
    g_test_add_func("/mail/domain/length-counts", test_length_counts);
    g_test_add_func("/mail/domain/valid-one-has-no-final-dot",
                    test_valid_has_no_final_dot);
    return g_test_run();
}
