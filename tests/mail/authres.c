/* authres.c: tests of Authentication-Results. (RFC 8601)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/mail/authres.h"

#include "filterd/mail/header.h"

#include <string.h>

#define AR "Authentication-Results"
#define UE "\xc3\xbc"

typedef struct Row {
    const char *name;
    const char *value;
    const char *written;
} Row;

static const Row values[] = {
    {"token", "example.org", "example.org"},
    {"address", "a.b+c@example.org", "a.b+c@example.org"},
    {"domain-behind-at", "@example.org", "@example.org"},
    {"empty", "", "\"\""},
    {"second-result", "x; dkim=pass header.d=legit",
     "\"x; dkim=pass header.d=legit\""},
    {"second-result-in-a-quoted-local", "\"x; dkim=pass header.d=legit\"@a",
     "\"\\\"x; dkim=pass header.d=legit\\\"@a\""},
    {"second-result-in-helo", "legit;dkim=pass", "\"legit;dkim=pass\""},
    {"comment", "a(b", "\"a(b\""},
    {"backslash", "a\\", "\"a\\\\\""},
    {"fold", "a\r\n b", "\"a?? b\""},
    {"line", "a\nX-Evil: b", "\"a?X-Evil: b\""},
    {"eightbit", "b" UE, "\"b??\""},
    {"u-label", "b" UE "cher.example", "xn--bcher-kva.example"},
    {"u-label-behind-at", "a@b" UE "cher.example", "a@xn--bcher-kva.example"},
    {"eightbit-local-part", "b" UE "@b" UE "cher.example",
     "\"b??@xn--bcher-kva.example\""},
    {"u-label-is-no-way-in", "\"; dkim=pass header.d=\"@b" UE "cher.example",
     "\"\\\"; dkim=pass header.d=\\\"@xn--bcher-kva.example\""},
    {"two-ats", "a@b@c", "\"a@b@c\""},
    {"slash", "a/b", "\"a/b\""},
    {"literal", "a@[192.0.2.1]", "\"a@[192.0.2.1]\""},
};

static void
test_value(gconstpointer data)
{
    const Row *row = data;
    MailAuthres authres;
    FilterdProperty property = {"smtp", "mailfrom", row->value};
    mail_authres_init(&authres, "mx.example.com");
    mail_authres_add(&authres, "spf", "pass", NULL, &property, 1);
    g_autofree char *text = mail_authres_end(&authres);
    g_autofree char *expected = g_strconcat(
        "mx.example.com;\n    spf=pass smtp.mailfrom=", row->written, NULL);
    g_assert_cmpstr(text, ==, expected);
}

static void
test_tokens_are_not_quoted(void)
{
    for (int octet = ' '; octet < 128; octet++) {
        const char value[] = {(char)octet, '\0'};
        const FilterdProperty property = {"a", "b", value};
        g_autofree char *text =
            mail_authres_result("spf", "pass", NULL, &property, 1);
        gboolean token = g_ascii_isgraph(octet)
                         && strchr("()<>@,;:\\\"/[]?=", octet) == NULL;
        g_assert_cmpint(strchr(text, '"') == NULL, ==, token);
    }
}

static void
test_without_results(void)
{
    MailAuthres authres;
    mail_authres_init(&authres, "mx.example.com");
    g_autofree char *text = mail_authres_end(&authres);
    g_assert_cmpstr(text, ==, "mx.example.com; none");
}

static void
test_results_have_their_lines(void)
{
    static const FilterdProperty dkim[] = {{"header", "d", "example.org"},
                                           {"header", "b", "Zk3Wf9aQ"}};
    static const FilterdProperty dmarc[] = {{"header", "from", "example.org"}};
    MailAuthres authres;
    mail_authres_init(&authres, "mx.example.com");
    mail_authres_add(&authres, "spf", "none", NULL, NULL, 0);
    g_autofree char *later = mail_authres_result("dkim", "pass", "", dkim, 2);
    mail_authres_add_result(&authres, later);
    mail_authres_add(&authres, "dmarc", "pass", "p=reject", dmarc, 1);
    g_autofree char *text = mail_authres_end(&authres);
    g_assert_cmpstr(text, ==,
                    "mx.example.com;\n"
                    "    spf=none;\n"
                    "    dkim=pass header.d=example.org header.b=Zk3Wf9aQ;\n"
                    "    dmarc=pass (p=reject) header.from=example.org");
}

static void
test_comment_cannot_end(void)
{
    MailAuthres authres;
    mail_authres_init(&authres, "mx");
    mail_authres_add(&authres, "spf", "fail", "a) x\\ (b;\n dkim=pass", NULL,
                     0);
    g_autofree char *text = mail_authres_end(&authres);
    g_assert_cmpstr(text, ==,
                    "mx;\n    spf=fail (a\\) x\\\\ \\(b;? dkim=pass)");
}

static void
test_words_are_tokens(void)
{
    MailAuthres authres;
    FilterdProperty property = {"x y", "z=;", "v"};
    mail_authres_init(&authres, "m x;");
    mail_authres_add(&authres, "a b", "c;d", NULL, &property, 1);
    g_autofree char *text = mail_authres_end(&authres);
    g_assert_cmpstr(text, ==, "\"m x;\";\n    a-b=c-d x-y.z--=v");
}

static void
test_long_values_are_folded_and_cut(void)
{
    MailAuthres authres;
    g_autofree char *quotes = g_strnfill(5000, '"');
    FilterdProperty properties[] = {
        {"a", "b", quotes}, {"a", "b", quotes}, {"a", "b", quotes}};
    mail_authres_init(&authres, "mx");
    mail_authres_add(&authres, "spf", "pass", quotes, properties, 3);
    g_autofree char *text = mail_authres_end(&authres);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 6);
    for (gsize i = 0; lines[i] != NULL; i++)
        g_assert_cmpuint(strlen(lines[i]), <, 990);
}

typedef struct Claim {
    const char *name;
    const char *field;
    gsize length; /* 0: strlen */
} Claim;

