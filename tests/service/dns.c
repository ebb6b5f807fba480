/* dns.c: questions through libunbound to a server that behaves as it likes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/dns.h"

#include "filterd/base/loop.h"
#include "filterd/base/metrics.h"
#include "filterd/service/dns-flight.h"
#include "filterd/service/dns-name.h"
#include "tests/service/server.h"
#include "tests/service/support.h"

#include <string.h>

#define LONG_TEXT 10240
#define TIMEOUT 400
#define ASKERS 100

static char long_text[LONG_TEXT + 1];

static ServerRow rows[] = {
    {"a.example", FILTERD_DNS_A, "192.0.2.1", 300},
    {"a.example", FILTERD_DNS_A, "192.0.2.2", 200},
    {"a.example", FILTERD_DNS_AAAA, "2001:db8::1", 300},
    {"mx.example", FILTERD_DNS_MX, "10 a.example", 300},
    {"nullmx.example", FILTERD_DNS_MX, "0 ", 300},
    {"1.2.0.192.in-addr.arpa", FILTERD_DNS_PTR, "a.example", 300},
    {"5.0.0.127.in-addr.arpa", FILTERD_DNS_PTR, "local.example", 300},
    {"site.test", FILTERD_DNS_A, "192.0.2.7", 300},
    {"bad.example", FILTERD_DNS_A, NULL, 0, SERVER_SERVFAILS},
    {"silent.example", FILTERD_DNS_A, NULL, 0, SERVER_IS_SILENT},
    {"silent2.example", FILTERD_DNS_A, NULL, 0, SERVER_IS_SILENT},
    {"silent3.example", FILTERD_DNS_A, NULL, 0, SERVER_IS_SILENT},
    {"late.example", FILTERD_DNS_A, "192.0.2.6", 300, SERVER_IS_LATE},
    {"cut.example", FILTERD_DNS_TXT, "whole by TCP", 300, SERVER_TRUNCATES},
    {"long.example", FILTERD_DNS_TXT, long_text, 300, SERVER_TRUNCATES},
    {"one.example", SERVER_CNAME, "two.example", 30},
    {"two.example", SERVER_CNAME, "a.example", 60},
    {"dangling.example", SERVER_CNAME, "nowhere.example", 60},
    {"zero.example", FILTERD_DNS_A, "192.0.2.4", 0},
    {"sp ace_-\x01.example", FILTERD_DNS_A, "192.0.2.5", 300},
    {NULL},
};

typedef struct Fixture {
    Server *server;
    DnsBudget budget;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer zones)
{
    loop_init();
    fixture->server = server_new(rows);
    const char *forward[] = {server_address(fixture->server), NULL};
    const FilterdFile file = {"extra.zone", zones,
                              zones != NULL ? strlen(zones) : 0};
    const DnsConfig config = {.forward = forward,
                              .timeout = TIMEOUT,
                              .zones = &file,
                              .n_zones = zones != NULL};
    g_autoptr(GError) error = NULL;
    dns_init(&config, &error);
    g_assert_no_error(error);
    dns_budget_init(&fixture->budget, 20000);
}

static void
tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    dns_budget_clear(&fixture->budget);
    dns_clear();
    server_free(fixture->server);
    fiber_pool_clear();
    loop_clear();
}

typedef struct Ask {
    DnsBudget *budget;
    const char *name;
    FilterdDnsType type;
    const FilterdDnsAnswer *answer;
} Ask;

static void
ask_in_fiber(void *data)
{
    Ask *ask = data;
    ask->answer = dns_query(ask->budget, ask->name, ask->type);
}

static const FilterdDnsAnswer *
ask(DnsBudget *budget, const char *name, FilterdDnsType type)
{
    Ask question = {.budget = budget, .name = name, .type = type};
    support_run(ask_in_fiber, &question);
    return question.answer;
}

/* Another transaction. */
static void
forget(Fixture *fixture)
{
    dns_budget_clear(&fixture->budget);
    dns_budget_init(&fixture->budget, 20000);
}

