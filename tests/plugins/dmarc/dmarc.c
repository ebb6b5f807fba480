/* dmarc.c: the DMARC plugin on the harness: the older mode, From, limits and
 * Authentication-Results (RFC 9989 5.3; RFC 7489 6.6).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/plugins/dmarc/case.h"

#include <string.h>

static const Case older[] = {
    {"the-list-finds-the-organization", EXAMPLE, "a.b.example.com", NULL,
     "pass:example.com", "pass reject none" WHOLE "dkim:relaxed",
     .mode = RFC7489},
    {"names-between-are-not-asked",
     EXAMPLE TXT("b.example.com", "v=DMARC1; p=none"), "a.b.example.com", NULL,
     NULL, "fail reject reject" WHOLE "none", .mode = RFC7489},
    {"a-public-suffix-of-two-labels",
     TXT("example.co.uk", "v=DMARC1; p=reject"), "a.example.co.uk", NULL,
     "pass:co.uk,pass:uk,pass:other.co.uk",
     "fail reject reject example.co.uk example.co.uk none", .mode = RFC7489},
    {"a-wildcard-suffix", TXT("a.b.ck", "v=DMARC1; p=reject"), "x.a.b.ck", NULL,
     "pass:y.a.b.ck", "pass reject none a.b.ck a.b.ck dkim:relaxed",
     .mode = RFC7489},
    {"a-wildcard-suffix-does-not-align", TXT("a.b.ck", "v=DMARC1; p=reject"),
     "a.b.ck", NULL, "pass:c.b.ck,pass:b.ck",
     "fail reject reject a.b.ck a.b.ck none", .mode = RFC7489},
    {"the-suffix-itself-as-author", TXT("co.uk", "v=DMARC1; p=reject"), "co.uk",
     NULL, "pass:example.co.uk", "fail reject reject co.uk co.uk none",
     .mode = RFC7489},
    {"a-private-suffix", TXT("a.github.io", "v=DMARC1; p=reject"),
     "a.github.io", NULL, "pass:b.github.io,pass:github.io",
     "fail reject reject a.github.io a.github.io none", .mode = RFC7489},
    {"an-unknown-top-level-domain", TXT("a.nosuchtld", "v=DMARC1; p=reject"),
     "b.a.nosuchtld", NULL, "pass:a.nosuchtld",
     "pass reject none a.nosuchtld a.nosuchtld dkim:relaxed", .mode = RFC7489},
    {"np-t-and-psd-are-unknown-tags",
     TXT("example.com", "v=DMARC1; p=reject; np=foo; t=y; psd=n"),
     "ghost.example.com", NULL, NULL, "fail reject reject" WHOLE "none",
     .mode = RFC7489},
    {"sp-is-known", TXT("example.com", "v=DMARC1; p=reject; sp=none"),
     "ghost.example.com", NULL, NULL, "fail reject none" WHOLE "none",
     .mode = RFC7489},
    {"several-records-end-it",
     EXAMPLE TXT("a.example.com", "v=DMARC1; p=none")
         TXT("a.example.com", "v=DMARC1; p=quarantine"),
     "a.example.com", NULL, NULL, "none - none - example.com -",
     .mode = RFC7489},
    {"p-is-required", TXT("example.com", "v=DMARC1; aspf=s"), "example.com",
     NULL, NULL, "none - none" WHOLE "-", .mode = RFC7489},
    {"pct-0-lowers", TXT("example.com", "v=DMARC1; p=reject; pct=0"),
     "example.com", NULL, NULL, "fail reject quarantine" WHOLE "none",
     .mode = RFC7489},
    {"pct-100-does-not", TXT("example.com", "v=DMARC1; p=reject; pct=100"),
     "example.com", NULL, NULL, "fail reject reject" WHOLE "none",
     .mode = RFC7489},
    {"servfail-does-not-fall-through", EXAMPLE, "a.example.com", NULL, NULL,
     "temperror - none - example.com -", "_dmarc.a.example.com",
     FILTERD_DNS_SERVFAIL, RFC7489},
    {NULL},
};

/* Exactly eight, whatever the length (RFC 9989 4.10). */
static void
test_walk_asks_eight_names(void)
{
    static const Case test = {.zone = "",
                              .from = "a.b.c.d.e.f.g.h.i.j.mail.example.com"};
    g_autoptr(Harness) harness = evaluate(&test);

    g_assert_cmpstr(harness_questions(harness), ==,
                    "TXT _dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.com\n"
                    "TXT _dmarc.g.h.i.j.mail.example.com\n"
                    "TXT _dmarc.h.i.j.mail.example.com\n"
                    "TXT _dmarc.i.j.mail.example.com\n"
                    "TXT _dmarc.j.mail.example.com\n"
                    "TXT _dmarc.mail.example.com\n"
                    "TXT _dmarc.example.com\n"
                    "TXT _dmarc.com");
}