#define ID "mx.example.com"
#define NUL(name, field)               \
    {                                  \
        name, field, sizeof(field) - 1 \
    }

static const Claim forged[] = {
    {"plain", AR ": " ID "; dkim=pass", 0},
    {"without-space", AR ":" ID ";dkim=pass", 0},
    {"name-in-capitals", "AUTHENTICATION-RESULTS: " ID "; dkim=pass", 0},
    {"id-in-capitals", AR ": MX.Example.COM; dkim=pass", 0},
    {"version-1", AR ": " ID " 1; dkim=pass", 0},
    {"version-01", AR ": " ID " 01; dkim=pass", 0},
    {"version-2-of-ours", AR ": " ID " 2; dkim=pass", 0},
    {"version-2-of-another", AR ": other.example 2; dkim=pass", 0},
    {"version-2-and-no-semicolon", AR ": other.example 2 dkim=pass", 0},
    {"version-with-a-point", AR ": other.example 1.1; dkim=pass", 0},
    {"version-in-comments", AR ": other.example (a)\r\n\t2(b); dkim=pass", 0},
    {"tab-fold-tab-before-the-colon", AR "\t\r\n\t:\r\n\t" ID "; none", 0},
    {"eightbit-in-the-name", "Authentication\xc2\xa0-Results: " ID "; none", 0},
    {"no-break-space-before-the-id", AR ": \xc2\xa0" ID "; none", 0},
    {"soft-hyphen-in-the-id", AR ": mx.exam\xc2\xadple.com; none", 0},
    {"full-width-id", AR ": \xef\xbd\x8d\xef\xbd\x98.example.com; none", 0},
    {"ideographic-full-stop",
     AR ": mx\xe3\x80\x82"
        "example.com; none",
     0},
    {"comment-in-the-id", AR ": mx.(a)example.com; dkim=pass", 0},
    {"comments-around-dots", AR ": mx (a) . example (b (c)) .com; none", 0},
    {"comment-and-blanks-in-quotes", AR ": \"(a) " ID "\"; none", 0},
    {"quoted-fold", AR ": \"\r\n " ID "\"; none", 0},
    {"escaped-quote-in-quotes", AR ": \"\\\"" ID "\"; none", 0},
    {"second-id", AR ": other.example " ID "; dkim=pass", 0},
    {"arc-instance", AR ": i=1; " ID "; dkim=pass", 0},
    {"empty-before", AR ": ; " ID "; dkim=pass", 0},
    {"huge-version", AR ": other.example 4294967297; dkim=pass", 0},
    {"fold-behind-the-colon", AR ":\r\n " ID "; dkim=pass", 0},
    {"fold-before-the-colon", AR "\r\n : " ID "; dkim=pass", 0},
    {"space-before-the-colon", AR " : " ID "; dkim=pass", 0},
    {"tab-before-the-colon", AR "\t: " ID "; dkim=pass", 0},
    {"leading-space", " " AR ": " ID "; dkim=pass", 0},
    {"control-in-the-name", "Authentication\x01-Results: " ID "; none", 0},
    NUL("nul-in-the-name", "Authentication\0-Results: " ID "; none"),
    {"comment-before", AR ": (hi) " ID "; dkim=pass", 0},
    {"nested-comment-before", AR ": (a (b) c)" ID "; dkim=pass", 0},
    {"quoted-pair-in-comment", AR ": (a \\) other.example; b) " ID ";", 0},
    {"quoted-parenthesis-in-comment", AR ": (\\() " ID "; dkim=pass", 0},
    {"comment-behind", AR ": " ID "(hi); dkim=pass", 0},
    {"comment-and-version", AR ": " ID " (a) 1 (b); dkim=pass", 0},
    {"quoted", AR ": \"" ID "\"; dkim=pass", 0},
    {"quoted-pairs", AR ": \"m\\x.\\e\\xample.com\"; dkim=pass", 0},
    {"quoted-with-spaces", AR ": \" " ID " \"; dkim=pass", 0},
    {"final-dot", AR ": " ID ".; dkim=pass", 0},
    {"two-final-dots", AR ": " ID "..; dkim=pass", 0},
    NUL("nul-behind-the-id", AR ": " ID "\0.other.example; none"),
    NUL("nul-in-the-id", AR ": mx.exa\0mple.com; none"),
    NUL("nul-before-the-id", AR ": \0" ID "; none"),
    {"vertical-tab", AR ":\v" ID "\f; none", 0},
    {"id-alone", AR ": " ID, 0},
    {"none", AR ": " ID "; none", 0},
    {"no-semicolon", AR ": " ID " dkim=pass", 0},
    {"word-for-a-version", AR ": " ID " none", 0},
    {"comma", AR ": other.example, " ID "; dkim=pass", 0},
    {"slash", AR ": " ID "/1; dkim=pass", 0},
    {"equals", AR ": x=" ID "; dkim=pass", 0},
    {"open-comment", AR ": (" ID "; dkim=pass", 0},
    {"open-quote", AR ": \"" ID "; dkim=pass", 0},
    {"brackets", AR ": <" ID ">; dkim=pass", 0},
    {"trailing-backslash", AR ": \"" ID "\\", 0},
    {"bare-lf", "Subject: x\n" AR ": " ID "; dkim=pass", 0},
    {"bare-cr", "Subject: x\r" AR ": " ID "; dkim=pass", 0},
    {"bare-lf-behind-another", AR ": other.example; none\n" AR ": " ID ";", 0},
    {"id-behind-bare-lf", AR ":\n" ID "; dkim=pass", 0},
    {"bad-utf8-id",
     AR ": mx.ex\xff"
        "ample.com; dkim=pass",
     0},
};

