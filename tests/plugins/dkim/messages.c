/* messages.c: signed messages and what the plugin says of them: signed by
 * independent signers, and by hand where no signer would do such a thing; those
 * are right but for the one thing that they are named after. (RFC 6376, 8301,
 * 8463)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <string.h>

#include "tests/plugins/dkim/fixture.h"

#define RSA ":example.org:rsa:rsa-sha256"
#define U_RSA ":xn--bcher-kva.example:rsa:rsa-sha256"
#define U_SELECTOR ":xn--bcher-kva.example:xn--gre-6ka8i:rsa-sha256"
#define U_ED ":xn--bcher-kva.example:ed:ed25519-sha256"

static const struct {
    const char *name;
    const char *results;
    const char *problem; /* "-": none */
} rows[] = {
    /* what must pass */
    {"rsa-simple-simple", "pass" RSA, "-"},
    {"rsa-simple-relaxed", "pass" RSA, "-"},
    {"rsa-relaxed-simple", "pass" RSA, "-"},
    {"rsa-relaxed-relaxed", "pass" RSA, "-"},
    {"ed25519-simple-simple", "pass:example.org:ed:ed25519-sha256", "-"},
    {"ed25519-simple-relaxed", "pass:example.org:ed:ed25519-sha256", "-"},
    {"ed25519-relaxed-simple", "pass:example.org:ed:ed25519-sha256", "-"},
    {"ed25519-relaxed-relaxed", "pass:example.org:ed:ed25519-sha256", "-"},
    {"both", "pass" RSA ",pass:example.org:ed:ed25519-sha256", "-"},
    {"crafted", "pass" RSA, "-"},
    {"body-empty-simple", "pass" RSA, "-"},
    {"body-empty-relaxed", "pass" RSA, "-"},
    {"body-blank-simple", "pass" RSA, "-"},
    {"body-blank-relaxed", "pass" RSA, "-"},
    {"body-long-word-simple", "pass" RSA, "-"},
    {"body-long-word-relaxed", "pass" RSA, "-"},
    {"big-field", "pass" RSA, "-"},
    {"expiry", "pass" RSA, "-"},
    {"time-old", "pass" RSA, "-"},
    {"identity-below", "pass" RSA, "-"},
    {"names-spaced", "pass" RSA, "-"},
    {"blank-before-equals", "pass" RSA, "-"},
    {"identity-encoded-at", "pass" RSA, "-"},
    {"identity-quoted-at", "pass" RSA, "-"},
    {"covering-no-other", "pass" RSA, "-"},
    {"domain-upper", "pass" RSA, "-"},
    {"oversigned", "pass" RSA, "-"},
    {"unknown-tag", "pass" RSA, "-"},
    {"drifted", "pass" RSA, "-"},
    {"subject-added", "pass" RSA, "a field subject is not signed"},
    {"length-all", "pass" RSA, "-"},
    {"length-blank-tail", "pass" RSA, "-"},

    /* what does not match */
    {"body-changed", "fail" RSA, "body has been changed"},
    {"subject-changed", "fail" RSA, "does not match"},
    {"oversigned-added", "fail" RSA, "does not match"},
    {"from-missing", "fail" RSA, "does not match"},
    {"b-junk", "permerror" RSA, "b= is no base64"},
    {"b-empty", "permerror" RSA, "b= is no base64"},
    {"b-missing", "permerror" RSA, "b= is missing"},

    /* what RFC 6376 6.1.1 asks of the field */
    {"without-v", "permerror" RSA, "v= is missing"},
    {"without-a", "permerror:example.org:rsa:-", "a= is missing"},
    {"without-d", "permerror:-:-:-", "d= is missing"},
    {"without-s", "permerror:example.org:-:rsa-sha256", "s= is missing"},
    {"without-h", "permerror" RSA, "h= is missing"},
    {"without-bh", "permerror" RSA, "bh= is missing"},
    {"version-two", "permerror" RSA, "unknown version v="},
    {"algorithm-unknown", "permerror:example.org:rsa:-",
     "unknown algorithm a="},
    {"canon-unknown", "permerror" RSA, "unknown canonicalization"},
    {"query-unknown", "permerror" RSA, "unknown query method"},
    {"hash-short", "permerror" RSA, "bh= is no hash"},
    {"duplicate-tag", "permerror:-:-:-", "duplicate tag"},
    {"duplicate-unknown", "permerror:-:-:-", "duplicate tag"},
    {"empty-tag", "permerror:-:-:-", "tag without a value"},
    {"signature-empty", "permerror:-:-:-", "tag without a value"},
    {"names-without-from", "permerror" RSA, "h= does not cover From"},
    {"identity-two-ats", "permerror" RSA, "i= is no address"},
    {"names-empty", "permerror" RSA, "h= is no list"},
    {"names-inside-space", "permerror" RSA, "h= is no list"},
    {"names-many", "permerror" RSA, "h= is too long"},
    {"identity-outside", "permerror" RSA, "i= is not below d="},
    {"identity-suffix", "permerror" RSA, "i= is not below d="},
    {"identity-junk", "permerror" RSA, "i= is no address"},

    /* numbers and times */
    {"expired", "permerror" RSA, "has expired"},
    {"future", "permerror" RSA, "from the future"},
    {"expiry-before-time", "permerror" RSA, "x= is not after t="},
    {"expiry-huge", "permerror" RSA, "x= is no sane number"},
    {"time-junk", "permerror" RSA, "t= is no sane number"},
    {"length-negative", "permerror" RSA, "l= is no sane number"},
    {"length-junk", "permerror" RSA, "l= is no sane number"},
    {"length-wrapped", "permerror" RSA, "l= is no sane number"},
    {"length-wrapped-32", "permerror" RSA, "l= is beyond the body"},
    {"length-beyond", "permerror" RSA, "l= is beyond the body"},
    {"length-tail", "policy" RSA, "l= leaves a part"},
    {"length-part", "policy" RSA, "l= leaves a part"},
    {"length-zero", "policy" RSA, "l= leaves a part"},

    /* names that must not reach DNS or a report */
    {"domain-quote", "permerror:-:-:-", "d= is no domain name"},
    {"domain-space", "permerror:-:-:-", "d= is no domain name"},
    {"domain-paren", "permerror:-:-:-", "d= is no domain name"},
    {"domain-label", "permerror:-:-:-", "d= is no domain name"},
    {"domain-single", "permerror:-:-:-", "d= is no domain name"},
    {"domain-long", "permerror:-:-:-", "d= is no domain name"},
    {"selector-quote", "permerror:example.org:-:rsa-sha256",
     "s= is no selector"},
    {"selector-space", "permerror:example.org:-:rsa-sha256",
     "s= is no selector"},
    {"selector-dots", "permerror:example.org:-:rsa-sha256",
     "s= is no selector"},
    {"selector-long", "permerror:example.org:-:rsa-sha256",
     "s= is no selector"},

    /* RFC 8301 */
    {"algorithm-sha1", "permerror:example.org:rsa:rsa-sha1", "rsa-sha1"},
    {"opendkim-sha1", "permerror:example.org:rsa:rsa-sha1", "rsa-sha1"},
    {"key-rsa768", "policy:example.org:rsa768:rsa-sha256", "too short"},
    {"key-rsa512", "policy:example.org:rsa512:rsa-sha256", "too short"},

    /* keys (RFC 6376 3.6.1, 6.1.2) */
    {"key-plain", "pass:example.org:plain:rsa-sha256", "-"},
    {"key-bare", "pass:example.org:bare:rsa-sha256", "-"},
    {"key-spaced", "pass:example.org:spaced:rsa-sha256", "-"},
    {"key-folded", "pass:example.org:folded:rsa-sha256", "-"},
    {"key-sha256", "pass:example.org:sha256:rsa-sha256", "-"},
    {"key-email", "pass:example.org:email:rsa-sha256", "-"},
    {"key-notes", "pass:example.org:notes:rsa-sha256", "-"},
    {"key-rsa1024", "pass:example.org:rsa1024:rsa-sha256", "-"},
    {"key-rsa4096", "pass:example.org:rsa4096:rsa-sha256", "-"},
    {"key-strict-same", "pass:example.org:strict:rsa-sha256", "-"},
    {"key-testing", "pass:example.org:testing:rsa-sha256", "-"},
    {"key-testing-changed", "neutral:example.org:testing:rsa-sha256",
     "body has been changed"},
    {"key-other", "fail:example.org:other:rsa-sha256", "does not match"},
    {"key-missing", "permerror:example.org:missing:rsa-sha256",
     "there is no key"},
    {"key-several", "permerror:example.org:several:rsa-sha256",
     "several key records"},
    {"key-revoked", "permerror:example.org:revoked:rsa-sha256", "revoked"},
    {"key-strict", "permerror:example.org:strict:rsa-sha256",
     "does not allow i="},
    {"key-sha1", "permerror:example.org:sha1:rsa-sha256",
     "does not allow SHA-256"},
    {"key-web", "permerror:example.org:web:rsa-sha256", "not for mail"},
    {"key-version", "permerror:example.org:version:rsa-sha256",
     "unknown version"},
    {"key-late", "permerror:example.org:late:rsa-sha256", "unknown version"},
    {"key-junk", "permerror:example.org:junk:rsa-sha256", "unknown version"},
    {"key-twice", "permerror:example.org:twice:rsa-sha256", "malformed"},
    {"key-empty-tag", "permerror:example.org:empty-tag:rsa-sha256",
     "malformed"},
    {"key-huge", "permerror:example.org:huge:rsa-sha256", "malformed"},
    {"key-nokey", "permerror:example.org:nokey:rsa-sha256", "has no p="},
    {"key-nobase", "permerror:example.org:nobase:rsa-sha256", "no base64"},
    {"key-wordy", "permerror:example.org:wordy:rsa-sha256", "another type"},
    {"key-rsa-as-ed", "permerror:example.org:rsa-as-ed:rsa-sha256",
     "another type"},
    {"key-ed-as-rsa", "permerror:example.org:ed-as-rsa:rsa-sha256",
     "holds no RSA key"},
    {"algorithm-mixed", "permerror:example.org:ed-as-rsa:ed25519-sha256",
     "another type"},
    {"key-short-ed", "permerror:example.org:short-ed:ed25519-sha256",
     "holds no Ed25519 key"},
    {"key-der-tail", "permerror:example.org:der-tail:rsa-sha256",
     "holds no RSA key"},
    {"key-long", "policy:example.org:long:rsa-sha256", "too long"},
    {"key-one", "policy:example.org:one:rsa-sha256", "unsafe exponent"},
    {"key-wide", "policy:example.org:wide:rsa-sha256", "unsafe exponent"},
    {"key-small", "policy:example.org:small:ed25519-sha256", "small order"},

    /* the header around it */
    {"from-added", "policy" RSA, "a From field is not signed"},
    {"junk-line", "permerror" RSA, "a line that is no field"},
    {"name-with-space", "permerror" RSA, "a line that is no field"},
    {"unsigned", "", "there is no signature"},

    /* several signatures */
    {"two-domains", "pass:example.net:rsa:rsa-sha256,pass" RSA, "-"},
    {"one-domain-twice", "pass" RSA ",pass" RSA, "-"},
    {"three-of-one-key", "pass" RSA ",pass" RSA ",pass" RSA, "-"},
    {"bad-then-good", "permerror:-:-:-,pass" RSA, "tag without a value"},
    {"short-then-whole", "policy" RSA ",pass" RSA, "l= leaves a part"},
    {"covering", "pass:example.net:rsa:rsa-sha256,pass" RSA, "-"},
    {"covering-below", "pass" RSA ",pass:example.net:rsa:rsa-sha256", "-"},
    {"covering-expired", "pass" RSA ",permerror" RSA, "has expired"},
    {"covering-wrong", "pass" RSA ",fail" RSA, "body has been changed"},
    {"covering-short", "pass" RSA ",policy" RSA, "l= leaves a part"},
    {"covering-changed", "fail:example.net:rsa:rsa-sha256,fail" RSA,
     "does not match"},
    {"covering-many", "pass" RSA, "-"},
    {"covering-malformed", "pass" RSA ",permerror:-:-:-",
     "tag without a value"},

    /* U-labels (RFC 8616) */
    {"eight-bit", "pass:example.org:xn--rsa-bma:rsa-sha256", "-"},
    {"unicode-rsa-simple-simple", "pass" U_SELECTOR, "-"},
    {"unicode-rsa-simple-relaxed", "pass" U_SELECTOR, "-"},
    {"unicode-rsa-relaxed-simple", "pass" U_SELECTOR, "-"},
    {"unicode-rsa-relaxed-relaxed", "pass" U_SELECTOR, "-"},
    {"unicode-ed25519-simple-simple", "pass" U_ED, "-"},
    {"unicode-ed25519-simple-relaxed", "pass" U_ED, "-"},
    {"unicode-ed25519-relaxed-simple", "pass" U_ED, "-"},
    {"unicode-ed25519-relaxed-relaxed", "pass" U_ED, "-"},
    {"unicode-upper", "pass" U_RSA, "-"},
    {"unicode-tag", "pass" RSA, "-"},
    {"unicode-early", "pass" U_RSA, "-"},
    {"unicode-oversigned", "pass" U_RSA, "-"},
    {"unicode-identity", "pass" U_RSA, "-"},
    {"unicode-identity-mixed", "pass" U_RSA, "-"},
    {"unicode-identity-outside", "permerror" U_RSA, "i= is not below d="},
    {"unicode-strict", "permerror:xn--bcher-kva.example:strict:rsa-sha256",
     "does not allow i="},
    {"unicode-strict-same", "pass:xn--bcher-kva.example:strict:rsa-sha256",
     "-"},
    {"unicode-testing", "neutral:xn--bcher-kva.example:testing:rsa-sha256",
     "body has been changed"},
    {"unicode-foreign-dot", "permerror:-:-:-", "d= is no domain name"},
    {"unicode-no-label", "permerror:-:-:-", "d= is no domain name"},
    {"unicode-missing", "permerror:xn--bcher-kva.example:xn--4ca:rsa-sha256",
     "there is no key"},
    {"unicode-algorithm", "permerror:xn--bcher-kva.example:ed:rsa-sha256",
     "another type"},
    {"unicode-sha1", "permerror:xn--bcher-kva.example:rsa:rsa-sha1",
     "rsa-sha1"},
    {"unicode-body-changed", "fail" U_RSA, "body has been changed"},
    {"unicode-header-changed", "fail" U_RSA, "does not match"},
    {"unicode-length-all", "pass" U_RSA, "-"},
    {"unicode-length-tail", "policy" U_RSA, "l= leaves a part"},
    {"unicode-length-part", "policy" U_RSA, "l= leaves a part"},
    {"unicode-length-beyond", "permerror" U_RSA, "l= is beyond the body"},
    {"unicode-and-plain", "pass" U_RSA ",pass" RSA, "-"},
    {"unicode-covered", "pass:example.net:rsa:rsa-sha256,pass" U_RSA, "-"},
    {"unicode-covering", "pass" U_RSA ",pass" RSA, "-"},
    {"unicode-covering-below", "pass" RSA ",pass" U_RSA, "-"},
    {"unicode-covering-changed", "fail" U_RSA ",fail" RSA, "does not match"},
};