static void
test_eight_labels_ask_eight_names(void)
{
    static const Case test = {.zone = "", .from = "a.b.c.d.e.f.g.h"};
    g_autoptr(Harness) harness = evaluate(&test);

    g_assert_cmpuint(harness_question_count(harness), ==, 8);
}

/* How many questions a case costs, and that none of them is waited for alone
 * but the one for existence. */
static const struct {
    const char *name;
    Case test;
    unsigned questions, waits;
} costs[] = {
    {"identifiers-from-elsewhere-cost-nothing",
     {.zone = EXAMPLE,
      .from = "example.com",
      .spf = "pass badexample.com",
      .dkim = "pass:a.b.example.org,pass:x.y.com,temperror:z.com"},
     2,
     0},
    {"names-of-a-walk-are-asked-at-once",
     {.zone = EXAMPLE,
      .from = "a.example.com",
      .spf = "pass b.example.com",
      .dkim = "pass:c.d.example.com"},
     6,
     0},
    {"existence-is-asked-where-it-matters",
     {.zone = NP, .from = "ghost.example.com"},
     4,
     1},
    {"existence-is-not-asked-where-it-changes-nothing",
     {.zone = TXT("example.com", "v=DMARC1; p=none; sp=reject; np=reject"),
      .from = "ghost.example.com"},
     3,
     0},
    {"existence-is-not-asked-for-a-pass",
     {.zone = NP, .from = "ghost.example.com", .spf = "pass example.com"},
     3,
     0},
    {"the-list-asks-nothing-about-identifiers",
     {.zone = EXAMPLE,
      .from = "example.com",
      .spf = "pass a.example.com",
      .dkim = "pass:b.example.com,pass:co.uk",
      .mode = RFC7489},
     1,
     0},
    {"the-list-asks-two-names",
     {.zone = EXAMPLE, .from = "a.b.c.example.com", .mode = RFC7489},
     2,
     0},
};

static void
test_cost(gconstpointer data)
{
    size_t row = GPOINTER_TO_SIZE(data);
    g_autoptr(Harness) harness = evaluate(&costs[row].test);

    g_assert_cmpuint(harness_question_count(harness), ==, costs[row].questions);
    g_assert_cmpuint(harness_waits(harness), ==, costs[row].waits);
}

/* The 26th signature is not looked at (DMARC_IDENTIFIER_LIMIT). */
static void
test_identifiers_are_bounded(void)
{
    g_autoptr(GString) dkim = g_string_new(NULL);

    for (unsigned i = 0; i < 24; i++)
        g_string_append_printf(dkim, "pass:s%u.example.net,", i);
    g_string_append(dkim, "pass:example.com");
    Case within = {.zone = EXAMPLE, .from = "example.com", .dkim = dkim->str};
    g_autoptr(Harness) first = evaluate(&within);
    g_assert_cmpstr(harness_fact(first, "result"), ==, "pass");

    g_string_prepend(dkim, "pass:t.example.net,");
    Case beyond = {.zone = EXAMPLE, .from = "example.com", .dkim = dkim->str};
    g_autoptr(Harness) second = evaluate(&beyond);
    g_assert_cmpstr(harness_fact(second, "result"), ==, "fail");
}

