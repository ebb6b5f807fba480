/* messages.c: sealed messages and what the plugin says of them: sealed by
 * dkimpy, and by hand where no sealer would do such a thing; those are right
 * but for the one thing that they are named after. (RFC 8617 5.2)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <string.h>

#include "tests/plugins/arc/fixture.h"

#define AAR "(ARC-Authentication-Results i="
#define AMS "(ARC-Message-Signature i="
#define AS "(ARC-Seal i="

static const struct {
    const char *name;
    const char *result;
    const char *problem; /* "-": none */
} rows[] = {
    /* what must pass */
    {"dkimpy-1", "pass", "-"},
    {"dkimpy-2", "pass", "-"},
    {"dkimpy-3", "pass", "-"},
    {"dkimpy-4", "pass", "-"},
    {"dkimpy-5", "pass", "-"},
    {"dkimpy-changed", "pass", "-"},
    {"dkimpy-changed-twice", "pass", "-"},
    {"crafted", "pass", "-"},
    {"crafted-2", "pass", "-"},
    {"simple-simple", "pass", "-"},
    {"simple-relaxed", "pass", "-"},
    {"relaxed-simple", "pass", "-"},
    {"canon-absent", "pass", "-"},
    {"ed25519", "pass", "-"},
    {"unicode-domain", "pass", "-"},
    {"unicode-tags", "pass", "-"},
    {"unicode-results", "pass", "-"},
    {"fifty", "pass", "-"},
    {"version", "pass", "-"},
    {"unknown-tags", "pass", "-"},
    {"cv-capitals", "pass", "-"},
    {"names-repeated", "pass", "-"},
    {"fields-lower", "pass", "-"},
    {"fields-both", "pass", "-"},
    {"length-all", "pass", "-"},
    {"empty-body", "pass", "-"},
    {"instance-wide", "pass", "-"},
    {"comments", "pass", "-"},
    {"covers-authres", "pass", "-"},
    {"expired-below", "pass", "-"},
    {"says-nothing", "pass", "-"},

    /* cv= */
    {"cv-fail", "fail", "cv= says that it has failed " AS "2)"},
    {"cv-fail-below", "fail", "cv= says that it has failed " AS "2)"},
    {"cv-pass-first", "fail", "cv= is not what it has to be there " AS "1)"},
    {"cv-none-second", "fail", "cv= is not what it has to be there " AS "2)"},
    {"cv-missing", "fail", "cv= is missing or unknown " AS "1)"},
    {"cv-unknown", "fail", "cv= is missing or unknown " AS "1)"},

    /* what is sealed */
    {"seal-with-names", "fail", "h= is not allowed " AS "1)"},
    {"seal-alone", "fail", "it does not match what was signed " AS "2)"},
    {"seal-order", "fail", "it does not match what was signed " AS "3)"},
    {"covers-seal", "fail", "h= covers a field of ARC " AMS "2)"},
    {"covers-results", "fail", "h= covers a field of ARC " AMS "2)"},
    {"covers-itself", "fail", "h= covers a field of ARC " AMS "2)"},
    {"covers-no-from", "fail", "h= does not cover From " AMS "1)"},
    {"two-authors", "fail", "a From field is not signed " AMS "1)"},

    /* instances */
    {"gap", "fail", "the field is missing " AAR "2)"},
    {"begins-at-2", "fail", "the field is missing " AAR "1)"},
    {"instance-0", "fail", "i= is not from 1 to 50"},
    {"instance-51", "fail", "i= is not from 1 to 50 " AS "51)"},
    {"instance-junk", "fail", "i= is missing or no instance"},
    {"comment-open", "fail", "malformed tag name (ARC-Message-Signature)"},
    {"comment-elsewhere", "fail", "malformed tag name (ARC-Message-Signature)"},
    {"comment-not-first", "fail", "malformed tag name (ARC-Seal)"},
    {"instance-missing", "fail", "i= is missing or no instance"},
    {"instance-padded", "fail", "i= is missing or no instance"},
    {"instance-wrapped", "fail", "i= is missing or no instance"},
    {"results-without-instance", "fail", "i= is missing or no instance"},

    /* numbers and times */
    {"expired", "fail", "the signature has expired " AMS "1)"},
    {"future", "fail", "the signature is from the future " AS "1)"},
    {"length-tail", "fail", "l= leaves a part of the body unsigned"},
    {"length-beyond", "fail", "l= is beyond the body"},

    /* tags that have to be there */
    {"message-without-a", "fail", "a= is missing " AMS "1)"},
    {"message-without-d", "fail", "d= is missing " AMS "1)"},
    {"message-without-s", "fail", "s= is missing " AMS "1)"},
    {"message-without-h", "fail", "h= is missing " AMS "1)"},
    {"message-without-bh", "fail", "bh= is missing " AMS "1)"},
    {"seal-without-a", "fail", "a= is missing " AS "1)"},
    {"seal-without-d", "fail", "d= is missing " AS "1)"},
    {"seal-without-s", "fail", "s= is missing " AS "1)"},
    {"sha1", "fail", "rsa-sha1 is not acceptable"},

    /* keys */
    {"key-512", "fail", "the RSA key is too short " AMS "1)"},
    {"key-wrong", "fail", "it does not match what was signed " AS "1)"},
    {"key-kind", "fail", "the key record is of another type than a= " AS "1)"},
    {"key-absent", "fail", "there is no key " AS "1)"},
    {"key-revoked", "fail", "the key is revoked " AMS "1)"},
    {"key-several", "fail", "there are several key records " AMS "1)"},

    /* names that must not reach DNS or a report */
    {"domain-quote", "fail", "d= is no domain name"},
    {"domain-single", "fail", "d= is no domain name"},
    {"domain-long", "fail", "s= is no selector"},
    {"domain-label", "fail", "d= is no domain name"},
    {"selector-space", "fail", "s= is no selector"},

    /* too much */
    {"names-many", "fail", "h= is too long " AMS "1)"},
    {"tags-many", "fail", "too many tags (ARC-Seal)"},
    {"tag-huge", "fail", "the field is too long (ARC-Seal)"},
    {"bare-newline", "fail", "the header holds a line that is no field"},
    {"tag-twice", "fail", "duplicate tag (ARC-Message-Signature)"},
};

