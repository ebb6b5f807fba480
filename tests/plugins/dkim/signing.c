/* signing.c: what the plugin signs, libopendkim verifies, and what somebody
 * adds afterwards it does not; which key signs what. (RFC 6376 5, 8.15)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <string.h>

#include "tests/plugins/dkim/fixture.h"

#define FIELDS                                         \
    "From: Alice <alice@example.org>\n"                \
    "to:bob@example.com,\n\t carol@example.com  \n"    \
    "Subject: a  subject \t of\n  \t three\n lines \n" \
    "Date: Thu, 14 Jan 2027 10:00:00 +0000\n"          \
    "X-Signed: one\nX-signed : two\n"                  \
    "X-Other: three\n"
#define BOTH \
    "pass:example.org:rsa:rsa-sha256,pass:example.org:ed:ed25519-sha256"

static const FilterdValue no_arguments[] = {{.type = FILTERD_UNKNOWN}};

static Harness *
signing_harness(const Config *config, const char *author)
{
    Harness *harness = fixture_harness(config);
    harness_set(harness, "header.from.domain", author);
    harness_run(harness, FILTERD_MAIL);
    return harness;
}

static Config
both_keys(void)
{
    static KeyOption keys[2];
    keys[0] = fixture_key("rsa", "rsa2048");
    keys[1] = fixture_key("ed", "ed25519.pem");
    return fixture_signing(keys, G_N_ELEMENTS(keys));
}

static char *
sign(const Config *config, const char *text, size_t chunk)
{
    g_autoptr(Harness) harness = signing_harness(config, "example.org");
    g_assert_true(harness_act(harness, "sign", no_arguments));
    return fixture_signed(harness, text, chunk);
}

static void
assert_results(const char *message, const char *results)
{
    g_autoptr(Harness) harness = fixture_harness(&fixture_config);
    harness_message(harness, message, 0);
    g_assert_cmpstr(harness_fact(harness, "results"), ==, results);
}

/* ---- what passes -------------------------------------------------------- */

static const char *const bodies[] = {
    "",
    "\n",
    "\n\n\n",
    " \t \n\n",
    "one line\n",
    "trailing  blanks \t\n and\tinner \t ones\n",
    "a line\n\n  \n\nanother\n\n\n\n",
    " begins with a blank\n.and with a dot\n..and two\n",
    "caf\xc3\xa9 and \xff, which is no UTF-8\n",
};

static void
test_libopendkim_verifies(void)
{
    static const size_t chunks[] = {0, 1, 7};
    Config config = both_keys();
    for (config.canonicalization = 0; config.canonicalization < 4;
         config.canonicalization++)
        for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++)
            for (size_t c = 0; c < G_N_ELEMENTS(chunks); c++) {
                g_autofree char *text =
                    g_strconcat(FIELDS, "\n", bodies[i], NULL);
                g_autofree char *out = sign(&config, text, chunks[c]);
                assert_results(out, BOTH);
            }
}

static void
test_long_message(void)
{
    Config config = both_keys();
    g_autoptr(GString) text = g_string_new(FIELDS "\n");
    config.canonicalization = CANON_HEADER_RELAXED | CANON_BODY_RELAXED;
    while (text->len < 10485760)
        g_string_append(text, "This line  is one of very\tmany. \n\n");
    g_autofree char *out = sign(&config, text->str, 65536);
    assert_results(out, BOTH);
}

static void
test_many_fields_of_a_name(void)
{
    Config config = both_keys();
    g_autoptr(GString) text = g_string_new(FIELDS);
    for (int i = 0; i < 40; i++)
        g_string_append_printf(text, "X-Signed: %d\n", i);
    g_string_append(text, "\nbody\n");
    g_autofree char *out = sign(&config, text->str, 0);
    assert_results(out, BOTH);
}

static void
test_long_lines(void)
{
    Config config = both_keys();
    g_autofree char *word = g_strnfill(900, 'x');
    g_autofree char *text =
        g_strdup_printf("Subject: %s\n %s\n%s\n%s\n", word, word, FIELDS, word);
    g_autofree char *out = sign(&config, text, 0);
    assert_results(out, BOTH);
}