static void
test_from_problem_is_permerror(gconstpointer word)
{
    const DmarcConfig mode = {.mode = RFC9989};
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, &mode);
    g_autofree char *problem = g_strdup_printf("From is %s", (char *)word);

    harness_zone(harness, EXAMPLE);
    if (strcmp(word, "multiple") != 0)
        harness_set(harness, "header.from.domain", "example.com");
    harness_set(harness, "header.from.problem", word);
    harness_run(harness, FILTERD_MESSAGE);
    g_assert_cmpstr(harness_fact(harness, "result"), ==, "permerror");
    g_assert_cmpstr(harness_fact(harness, "disposition"), ==, "none");
    g_assert_cmpstr(harness_fact(harness, "problem"), ==, problem);
    g_assert_cmpuint(harness_question_count(harness), ==, 0);
    g_assert_cmpstr(harness_authres(harness), ==, "dmarc=permerror");
}

static void
test_authors_of_one_domain_are_one(void)
{
    const DmarcConfig mode = {.mode = RFC9989};
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, &mode);

    harness_zone(harness, EXAMPLE);
    harness_set(harness, "header.from.domain", "example.com");
    harness_set(harness, "header.from.problem", "multiple");
    harness_set(harness, "spf.result", "fail");
    harness_set(harness, "dkim.result", "fail");
    harness_run(harness, FILTERD_MESSAGE);
    g_assert_cmpstr(harness_fact(harness, "result"), ==, "fail");
}

static const char *const unusable[] = {
    "a_label_of_64_octets_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example",
    "example..com",
    ".com",
    "m\xc3\xbcller.example",
    "ex ample.com",
    "[192.0.2.1]",
    NULL,
};

static void
test_unusable_author_is_permerror(void)
{
    for (unsigned i = 0; unusable[i] != NULL; i++) {
        Case test = {.zone = "", .from = unusable[i]};
        g_autoptr(Harness) harness = evaluate(&test);

        g_assert_cmpstr(harness_fact(harness, "result"), ==, "permerror");
        g_assert_cmpuint(harness_question_count(harness), ==, 0);
    }
}

static void
test_no_evidence_is_no_failure(void)
{
    const DmarcConfig mode = {.mode = RFC9989};
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, &mode);

    harness_zone(harness, EXAMPLE);
    harness_set(harness, "header.from.domain", "example.com");
    harness_run(harness, FILTERD_MESSAGE);
    g_assert_cmpstr(harness_fact(harness, "result"), ==, "temperror");
}

static void
test_authentication_results(void)
{
    static const struct {
        Case test;
        const char *expected;
    } rows[] = {
        {{.zone = EXAMPLE, .from = "example.com", .spf = "pass example.com"},
         "dmarc=pass (p=reject) header.from=example.com policy.dmarc=none"},
        {{.zone = EXAMPLE, .from = "example.com"},
         "dmarc=fail (p=reject) header.from=example.com "
         "policy.dmarc=reject"},
        {{.zone = NP, .from = "ghost.example.com"},
         "dmarc=fail (p=none np=reject) header.from=ghost.example.com "
         "policy.dmarc=reject"},
        {{.zone = "", .from = "example.com"},
         "dmarc=none header.from=example.com"},
        {{.zone = EXAMPLE,
          .from = "example.com",
          .broken = "_dmarc.example.com",
          .status = FILTERD_DNS_SERVFAIL},
         "dmarc=temperror header.from=example.com"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) harness = evaluate(&rows[i].test);

        g_assert_cmpstr(harness_authres(harness), ==, rows[i].expected);
    }
}

