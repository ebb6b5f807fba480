/* address.c: tests of the paths of an envelope. (RFC 5321 4.1.2, RFC 6531 3.3)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/mail/address.h"

#include <string.h>

#define LOCAL_64 \
    "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz01"
#define LABEL_60 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwx"
#define UE "\xc3\xbc"

typedef struct Row {
    const char *name;
    const char *path;
    const char *text; /* NULL: refused … */
    const char *rest; /* … with this in the error; else what the local is */
    const char *domain;
} Row;

static const Row rows[] = {
    {"plain", "<a@example.org>", "a@example.org", "a", "example.org"},
    {"case-of-domain-is-kept-on-the-wire", "<Joe@Example.ORG>",
     "Joe@Example.ORG", "Joe", "example.org"},
    {"dot-string", "<a.b.c@x>", "a.b.c@x", "a.b.c", "x"},
    {"all-atext", "<!#$%&'*+-/=?^_`{|}~@x>", "!#$%&'*+-/=?^_`{|}~@x",
     "!#$%&'*+-/=?^_`{|}~", "x"},
    {"percent-hack-is-syntax", "<a%b.example@x>", "a%b.example@x",
     "a%b.example", "x"},
    {"bang-is-syntax", "<b!a@x>", "b!a@x", "b!a", "x"},
    {"underscore-domain", "<a@b_c.example>", "a@b_c.example", "a",
     "b_c.example"},
    {"needless-quotes-go", "<\"abc\"@x>", "abc@x", "abc", "x"},
    {"quotes-stay-for-space", "<\"a b\"@x>", "\"a b\"@x", "a b", "x"},
    {"quotes-stay-for-at", "<\"a@b\"@x>", "\"a@b\"@x", "a@b", "x"},
    {"quotes-stay-for-two-dots", "<\"a..b\"@x>", "\"a..b\"@x", "a..b", "x"},
    {"quotes-stay-for-last-dot", "<\"a.\"@x>", "\"a.\"@x", "a.", "x"},
    {"needless-quoted-pair-goes", "<\"a\\b\"@x>", "ab@x", "ab", "x"},
    {"quoted-pair-of-quote", "<\"a\\\"b\"@x>", "\"a\\\"b\"@x", "a\"b", "x"},
    {"quoted-pair-of-backslash", "<\"a\\\\b\"@x>", "\"a\\\\b\"@x", "a\\b", "x"},
    {"quoted-brackets", "<\"<a>\"@x>", "\"<a>\"@x", "<a>", "x"},
    {"injection-in-quotes-stays-quoted", "<\"x; dkim=pass header.d=legit\"@a>",
     "\"x; dkim=pass header.d=legit\"@a", "x; dkim=pass header.d=legit", "a"},
    {"literal-v4", "<a@[192.0.2.1]>", "a@[192.0.2.1]", "a", "[192.0.2.1]"},
    {"literal-v6", "<a@[IPv6:2001:DB8::1]>", "a@[IPv6:2001:DB8::1]", "a",
     "[ipv6:2001:db8::1]"},
    {"source-route-is-dropped", "<@one.example,@two.example:a@x>", "a@x", "a",
     "x"},
    {"short-source-route-is-dropped", "<@one.example:a@x>", "a@x", "a", "x"},
    {"local-of-64-is-legal", "<" LOCAL_64 "@x>", LOCAL_64 "@x", LOCAL_64, "x"},

    {"no-brackets", "a@x", NULL, "not in <>", NULL},
    {"nothing", "", NULL, "not in <>", NULL},
    {"space-before", " <a@x>", NULL, "not in <>", NULL},
    {"no-end", "<a@x", NULL, "does not end", NULL},
    {"only-open", "<", NULL, "quotes", NULL},
    {"local-of-65", "<" LOCAL_64 "a@x>", NULL, "longer than 64", NULL},
    {"path-over-256",
     "<" LOCAL_64 "@" LABEL_60 "." LABEL_60 "." LABEL_60 "." LABEL_60 ">", NULL,
     "longer than 256", NULL},
    {"empty-local", "<@x>", NULL, "source route", NULL},
    {"empty-quoted-local", "<\"\"@x>", NULL, "empty", NULL},
    {"empty-domain", "<a@>", NULL, "domain is missing", NULL},
    {"no-domain", "<a>", NULL, "domain is missing", NULL},
    {"two-ats", "<a@b@c>", NULL, "domain is not valid", NULL},
    {"two-ats-together", "<a@@c>", NULL, "domain is not valid", NULL},
    {"nested-brackets", "<<a@x>>", NULL, "quotes", NULL},
    {"bracket-in-domain", "<a@<x>>", NULL, "domain is not valid", NULL},
    {"comment-in-local", "<a(b)@x>", NULL, "quotes", NULL},
    {"comment-in-domain", "<a@x(b)>", NULL, "domain is not valid", NULL},
    {"leading-dot", "<.a@x>", NULL, "dot", NULL},
    {"trailing-dot", "<a.@x>", NULL, "dot", NULL},
    {"two-dots", "<a..b@x>", NULL, "dot", NULL},
    {"space-in-local", "<a b@x>", NULL, "quotes", NULL},
    {"space-in-domain", "<a@x y>", NULL, "domain is not valid", NULL},
    {"final-dot-of-domain", "<a@x.>", NULL, "domain is not valid", NULL},
    {"hyphen-first", "<a@-x>", NULL, "domain is not valid", NULL},
    {"label-too-long", "<a@" LABEL_60 "abcd.example>", NULL,
     "domain is not valid", NULL},
    {"open-quote", "<\"a@x>", NULL, "not closed", NULL},
    {"escaped-end", "<\"a\\", NULL, "not closed", NULL},
    {"quote-in-the-middle", "<a\"b\"@x>", NULL, "quotes", NULL},
    {"text-behind-quote", "<\"a\"b@x>", NULL, "quotes", NULL},
    {"quoted-cr", "<\"a\\\rb\"@x>", NULL, "control", NULL},
    {"raw-cr-in-quotes", "<\"a\rb\"@x>", NULL, "control", NULL},
    {"tab-in-quotes", "<\"a\tb\"@x>", NULL, "control", NULL},
    {"del-in-quotes", "<\"a\x7f\"@x>", NULL, "control", NULL},
    {"control-in-local", "<a\x01@x>", NULL, "quotes", NULL},
    {"control-in-domain", "<a@x\x01>", NULL, "domain is not valid", NULL},
    {"eightbit-in-local", "<b" UE "@x>", NULL, "SMTPUTF8", NULL},
    {"eightbit-in-quotes", "<\"b" UE "\"@x>", NULL, "SMTPUTF8", NULL},
    {"eightbit-in-domain", "<a@b" UE ".example>", NULL, "SMTPUTF8", NULL},
    {"literal-of-nonsense", "<a@[nonsense]>", NULL, "literal", NULL},
    {"literal-of-bare-v6", "<a@[2001:db8::1]>", NULL, "literal", NULL},
    {"literal-without-end", "<a@[192.0.2.1>", NULL, "literal", NULL},
    {"text-behind-literal", "<a@[192.0.2.1]x>", NULL, "does not end", NULL},
    {"route-without-colon", "<@a.example,a@x>", NULL, "source route", NULL},
    {"route-without-at", "<@a.example,b.example:a@x>", NULL, "source route",
     NULL},
    {"route-with-bad-domain", "<@-a:a@x>", NULL, "domain is not valid", NULL},
    {"route-alone", "<@a.example:>", NULL, "quotes", NULL},
};