static void
test_no_from(void)
{
    Config config = both_keys();
    g_autofree char *oversigned = sign(&config, "Subject: a\n\nbody\n", 0);
    assert_results(oversigned, BOTH);
    config.oversign.length = 0;
    g_autofree char *out = sign(&config, "Subject: a\n\nbody\n", 0);
    assert_results(out, BOTH);
}

/* Many a relay thinks that 78 octets are all. */
static void
test_lines_are_short(void)
{
    const Config config = both_keys();
    g_autofree char *out = sign(&config, FIELDS "\nbody\n", 0);
    g_auto(GStrv) lines = g_strsplit(out, "\r\n", -1);
    g_assert_cmpuint(g_strv_length(lines), >, 20);
    for (char **line = lines; *line != NULL; line++)
        g_assert_cmpuint(strlen(*line), <=, 78);
}

/* ---- what somebody does to it ------------------------------------------- */

static void
test_changes(void)
{
    static const struct {
        const char *added;     /* on top */
        const char *old, *new; /* NULL: nothing is replaced */
        const char *result;
    } rows[] = {
        {"", NULL, NULL, "pass"},
        {"X-Other: four\r\n", NULL, NULL, "pass"},
        {"Received: by x\r\n", NULL, NULL, "pass"},
        {"X-Signed: zero\r\n", NULL, NULL, "pass"},
        {"Date: today\r\n", NULL, NULL, "pass"},
        {"Subject: other\r\n", NULL, NULL, "fail"},
        {"Cc: dave@example.com\r\n", NULL, NULL, "fail"},
        {"Message-ID: <1@example.org>\r\n", NULL, NULL, "pass"},
        {"", "X-Other: three", "X-Other: four", "pass"},
        {"", "X-Signed: one", "X-Signed: six", "fail"},
        {"", "X-signed : two", "X-signed : ten", "fail"},
        {"", "to:bob", "To: bob", "pass"},
        {"", "a  subject", "a subject", "pass"},
        {"", "a  subject", "asubject", "fail"},
        {"", "body", "b ody", "fail"},
        {"", "body", "body\r\nmore", "fail"},
        {"", "body", "body \t \r\n\r\n", "pass"},
    };
    const Config config = both_keys();
    g_autofree char *out = sign(&config, FIELDS "\nbody\n", 0);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) text = g_string_new(rows[i].added);
        g_string_append(text, out);
        if (rows[i].old != NULL)
            g_assert_cmpuint(
                g_string_replace(text, rows[i].old, rows[i].new, 1), ==, 1);
        g_autofree char *results =
            g_strdup_printf("%s:example.org:rsa:rsa-sha256,"
                            "%s:example.org:ed:ed25519-sha256",
                            rows[i].result, rows[i].result);
        assert_results(text->str, results);
    }
}

/* ---- whose key ---------------------------------------------------------- */

static bool
sign_by_name(Harness *harness, const char *domain, const char *selector)
{
    const FilterdValue arguments[] = {
        filterd_string(FILTERD_DOMAIN, domain),
        filterd_text(selector),
        {.type = FILTERD_UNKNOWN},
    };
    return harness_act(harness, "sign", arguments);
}

static void
test_named_key(void)
{
    const Config config = both_keys();
    g_autoptr(Harness) harness = signing_harness(&config, "example.net");
    g_assert_true(sign_by_name(harness, "example.org", "ED"));
    g_autofree char *out = fixture_signed(harness, FIELDS "\nbody\n", 0);
    assert_results(out, "pass:example.org:ed:ed25519-sha256");
}

static void
test_a_key_signs_once(void)
{
    const Config config = both_keys();
    g_autoptr(Harness) harness = signing_harness(&config, "example.org");
    g_assert_true(harness_act(harness, "sign", no_arguments));
    g_assert_true(sign_by_name(harness, "example.org", "ed"));
    g_autofree char *out = fixture_signed(harness, FIELDS "\nbody\n", 0);
    assert_results(out, BOTH);
}

static void
test_missing_key(void)
{
    static const struct {
        const char *domain, *selector;
    } rows[] = {
        {"example.org", "other"},
        {"example.net", "rsa"},
        {"sub.example.org", "rsa"},
        {"org", "rsa"},
    };
    const Config config = both_keys();
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) harness = signing_harness(&config, "example.org");
        harness_expect_warning(harness, "there is no key");
        g_assert_false(sign_by_name(harness, rows[i].domain, rows[i].selector));
    }
}

