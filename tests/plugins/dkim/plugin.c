/* plugin.c: what the plugin does around signatures: DNS, limits, options,
 * facts, Authentication-Results.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <openssl/err.h>
#include <string.h>

#include "tests/plugins/dkim/fixture.h"

static void
test_keys_are_asked_ahead(void)
{
    g_autoptr(Harness) harness =
        fixture_judge("two-domains", &fixture_config, 0);
    g_assert_cmpstr(harness_questions(harness), ==,
                    "TXT rsa._domainkey.example.net\n"
                    "TXT rsa._domainkey.example.org");
    g_assert_cmpuint(harness_waits(harness), ==, 0);
}

/* d= or s= that is no name, or anything else that settles it before. */
static void
test_hopeless_signatures_cost_no_question(void)
{
    static const char *const names[] = {
        "selector-quote", "selector-space", "selector-dots", "selector-long",
        "domain-quote",   "domain-label",   "domain-long",   "duplicate-tag",
        "algorithm-sha1", "names-many",     "b-empty",       "unsigned",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(Harness) harness =
            fixture_judge(names[i], &fixture_config, 0);
        g_assert_cmpuint(harness_question_count(harness), ==, 0);
    }
}

static void
test_dns_failure_is_temperror(void)
{
    static const struct {
        FilterdDnsStatus status;
        const char *result;
    } rows[] = {
        {FILTERD_DNS_SERVFAIL, "temperror"}, {FILTERD_DNS_TIMEOUT, "temperror"},
        {FILTERD_DNS_BOGUS, "temperror"},    {FILTERD_DNS_NODATA, "permerror"},
        {FILTERD_DNS_NXDOMAIN, "permerror"}, {FILTERD_DNS_BADNAME, "permerror"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) harness = fixture_harness(&fixture_config);
        harness_dns_status(harness, "rsa._domainkey.example.org",
                           FILTERD_DNS_TXT, rows[i].status);
        g_autofree char *text = fixture_message("rsa-relaxed-relaxed");
        harness_message(harness, text, 0);
        g_assert_cmpstr(harness_fact(harness, "result"), ==, rows[i].result);
        g_assert_cmpstr(harness_fact(harness, "domains"), ==, "");
    }
}

/* Records that nobody should publish; none of them is a key. */
static void
test_odd_zones(void)
{
    g_autofree char *kilobytes = g_strnfill(60000, 'A');
    g_autofree char *huge = g_strdup_printf(
        "huge._domainkey.example.org 300 TXT \"v=DKIM1; p=%s\"\n", kilobytes);
    const struct {
        const char *selector, *zone, *result, *problem;
    } rows[] = {
        {"loop",
         "loop._domainkey.example.org 300 CNAME loop2._domainkey.example.org\n"
         "loop2._domainkey.example.org 300 CNAME loop._domainkey.example.org\n",
         "temperror", "cannot be looked up"},
        {"huge", huge, "permerror", "malformed"},
        {"empty", "empty._domainkey.example.org 300 TXT \"\"\n", "permerror",
         "malformed"},
        {"gone", "gone._domainkey.example.org 300 CNAME nowhere.example\n",
         "permerror", "there is no key"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) harness =
            harness_new(&filterd_plugin, &fixture_config);
        g_autofree char *text = fixture_message("rsa-relaxed-relaxed");
        g_autoptr(GString) message = g_string_new(text);
        g_autofree char *selector = g_strconcat("s=", rows[i].selector, NULL);
        g_string_replace(message, "s=rsa", selector, 1);
        harness_zone(harness, rows[i].zone);
        harness_message(harness, message->str, 0);
        g_assert_cmpstr(harness_fact(harness, "result"), ==, rows[i].result);
        if (strstr(harness_fact(harness, "problem"), rows[i].problem) == NULL)
            g_error("%s: %s", rows[i].selector,
                    harness_fact(harness, "problem"));
    }
}