static void
test_row(gconstpointer data)
{
    const Row *row = data;
    MailAddress address = {.text = (char *)"untouched"};
    const char *end = NULL;
    g_autoptr(GError) error = NULL;
    gboolean good = mail_address_parse(row->path, MAIL_REVERSE_PATH, FALSE,
                                       &address, &end, &error);
    g_assert_cmpint(good, ==, row->text != NULL);
    if (!good) {
        g_assert_cmpstr(address.text, ==, "untouched");
        g_assert_nonnull(strstr(error->message, row->rest));
        gboolean wide = strstr(row->rest, "SMTPUTF8") != NULL;
        g_assert_error(error, MAIL_ERROR,
                       wide ? MAIL_ERROR_EIGHTBIT : MAIL_ERROR_SYNTAX);
        return;
    }
    g_assert_cmpstr(address.text, ==, row->text);
    g_assert_cmpstr(address.local, ==, row->rest);
    g_assert_cmpstr(address.domain, ==, row->domain);
    g_assert_cmpstr(end, ==, "");
    g_assert_false(address.eightbit);
    mail_address_clear(&address);
}

/* What is emitted means the same when it is read again. */
static void
test_emitted_text_is_stable(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].text == NULL)
            continue;
        MailAddress address;
        g_assert_true(mail_address_parse_bare(rows[i].text, MAIL_REVERSE_PATH,
                                              &address, NULL));
        g_assert_cmpstr(address.text, ==, rows[i].text);
        g_assert_cmpstr(address.local, ==, rows[i].rest);
        mail_address_clear(&address);
    }
}

static void
test_null_path(void)
{
    MailAddress address;
    const char *end;
    g_autoptr(GError) error = NULL;
    g_assert_true(mail_address_parse("<> SIZE=1", MAIL_REVERSE_PATH, FALSE,
                                     &address, &end, NULL));
    g_assert_cmpstr(address.text, ==, "");
    g_assert_cmpstr(address.local, ==, "");
    g_assert_cmpstr(address.domain, ==, "");
    g_assert_cmpstr(end, ==, " SIZE=1");
    mail_address_clear(&address);
    g_assert_false(mail_address_parse("<>", MAIL_FORWARD_PATH, FALSE, &address,
                                      &end, &error));
    g_assert_error(error, MAIL_ERROR, MAIL_ERROR_SYNTAX);
}