static void
run_for(int64_t milliseconds)
{
    int64_t end = g_get_monotonic_time() + milliseconds * 1000;
    while (g_get_monotonic_time() < end) {
        loop_turn(FALSE);
        g_usleep(1000);
    }
}

static void
test_answers(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    static const struct {
        const char *name;
        FilterdDnsType type;
        const char *expected;
        uint32_t ttl;
    } cases[] = {
        {"a.example", FILTERD_DNS_A, "answer 192.0.2.1 192.0.2.2", 200},
        {"A.Example.", FILTERD_DNS_AAAA, "answer 2001:db8::1", 300},
        {"mx.example", FILTERD_DNS_MX, "answer 10 a.example", 300},
        {"nullmx.example", FILTERD_DNS_MX, "answer 0 ", 300},
        {"1.2.0.192.in-addr.arpa", FILTERD_DNS_PTR, "answer 0 a.example", 300},
        {"5.0.0.127.in-addr.arpa", FILTERD_DNS_PTR, "answer 0 local.example",
         300},
        {"site.test", FILTERD_DNS_A, "answer 192.0.2.7", 300},
        {"cut.example", FILTERD_DNS_TXT, "answer 'whole by TCP'", 300},
        {"one.example", FILTERD_DNS_A, "answer 192.0.2.1 192.0.2.2", 30},
        {"sp ace_-\x01.example", FILTERD_DNS_A, "answer 192.0.2.5", 300},
        {"dangling.example", FILTERD_DNS_A, "no such name", 60},
        {"a.example", FILTERD_DNS_TXT, "no data", 60},
        {"nowhere.example", FILTERD_DNS_A, "no such name", 60},
        {"bad.example", FILTERD_DNS_A, "servfail", 0},
        {"silent.example", FILTERD_DNS_A, "timeout", 0},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const FilterdDnsAnswer *answer =
            ask(&fixture->budget, cases[i].name, cases[i].type);
        g_autofree char *text = support_answer_format(answer);
        g_test_message("%s", cases[i].name);
        g_assert_cmpstr(text, ==, cases[i].expected);
        g_assert_cmpuint(answer->ttl, <=, cases[i].ttl);
        g_assert_cmpuint(answer->ttl + 2, >=, cases[i].ttl);
        g_assert_false(answer->secure);
    }
    g_assert_cmpuint(fixture->budget.questions, ==, G_N_ELEMENTS(cases));
}

static void
test_long_text(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    const FilterdDnsAnswer *answer =
        ask(&fixture->budget, "long.example", FILTERD_DNS_TXT);
    g_assert_cmpuint(answer->length, ==, 1);
    g_assert_cmpuint(answer->records[0].length, ==, LONG_TEXT);
    g_assert_cmpstr(answer->records[0].bytes, ==, long_text);
}

static void
test_bad_names(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *label = g_strnfill(64, 'a');
    g_autofree char *long_name = g_strnfill(254, 'a');
    for (gsize i = 63; i < 254; i += 64)
        long_name[i] = '.';
    const char *const names[] = {
        "", ".", ".example", "a..example", "a.example..", label, long_name,
    };
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        g_assert_cmpint(ask(&fixture->budget, names[i], FILTERD_DNS_A)->status,
                        ==, FILTERD_DNS_BADNAME);
    g_assert_cmpuint(server_questions(fixture->server, NULL), ==, 0);
    long_name[253] = '\0';
    g_assert_cmpint(ask(&fixture->budget, long_name, FILTERD_DNS_A)->status, ==,
                    FILTERD_DNS_NXDOMAIN);
    g_assert_cmpint(ask(&fixture->budget, label + 1, FILTERD_DNS_A)->status, ==,
                    FILTERD_DNS_NXDOMAIN);
}