/* Fields that some readers would take for a signed one. */
static void
test_look_alikes(void)
{
    static const struct {
        const char *line, *result;
    } rows[] = {
        {"Subject : other\n", "pass"}, /* but see below */
        {" Subject: other\n", "pass"},
        {"Subject\n : other\n", "permerror"},
        {"Sub ject: other\n", "permerror"},
        {"From : mallory@example.com\n", "policy"},
        {"X-Nothing: other\n", "pass"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) harness = fixture_harness(&fixture_config);
        g_autofree char *text = fixture_message("rsa-relaxed-relaxed");
        g_autofree char *all =
            g_strconcat("X-First: 1\n", rows[i].line, text, NULL);
        harness_message(harness, all, 0);
        g_assert_cmpstr(harness_fact(harness, "result"), ==, rows[i].result);
        g_assert_cmpint(strcmp(harness_fact(harness, "problem"), "-") == 0, ==,
                        strcmp(rows[i].result, "pass") == 0
                            && !g_str_has_prefix(rows[i].line, "Subject"));
    }
}

static void
test_dns_failure_of_one_leaves_the_other(void)
{
    g_autoptr(Harness) harness = fixture_harness(&fixture_config);
    harness_dns_status(harness, "rsa._domainkey.example.net", FILTERD_DNS_TXT,
                       FILTERD_DNS_SERVFAIL);
    g_autofree char *text = fixture_message("two-domains");
    harness_message(harness, text, 0);
    g_assert_cmpstr(harness_fact(harness, "results"), ==,
                    "temperror:example.net:rsa:rsa-sha256,"
                    "pass:example.org:rsa:rsa-sha256");
    g_assert_cmpstr(harness_fact(harness, "result"), ==, "pass");
    g_assert_cmpstr(harness_fact(harness, "domains"), ==, "example.org");
}

static void
test_cancelled_session_publishes_nothing(void)
{
    g_autoptr(Harness) harness = fixture_harness(&fixture_config);
    harness_dns_status(harness, "rsa._domainkey.example.org", FILTERD_DNS_TXT,
                       FILTERD_DNS_CANCELLED);
    g_autofree char *text = fixture_message("rsa-relaxed-relaxed");
    harness_message(harness, text, 0);
    g_assert_cmpstr(harness_fact(harness, "result"), ==, "-");
}

static void
test_best_result_is_the_result(void)
{
    static const struct {
        const char *name, *result;
    } rows[] = {
        {"unsigned", "none"},         {"bad-then-good", "pass"},
        {"short-then-whole", "pass"}, {"covering-changed", "fail"},
        {"two-domains", "pass"},      {"unicode-testing", "neutral"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) harness =
            fixture_judge(rows[i].name, &fixture_config, 0);
        g_assert_cmpstr(harness_fact(harness, "result"), ==, rows[i].result);
    }
}

static void
test_domain_is_listed_once(void)
{
    g_autoptr(Harness) harness =
        fixture_judge("three-of-one-key", &fixture_config, 0);
    g_assert_cmpstr(harness_fact(harness, "domains"), ==, "example.org");
}

/* ---- limits and options ------------------------------------------------- */

/* 20 of a stranger, 79 of nobody, and at the bottom the author's. */
static void
test_own_signature_is_found_among_a_hundred(void)
{
    g_autoptr(Harness) harness = fixture_judge("hundred", &fixture_config, 0);
    g_auto(GStrv) results =
        g_strsplit(harness_fact(harness, "results"), ",", -1);
    g_assert_cmpuint(g_strv_length(results), ==, 10);
    g_assert_cmpstr(results[9], ==, "pass:example.org:rsa:rsa-sha256");
    g_assert_cmpuint(harness_question_count(harness), <=, 11);
    g_assert_cmpuint(harness_waits(harness), ==, 0);
}

static void
test_unparsable_signatures_count(void)
{
    Config config = fixture_config;
    config.signatures = 1;
    g_autoptr(Harness) harness = fixture_judge("bad-then-good", &config, 0);
    g_assert_cmpstr(harness_fact(harness, "results"), ==,
                    "pass:example.org:rsa:rsa-sha256");
    g_autofree char *text = fixture_message("bad-then-good");
    char *from = strstr(text, "alice@example.org");
    memcpy(from, "alice@sample.com.", 17);
    harness_reset(harness);
    harness_message(harness, text, 0);
    g_assert_cmpstr(harness_fact(harness, "results"), ==, "permerror:-:-:-");
}

static void
test_partial_body_can_be_allowed(void)
{
    Config config = fixture_config;
    config.partial_body = PARTIAL_ALLOW;
    g_autoptr(Harness) harness = fixture_judge("length-tail", &config, 0);
    g_assert_cmpstr(harness_fact(harness, "result"), ==, "pass");
    g_assert_cmpstr(harness_fact(harness, "domains"), ==, "example.org");
}

