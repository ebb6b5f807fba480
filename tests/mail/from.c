/* from.c: tests of what can be wrong with From. (RFC 5322 3.4, RFC 9989 11.5)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/mail/header.h"

#include <string.h>

typedef struct Row {
    const char *name;
    const char *header;
    gsize length; /* 0: strlen */
    MailFromProblem problem;
    const char *address;
    const char *domain;
} Row;

#define OK(name, header, address, domain)              \
    {                                                  \
        name, header, 0, MAIL_FROM_OK, address, domain \
    }
#define BAD(name, header)                                \
    {                                                    \
        name, header, 0, MAIL_FROM_MALFORMED, NULL, NULL \
    }
#define NUL(name, header)                                                \
    {                                                                    \
        name, header, sizeof header - 1, MAIL_FROM_MALFORMED, NULL, NULL \
    }

static const Row rows[] = {
    OK("plain", "From: a@example.org\r\n", "a@example.org", "example.org"),
    OK("brackets", "From: <a@Example.org>\r\n", "a@example.org", "example.org"),
    OK("case-of-name", "FROM:a@x.example\r\n", "a@x.example", "x.example"),
    OK("display-name", "From: Joe Doe <a@x.example>\r\n", "a@x.example",
       "x.example"),
    OK("dots-in-display-name", "From: Dr. J. Q. Doe <a@x.example>\r\n",
       "a@x.example", "x.example"),
    OK("quoted-display-name",
       "From: \"Doe, Joe <b@y.example>\" <a@x.example>\r\n", "a@x.example",
       "x.example"),
    OK("quoted-pair-in-display-name",
       "From: \"a \\\"b\\\" c\" <a@x.example>\r\n", "a@x.example", "x.example"),
    OK("encoded-word",
       "From: =?utf-8?q?J=C3=B6rg?= =?utf-8?b?RG9l?= <a@x.example>\r\n",
       "a@x.example", "x.example"),
    OK("utf8-display-name", "From: J\xc3\xb6rg <a@x.example>\r\n",
       "a@x.example", "x.example"),
    OK("folded", "From:\r\n Joe\r\n\t<a@x.example>\r\n", "a@x.example",
       "x.example"),
    OK("comments", "From: (one) a@x.example (two (three) \\) four)\r\n",
       "a@x.example", "x.example"),
    OK("comment-inside-brackets", "From: J <(c)a@x.example(d)>\r\n",
       "a@x.example", "x.example"),
    OK("quoted-local", "From: \"a b\"@x.example\r\n", "\"a b\"@x.example",
       "x.example"),
    OK("needlessly-quoted-local", "From: \"ab\"@x.example\r\n", "ab@x.example",
       "x.example"),
    OK("percent-and-bang", "From: a%b!c@x.example\r\n", "a%b!c@x.example",
       "x.example"),
    OK("single-label", "From: a@localhost\r\n", "a@localhost", "localhost"),
    OK("u-label",
       "From: a@b\xc3\xbc"
       "cher.example\r\n",
       "a@xn--bcher-kva.example", "xn--bcher-kva.example"),
    OK("among-others", "To: b@y\r\nFrom: a@x\r\nResent-From: c@z, d@z\r\n",
       "a@x", "x"),
    OK("depth-32-comments",
       "From: "
       "((((((((((((((((((((((((((((((((c"
       "))))))))))))))))))))))))))))))))a@x\r\n",
       "a@x", "x"),

    {"missing", "To: b@y\r\n", 0, MAIL_FROM_MISSING, NULL, NULL},
    {"nothing-at-all", "", 0, MAIL_FROM_MISSING, NULL, NULL},
    {"only-in-the-body", "To: b@y\r\n\r\nFrom: a@x\r\n", 0, MAIL_FROM_MISSING,
     NULL, NULL},
    {"two", "From: a@x\r\nFrom: b@y\r\n", 0, MAIL_FROM_REPEATED, NULL, NULL},
    {"three", "From: a@x\r\nFROM: b@y\r\nfrom: a@x\r\n", 0, MAIL_FROM_REPEATED,
     NULL, NULL},
    {"second-disguised-by-space", "From: a@x\r\nFrom : b@y\r\n", 0,
     MAIL_FROM_REPEATED, NULL, NULL},
    {"first-disguised-by-leading-space", " From: b@y\r\nFrom: a@x\r\n", 0,
     MAIL_FROM_REPEATED, NULL, NULL},
    {"second-disguised-by-fold", "From: a@x\r\nFrom\r\n : b@y\r\n", 0,
     MAIL_FROM_REPEATED, NULL, NULL},
    {"second-disguised-by-bom",
     "From: a@x\r\n\xef\xbb\xbf"
     "From: b@y\r\n",
     0, MAIL_FROM_REPEATED, NULL, NULL},
    {"second-disguised-by-nul", "From: a@x\r\nFr\0om: b@y\r\n", 23,
     MAIL_FROM_REPEATED, NULL, NULL},
    {"several-of-one-domain", "From: a@x, b@X\r\n", 0, MAIL_FROM_MULTIPLE, NULL,
     "x"},
    {"several-of-two-domains", "From: a@x, B <b@y>\r\n", 0, MAIL_FROM_MULTIPLE,
     NULL, NULL},
    {"literal", "From: a@[192.0.2.1]\r\n", 0, MAIL_FROM_MALFORMED,
     "a@[192.0.2.1]", NULL},
    {"literal-v6", "From: a@[IPv6:2001:db8::1]\r\n", 0, MAIL_FROM_MALFORMED,
     "a@[ipv6:2001:db8::1]", NULL},
    {"space-before-the-colon", "From : a@x\r\n", 0, MAIL_FROM_MALFORMED, "a@x",
     "x"},
    {"fold-before-the-colon", "From\r\n : a@x\r\n", 0, MAIL_FROM_MALFORMED,
     "a@x", "x"},
    {"leading-space", " From: a@x\r\nTo: b\r\n", 0, MAIL_FROM_MALFORMED, "a@x",
     "x"},
    {"bom",
     "\xef\xbb\xbf"
     "From: a@x\r\n",
     0, MAIL_FROM_MALFORMED, "a@x", "x"},
    {"nul-in-the-name", "From\0: a@x\r\n", 12, MAIL_FROM_MALFORMED, "a@x", "x"},
    {"junk-before", "junk\r\nFrom: a@x\r\n", 0, MAIL_FROM_MALFORMED, "a@x",
     "x"},
    {"junk-after", "From: a@x\r\njunk\r\n", 0, MAIL_FROM_MALFORMED, "a@x", "x"},
    {"mbox-line", "From a@x Sat Jan  1 00:00:00 2000\r\nFrom: a@x\r\n", 0,
     MAIL_FROM_MALFORMED, "a@x", "x"},
    {"junk-alone", "junk\r\n", 0, MAIL_FROM_MALFORMED, NULL, NULL},
    {"malformed-of-several-wins", "From: a@x, b\r\n", 0, MAIL_FROM_MALFORMED,
     NULL, NULL},

    BAD("empty", "From:\r\n"),
    BAD("blank", "From:   \r\n"),
    BAD("empty-brackets", "From: <>\r\n"),
    BAD("name-and-empty-brackets", "From: Joe <>\r\n"),
    BAD("name-only", "From: Joe\r\n"),
    BAD("encoded-word-only", "From: =?utf-8?b?YUB4?=\r\n"),
    BAD("encoded-word-as-local", "From: =?utf-8?q?a?=@x\r\n"),
    BAD("encoded-word-as-local-in-brackets", "From: <=?utf-8?q?a?=@x>\r\n"),
    BAD("encoded-word-holding-brackets", "From: =?utf-8?q?<a@x>?= <b@y>\r\n"),
    BAD("without-domain", "From: <joe>\r\n"),
    BAD("empty-domain", "From: a@\r\n"),
    BAD("empty-local", "From: @x\r\n"),
    BAD("empty-local-in-brackets", "From: <@x>\r\n"),
    BAD("empty-quoted-local", "From: \"\"@x\r\n"),
    BAD("member-without-domain", "From: a@x, joe\r\n"),
    BAD("member-without-domain-first", "From: joe, a@x\r\n"),
    BAD("empty-member", "From: a@x,,b@y\r\n"),
    BAD("last-comma", "From: a@x,\r\n"),
    BAD("first-comma", "From: ,a@x\r\n"),
    BAD("route", "From: <@one.example,@two.example:a@x>\r\n"),
    BAD("escaped-comma", "From: a@x\\, b@y\r\n"),
    BAD("escaped-comma-in-name", "From: a@x\\,b <b@y>\r\n"),
    BAD("text-after-brackets", "From: <a@x> joe\r\n"),
    BAD("address-after-brackets", "From: <a@x> b@y\r\n"),
    BAD("two-brackets", "From: <a@x> <b@y>\r\n"),
    BAD("two-brackets-together", "From: <a@x><b@y>\r\n"),
    BAD("nested-brackets", "From: <<a@x>>\r\n"),
    BAD("brackets-not-closed", "From: <a@x\r\n"),
    BAD("brackets-not-opened", "From: a@x>\r\n"),
    BAD("two-addresses-in-brackets", "From: <a@x,b@y>\r\n"),
    BAD("address-as-name", "From: b@y <a@x>\r\n"),
    BAD("group", "From: us: a@x, b@y;\r\n"),
    BAD("empty-group", "From: undisclosed:;\r\n"),
    BAD("semicolon", "From: a@x; b@y\r\n"),
    BAD("two-ats", "From: a@b@x\r\n"),
    BAD("two-ats-in-brackets", "From: <a@b@x>\r\n"),
    BAD("word-behind-address", "From: a@x joe\r\n"),
    BAD("word-before-address", "From: joe a@x\r\n"),
    BAD("leading-dot", "From: .a@x\r\n"),
    BAD("trailing-dot", "From: a.@x\r\n"),
    BAD("two-dots", "From: a..b@x\r\n"),
    BAD("space-around-dot", "From: a . b@x\r\n"),
    BAD("space-around-domain-dot", "From: a@x . example\r\n"),
    BAD("fold-in-domain", "From: a@x.\r\n example\r\n"),
    BAD("comment-in-domain", "From: a@x.(c)example\r\n"),
    BAD("two-dots-in-domain", "From: a@x..example\r\n"),
    BAD("leading-dot-in-domain", "From: a@.x\r\n"),
    BAD("final-dot-in-domain", "From: a@x.example.\r\n"),
    BAD("odd-octet-in-domain", "From: a@x!y\r\n"),
    BAD("foreign-dot-in-domain", "From: a@x\xef\xbc\x8e"
                                 "example\r\n"),
    BAD("fullwidth-at", "From: a\xef\xbc\xa0x\r\n"),
    BAD("local-of-two-words", "From: \"a\".b@x\r\n"),
    BAD("fold-in-quoted-local", "From: \"a\r\n b\"@x\r\n"),
    BAD("open-quote", "From: \"Joe <a@x>\r\n"),
    BAD("open-comment", "From: a@x (joe\r\n"),
    BAD("closed-comment", "From: a@x )\r\n"),
    BAD("escaped-end-of-comment", "From: a@x (joe\\)\r\n"),
    BAD("backslash-at-the-end", "From: a@x (\\\r\n"),
    BAD("depth-33-comments", "From: "
                             "(((((((((((((((((((((((((((((((((c"
                             ")))))))))))))))))))))))))))))))))a@x\r\n"),
    BAD("bare-lf", "From: a@x\nFrom: b@y\r\n"),
    BAD("bare-cr", "From: a@x\rFrom: b@y\r\n"),
    BAD("vertical-tab", "From: a@x\v\r\n"),
    BAD("escape", "From: \x1b[2Jjoe <a@x>\r\n"),
    BAD("del", "From: j\x7foe <a@x>\r\n"),
    BAD("c1-control", "From: j\xc2\x85oe <a@x>\r\n"),
    BAD("latin-1", "From: J\xf6rg <a@x>\r\n"),
    BAD("overlong-utf8", "From: J\xc0\xafrg <a@x>\r\n"),
    BAD("blank-folded-line", "From: Joe\r\n \r\n <a@x>\r\n"),
    BAD("blank-line-behind", "From: a@x\r\n \r\n"),
    BAD("dtext-literal", "From: a@[joe]\r\n"),
    BAD("bracket-in-name", "From: [list] joe <a@x>\r\n"),
    NUL("nul-in-the-domain", "From: a@x\0.example\r\n"),
    NUL("nul-in-the-name-of-the-author", "From: Jo\0e <a@x>\r\n"),
    NUL("nul-in-quotes", "From: \"Jo\0e\" <a@x>\r\n"),
    NUL("nul-behind", "From: a@x\0\r\n"),
};