/* The first word of a result says it all, or the best of several. */
static void
check_facts(Harness *harness, size_t row)
{
    g_assert_cmpstr(harness_fact(harness, "results"), ==, rows[row].results);
    const char *problem = harness_fact(harness, "problem");
    if (strcmp(rows[row].problem, "-") == 0)
        g_assert_cmpstr(problem, ==, "-");
    else if (strstr(problem, rows[row].problem) == NULL)
        g_error("%s: \"%s\"", rows[row].name, problem);
}

static void
test_row(gconstpointer data)
{
    size_t row = GPOINTER_TO_SIZE(data);
    g_autoptr(Harness) harness =
        fixture_judge(rows[row].name, &fixture_config, 0);
    check_facts(harness, row);
}

/* Which answers come does not depend on how the body is cut. */
static void
test_chunks(void)
{
    static const size_t chunks[] = {1, 2, 3, 7, 100};
    for (size_t row = 0; row < G_N_ELEMENTS(rows); row++)
        for (size_t i = 0; i < G_N_ELEMENTS(chunks); i++) {
            g_autoptr(Harness) harness =
                fixture_judge(rows[row].name, &fixture_config, chunks[i]);
            check_facts(harness, row);
        }
}

/* One instance after another message, and after one that was given up. */
static void
test_reuse(void)
{
    g_autoptr(Harness) harness = fixture_harness(&fixture_config);
    for (size_t row = 0; row < G_N_ELEMENTS(rows); row++) {
        g_autofree char *text = fixture_message(rows[row].name);
        harness_message(harness, text, 0);
        check_facts(harness, row);
        harness_reset(harness);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t row = 0; row < G_N_ELEMENTS(rows); row++) {
        g_autofree char *path =
            g_strdup_printf("/dkim/messages/%s", rows[row].name);
        g_test_add_data_func(path, GSIZE_TO_POINTER(row), test_row);
    }
    g_test_add_func("/dkim/messages/results-do-not-depend-on-chunks",
                    test_chunks);
    g_test_add_func("/dkim/messages/one-message-leaves-nothing-for-the-next",
                    test_reuse);
    return g_test_run();
}