static void
test_postmaster(void)
{
    static const char *const bad[] = {"<\"postmaster\">",
                                      "<@a.example:postmaster>", "<postmaste>"};
    MailAddress address;
    const char *end;
    g_assert_true(mail_address_parse("<PostMaster>", MAIL_FORWARD_PATH, FALSE,
                                     &address, &end, NULL));
    g_assert_cmpstr(address.text, ==, "PostMaster");
    g_assert_cmpstr(address.domain, ==, "");
    mail_address_clear(&address);
    g_assert_false(mail_address_parse("<postmaster>", MAIL_REVERSE_PATH, FALSE,
                                      &address, &end, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(mail_address_parse(bad[i], MAIL_FORWARD_PATH, FALSE,
                                          &address, &end, NULL));
}

static void
test_utf8(void)
{
    static const char *const bad[] = {"<b\xfc@x>",
                                      "<a@b\xfc.example>",
                                      "<\"b\xc3\"@x>",
                                      "<a\xc2\x80"
                                      "b@x>",
                                      "<\"a\xc2\x85\"@x>",
                                      "<a@b\xef\xbc\x8e"
                                      "c>",
                                      "<a@\xc2\x80.example>"};
    MailAddress address;
    const char *end;
    g_assert_true(mail_address_parse("<b" UE "@B" UE "cher.example>",
                                     MAIL_REVERSE_PATH, TRUE, &address, &end,
                                     NULL));
    g_assert_cmpstr(address.text, ==, "b" UE "@B" UE "cher.example");
    g_assert_cmpstr(address.local, ==, "b" UE);
    g_assert_cmpstr(address.domain, ==, "xn--bcher-kva.example");
    g_assert_true(address.eightbit);
    mail_address_clear(&address);
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(mail_address_parse(bad[i], MAIL_REVERSE_PATH, TRUE,
                                          &address, &end, NULL));
}

static void
test_bare(void)
{
    static const char *const bad[] = {"a@b>x", "a@b>", "<a@b>x", "<a@b", "a b"};
    static const char *const good[] = {"a@b", "<a@b>"};
    MailAddress address;
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(mail_address_parse_bare(bad[i], MAIL_REVERSE_PATH,
                                               &address, &error));
        g_assert_nonnull(error);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_assert_true(mail_address_parse_bare(good[i], MAIL_FORWARD_PATH,
                                              &address, NULL));
        g_assert_cmpstr(address.text, ==, "a@b");
        mail_address_clear(&address);
    }
}

static void
test_copy(void)
{
    MailAddress one, two = {0};
    g_assert_true(mail_address_parse_bare("\"a b\"@Example.org",
                                          MAIL_REVERSE_PATH, &one, NULL));
    mail_address_copy(&two, &one);
    mail_address_copy(&two, &one);
    mail_address_clear(&one);
    g_assert_cmpstr(two.text, ==, "\"a b\"@Example.org");
    g_assert_cmpstr(two.local, ==, "a b");
    g_assert_cmpstr(two.domain, ==, "example.org");
    mail_address_copy(&two, &one);
    g_assert_null(two.text);
}

static void
test_split(void)
{
    MailAddress address = {0}, copy = {0};
    g_assert_true(mail_address_split("a b@c@D...example", &address));
    mail_address_copy(&copy, &address);
    g_assert_cmpstr(copy.text, ==, "a b@c@D...example");
    g_assert_cmpstr(copy.local, ==, "a b@c");
    g_assert_cmpstr(copy.domain, ==, "d...example");
    mail_address_clear(&copy);
    mail_address_clear(&address);
    g_assert_true(mail_address_split("nobody", &address));
    g_assert_cmpstr(address.local, ==, "nobody");
    g_assert_cmpstr(address.domain, ==, "");
    mail_address_clear(&address);
    g_assert_false(mail_address_split("a\rb@c.example", &address));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strdup_printf(
            "/mail/address/%s/%s",
            rows[i].text != NULL ? "accepted" : "refused", rows[i].name);
        g_test_add_data_func(path, &rows[i], test_row);
    }
    g_test_add_func("/mail/address/emitted-text-is-stable",
                    test_emitted_text_is_stable);
    g_test_add_func("/mail/address/null-path-is-a-reverse-path-only",
                    test_null_path);
    g_test_add_func("/mail/address/postmaster-needs-no-domain",
                    test_postmaster);
    g_test_add_func("/mail/address/utf8-is-checked-and-its-domain-encoded",
                    test_utf8);
    g_test_add_func("/mail/address/bare-one-is-whole", test_bare);
    g_test_add_func("/mail/address/copy-owns-its-text", test_copy);
    g_test_add_func("/mail/address/what-is-no-path-is-split-at-its-last-sign",
                    test_split);
    return g_test_run();
}