static void
test_single_flight(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    Ask asks[ASKERS];
    void *pointers[ASKERS];
    DnsBudget budgets[ASKERS];
    for (int i = 0; i < ASKERS; i++) {
        dns_budget_init(&budgets[i], 10000);
        asks[i] = (Ask){&budgets[i], "zero.example", FILTERD_DNS_A, NULL};
        pointers[i] = &asks[i];
    }
    support_run_many(ask_in_fiber, pointers, ASKERS);
    for (int i = 0; i < ASKERS; i++) {
        g_assert_cmpint(asks[i].answer->status, ==, FILTERD_DNS_ANSWER);
        dns_budget_clear(&budgets[i]);
    }
    g_assert_cmpuint(server_questions(fixture->server, "zero.example"), ==, 1);
}

/* libunbound would make them one question to the server, too. */
static void
test_flights(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    const char *forward[] = {server_address(fixture->server), NULL};
    const DnsConfig config = {.forward = forward};
    DnsResolver *resolver = dns_resolver_new(&config, NULL);
    DnsCache *cache = dns_cache_new(0);
    DnsFlights *flights = dns_flights_new(resolver, cache, TIMEOUT);
    char key[DNS_KEY_SIZE];
    dns_key_init(key, "silent.example", FILTERD_DNS_A);
    dns_flights_start(flights, key);
    dns_flights_start(flights, key);
    g_assert_cmpuint(dns_flights_open(flights), ==, 1);
    dns_key_init(key, "a.example", FILTERD_DNS_A);
    dns_flights_start(flights, key);
    g_assert_cmpuint(dns_flights_open(flights), ==, 2);
    while (dns_flights_open(flights) == 2)
        run_for(10);
    g_assert_cmpuint(dns_flights_open(flights), ==, 1);
    g_assert_true(dns_cache_has(cache, key));
    run_for(TIMEOUT);
    g_assert_cmpuint(dns_flights_open(flights), ==, 0);
    dns_flights_start(flights, key);
    dns_flights_free(flights);
    dns_resolver_free(resolver);
    dns_cache_free(cache);
}

static void
test_cache(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const names[] = {"a.example", "nowhere.example"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        const FilterdDnsAnswer *first =
            ask(&fixture->budget, names[i], FILTERD_DNS_A);
        g_assert_true(ask(&fixture->budget, names[i], FILTERD_DNS_A) == first);
        FilterdDnsStatus status = first->status;
        forget(fixture);
        fixture->budget.left = 0;
        g_assert_cmpint(ask(&fixture->budget, names[i], FILTERD_DNS_A)->status,
                        ==, status);
        forget(fixture);
        g_assert_cmpuint(server_questions(fixture->server, names[i]), ==, 1);
    }
}

static void
test_ttl_zero_is_used_once(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    for (unsigned i = 1; i <= 3; i++) {
        ask(&fixture->budget, "zero.example", FILTERD_DNS_A);
        g_assert_cmpuint(server_questions(fixture->server, "zero.example"), ==,
                         i);
        forget(fixture);
    }
}

static void
test_prefetch(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const names[] = {"a.example", "zero.example"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        dns_prefetch(&fixture->budget, names[i], FILTERD_DNS_A);
        dns_prefetch(&fixture->budget, names[i], FILTERD_DNS_A);
        run_for(50);
        dns_prefetch(&fixture->budget, names[i], FILTERD_DNS_A);
        run_for(50);
        fixture->budget.left = 0;
        g_assert_cmpint(ask(&fixture->budget, names[i], FILTERD_DNS_A)->status,
                        ==, FILTERD_DNS_ANSWER);
        g_assert_cmpuint(server_questions(fixture->server, names[i]), ==, 1);
        forget(fixture);
    }
    ask(&fixture->budget, "zero.example", FILTERD_DNS_A);
    g_assert_cmpuint(server_questions(fixture->server, "zero.example"), ==, 2);
}