/* What can be told before there is any message. */
static void
test_rules(void)
{
    static const struct {
        unsigned unknown[2];
        const char *domain, *selector, *problem;
    } rows[] = {
        {{0, 0}, "example.org", "rsa", NULL},
        {{0, 0}, "example.org", "RSA", NULL},
        {{1, 0}, "", "ed", NULL},
        {{0, 1}, "example.org", "", NULL},
        {{1, 1}, "", "", NULL},
        {{0, 0},
         "example.org",
         "typo",
         "there is no key of example.org by the selector typo\n"
         "\"example.org\", \"rsa\" or \"example.org\", \"ed\""},
        {{0, 0},
         "example.net",
         "rsa",
         "there is no key of example.net by the selector rsa\n"},
        {{1, 0}, "", "typo", "there is no key by the selector typo\n"},
        {{0, 1}, "example.net", "", "there is no key of example.net\n"},
    };
    const Config config = both_keys();
    g_autoptr(Harness) harness = signing_harness(&config, "example.org");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const FilterdValue arguments[] = {
            filterd_string(FILTERD_DOMAIN, rows[i].domain),
            filterd_text(rows[i].selector),
            {.type = FILTERD_UNKNOWN},
        };
        g_autofree char *problem =
            harness_check_action(harness, "sign", arguments, rows[i].unknown);
        if (rows[i].problem == NULL)
            g_assert_cmpstr(problem, ==, NULL);
        else
            g_assert_true(g_str_has_prefix(problem != NULL ? problem : "",
                                           rows[i].problem));
    }
}

static void
test_rule_without_keys(void)
{
    g_autoptr(Harness) harness = signing_harness(&fixture_config, NULL);
    g_autofree char *problem =
        harness_check_action(harness, "sign", no_arguments, NULL);
    g_assert_true(g_str_has_prefix(problem, "there is no key\nkey "));
}

static void
test_stranger(void)
{
    static const char *const authors[] = {"example.net", "sub.example.org",
                                          "org", NULL};
    Config config = both_keys();
    for (size_t i = 0; i < G_N_ELEMENTS(authors); i++) {
        config.no_key = NO_KEY_UNSIGNED;
        g_autoptr(Harness) lax = signing_harness(&config, authors[i]);
        g_assert_true(harness_act(lax, "sign", no_arguments));
        g_assert_true(harness_sign(lax, FIELDS "\nbody\n", 0));
        g_assert_cmpstr(harness_edits(lax), ==, "");
        config.no_key = NO_KEY_TEMPFAIL;
        g_autoptr(Harness) strict = signing_harness(&config, authors[i]);
        harness_expect_warning(strict,
                               authors[i] != NULL ? authors[i] : "no domain");
        g_assert_false(harness_act(strict, "sign", no_arguments));
    }
}

/* For recipients whose message differs. */
static void
test_again(void)
{
    const Config config = both_keys();
    g_autoptr(Harness) harness = signing_harness(&config, "example.org");
    g_assert_true(sign_by_name(harness, "example.org", "rsa"));
    g_assert_true(harness_sign(harness, FIELDS "\nbody\n", 0));
    g_autofree char *first = g_strdup(harness_edits(harness));
    g_assert_true(harness_sign(harness, FIELDS "\nnobody asked\n", 0));
    g_assert_cmpstr(harness_edits(harness), ==, first);
    harness_reset(harness);
    harness_run(harness, FILTERD_MAIL);
    g_assert_true(sign_by_name(harness, "example.org", "ed"));
    g_autofree char *out = fixture_signed(harness, FIELDS "\nother\n", 0);
    assert_results(out, "pass:example.org:ed:ed25519-sha256");
}

/* ---- options ------------------------------------------------------------ */

static void
test_tags(void)
{
    KeyOption key = fixture_key("rsa", "rsa2048");
    key.identity = "a.b+c@mail.example.org";
    Config config = fixture_signing(&key, 1);
    g_autofree char *endless = sign(&config, FIELDS "\nbody\n", 0);
    g_assert_nonnull(strstr(endless, "; t=1800000000;\r\n\td=example.org; "
                                     "s=rsa;\r\n\ti=a.b+c@mail.example.org;"));
    config.signature_lifetime = 86400000;
    g_autofree char *out = sign(&config, FIELDS "\nbody\n", 0);
    g_assert_nonnull(strstr(out, "; t=1800000000; x=1800086400;\r\n"));
    g_assert_nonnull(strstr(
        out, "h=From:From:To:Cc:Subject:Subject:Date:X-Signed:X-Signed;"));
    assert_results(out, "pass:example.org:rsa:rsa-sha256");
}

