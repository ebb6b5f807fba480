/* reporting.c: what is kept of a message for aggregate reports (RFC 9990), and
 * where the Public Suffix List would have said something else.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/plugins/dmarc/case.h"

#include <string.h>

static const DmarcReason reasons[] = {{"forwarders", DMARC_TRUSTED_FORWARDER}};
static const DmarcConfig on = {
    .reports = true, .contact = "a@mx.example.com", .reasons = {reasons, 1}};
static const DmarcConfig older = {
    .mode = RFC7489, .reports = true, .contact = "a@mx.example.com"};

#define RUA " rua=mailto:dmarc@example.com"
#define REJECT TXT("example.com", "v=DMARC1; p=reject;" RUA)
#define KEY "report 2027-01-15 example.com p="
#define TREE " adkim=r aspf=r t=n m=treewalk o=example.com "
#define TO "rua=mailto:dmarc@example.com ip=192.0.2.1 "

/* What follows KEY, or NULL: nothing is kept. */
static const struct Row {
    const char *name;
    Case test;
    FilterdOutcome outcome;
    const char *expected;
} rows[] = {
    {"a-pass",
     {.zone = REJECT,
      .from = "example.com",
      .spf = "pass example.com",
      .dkim = "pass:example.com"},
     {.fate = FILTERD_ACCEPTED},
     "reject" TREE TO "k=pass s=pass h=example.com e=sender.example "
     "dkim=example.com/s1/pass spf=example.com/pass d=pass"},
    {"a-pass-that-another-filter-refuses-is-a-pass",
     {.zone = REJECT, .from = "example.com", .spf = "pass example.com"},
     {.fate = FILTERD_REJECTED, .rule = "listed"},
     "reject" TREE TO
     "k=fail s=pass h=example.com e=sender.example spf=example.com/pass "
     "d=pass"},
    {"a-pass-of-a-policy-of-none",
     {.zone = TXT("example.com", "v=DMARC1; p=none;" RUA),
      .from = "example.com",
      .spf = "pass example.com"},
     {.fate = FILTERD_ACCEPTED},
     "none" TREE TO
     "k=fail s=pass h=example.com e=sender.example spf=example.com/pass "
     "d=none"},
    {"a-fail-that-is-refused-as-asked-has-no-reason",
     {.zone = REJECT, .from = "example.com", .spf = "fail other.example"},
     {.fate = FILTERD_REJECTED, .rule = "dmarc-reject", .asked = true},
     "reject" TREE TO
     "k=fail s=fail h=example.com e=sender.example spf=other.example/fail "
     "d=reject"},
    {"a-fail-that-a-rule-weakens-has-its-name",
     {.zone = REJECT, .from = "example.com"},
     {.fate = FILTERD_QUARANTINED, .rule = "doubt/ful", .asked = true},
     "reject" TREE TO "k=fail s=fail h=example.com e=sender.example "
     "d=quarantine why=local_policy/doubt%2Fful"},
    {"a-fail-that-a-rule-lets-in-by-a-reason-of-the-file",
     {.zone = REJECT, .from = "example.com"},
     {.fate = FILTERD_ACCEPTED, .rule = "forwarders"},
     "reject" TREE TO "k=fail s=fail h=example.com e=sender.example "
     "d=none why=trusted_forwarder/forwarders"},
    {"a-fail-that-no-rule-stops",
     {.zone = REJECT, .from = "example.com"},
     {.fate = FILTERD_ACCEPTED},
     "reject" TREE TO "k=fail s=fail h=example.com e=sender.example "
     "d=none why=local_policy/no%20rule"},
    {"a-refusal-for-other-reasons-is-not-the-policy",
     {.zone = TXT("example.com", "v=DMARC1; p=none;" RUA),
      .from = "example.com"},
     {.fate = FILTERD_REJECTED, .rule = "listed"},
     "none" TREE TO "k=fail s=fail h=example.com e=sender.example d=none"},
    {"the-backend-refuses-what-nobody-stopped",
     {.zone = TXT("example.com", "v=DMARC1; p=quarantine;" RUA),
      .from = "example.com"},
     {.fate = FILTERD_REJECTED, .rule = "-backend"},
     "quarantine" TREE TO "k=fail s=fail h=example.com e=sender.example "
     "d=none why=local_policy/-backend"},
    {"testing-mode-is-the-reason",
     {.zone = TXT("example.com", "v=DMARC1; p=reject; t=y;" RUA),
      .from = "example.com"},
     {.fate = FILTERD_QUARANTINED, .rule = "dmarc", .asked = true},
     "reject adkim=r aspf=r t=y m=treewalk o=example.com " TO
     "k=fail s=fail h=example.com e=sender.example d=quarantine "
     "why=policy_test_mode/t%3Dy"},
    {"a-dns-failure-is-the-reason",
     {.zone = REJECT, .from = "example.com", .spf = "temperror example.com"},
     {.fate = FILTERD_ACCEPTED},
     "reject" TREE TO
     "k=fail s=fail h=example.com e=sender.example spf=example.com/temperror "
     "d=none why=other/a%20DNS%20failure%20left%20it%20undecided"},
    {"what-will-come-again-is-not-counted",
     {.zone = REJECT, .from = "example.com"},
     {.fate = FILTERD_TEMPFAILED, .rule = "later"},
     NULL},
    {"a-subdomain-under-its-organization",
     {.zone = TXT("example.com",
                  "v=DMARC1; p=none; sp=quarantine; np=reject; adkim=s;" RUA
                  "!10m , ftp://x/, nonsense") CHILD,
      .from = "child.example.com"},
     {.fate = FILTERD_QUARANTINED, .rule = "dmarc", .asked = true},
     "none sp=quarantine np=reject adkim=s aspf=r t=n m=treewalk "
     "o=example.com rua=mailto:dmarc@example.com!10m,ftp:%2F%2Fx%2F "
     "ip=192.0.2.1 k=fail s=fail h=child.example.com e=sender.example "
     "d=quarantine"},
    {"signatures-of-the-author-come-first",
     {.zone = REJECT,
      .from = "example.com",
      .dkim = "fail:z.example,pass:y.example,pass:b.example.com,"
              "pass:example.com"},
     {.fate = FILTERD_ACCEPTED},
     "reject" TREE TO
     "k=pass s=fail h=example.com e=sender.example dkim=example.com/s1/pass "
     "dkim=b.example.com/s1/pass dkim=y.example/s1/pass dkim=z.example/s1/fail "
     "d=pass"},
    {"the-older-way",
     {.zone = TXT("example.com", "v=DMARC1; p=reject; pct=0;" RUA),
      .from = "example.com",
      .config = &older},
     {.fate = FILTERD_QUARANTINED, .rule = "dmarc", .asked = true},
     "reject adkim=r aspf=r t=n m=psl o=example.com " TO
     "k=fail s=fail h=example.com e=sender.example d=quarantine "
     "why=other/sampled%20out%20by%20pct"},
    {"nobody-asks", {.zone = EXAMPLE, .from = "example.com"}, {0}, NULL},
    {"no-record", {.zone = "", .from = "example.com"}, {0}, NULL},
    {"only-nonsense-is-asked",
     {.zone = TXT("example.com", "v=DMARC1; p=none; rua=dmarc@example.com"),
      .from = "example.com"},
     {0},
     NULL},
    {"a-broken-policy-with-an-address-is-reported-as-none",
     {.zone = TXT("example.com", "v=DMARC1; p=bogus;" RUA),
      .from = "example.com"},
     {.fate = FILTERD_ACCEPTED},
     "none" TREE TO "k=fail s=fail h=example.com e=sender.example d=none"},
};