static void
test_unsigned_tail_is_no_evidence(void)
{
    g_autoptr(Harness) harness =
        fixture_judge("length-tail", &fixture_config, 0);
    g_assert_cmpstr(harness_fact(harness, "result"), ==, "policy");
    g_assert_cmpstr(harness_fact(harness, "domains"), ==, "");
}

static void
test_minimum_key_bits_can_be_raised(void)
{
    Config config = fixture_config;
    config.minimum_key_bits = 2048;
    g_autoptr(Harness) small = fixture_judge("key-rsa1024", &config, 0);
    g_assert_cmpstr(harness_fact(small, "result"), ==, "policy");
    g_autoptr(Harness) large = fixture_judge("rsa-relaxed-relaxed", &config, 0);
    g_assert_cmpstr(harness_fact(large, "result"), ==, "pass");
}

static void
test_clock_decides_with_its_drift(void)
{
    static const struct {
        const char *name;
        int64_t advance; /* ms */
        const char *result;
    } rows[] = {
        {"expiry", 0, "pass"}, /* 100 s later, that is */
        {"expiry", 399000, "pass"},
        {"expiry", 401000, "permerror"},
        {"future", 0, "permerror"}, /* 400 s ahead */
        {"future", 101000, "pass"},
        {"drifted", -101000, "permerror"}, /* 200 s ahead */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) harness = fixture_harness(&fixture_config);
        harness_advance(harness, rows[i].advance);
        g_autofree char *text = fixture_message(rows[i].name);
        harness_message(harness, text, 0);
        g_assert_cmpstr(harness_fact(harness, "result"), ==, rows[i].result);
    }
}

/* ---- Authentication-Results --------------------------------------------- */

static void
test_authres_names_each_signature(void)
{
    g_autoptr(Harness) harness = fixture_judge("both", &fixture_config, 0);
    g_auto(GStrv) lines = g_strsplit(harness_authres(harness), "\n", -1);
    g_assert_true(g_str_has_prefix(
        lines[0], "dkim=pass header.d=example.org header.s=rsa "
                  "header.a=rsa-sha256 header.b="));
    g_assert_true(g_str_has_prefix(lines[1],
                                   "dkim=pass header.d=example.org header.s=ed "
                                   "header.a=ed25519-sha256 header.b="));
    g_assert_cmpuint(strlen(strstr(lines[0], "header.b=")), ==, 9 + 8);
}

/* They hold in any message, U-labels only where SMTPUTF8 has been said. */
static void
test_authres_has_a_labels(void)
{
    g_autoptr(Harness) harness =
        fixture_judge("unicode-rsa-simple-relaxed", &fixture_config, 0);
    g_assert_true(g_str_has_prefix(
        harness_authres(harness),
        "dkim=pass header.d=xn--bcher-kva.example header.s=xn--gre-6ka8i "));
    g_assert_cmpstr(harness_fact(harness, "domains"), ==,
                    "xn--bcher-kva.example");
    g_assert_cmpstr(harness_questions(harness), ==,
                    "TXT xn--gre-6ka8i._domainkey.xn--bcher-kva.example");
    g_assert_cmpuint(harness_waits(harness), ==, 0);
}

static void
test_authres_gives_the_reason(void)
{
    g_autoptr(Harness) harness =
        fixture_judge("body-changed", &fixture_config, 0);
    g_assert_nonnull(strstr(harness_authres(harness),
                            "dkim=fail (the body has been changed)"));
}

/* What is not a name is not repeated to anybody. */
static void
test_authres_repeats_no_junk(void)
{
    g_autoptr(Harness) harness =
        fixture_judge("domain-paren", &fixture_config, 0);
    g_assert_null(strstr(harness_authres(harness), "(x)"));
    g_assert_null(strstr(harness_authres(harness), "header.d"));
}

static void
test_authres_says_nothing_without_signature(void)
{
    g_autoptr(Harness) harness = fixture_judge("unsigned", &fixture_config, 0);
    g_assert_cmpstr(harness_authres(harness), ==, "");
}

/* ---- odd messages ------------------------------------------------------- */

static void
test_message_without_fields(void)
{
    g_autoptr(Harness) harness = fixture_harness(&fixture_config);
    harness_run(harness, FILTERD_MESSAGE);
    g_assert_cmpstr(harness_fact(harness, "result"), ==, "none");
    g_assert_cmpstr(harness_fact(harness, "problem"), ==,
                    "there is no signature");
}