static const Claim honest[] = {
    {"of-another", AR ": other.example; dkim=pass", 0},
    {"of-another-version-1", AR ": other.example 1; dkim=pass", 0},
    {"of-a-subdomain", AR ": a." ID "; dkim=pass", 0},
    {"of-the-parent", AR ": example.com; dkim=pass", 0},
    {"longer", AR ": " ID ".evil.example; dkim=pass", 0},
    {"ours-in-a-comment", AR ": other.example (" ID "); dkim=pass", 0},
    {"ours-behind", AR ": other.example; dkim=pass header.d=" ID, 0},
    {"arc", "ARC-" AR ": i=1; " ID "; dkim=pass", 0},
    {"x", "X-" AR ": " ID "; dkim=pass", 0},
    {"original", "X-Original-" AR ": " ID "; dkim=pass", 0},
    {"longer-name", AR "-2: " ID "; dkim=pass", 0},
    {"name-in-a-value", "Subject: " AR ": " ID "; dkim=pass", 0},
    {"name-in-a-fold", "Subject: x\r\n " AR ": " ID "; dkim=pass", 0},
    {"no-colon", AR " " ID, 0},
    {"empty", AR ":", 0},
    {"blanks-and-comments-of-another",
     AR "\t: (a (b)) other.example\r\n\t(c) 1 (d) ; dkim=pass", 0},
    {"quoted-of-another", AR ": \"other.example\"; dkim=pass", 0},
    {"ours-in-a-quoted-value",
     AR ": other.example; dkim=pass reason=\"" ID "; dkim=pass\"", 0},
    {"ours-in-a-comment-behind-the-version",
     AR ": other.example 1 (; " ID "); none", 0},
    {"old-name", "X-Sender-ID: " ID "; pass", 0},
    {"received-spf", "Received-SPF: pass receiver=" ID, 0},
    {"unparsable-of-another", AR ": spf=pass smtp.mailfrom=a.example", 0},
    {"word-for-a-version", AR ": other.example none", 0},
    {"u-label-of-another", AR ": b" UE "cher.example; none", 0},
};