static Harness *
run_row(const struct Row *row)
{
    Case test = row->test;
    if (test.config == NULL)
        test.config = &on;
    Harness *harness = evaluate(&test);

    g_assert_cmpuint(harness_store_writes(harness), ==, 0);
    harness_done(harness, &row->outcome);
    return harness;
}

static void
test_row(gconstpointer data)
{
    const struct Row *row = data;
    g_autoptr(Harness) harness = run_row(row);
    g_autofree char *expected =
        row->expected != NULL ? g_strconcat(KEY, row->expected, " = 1", NULL)
                              : g_strdup("");

    g_assert_cmpuint(harness_store_writes(harness), ==,
                     row->expected != NULL ? 1 : 0);
    g_assert_cmpuint(harness_store_reads(harness), ==, 0);
    g_assert_cmpstr(harness_store(harness), ==, expected);
}

/* Without `reports on` nothing is written, and nothing more is asked. */
static void
test_off(void)
{
    struct Row row = rows[0];
    const DmarcConfig off = {0};
    row.test.config = &off;
    g_autoptr(Harness) silent = run_row(&row);
    g_autoptr(Harness) counting = run_row(&rows[0]);

    g_assert_cmpuint(harness_store_writes(silent), ==, 0);
    g_assert_cmpuint(harness_question_count(silent), ==,
                     harness_question_count(counting));
}

static void
again(Harness *harness)
{
    harness_reset(harness);
    harness_run(harness, FILTERD_MESSAGE);
    harness_done(harness, &rows[0].outcome);
}

static void
test_counts(void)
{
    g_autoptr(Harness) harness = run_row(&rows[0]);

    again(harness);
    again(harness);
    g_assert_cmpuint(harness_store_entries(harness), ==, 1);
    g_assert_true(g_str_has_suffix(harness_store(harness), " = 3"));
    harness_advance(harness, INT64_C(16) * 3600 * 1000);
    again(harness);
    g_assert_cmpuint(harness_store_entries(harness), ==, 2);
    g_assert_nonnull(strstr(harness_store(harness), "report 2027-01-16 "));
    harness_advance(harness, INT64_C(8) * 24 * 3600 * 1000);
    again(harness);
    g_assert_cmpuint(harness_store_entries(harness), ==, 3);
}

