/* plugin.c: what the plugin publishes, asks and reports. (RFC 8617 5.2, 6)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <string.h>

#include "tests/plugins/arc/fixture.h"

#define KEY(name) name "._domainkey."

static Harness *
judge_trusting(const char *name, const char *const *trusted, size_t count)
{
    Config config = fixture_config;
    config.trusted = (FilterdArray){trusted, count};
    Harness *harness = fixture_harness(&config);
    g_autofree char *text = fixture_message(name);
    harness_message(harness, text, 0);
    return harness;
}

static void
none(void)
{
    g_autoptr(Harness) harness = fixture_harness(&fixture_config);
    harness_message(harness, "From: a@example.org\n\nHello\n", 0);
    g_assert_cmpstr(harness_fact(harness, "result"), ==, "none");
    g_assert_cmpstr(harness_fact(harness, "instances"), ==, "0");
    g_assert_cmpstr(harness_fact(harness, "sealer"), ==, "-");
    g_assert_cmpstr(harness_fact(harness, "problem"), ==, "there is no chain");
    g_assert_cmpstr(harness_authres(harness), ==, "");
    g_assert_cmpuint(harness_question_count(harness), ==, 0);
}

static void
sealers(void)
{
    g_autoptr(Harness) harness = fixture_judge("dkimpy-3", NULL, NULL);
    g_assert_cmpstr(harness_fact(harness, "sealer"), ==, "three.example");
    g_assert_cmpstr(harness_fact(harness, "sealers"), ==,
                    "three.example,two.example,one.example");
    g_assert_cmpstr(harness_fact(harness, "instances"), ==, "3");
    g_assert_cmpstr(harness_fact(harness, "temporary"), ==, "no");
}

static void
broken_sealers(void)
{
    g_autoptr(Harness) harness = fixture_judge("dkimpy-3", "Hello", "Bye");
    g_assert_cmpstr(harness_fact(harness, "sealer"), ==, "-");
    g_assert_cmpstr(harness_fact(harness, "sealers"), ==, "");
    g_assert_cmpstr(harness_fact(harness, "instances"), ==, "3");
}

static const struct {
    const char *name;
    const char *message;
    const char *trusted[3];
    const char *witness, *dmarc, *spf, *dkim;
} words[] = {
    {"the-oldest-of-trusted-sealers-is-the-witness",
     "dkimpy-3",
     {"one.example", "two.example", "three.example"},
     "one.example",
     "pass",
     "pass",
     "pass"},
    {"a-stranger-below-trusted-sealers-is-no-witness",
     "dkimpy-3",
     {"two.example", "three.example"},
     "two.example",
     "fail",
     "fail",
     "fail"},
    {"a-stranger-on-top-ends-trust",
     "dkimpy-3",
     {"one.example", "two.example"},
     "-",
     "-",
     "-",
     "-"},
    {"a-stranger-in-between-ends-trust",
     "dkimpy-3",
     {"one.example", "three.example"},
     "three.example",
     "fail",
     "fail",
     "fail"},
    {"without-trusted-sealers-there-is-no-witness",
     "dkimpy-3",
     {NULL},
     "-",
     "-",
     "-",
     "-"},
    {"a-domain-below-a-trusted-one-is-a-stranger",
     "dkimpy-1",
     {"example"},
     "-",
     "-",
     "-",
     "-"},
    {"a-chain-that-fails-has-no-witness",
     "cv-fail",
     {"one.example", "two.example"},
     "-",
     "-",
     "-",
     "-"},
    {"no-results-say-nothing",
     "says-little",
     {"one.example"},
     "one.example",
     "-",
     "-",
     "-"},
    {"no-payload-says-nothing",
     "says-nothing",
     {"one.example"},
     "one.example",
     "-",
     "-",
     "-"},
    {"who-says-two-things-says-nothing",
     "says-twice",
     {"one.example"},
     "one.example",
     "-",
     "softfail",
     "pass"},
    {"comments-and-quotes-say-nothing",
     "says-in-comment",
     {"one.example"},
     "one.example",
     "-",
     "pass",
     "fail"},
    {"who-does-not-close-a-comment-says-nothing",
     "says-broken",
     {"one.example"},
     "one.example",
     "-",
     "-",
     "-"},
    {"versions-and-capitals-and-unknown-words-are-understood",
     "says-odd",
     {"one.example"},
     "one.example",
     "pass",
     "-",
     "-"},
};

static void
witness(gconstpointer data)
{
    const size_t i = GPOINTER_TO_SIZE(data);
    size_t count = 0;
    while (count < G_N_ELEMENTS(words[i].trusted)
           && words[i].trusted[count] != NULL)
        count++;
    g_autoptr(Harness) harness =
        judge_trusting(words[i].message, words[i].trusted, count);
    g_assert_cmpstr(harness_fact(harness, "witness"), ==, words[i].witness);
    g_assert_cmpstr(harness_fact(harness, "dmarc"), ==, words[i].dmarc);
    g_assert_cmpstr(harness_fact(harness, "spf"), ==, words[i].spf);
    g_assert_cmpstr(harness_fact(harness, "dkim"), ==, words[i].dkim);
}

/* ---- the oldest that still verifies (5.2 step 5) ------------------------- */