static gboolean
check(const Claim *claim, const char *id)
{
    gsize length = claim->length > 0 ? claim->length : strlen(claim->field);
    g_autofree char *bytes = g_memdup2(claim->field, length);
    FilterdField field = {0};
    g_assert_cmpuint(mail_field_next(bytes, length, &field), ==, length);
    return mail_authres_forged(&field, id);
}

static void
test_forged(gconstpointer data)
{
    g_assert_true(check(data, ID));
}

static void
test_honest(gconstpointer data)
{
    g_assert_false(check(data, ID));
}

static void
test_labels_compare_as_a_labels(void)
{
    static const Claim claims[] = {
        {"", AR ": b" UE "cher.example; none", 0},
        {"",
         AR ": B\xc3\x9c"
            "CHER.example.; none",
         0},
        {"", AR ": xn--bcher-kva.example; none", 0},
        {"", AR ": XN--BCHER-KVA.Example; none", 0},
        {"", AR ": \"b" UE "cher.example\"; none", 0},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(claims); i++) {
        g_assert_true(check(&claims[i], "xn--bcher-kva.example"));
        g_assert_true(check(&claims[i], "b" UE "cher.example"));
        g_assert_false(check(&claims[i], "bucher.example"));
    }
}

static void
test_comment_of_8_kb(void)
{
    g_autoptr(GString) text = g_string_new(AR ": (");
    for (unsigned i = 0; i < 4096; i++)
        g_string_append(text, "()");
    g_string_append(text, ") " ID "; dkim=pass");
    g_assert_true(check(&(Claim){"", text->str, 0}, ID));
}

static void
test_fields_in_a_field_are_limited(void)
{
    g_autoptr(GString) text = g_string_new("Subject: x");
    for (unsigned i = 0; i < 50; i++)
        g_string_append(text, "\n" AR ": (");
    g_assert_false(check(&(Claim){"", text->str, 0}, ID));
    g_string_append(text, "\n" AR ": (");
    g_assert_true(check(&(Claim){"", text->str, 0}, ID));
}

static void
test_id_that_is_no_domain(void)
{
    g_assert_true(check(&(Claim){"", AR ": My_ID.; none", 0}, "my_id"));
    g_assert_true(
        check(&(Claim){"", AR ": \"The Gate\"; none", 0}, "the gate"));
    g_assert_false(check(&(Claim){"", AR ": gate; none", 0}, "the gate"));
}

static void
add_rows(const char *prefix, const Claim *rows, gsize length,
         GTestDataFunc test)
{
    for (gsize i = 0; i < length; i++) {
        g_autofree char *path = g_strconcat(prefix, rows[i].name, NULL);
        g_test_add_data_func(path, &rows[i], test);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autofree char *path =
            g_strconcat("/mail/authres/value/", values[i].name, NULL);
        g_test_add_data_func(path, &values[i], test_value);
    }
    add_rows("/mail/authres/forged/", forged, G_N_ELEMENTS(forged),
             test_forged);
    add_rows("/mail/authres/honest/", honest, G_N_ELEMENTS(honest),
             test_honest);
    g_test_add_func("/mail/authres/tokens-are-not-quoted",
                    test_tokens_are_not_quoted);
    g_test_add_func("/mail/authres/without-results-is-none",
                    test_without_results);
    g_test_add_func("/mail/authres/results-have-their-lines",
                    test_results_have_their_lines);
    g_test_add_func("/mail/authres/comment-cannot-end",
                    test_comment_cannot_end);
    g_test_add_func("/mail/authres/words-are-tokens", test_words_are_tokens);
    g_test_add_func("/mail/authres/long-values-are-folded-and-cut",
                    test_long_values_are_folded_and_cut);
    g_test_add_func("/mail/authres/labels-compare-as-a-labels",
                    test_labels_compare_as_a_labels);
    g_test_add_func("/mail/authres/comment-of-8-kb-hides-nothing",
                    test_comment_of_8_kb);
    g_test_add_func("/mail/authres/fields-in-a-field-are-limited",
                    test_fields_in_a_field_are_limited);
    g_test_add_func("/mail/authres/id-may-be-no-domain",
                    test_id_that_is_no_domain);
    return g_test_run();
}