/* What does not fit into a key has its words beside it, once. */
static void
test_long(void)
{
    struct Row row = rows[0];
    g_autofree char *label = g_strnfill(60, 'l');
    g_autofree char *name =
        g_strdup_printf("%s.%s.%s.example", label, label, label);
    g_autofree char *dkim =
        g_strdup_printf("pass:%s,pass:a.%s,pass:b.%s", name, name, name);
    row.test.dkim = dkim;
    g_autoptr(Harness) harness = run_row(&row);

    g_assert_cmpuint(harness_store_writes(harness), ==, 2);
    again(harness);
    g_assert_cmpuint(harness_store_writes(harness), ==, 1);
    g_auto(GStrv) lines = g_strsplit(harness_store(harness), "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 2);
    g_assert_true(
        g_str_has_prefix(lines[0], "detail 2027-01-15 example.com #"));
    g_assert_nonnull(strstr(lines[0], name));
    g_assert_true(
        g_str_has_prefix(lines[1], "report 2027-01-15 example.com #"));
    g_assert_true(g_str_has_suffix(lines[1], " = 2"));
}

/* A flood of rows ends; the next day begins anew. */
static void
test_limit(void)
{
    Case test = rows[0].test;
    test.config = &on;
    g_autoptr(Harness) harness = evaluate(&test);
    for (unsigned i = 0; i < DMARC_REPORT_ROWS + 2; i++) {
        g_autofree char *sender = g_strdup_printf("s%u.example", i);
        harness_reset(harness);
        harness_set(harness, "mail.domain", sender);
        harness_run(harness, FILTERD_MESSAGE);
        harness_done(harness, &rows[0].outcome);
    }
    g_assert_cmpuint(harness_store_entries(harness), ==, DMARC_REPORT_ROWS);
    g_assert_cmpint(harness_metric(harness, "reports_left_out"), ==, 2);
    harness_advance(harness, INT64_C(24) * 3600 * 1000);
    again(harness);
    g_assert_cmpuint(harness_store_entries(harness), ==, DMARC_REPORT_ROWS + 1);
}

static void
test_store_fails(void)
{
    Case test = rows[0].test;
    test.config = &on;
    g_autoptr(Harness) harness = evaluate(&test);

    harness_store_fails(harness, true);
    harness_done(harness, &rows[0].outcome);
    harness_store_fails(harness, false);
    g_assert_cmpuint(harness_store_entries(harness), ==, 0);
}

static void
test_contact(void)
{
    const DmarcConfig config = {.reports = true};
    g_autofree char *error = harness_start_error(&filterd_plugin, &config);

    g_assert_nonnull(strstr(error, "`report-contact`"));
}

static const struct Difference {
    const char *name;
    Case test;
    int count;
} differences[] = {
    {"the-same", {.zone = EXAMPLE, .from = "a.example.com"}, 0},
    {"a-record-below-and-none-above",
     {.zone = TXT("a.example.com", "v=DMARC1; p=none"),
      .from = "a.example.com"},
     1},
    {"a-public-suffix-that-is-nobody-s-psd",
     {.zone = TXT("github.io", "v=DMARC1; p=none"), .from = "a.github.io"},
     1},
    {"no-record-no-difference", {.zone = "", .from = "a.example.com"}, 0},
    {"the-list-alone",
     {.zone = TXT("a.example.com", "v=DMARC1; p=none"),
      .from = "a.example.com",
      .mode = RFC7489},
     0},
};

static void
test_difference(gconstpointer data)
{
    const struct Difference *difference = data;
    g_autoptr(Harness) harness = evaluate(&difference->test);

    g_assert_cmpint(harness_metric(harness, "organization_differs"), ==,
                    difference->count);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path =
            g_strdup_printf("/dmarc/reporting/%s", rows[i].name);
        g_test_add_data_func(path, &rows[i], test_row);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(differences); i++) {
        g_autofree char *path =
            g_strdup_printf("/dmarc/list-differs/%s", differences[i].name);
        g_test_add_data_func(path, &differences[i], test_difference);
    }
    g_test_add_func("/dmarc/reporting/off-costs-nothing", test_off);
    g_test_add_func("/dmarc/reporting/the-same-row-is-counted", test_counts);
    g_test_add_func("/dmarc/reporting/a-long-row-has-its-words-beside-it",
                    test_long);
    g_test_add_func("/dmarc/reporting/a-day-has-so-many-rows", test_limit);
    g_test_add_func("/dmarc/reporting/a-dead-store-is-borne", test_store_fails);
    g_test_add_func("/dmarc/reporting/there-has-to-be-a-contact", test_contact);
    return g_test_run();
}