static KeyOption
broken_key(const char *selector, const char *name, const char *identity)
{
    KeyOption key = fixture_key(selector, name);
    key.identity = identity;
    return key;
}

static void
test_bad_keys(void)
{
    static const struct {
        const char *selector, *name, *identity, *problem;
    } rows[] = {
        {"rsa", "ed25519", NULL, "is no private key"},
        {"rsa", "rsa2048.locked", NULL, "without a passphrase"},
        {"rsa", "ec256.pem", NULL, "neither an RSA key nor an Ed25519 key"},
        {"rsa", "rsa768", NULL, "less than 1024"},
        {"rsa", "rsa512", NULL, "less than 1024"},
        {"r sa", "rsa2048", NULL, "no such selector"},
        {"", "rsa2048", NULL, "no such selector"},
        {"rsa;d=x", "rsa2048", NULL, "no such selector"},
        {"rsa", "rsa2048", "example.org", "identity"},
        {"rsa", "rsa2048", "@example.net", "identity"},
        {"rsa", "rsa2048", "@notexample.org", "identity"},
        {"rsa", "rsa2048", "a;b@example.org", "identity"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const KeyOption key =
            broken_key(rows[i].selector, rows[i].name, rows[i].identity);
        const Config config = fixture_signing(&key, 1);
        g_autofree char *problem =
            harness_start_error(&filterd_plugin, &config);
        g_assert_nonnull(problem);
        g_assert_true(g_str_has_prefix(problem, "key 0: "));
        if (strstr(problem, rows[i].problem) == NULL)
            g_error("%s: \"%s\"", rows[i].name, problem);
    }
}

static void
test_twin_keys(void)
{
    const KeyOption keys[] = {fixture_key("rsa", "rsa2048"),
                              fixture_key("RSA", "rsa2048-other")};
    const Config config = fixture_signing(keys, G_N_ELEMENTS(keys));
    g_autofree char *problem = harness_start_error(&filterd_plugin, &config);
    g_assert_true(g_str_has_prefix(problem, "key 1: "));
    g_assert_nonnull(strstr(problem, "is there twice"));
}

static void
test_bad_names(void)
{
    static const char *const names[] = {"Sub ject", "Subject:", "a;b", "",
                                        "DKIM-Signature"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        Config config = both_keys();
        config.oversign = (FilterdArray){&names[i], 1};
        g_autofree char *problem =
            harness_start_error(&filterd_plugin, &config);
        g_assert_nonnull(strstr(problem, "is no field that can be signed"));
    }
}

#define ADD(path, function) g_test_add_func("/dkim/signing/" path, function)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("libopendkim-verifies-every-form-and-body", test_libopendkim_verifies);
    ADD("ten-megabytes-verify", test_long_message);
    ADD("of-many-fields-the-lowest-are-signed", test_many_fields_of_a_name);
    ADD("long-lines-verify", test_long_lines);
    ADD("a-message-without-from-can-be-signed", test_no_from);
    ADD("lines-of-a-signature-are-short", test_lines_are_short);
    ADD("what-is-signed-cannot-be-changed", test_changes);
    ADD("a-named-key-signs-for-whomever", test_named_key);
    ADD("a-key-signs-once", test_a_key_signs_once);
    ADD("a-named-key-that-is-missing-is-an-error", test_missing_key);
    ADD("a-rule-that-finds-no-key-is-refused-at-start", test_rules);
    ADD("a-rule-without-any-key-is-refused-at-start", test_rule_without_keys);
    ADD("an-author-without-key-goes-unsigned-or-not-at-all", test_stranger);
    ADD("one-message-leaves-nothing-for-the-next", test_again);
    ADD("tags-are-as-the-options-say", test_tags);
    ADD("keys-that-cannot-sign-are-refused-at-start", test_bad_keys);
    ADD("a-key-is-there-once", test_twin_keys);
    ADD("names-that-are-none-are-refused-at-start", test_bad_names);
    return g_test_run();
}