static void
judge_row(gconstpointer data)
{
    const size_t i = GPOINTER_TO_SIZE(data);
    g_autoptr(Harness) harness = fixture_judge(rows[i].name, NULL, NULL);
    g_assert_cmpstr(harness_fact(harness, "result"), ==, rows[i].result);
    const char *problem = harness_fact(harness, "problem");
    if (!g_str_has_prefix(problem, rows[i].problem))
        g_assert_cmpstr(problem, ==, rows[i].problem);
}

/* What somebody does to a good chain of three. */
static const struct {
    const char *name;
    const char *from, *to;
    const char *result, *oldest; /* "-": not known */
    const char *problem;
} edits[] = {
    {"a-body-that-was-changed-fails", "Hello", "Hullo", "fail", "-",
     "the body has been changed " AMS "3)"},
    {"an-author-that-was-changed-fails", "From: Alice", "From: Eve", "fail",
     "-", "it does not match what was signed " AMS "3)"},
    {"a-field-that-nobody-signed-may-change", "Message-ID: <1",
     "Message-ID: <2", "pass", "0", "-"},
    {"white-space-of-fields-may-change", "ARC-Seal: i=2; cv=pass;",
     "arc-seal :\ti=2;   cv=pass;", "pass", "0", "-"},
    {"white-space-of-bodies-may-change", "a  body", "a \t body", "pass", "0",
     "-"},
    {"a-second-author-fails", "Subject:", "From: eve@example.net\nSubject:",
     "fail", "-", "a From field is not signed " AMS "3)"},
    {"results-of-the-newest-that-were-changed-fail", "spf=fail", "spf=pass",
     "fail", "-", "it does not match what was signed " AS "3)"},
    {"results-of-the-oldest-that-were-changed-fail",
     "i=1; one.example; spf=pass", "i=1; one.example; spf=fail", "fail", "-",
     "it does not match what was signed " AS "3)"},
    {"a-field-that-is-missing-fails", "ARC-Message-Signature: i=2;",
     "X-Message-Signature: i=2;", "fail", "-",
     "the field is missing " AMS "2)"},
    {"results-that-are-missing-fail", "ARC-Authentication-Results: i=1;",
     "X-Authentication-Results: i=1;", "fail", "-",
     "the field is missing " AAR "1)"},
    {"a-seal-that-is-missing-fails", "ARC-Seal: i=3;", "X-Seal: i=3;", "fail",
     "-", "the field is missing " AS "3)"},
    {"a-field-twice-fails", "ARC-Authentication-Results: i=3;",
     "ARC-Authentication-Results: i=1; x\nARC-Authentication-Results: i=3;",
     "fail", "-", "the field is there twice " AAR "1)"},
    {"an-instance-of-another-fails", "ARC-Seal: i=2;", "ARC-Seal: i=3;", "fail",
     "-", "the field is there twice " AS "3)"},
    {"seals-that-were-exchanged-fail", "ARC-Seal: i=3; cv=pass",
     "ARC-Seal: i=3; cv=fail", "fail", "-",
     "cv= says that it has failed " AS "3)"},
    {"a-tag-without-a-value-fails", "cv=pass;", "cv=pass; oops;", "fail", "-",
     "tag without a value (ARC-Seal)"},
    {"eight-bit-octets-that-are-no-utf8-fail", "d=three.example;",
     "d=thr\xe9"
     "e.example;",
     "fail", "-", "octet that is neither printable ASCII nor UTF-8 (ARC-Seal)"},
    {"a-line-that-is-no-field-fails", "To: bob", "oh dear\nTo: bob", "fail",
     "-", "the header holds a line that is no field"},
    {"another-domain-fails", "d=three.example;", "d=two.example;", "fail", "-",
     "it does not match what was signed " AS "3)"},
    {"a-domain-in-capitals-fails-but-is-asked-in-small-letters",
     "d=three.example;", "d=Three.example;", "fail", "-",
     "it does not match what was signed " AS "3)"},
    {"a-lonely-field-fails", "ARC-Seal: i=3;", "X-Seal: i=3;", "fail", "-",
     "the field is missing " AS "3)"},
    {"nothing-behind-the-colon-fails", "ARC-Seal: i=3;", "ARC-Seal:\nX: i=3;",
     "fail", "-", "tag without a value (ARC-Seal)"},
    {"a-comment-before-an-instance-is-signed-too", "ARC-Seal: i=3;",
     "ARC-Seal: (x) i=3;", "fail", "-",
     "it does not match what was signed " AS "3)"},
    {"a-comment-before-another-tag-fails", "cv=pass; ", "cv=pass; (x) ", "fail",
     "-", "malformed tag name (ARC-Seal)"},
};