static void
test_timeout(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    int64_t start = g_get_monotonic_time() / 1000;
    ask(&fixture->budget, "silent.example", FILTERD_DNS_A);
    int64_t took = g_get_monotonic_time() / 1000 - start;
    g_assert_cmpint(took, >=, TIMEOUT - 20);
    g_assert_cmpint(took, <, TIMEOUT + 1000);
    g_assert_cmpint(fixture->budget.left, <=, 20000 - TIMEOUT + 20);
}

static void
test_budget(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    int64_t start = g_get_monotonic_time() / 1000;
    fixture->budget.left = 100;
    g_assert_cmpint(
        ask(&fixture->budget, "silent.example", FILTERD_DNS_A)->status, ==,
        FILTERD_DNS_TIMEOUT);
    g_assert_cmpint(g_get_monotonic_time() / 1000 - start, <, TIMEOUT);
    g_assert_cmpint(fixture->budget.left, ==, 0);
    g_assert_cmpint(ask(&fixture->budget, "a.example", FILTERD_DNS_A)->status,
                    ==, FILTERD_DNS_TIMEOUT);
    run_for(30);
    g_assert_cmpuint(server_questions(fixture->server, "a.example"), ==, 0);
}

static void
test_cancel(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    Ask question = {&fixture->budget, "silent.example", FILTERD_DNS_A, NULL};
    Fiber *fiber = fiber_start("test", ask_in_fiber, &question);
    run_for(30);
    g_assert_false(fiber_ended(fiber));
    fiber_cancel(fiber);
    run_for(10);
    g_assert_true(fiber_ended(fiber));
    fiber_join(fiber);
    g_assert_cmpint(question.answer->status, ==, FILTERD_DNS_CANCELLED);
    g_assert_null(fixture->budget.answers);
    /* Its flight ends by itself. */
    run_for(TIMEOUT + 50);
}

static const char *const silent[] = {"silent.example", "silent2.example",
                                     "silent3.example"};

/* The one resolver of a site must not be given up for names that a stranger
 * chose. */
static void
test_silence_harms_no_other(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    for (gsize i = 0; i < G_N_ELEMENTS(silent); i++) {
        dns_prefetch(&fixture->budget, silent[i], FILTERD_DNS_A);
        run_for(600);
    }
    for (int i = 0; i < 20; i++) {
        g_autofree char *name = g_strdup_printf("nowhere%d.example", i);
        g_assert_cmpint(ask(&fixture->budget, name, FILTERD_DNS_A)->status, ==,
                        FILTERD_DNS_NXDOMAIN);
        run_for(50);
    }
}

/* Though all other answers come at once. */
static void
test_late_answer(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    for (int i = 0; i < 8; i++) {
        g_autofree char *name = g_strdup_printf("nowhere%d.example", i);
        ask(&fixture->budget, name, FILTERD_DNS_A);
    }
    g_assert_cmpint(
        ask(&fixture->budget, "late.example", FILTERD_DNS_A)->status, ==,
        FILTERD_DNS_ANSWER);
    g_assert_cmpuint(server_questions(fixture->server, "late.example"), ==, 1);
}

/* They fail together, whoever is asked for first. */
static void
test_prefetched_silence(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    int64_t start = g_get_monotonic_time() / 1000;
    for (gsize i = 0; i < G_N_ELEMENTS(silent); i++)
        dns_prefetch(&fixture->budget, silent[i], FILTERD_DNS_A);
    for (gsize i = 0; i < G_N_ELEMENTS(silent); i++)
        g_assert_cmpint(ask(&fixture->budget, silent[i], FILTERD_DNS_A)->status,
                        ==, FILTERD_DNS_TIMEOUT);
    g_assert_cmpint(g_get_monotonic_time() / 1000 - start, <, 2 * TIMEOUT);
}

