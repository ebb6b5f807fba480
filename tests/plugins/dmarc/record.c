/* record.c: the parser of DMARC Policy Records (RFC 9989 4.7, 4.8).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dmarc/record.h"

#include <glib.h>
#include <string.h>

/* expected: p sp np adkim aspf t psd rua pct, "?" where a policy is broken, "-"
 * where it is absent; NULL: no DMARC record. */
typedef struct Case {
    const char *name;
    const char *record;
    const char *expected;
} Case;

#define DEFAULTS " - - r r n u n 100"

static const Case cases[] = {
    {"version-alone", "v=DMARC1", "-" DEFAULTS},
    {"version-and-separator", "v=DMARC1;", "-" DEFAULTS},
    {"white-space-within", "v \t=\t DMARC1 \t;\t p\t=\treject \t",
     "reject" DEFAULTS},
    {"white-space-before", " v=DMARC1; p=reject", NULL},
    {"empty", "", NULL},
    {"version-not-first", "p=reject; v=DMARC1", NULL},
    {"version-missing", "p=reject", NULL},
    {"version-in-lower-case", "v=dmarc1; p=reject", NULL},
    {"version-name-in-upper-case", "V=DMARC1; p=reject", "reject" DEFAULTS},
    {"version-with-a-tail", "v=DMARC1x; p=reject", NULL},
    {"version-2", "v=DMARC2; p=reject", NULL},
    {"version-cut", "v=DMARC", NULL},
    {"version-without-separator", "v=DMARC1 p=reject", NULL},
    {"a-separator-first", ";v=DMARC1; p=reject", NULL},
    {"spf", "v=spf1 -all", NULL},
    {"each-policy", "v=DMARC1; p=none; sp=quarantine; np=reject",
     "none quarantine reject r r n u n 100"},
    {"values-in-upper-case", "v=DMARC1; p=REJECT; adkim=S; t=Y; psd=N",
     "reject - - s r y n n 100"},
    {"a-policy-cut", "v=DMARC1; p=r", "?" DEFAULTS},
    {"a-policy-with-a-tail", "v=DMARC1; p=rejected", "?" DEFAULTS},
    {"an-empty-policy", "v=DMARC1; p=; sp=none", "? none - r r n u n 100"},
    {"p-need-not-be-second", "v=DMARC1; aspf=s; p=reject",
     "reject - - r s n u n 100"},
    {"unknown-tags", "v=DMARC1; p=reject; x=1; rf=iodef; ri=9; fo=1",
     "reject" DEFAULTS},
    {"broken-tags-fall-back",
     "v=DMARC1; p=reject; adkim=x; aspf=strict; t=yes; psd=1; pct=abc",
     "reject" DEFAULTS},
    {"rubbish-between", "v=DMARC1;; ; =; p; p=reject; =x;;", "reject" DEFAULTS},
    {"an-octet-of-8-bits", "v=DMARC1; p=reject\xff", "?" DEFAULTS},
    {"the-same-twice", "v=DMARC1; p=reject; p=reject", "reject" DEFAULTS},
    {"a-contradiction", "v=DMARC1; p=reject; p=none", "?" DEFAULTS},
    {"a-contradicted-mode", "v=DMARC1; p=none; aspf=s; aspf=r",
     "none" DEFAULTS},
    {"everything",
     "v=DMARC1;p=quarantine;sp=none;np=reject;adkim=s;aspf=s;t=y;psd=y;"
     "rua=mailto:a@example.com;pct=50",
     "quarantine none reject s s y y y 50"},
    {"pct-limits", "v=DMARC1; p=none; pct=101", "none" DEFAULTS},
    {"pct-zero", "v=DMARC1; p=none; pct=0", "none - - r r n u n 0"},
    {"pct-negative", "v=DMARC1; p=none; pct=-1", "none" DEFAULTS},
    {"pct-huge", "v=DMARC1; p=none; pct=4294967297", "none" DEFAULTS},
    {NULL},
};