static void
oldest_pass(void)
{
    static const char *const rows[][2] = {
        {"dkimpy-3", "0"},
        {"dkimpy-changed", "2"},       /* 2 of 3 changed the subject */
        {"dkimpy-changed-twice", "4"}, /* 3 and 4 of 4 */
        {"expired-below", "2"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) harness = fixture_judge(rows[i][0], NULL, NULL);
        g_assert_cmpstr(harness_fact(harness, "result"), ==, "pass");
        g_assert_cmpstr(harness_fact(harness, "oldest-pass"), ==, rows[i][1]);
    }
}

/* ---- DNS ----------------------------------------------------------------- */

static void
asked(void)
{
    g_autoptr(Harness) harness = fixture_judge("dkimpy-3", NULL, NULL);
    g_assert_cmpstr(harness_questions(harness), ==,
                    "TXT rsa._domainkey.three.example\n"
                    "TXT rsa._domainkey.two.example\n"
                    "TXT rsa._domainkey.one.example");
    g_assert_cmpuint(harness_waits(harness), ==, 0);
}

static void
not_asked(void)
{
    static const char *const rows[] = {
        "cv-fail",           "gap",         "seal-with-names",
        "instance-51",       "domain-long", "domain-quote",
        "selector-space",    "names-many",  "tag-huge",
        "message-without-h",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) harness = fixture_judge(rows[i], NULL, NULL);
        g_assert_cmpstr(harness_fact(harness, "result"), ==, "fail");
        g_assert_cmpstr(harness_questions(harness), ==, "");
    }
}

static const struct {
    const char *name;
    const char *key;
    const char *from, *to;
    const char *result, *temporary, *problem;
} failures[] = {
    {"a-key-that-cannot-be-looked-up-is-a-failure", KEY("rsa") "two.example",
     "Hello", "Hello", "fail", "yes",
     "the key cannot be looked up (ARC-Seal i=2)"},
    {"an-older-failure-hides-that-it-is-temporary", KEY("rsa") "three.example",
     "i=1; one.example", "i=1; ten.example", "fail", "no",
     "it does not match what was signed (ARC-Seal i=2)"},
    {"a-changed-body-hides-that-it-is-temporary", KEY("rsa") "two.example",
     "Hello", "Hullo", "fail", "no",
     "the body has been changed (ARC-Message-Signature i=3)"},
};

static void
temporary(gconstpointer data)
{
    const size_t i = GPOINTER_TO_SIZE(data);
    g_autoptr(Harness) harness = fixture_harness(&fixture_config);
    g_autofree char *text = fixture_message("dkimpy-3");
    g_auto(GStrv) parts = g_strsplit(text, failures[i].from, 2);
    g_autofree char *edited = g_strjoinv(failures[i].to, parts);
    harness_dns_status(harness, failures[i].key, 0, FILTERD_DNS_TIMEOUT);
    harness_message(harness, edited, 0);
    g_assert_cmpstr(harness_fact(harness, "result"), ==, failures[i].result);
    g_assert_cmpstr(harness_fact(harness, "problem"), ==, failures[i].problem);
    g_assert_cmpstr(harness_fact(harness, "temporary"), ==,
                    failures[i].temporary);
}

/* ---- limits -------------------------------------------------------------- */

static void
instances(void)
{
    Config config = fixture_config;
    config.instances = 2;
    g_autoptr(Harness) harness = fixture_harness(&config);
    g_autofree char *text = fixture_message("dkimpy-3");
    harness_message(harness, text, 0);
    g_assert_cmpstr(harness_fact(harness, "problem"), ==,
                    "there are too many sets (ARC-Seal)");
    g_assert_cmpuint(harness_question_count(harness), ==, 0);
}

static void
key_bits(void)
{
    Config config = fixture_config;
    config.minimum_key_bits = 4096;
    g_autoptr(Harness) harness = fixture_harness(&config);
    g_autofree char *text = fixture_message("crafted");
    harness_message(harness, text, 0);
    g_assert_cmpstr(harness_fact(harness, "result"), ==, "fail");
}

/* ---- reports ------------------------------------------------------------- */

static void
reported(void)
{
    g_autoptr(Harness) pass = fixture_judge("dkimpy-changed", NULL, NULL);
    g_assert_cmpstr(harness_authres(pass), ==,
                    "arc=pass smtp.remote-ip=192.0.2.1 header.oldest-pass=2");
    g_autoptr(Harness) fail = fixture_judge("gap", NULL, NULL);
    g_assert_cmpstr(
        harness_authres(fail), ==,
        "arc=fail (the field is missing (ARC-Authentication-Results "
        "i=2)) smtp.remote-ip=192.0.2.1");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/arc/a-message-without-a-chain-is-none", none);
    g_test_add_func("/arc/sealers-are-told-from-the-newest", sealers);
    g_test_add_func("/arc/a-broken-chain-has-no-sealers", broken_sealers);
    g_test_add_func("/arc/the-oldest-that-still-verifies-is-known",
                    oldest_pass);
    g_test_add_func("/arc/each-key-is-asked-once-and-ahead", asked);
    g_test_add_func("/arc/a-chain-that-cannot-pass-costs-no-question",
                    not_asked);
    g_test_add_func("/arc/longer-chains-than-allowed-fail", instances);
    g_test_add_func("/arc/keys-shorter-than-asked-fail", key_bits);
    g_test_add_func("/arc/the-result-is-reported", reported);
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *path = g_strconcat("/arc/", words[i].name, NULL);
        g_test_add_data_func(path, GSIZE_TO_POINTER(i), witness);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(failures); i++) {
        g_autofree char *path = g_strconcat("/arc/", failures[i].name, NULL);
        g_test_add_data_func(path, GSIZE_TO_POINTER(i), temporary);
    }
    return g_test_run();
}