static void
test_unfinished_message_is_freed(void)
{
    g_autoptr(Harness) harness = fixture_harness(&fixture_config);
    harness_dns_status(harness, "rsa._domainkey.example.org", FILTERD_DNS_TXT,
                       FILTERD_DNS_CANCELLED);
    g_autofree char *text = fixture_message("rsa-relaxed-relaxed");
    harness_message(harness, text, 0);
    harness_reset(harness);
}

static void
test_missing_line_end_is_supplied(void)
{
    static const char *const names[] = {"body-long-word-simple",
                                        "body-long-word-relaxed"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(Harness) harness = fixture_harness(&fixture_config);
        g_autofree char *text = fixture_message(names[i]);
        harness_message(harness, g_strchomp(text), 0);
        g_assert_cmpstr(harness_fact(harness, "result"), ==, "pass");
    }
}

/* TLS in the same thread would take them for its own. */
static void
test_no_openssl_error_is_left(void)
{
    ERR_raise(ERR_LIB_USER, 1);
    g_autoptr(Harness) harness = fixture_judge("key-other", &fixture_config, 0);
    g_assert_cmpstr(harness_fact(harness, "result"), ==, "fail");
    g_assert_cmpuint(ERR_peek_error(), ==, 0);
}

/* b= that begin alike are told apart (RFC 6008). */
static void
test_alike_signatures_get_longer_names(void)
{
    g_autoptr(Harness) harness = fixture_harness(&fixture_config);
    harness_message(harness,
                    "DKIM-Signature: v=1; b=AAAABBBBCCCC\n"
                    "DKIM-Signature: d=a.example; b=AAAABBBBCCDD\n"
                    "DKIM-Signature: d=b.example; b=AAAABBBBCCEE\n"
                    "From: a@example.org\n\nHi\n",
                    0);
    g_auto(GStrv) lines = g_strsplit(harness_authres(harness), "\n", -1);
    g_assert_true(g_str_has_suffix(lines[1], " header.b=AAAABBBBCCD"));
    g_assert_true(g_str_has_suffix(lines[2], " header.b=AAAABBBBCCE"));
}

#define ADD(path, function) g_test_add_func("/dkim/plugin/" path, function)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("keys-are-asked-ahead", test_keys_are_asked_ahead);
    ADD("hopeless-signatures-cost-no-question",
        test_hopeless_signatures_cost_no_question);
    ADD("dns-failure-is-temperror", test_dns_failure_is_temperror);
    ADD("odd-records-are-no-keys", test_odd_zones);
    ADD("look-alike-fields-do-not-pass-for-fields", test_look_alikes);
    ADD("dns-failure-of-one-leaves-the-other",
        test_dns_failure_of_one_leaves_the_other);
    ADD("cancelled-session-publishes-nothing",
        test_cancelled_session_publishes_nothing);
    ADD("best-result-is-the-result", test_best_result_is_the_result);
    ADD("domain-is-listed-once", test_domain_is_listed_once);
    ADD("own-signature-is-found-among-a-hundred",
        test_own_signature_is_found_among_a_hundred);
    ADD("unparsable-signatures-count", test_unparsable_signatures_count);
    ADD("partial-body-can-be-allowed", test_partial_body_can_be_allowed);
    ADD("unsigned-tail-is-no-evidence", test_unsigned_tail_is_no_evidence);
    ADD("minimum-key-bits-can-be-raised", test_minimum_key_bits_can_be_raised);
    ADD("clock-decides-with-its-drift", test_clock_decides_with_its_drift);
    ADD("authres-names-each-signature", test_authres_names_each_signature);
    ADD("authres-has-a-labels", test_authres_has_a_labels);
    ADD("authres-gives-the-reason", test_authres_gives_the_reason);
    ADD("authres-repeats-no-junk", test_authres_repeats_no_junk);
    ADD("authres-says-nothing-without-signature",
        test_authres_says_nothing_without_signature);
    ADD("message-without-fields-is-none", test_message_without_fields);
    ADD("unfinished-message-is-freed", test_unfinished_message_is_freed);
    ADD("missing-line-end-is-supplied", test_missing_line_end_is_supplied);
    ADD("no-openssl-error-is-left", test_no_openssl_error_is_left);
    ADD("alike-signatures-get-longer-names",
        test_alike_signatures_get_longer_names);
    return g_test_run();
}