static const struct {
    const char *list;
    gboolean valid;
} addresses[] = {
    {"mailto:a@example.com", TRUE},
    {"MAILTO:a@example.com", TRUE},
    {"mailto:a@example.com!10m", TRUE},
    {"mailto:a@example.com!10", TRUE},
    {"mailto:a%2Cb@example.com", TRUE},
    {"https://example.com/report?x=1", TRUE},
    {"nonsense, mailto:a@example.com", TRUE},
    {" , ,mailto:a@example.com", TRUE},
    {"a@example.com", FALSE},
    {"mailto:", FALSE},
    {"mailto:example.com", FALSE},
    {"mailto:@example.com", FALSE},
    {"mailto:a@", FALSE},
    {"mailto:a@example.com!", FALSE},
    {"mailto:a@example.com!10x", FALSE},
    {"mailto:a!b@example.com", FALSE},
    {"mailto:a b@example.com", FALSE},
    {"mailto:a@example.com%", FALSE},
    {"mailto:a@example.com%2", FALSE},
    {"mailto:a%zz@example.com", FALSE},
    {":a@example.com", FALSE},
    {"1a:a@example.com", FALSE},
    {"!10m", FALSE},
    {"", FALSE},
};

static const char *
policy_text(int policy)
{
    return policy <= DMARC_REJECT    ? dmarc_policy_words[policy]
           : policy == DMARC_INVALID ? "?"
                                     : "-";
}

static char *
summary(const DmarcRecord *record)
{
    return g_strdup_printf("%s %s %s %c %c %c %c %c %d", policy_text(record->p),
                           policy_text(record->sp), policy_text(record->np),
                           "rs"[record->adkim], "rs"[record->aspf],
                           "ny"[record->testing], "uny"[record->psd],
                           "ny"[record->reports], record -> percent);
}

/* Parses a heap copy without a NUL, so that ASan sees each octet too many. */
static gboolean
parse(const char *text, size_t length, DmarcRecord *record)
{
    g_autofree char *copy = g_memdup2(text, length);

    return dmarc_record_parse(copy, length, record);
}

static void
test_case(gconstpointer data)
{
    const Case *test = data;
    DmarcRecord record;
    gboolean found = parse(test->record, strlen(test->record), &record);
    g_autofree char *got = found ? summary(&record) : NULL;

    g_assert_cmpstr(got, ==, test->expected);
}

static void
test_addresses(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++) {
        g_autofree char *text =
            g_strdup_printf("v=DMARC1; rua=%s; p=none", addresses[i].list);
        DmarcRecord record = {0};

        g_assert_true(parse(text, strlen(text), &record));
        if (record.reports != addresses[i].valid)
            g_test_fail_printf("rua=%s", addresses[i].list);
    }
}

static void
test_a_nul_ends_nothing(void)
{
    static const char text[] = "v=DMARC1\0; p=reject";
    static const char inside[] = "v=DMARC1; p=reject\0; sp=none";
    DmarcRecord record;

    g_assert_false(parse(text, sizeof text - 1, &record));
    g_assert_true(parse(inside, sizeof inside - 1, &record));
    g_assert_cmpint(record.p, ==, DMARC_INVALID);
    g_assert_cmpint(record.sp, ==, DMARC_NONE);
}

static void
test_limits(void)
{
    g_autoptr(GString) tags = g_string_new("v=DMARC1; rua=");
    DmarcRecord record;

    for (unsigned i = 0; i < DMARC_URI_LIMIT; i++)
        g_string_append(tags, "x,");
    g_string_append(tags, "mailto:a@example.com");
    g_assert_true(parse(tags->str, tags->len, &record));
    g_assert_false(record.reports);
    g_string_assign(tags, "v=DMARC1; p=reject");
    while (tags->len < DMARC_RECORD_LIMIT)
        g_string_append_c(tags, ';');
    g_assert_true(parse(tags->str, tags->len, &record));
    g_assert_cmpint(record.p, ==, DMARC_REJECT);
    g_string_append_c(tags, ';');
    g_assert_false(parse(tags->str, tags->len, &record));
}

static void
test_every_cut_is_read_within_bounds(void)
{
    for (const Case *test = cases; test->name != NULL; test++) {
        for (size_t length = 0; length <= strlen(test->record); length++) {
            DmarcRecord record;

            if (parse(test->record, length, &record))
                g_assert_cmpint(length, >=, strlen("v=DMARC1"));
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    for (const Case *test = cases; test->name != NULL; test++) {
        g_autofree char *path = g_strdup_printf("/dmarc/record/%s", test->name);

        g_test_add_data_func(path, test, test_case);
    }
    g_test_add_func("/dmarc/record/addresses-of-reports", test_addresses);
    g_test_add_func("/dmarc/record/a-nul-ends-nothing",
                    test_a_nul_ends_nothing);
    g_test_add_func("/dmarc/record/limits-hold", test_limits);
    g_test_add_func("/dmarc/record/every-cut-is-read-within-bounds",
                    test_every_cut_is_read_within_bounds);
    return g_test_run();
}