static void
judge_edit(gconstpointer data)
{
    const size_t i = GPOINTER_TO_SIZE(data);
    g_autoptr(Harness) harness =
        fixture_judge("dkimpy-3", edits[i].from, edits[i].to);
    g_assert_cmpstr(harness_fact(harness, "problem"), ==, edits[i].problem);
    g_assert_cmpstr(harness_fact(harness, "result"), ==, edits[i].result);
    g_assert_cmpstr(harness_fact(harness, "oldest-pass"), ==, edits[i].oldest);
}

/* However the body is cut, the result is the same. */
static void
judge_pieces(void)
{
    for (size_t chunk = 1; chunk < 9; chunk++)
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
            if (strcmp(rows[i].result, "pass") != 0)
                continue;
            g_autoptr(Harness) harness = fixture_harness(&fixture_config);
            g_autofree char *text = fixture_message(rows[i].name);
            harness_message(harness, text, chunk);
            g_assert_cmpstr(harness_fact(harness, "result"), ==, "pass");
        }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strconcat("/arc/", rows[i].name, NULL);
        g_test_add_data_func(path, GSIZE_TO_POINTER(i), judge_row);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(edits); i++) {
        g_autofree char *path = g_strconcat("/arc/", edits[i].name, NULL);
        g_test_add_data_func(path, GSIZE_TO_POINTER(i), judge_edit);
    }
    g_test_add_func("/arc/a-body-in-pieces-is-the-same", judge_pieces);
    return g_test_run();
}