static const char local_zone[] = "alias.local. CNAME a.example.\n"
                                 "a.example. TXT \"local\"\n";

static void
test_local_cname_to_the_world(Fixture *fixture,
                              gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *local = support_answer_format(
        ask(&fixture->budget, "a.example", FILTERD_DNS_TXT));
    g_assert_cmpstr(local, ==, "answer 'local'");
    g_autofree char *alias = support_answer_format(
        ask(&fixture->budget, "mx.example", FILTERD_DNS_MX));
    g_assert_cmpstr(alias, ==, "answer 10 a.example");
    g_assert_cmpint(ask(&fixture->budget, "other.local", FILTERD_DNS_A)->status,
                    ==, FILTERD_DNS_NXDOMAIN);
    g_assert_cmpuint(server_questions(fixture->server, "other.local"), ==, 1);
    /* What the file says of a.example is all there is. */
    g_assert_cmpint(ask(&fixture->budget, "alias.local", FILTERD_DNS_A)->status,
                    ==, FILTERD_DNS_NODATA);
}

static const char alias_zone[] = "alias.local. CNAME mx.example.\n";

static void
test_local_cname_leads_out(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *text = support_answer_format(
        ask(&fixture->budget, "alias.local", FILTERD_DNS_MX));
    g_assert_cmpstr(text, ==, "answer 10 a.example");
    g_assert_cmpuint(server_questions(fixture->server, "alias.local"), ==, 0);
}

static void
test_bad_configuration(void)
{
    static const char *const forward[] = {"nonsense", NULL};
    const FilterdFile anchor = {"anchor", "; one\n\nnonsense\n", 16};
    const DnsConfig configs[] = {
        {.forward = forward, .timeout = 1},
        {.recursive = TRUE, .anchors = &anchor, .n_anchors = 1, .timeout = 1},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(configs); i++) {
        g_autoptr(GError) error = NULL;
        loop_init();
        g_assert_false(dns_init(&configs[i], &error));
        g_assert_nonnull(error);
        g_test_message("%s", error->message);
        loop_clear();
    }
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*run)(Fixture *fixture, gconstpointer data);
        const char *zones;
    } tests[] = {
        {"/service/dns/answers-have-their-status-and-ttl", test_answers},
        {"/service/dns/ten-kilobytes-come-by-tcp", test_long_text},
        {"/service/dns/impossible-names-are-not-asked", test_bad_names},
        {"/service/dns/a-hundred-askers-are-one-flight", test_single_flight},
        {"/service/dns/a-flight-ends-with-its-answer-or-its-time",
         test_flights},
        {"/service/dns/answers-and-absences-are-cached", test_cache},
        {"/service/dns/ttl-zero-is-used-once", test_ttl_zero_is_used_once},
        {"/service/dns/a-prefetched-answer-waits", test_prefetch},
        {"/service/dns/a-silent-server-is-a-timeout", test_timeout},
        {"/service/dns/a-spent-budget-is-a-timeout", test_budget},
        {"/service/dns/a-cancelled-asker-leaves-at-once", test_cancel},
        {"/service/dns/silence-about-one-name-harms-no-other",
         test_silence_harms_no_other},
        {"/service/dns/a-late-answer-counts-until-the-timeout",
         test_late_answer},
        {"/service/dns/prefetched-names-fail-together",
         test_prefetched_silence},
        {"/service/dns/local-data-comes-first", test_local_cname_to_the_world,
         local_zone},
        {"/service/dns/a-local-cname-may-lead-out", test_local_cname_leads_out,
         alias_zone},
    };
    g_test_init(&argc, &argv, NULL);
    metrics_init(1);
    metrics_use_row(0);
    memset(long_text, 'x', LONG_TEXT);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, Fixture, tests[i].zones, set_up, tests[i].run,
                   tear_down);
    g_test_add_func("/service/dns/a-bad-configuration-is-an-error",
                    test_bad_configuration);
    return g_test_run();
}