/* 1,000 records at the name, then one of 64 KB. */
static void
test_floods_are_bounded(void)
{
    g_autoptr(GString) many = g_string_new(NULL);
    g_autoptr(GString) big = g_string_new("_dmarc.example.com 60 TXT ");

    for (unsigned i = 0; i < 1000; i++)
        g_string_append_printf(
            many, "_dmarc.example.com 60 TXT \"v=DMARC1; p=reject; x=%u\"\n",
            i);
    g_string_append(big, "\"v=DMARC1; p=reject\"");
    for (unsigned i = 0; i < 320; i++)
        g_string_append_printf(big, " \"%0200u\"", i);
    g_string_append(big, "\n");

    Case several = {.zone = many->str, .from = "example.com"};
    Case long_one = {.zone = big->str, .from = "example.com"};
    g_autoptr(Harness) first = evaluate(&several);
    g_autoptr(Harness) second = evaluate(&long_one);
    g_assert_cmpstr(harness_fact(first, "result"), ==, "none");
    g_assert_cmpstr(harness_fact(first, "problem"), ==,
                    "several records at _dmarc.example.com");
    g_assert_cmpstr(harness_fact(second, "result"), ==, "none");
}

/* Which evidence there was, which record, which tag. */
static void
test_what_is_no_pass_says_why(void)
{
#define RECORD TXT("example.com", "v=DMARC1; p=reject")
    static const struct {
        Case test;
        const char *problem;
    } rows[] = {
        {{.zone = RECORD,
          .from = "example.com",
          .spf = "pass a.example",
          .dkim = "pass:b.example,pass:c.example"},
         "nothing is aligned with example.com: SPF is pass for a.example, DKIM "
         "is pass for b.example and others"},
        {{.zone = RECORD,
          .from = "example.com",
          .spf = "fail example.com",
          .dkim = "fail:example.com"},
         "nothing is aligned with example.com: SPF is fail for example.com, "
         "DKIM is fail"},
        {{.zone = RECORD,
          .from = "example.com",
          .spf = "temperror example.com"},
         "a failure may hide a pass: SPF is temperror for example.com, "
         "DKIM "
         "is none"},
        {{.zone = "", .from = "mail.example.com"},
         "no record at _dmarc.mail.example.com or above"},
        {{.zone = TXT("example.com", "v=DMARC1; p=maybe"),
          .from = "example.com"},
         "p=, sp= or np= at _dmarc.example.com is missing or wrong"},
        {{.zone = RECORD, .from = "example.com", .spf = "pass example.com"},
         "-"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Harness) harness = evaluate(&rows[i].test);
        g_assert_cmpstr(harness_fact(harness, "problem"), ==, rows[i].problem);
    }
}

static void
add_costs(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(costs); i++) {
        g_autofree char *path =
            g_strdup_printf("/dmarc/cost/%s", costs[i].name);

        g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_cost);
    }
}

static void
add_from_problems(void)
{
    static const char *const words[] = {"missing", "repeated", "multiple",
                                        "malformed"};

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *path =
            g_strdup_printf("/dmarc/from/%s-is-permerror", words[i]);

        g_test_add_data_func(path, words[i], test_from_problem_is_permerror);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    add_cases("rfc7489", older);
    add_costs();
    add_from_problems();
    g_test_add_func("/dmarc/walk/asks-eight-names", test_walk_asks_eight_names);
    g_test_add_func("/dmarc/walk/eight-labels-ask-eight-names",
                    test_eight_labels_ask_eight_names);
    g_test_add_func("/dmarc/identifiers-are-bounded",
                    test_identifiers_are_bounded);
    g_test_add_func("/dmarc/from/several-authors-of-one-domain-are-one",
                    test_authors_of_one_domain_are_one);
    g_test_add_func("/dmarc/from/an-unusable-domain-is-permerror",
                    test_unusable_author_is_permerror);
    g_test_add_func("/dmarc/evidence/none-at-all-is-no-failure",
                    test_no_evidence_is_no_failure);
    g_test_add_func("/dmarc/authentication-results",
                    test_authentication_results);
    g_test_add_func("/dmarc/what-is-no-pass-says-why",
                    test_what_is_no_pass_says_why);
    g_test_add_func("/dmarc/floods-are-bounded", test_floods_are_bounded);
    return g_test_run();
}