static void
feed(MailFrom *from, const char *bytes, gsize length)
{
    gsize taken;
    FilterdField field;
    while ((taken = mail_field_next(bytes, length, &field)) > 0) {
        mail_from_add(from, &field);
        bytes += taken;
        length -= taken;
    }
    mail_from_end(from);
}

static void
test_row(gconstpointer data)
{
    const Row *row = data;
    gsize length = row->length > 0 ? row->length : strlen(row->header);
    g_autofree char *bytes = g_memdup2(row->header, length);
    MailFrom from = {0};
    feed(&from, bytes, length);
    g_assert_cmpstr(mail_from_problem_words[from.problem], ==,
                    mail_from_problem_words[row->problem]);
    g_assert_cmpstr(from.address, ==, row->address);
    g_assert_cmpstr(from.domain, ==, row->domain);
    mail_from_clear(&from);
}

static void
feed_built(GString *header, MailFromProblem problem)
{
    MailFrom from = {0};
    g_string_append(header, "\r\n");
    feed(&from, header->str, header->len);
    g_assert_cmpint(from.problem, ==, problem);
    mail_from_clear(&from);
}

static void
test_201_addresses(void)
{
    g_autoptr(GString) header = g_string_new("From: a@x");
    for (unsigned i = 0; i < 200; i++)
        g_string_append(header, ",\r\n a@x");
    feed_built(header, MAIL_FROM_MULTIPLE);
}

static void
test_too_many_addresses(void)
{
    g_autoptr(GString) header = g_string_new("From: a@x");
    for (unsigned i = 0; i < MAIL_MAILBOX_LIMIT; i++)
        g_string_append(header, ",a@x");
    feed_built(header, MAIL_FROM_MALFORMED);
}

static void
test_2000_deep(void)
{
    g_autoptr(GString) header = g_string_new("From: a@x ");
    for (unsigned i = 0; i < 2000; i++)
        g_string_append_c(header, '(');
    for (unsigned i = 0; i < 2000; i++)
        g_string_append_c(header, ')');
    feed_built(header, MAIL_FROM_MALFORMED);
}

static void
test_list_adds_all_or_nothing(void)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
    g_assert_true(mail_mailbox_list_parse(" a@x, B <b@Y> ", 14, list));
    g_assert_cmpuint(list->len, ==, 2);
    g_assert_cmpstr(list->pdata[1], ==, "b@y");
    g_assert_false(mail_mailbox_list_parse("c@z, d", 6, list));
    g_assert_cmpuint(list->len, ==, 2);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strdup_printf(
            "/mail/from/%s/%s", mail_from_problem_words[rows[i].problem],
            rows[i].name);
        g_test_add_data_func(path, &rows[i], test_row);
    }
    g_test_add_func("/mail/from/201-addresses-are-multiple",
                    test_201_addresses);
    g_test_add_func("/mail/from/over-the-limit-is-malformed",
                    test_too_many_addresses);
    g_test_add_func("/mail/from/comments-2000-deep-are-malformed",
                    test_2000_deep);
    g_test_add_func("/mail/from/list-adds-all-or-nothing",
                    test_list_adds_all_or_nothing);
    return g_test_run();
}
