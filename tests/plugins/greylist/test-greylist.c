/* test-greylist.c: who is new, too early, back in time, or known.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/greylist/config.h"
#include "plugins/greylist/key.h"
#include <filterd/harness.h>

#include <string.h>

#define S INT64_C(1000)
#define M (60 * S)
#define H (60 * M)
#define D (24 * H)

static const int all_keys[] = {RUNG_DOMAIN, RUNG_NAME, RUNG_NETWORK};

#define CONFIG(whites, form, ...)                                            \
    {                                                                        \
        .delay = 5 * M, .window = 2 * D, .lifetime = 36 * D,                 \
        .white_after = (whites), .white_lifetime = 36 * D, .sender = (form), \
        __VA_ARGS__                                                          \
    }

#define LADDER                          \
    .network_v4 = 24, .network_v6 = 64, \
    .keys = {all_keys, G_N_ELEMENTS(all_keys)}

static const Config usual = CONFIG(0, SENDER_NORMALIZED, LADDER);

static const Config by_domain = CONFIG(0, SENDER_DOMAIN, LADDER);
static const Config by_host =
    CONFIG(0, SENDER_NORMALIZED, .keys = {all_keys, 1}, .network_v4 = 32,
           .network_v6 = 48);

/* One try, so long after the one before. */
typedef struct Step {
    int64_t after;
    const char *client, *sender, *recipient; /* NULL: as before */
    const char *state, *wait;
    const char *domain; /* SPF pass */
    const char *name;   /* confirmed */
    const char *key;
    gboolean same; /* the next recipient of the same transaction */
} Step;

static Harness *
greylist_new(const Config *config)
{
    Harness *harness = harness_new(&filterd_plugin, config);

    harness_set(harness, "client.ip", "198.51.100.9");
    harness_set(harness, "mail.from", "a@example.org");
    harness_set(harness, "rcpt.to", "b@example.com");
    return harness;
}

static void
step_run(Harness *harness, const Step *step)
{
    harness_advance(harness, step->after);
    if (!step->same)
        harness_reset(harness);
    if (step->client != NULL)
        harness_set(harness, "client.ip", step->client);
    if (step->sender != NULL)
        harness_set(harness, "mail.from", step->sender);
    if (step->recipient != NULL)
        harness_set(harness, "rcpt.to", step->recipient);
    harness_set(harness, "spf.result", step->domain ? "pass" : NULL);
    harness_set(harness, "spf.domain", step->domain);
    harness_set(harness, "client.name", step->name);
    harness_set(harness, "client.fcrdns", step->name ? "yes" : "no");
    harness_run(harness, FILTERD_RCPT);
    g_assert_cmpstr(harness_fact(harness, "state"), ==, step->state);
    g_assert_cmpstr(harness_fact(harness, "wait"), ==, step->wait);
    if (step->key != NULL)
        g_assert_cmpstr(harness_fact(harness, "key"), ==, step->key);
}

static void
steps_run(const Config *config, const Step *steps)
{
    g_autoptr(Harness) harness = greylist_new(config);

    for (gsize i = 0; steps[i].state != NULL; i++) {
        g_test_message("step %zu", i);
        step_run(harness, &steps[i]);
    }
}

/* ---- time --------------------------------------------------------------- */

static const Step patient[] = {
    {0, .state = "new", .wait = "5m"},
    {1 * S, .state = "early", .wait = "4m59s"},
    {M - S, .state = "early", .wait = "4m"},
    {4 * M - 1, .state = "early", .wait = "1s"},
    {1, .state = "passed", .wait = "0s"},
    {0, .state = "known", .wait = "0s"},
    {35 * D, .state = "known", .wait = "0s"},
    {35 * D, .state = "known", .wait = "0s"},
    {36 * D, .state = "new", .wait = "5m"},
    {0},
};

static const Step late[] = {
    {0, .state = "new", .wait = "5m"},
    {2 * D, .state = "new", .wait = "5m"},
    {1 * M, .state = "early", .wait = "4m"},
    {2 * D - 1 * M - 1, .state = "passed", .wait = "0s"},
    {0},
};

static const Step retries_do_not_prolong[] = {
    {0, .state = "new", .wait = "5m"},
    {2 * M, .state = "early", .wait = "3m"},
    {2 * M, .state = "early", .wait = "1m"},
    {1 * M, .state = "passed", .wait = "0s"},
    {0},
};

static const Step daily[] = {
    {0, .state = "new", .wait = "5m"},
    {5 * M, .state = "passed", .wait = "0s"},
    {20 * D, .state = "known", .wait = "0s"},
    {20 * D, .state = "known", .wait = "0s"},
    {23 * H, .state = "known", .wait = "0s"},
    {35 * D, .state = "known", .wait = "0s"},
    {0},
};

static const Step clock_back[] = {
    {0, .state = "new", .wait = "5m"},
    {-100 * D, .state = "early", .wait = "5m"},
    {4 * M, .state = "early", .wait = "1m"},
    {1 * M, .state = "passed", .wait = "0s"},
    {-100 * D, .state = "known", .wait = "0s"},
    {35 * D, .state = "known", .wait = "0s"},
    {36 * D, .state = "new", .wait = "5m"},
    {0},
};

/* ---- who ---------------------------------------------------------------- */

static const Step clock_forward[] = {
    {0, .state = "new", .wait = "5m"},
    {D, .state = "passed", .wait = "0s"},
    {-D, .state = "known", .wait = "0s"},
    {0, NULL, "b@example.org", NULL, "new", "5m"},
    {100 * D, NULL, "b@example.org", NULL, "new", "5m"},
    {-100 * D, NULL, "b@example.org", NULL, "early", "5m"},
    {5 * M, NULL, "b@example.org", NULL, "passed", "0s"},
    {0},
};

static const Step networks[] = {
    {0, "198.51.100.9", NULL, NULL, "new", "5m"},
    {M, "198.51.100.200", NULL, NULL, "early", "4m"},
    {0, "198.51.101.9", NULL, NULL, "new", "5m"},
    {0, "2001:db8:1:2::1", NULL, NULL, "new", "5m"},
    {M, "2001:db8:1:2:ffff::1", NULL, NULL, "early", "4m"},
    {0, "2001:db8:1:3::1", NULL, NULL, "new", "5m"},
    {0, "::c633:6409", NULL, NULL, "new", "5m"},
    {0},
};

static const Step triplets[] = {
    {0, NULL, "a@example.org", "b@example.com", "new", "5m"},
    {M, NULL, "A@Example.ORG", "B@example.com", "early", "4m"},
    {0, NULL, "", "b@example.com", "new", "5m"},
    {0, NULL, "a@example.org", "c@example.com", "new", "5m"},
    {0, NULL, "c@example.org", "b@example.com", "new", "5m"},
    {0},
};

static const Step domains[] = {
    {0, "198.51.100.9", NULL, NULL, "new", "5m", "example.org"},
    {M, "203.0.113.7", NULL, NULL, "early", "4m", "example.org"},
    {0, "203.0.113.7", NULL, NULL, "new", "5m", "example.net"},
    {0, "203.0.113.7", NULL, NULL, "new", "5m", NULL},
    {4 * M, "2001:db8::1", NULL, NULL, "passed", "0s", "example.org"},
    {0},
};

static const Step organizations[] = {
    {0, "198.51.100.9", NULL, NULL, "new", "5m", "a.mail.example.co.uk",
     .key = "domain"},
    {M, "203.0.113.7", NULL, NULL, "early", "4m", "b.example.co.uk",
     .key = "domain"},
    {0, "203.0.113.7", NULL, NULL, "new", "5m", "example2.co.uk"},
    {0, "203.0.113.7", NULL, NULL, "new", "5m", "co.uk"},
    {0, "203.0.113.7", NULL, NULL, "new", "5m", "other.co.uk"},
    {0},
};

static const Step names[] = {
    {0, "198.51.100.9", NULL, NULL, "new", "5m", NULL, "out1.example.com",
     "name"},
    {M, "203.0.113.7", NULL, NULL, "early", "4m", NULL, "out2.example.com",
     "name"},
    {0, "203.0.113.7", NULL, NULL, "new", "5m", NULL, NULL, "network"},
    {0, "203.0.113.7", NULL, NULL, "new", "5m", "example.com",
     "out2.example.com", "domain"},
    {4 * M, "192.0.2.1", NULL, NULL, "passed", "0s", NULL, "mx.example.com",
     "name"},
    {0},
};

/* What one customer of a provider is known for is not the next one's. */
static const Step provider[] = {
    {0, "198.51.100.9", "1@example.org", NULL, "new", "5m", NULL,
     "a.dyn.example.net"},
    {5 * M, NULL, "1@example.org", NULL, "passed", "0s", NULL,
     "a.dyn.example.net"},
    {0, NULL, "2@example.org", NULL, "new", "5m", NULL, "a.dyn.example.net"},
    {5 * M, NULL, "2@example.org", NULL, "passed", "0s", NULL,
     "a.dyn.example.net"},
    {0, "203.0.113.7", "3@example.org", NULL, "new", "5m", NULL,
     "b.dyn.example.net"},
    {0, "198.51.100.77", "4@example.org", NULL, "known", "0s", NULL,
     "c.dyn.example.net"},
    {0},
};

/* To be the reverse-path of a domain that is known is nothing. */
static const Step spoofed[] = {
    {0, "198.51.100.9", "1@example.org", NULL, "new", "5m", "example.org"},
    {0, NULL, "2@example.org", NULL, "new", "5m", "example.org"},
    {5 * M, NULL, "1@example.org", NULL, "passed", "0s", "example.org"},
    {0, NULL, "2@example.org", NULL, "passed", "0s", "example.org"},
    {0, NULL, "3@example.org", NULL, "known", "0s", "example.org"},
    {0, "203.0.113.7", "1@example.org", NULL, "new", "5m", NULL},
    {0},
};

static const Step bounces[] = {
    {0, NULL, "", "b@example.com", "new", "5m"},
    {M, NULL, "", "c@example.com", "new", "5m"},
    {0, "203.0.113.7", "", "b@example.com", "new", "5m"},
    {4 * M, "198.51.100.1", "", "b@example.com", "passed", "0s"},
    {0, "198.51.100.1", "", "b@example.com", "new", "5m", "example.org"},
    {0},
};

static const Step verp[] = {
    {0, NULL, "bounce-1234-abc77@example.org", NULL, "new", "5m"},
    {5 * M, NULL, "bounce-1235-zz9@example.org", NULL, "passed", "0s"},
    {0, NULL, "bounce-1235-zz9@mail.example.org", NULL, "new", "5m"},
    {0},
};

static const Step domain_only[] = {
    {0, NULL, "a@example.org", NULL, "new", "5m"},
    {5 * M, NULL, "b@example.org", NULL, "passed", "0s"},
    {0, NULL, "b@example.net", NULL, "new", "5m"},
    {0},
};

static const Step narrow[] = {
    {0, "198.51.100.9", NULL, NULL, "new", "5m", NULL, "a.example.com",
     "network"},
    {M, "198.51.100.8", NULL, NULL, "new", "5m", NULL, "a.example.com",
     "network"},
    {0, "2001:db8:1:2::1", NULL, NULL, "new", "5m"},
    {M, "2001:db8:1:ffff::1", NULL, NULL, "early", "4m"},
    {0, "2001:db8:2:2::1", NULL, NULL, "new", "5m"},
    {0},
};

static const Step nobody[] = {
    {0, .state = "new", .wait = "5m"},
    {0},
};

/* ---- automatic white list ----------------------------------------------- */

static const Config exact = CONFIG(0, SENDER_EXACT, LADDER);
static const Config twice = CONFIG(2, SENDER_EXACT, LADDER);

static const Step whitelist[] = {
    {0, NULL, "1@example.org", NULL, "new", "5m"},
    {5 * M, NULL, "1@example.org", NULL, "passed", "0s"},
    {0, NULL, "1@example.org", NULL, "known", "0s"},
    {0, NULL, "2@example.org", NULL, "new", "5m"},
    {5 * M, NULL, "2@example.org", NULL, "passed", "0s"},
    {0, NULL, "3@example.org", NULL, "known", "0s"},
    {35 * D, NULL, "4@example.org", NULL, "known", "0s"},
    {35 * D, NULL, "5@example.org", NULL, "known", "0s"},
    {0, "203.0.113.7", "6@example.org", NULL, "new", "5m"},
    {0, "198.51.100.200", "6@example.org", NULL, "known", "0s"},
    {36 * D, NULL, "7@example.org", NULL, "new", "5m"},
    {0},
};

static const Step whitelist_by_domain[] = {
    {0, NULL, "1@example.org", NULL, "new", "5m", "example.org"},
    {0, NULL, "2@example.org", NULL, "new", "5m", "example.org"},
    {5 * M, NULL, "1@example.org", NULL, "passed", "0s", "example.org"},
    {0, NULL, "2@example.org", NULL, "passed", "0s", "example.org"},
    {0, "203.0.113.7", "3@example.org", NULL, "known", "0s", "example.org"},
    {0, "203.0.113.7", "3@example.org", NULL, "new", "5m", NULL},
    {0, "203.0.113.7", "3@example.org", NULL, "new", "5m", "example.net"},
    {0},
};

static const Step whitelist_clock_back[] = {
    {0, NULL, "1@example.org", NULL, "new", "5m"},
    {0, NULL, "2@example.org", NULL, "new", "5m"},
    {5 * M, NULL, "1@example.org", NULL, "passed", "0s"},
    {0, NULL, "2@example.org", NULL, "passed", "0s"},
    {-100 * D, NULL, "3@example.org", NULL, "known", "0s"},
    {35 * D, NULL, "4@example.org", NULL, "known", "0s"},
    {0},
};

/* A transaction is one pass. */
static const Step many_recipients[] = {
    {0, NULL, NULL, "1@example.com", "new", "5m"},
    {0, NULL, NULL, "2@example.com", "new", "5m", .same = TRUE},
    {0, NULL, NULL, "3@example.com", "new", "5m", .same = TRUE},
    {5 * M, NULL, NULL, "1@example.com", "passed", "0s"},
    {0, NULL, NULL, "2@example.com", "passed", "0s", .same = TRUE},
    {0, NULL, NULL, "3@example.com", "passed", "0s", .same = TRUE},
    {0, NULL, NULL, "4@example.com", "new", "5m", .same = TRUE},
    {0, NULL, NULL, "5@example.com", "new", "5m"},
    {5 * M, NULL, NULL, "4@example.com", "passed", "0s"},
    {0, NULL, NULL, "6@example.com", "known", "0s"},
    {0},
};

static const Step no_whitelist[] = {
    {0, NULL, "1@example.org", NULL, "new", "5m"},
    {0, NULL, "2@example.org", NULL, "new", "5m"},
    {5 * M, NULL, "1@example.org", NULL, "passed", "0s"},
    {0, NULL, "2@example.org", NULL, "passed", "0s"},
    {0, NULL, "3@example.org", NULL, "new", "5m"},
    {0},
};

static const struct {
    const char *name;
    const Config *config;
    const Step *steps;
} scripts[] = {
    {"a-patient-sender-passes-and-stays-known", &usual, patient},
    {"past-the-window-is-new-again", &usual, late},
    {"early-retries-do-not-prolong-the-wait", &usual, retries_do_not_prolong},
    {"mail-prolongs-the-lifetime", &usual, daily},
    {"a-clock-set-back-locks-nobody-out", &usual, clock_back},
    {"a-clock-set-forward-and-back-locks-nobody-out", &usual, clock_forward},
    {"what-spf-passes-is-one-client-by-organization", &usual, organizations},
    {"a-pool-with-confirmed-names-is-one-client", &usual, names},
    {"a-provider-s-name-is-on-no-white-list", &twice, provider},
    {"a-spoofed-reverse-path-gains-nothing", &twice, spoofed},
    {"bounces-are-told-apart-by-client-and-recipient", &usual, bounces},
    {"a-reverse-path-of-each-message-is-one-sender", &usual, verp},
    {"sender-domain-counts-the-domain-alone", &by_domain, domain_only},
    {"keys-and-widths-of-networks-are-options", &by_host, narrow},
    {"a-transaction-is-one-pass", &twice, many_recipients},
    {"a-network-is-one-client", &usual, networks},
    {"sender-and-recipient-count-without-case", &usual, triplets},
    {"a-domain-that-passes-spf-is-one-client", &usual, domains},
    {"a-first-try-is-new", &usual, nobody},
    {"after-so-many-passes-the-network-is-known", &twice, whitelist},
    {"after-so-many-passes-the-domain-is-known", &twice, whitelist_by_domain},
    {"a-clock-set-back-keeps-the-white-list", &twice, whitelist_clock_back},
    {"without-the-option-no-client-is-known", &exact, no_whitelist},
};

static void
test_script(gconstpointer data)
{
    const gsize *index = data;

    steps_run(scripts[*index].config, scripts[*index].steps);
}

/* ---- the store ---------------------------------------------------------- */

static void
test_store_fails(void)
{
    static const Step unknown = {0, .state = "-", .wait = "-"};
    static const Step first = {0, .state = "new", .wait = "5m"};
    static const Step second = {5 * M, .state = "passed", .wait = "0s"};
    static const Config *const configs[] = {&usual, &twice};

    for (gsize i = 0; i < G_N_ELEMENTS(configs); i++) {
        g_autoptr(Harness) harness = greylist_new(configs[i]);

        harness_store_fails(harness, true);
        step_run(harness, &unknown);
        harness_store_fails(harness, false);
        step_run(harness, &first);
        harness_store_fails(harness, true);
        step_run(harness, &unknown);
        harness_store_fails(harness, false);
        step_run(harness, &second);
    }
}

/* A store that fails makes nobody new who was known a moment ago. */
static void
test_memory(void)
{
    static const Step steps[] = {
        {0, .state = "new", .wait = "5m"},
        {5 * M, .state = "passed", .wait = "0s"},
        {0, .state = "known", .wait = "0s"},
        {4 * M, .state = "known", .wait = "0s"},
        {M, .state = "-", .wait = "-"},
    };
    g_autoptr(Harness) harness = greylist_new(&usual);

    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
        harness_store_fails(harness, i > 2);
        step_run(harness, &steps[i]);
    }
}

/* What is remembered does not outlive the entry. */
static void
test_memory_of_short_lives(void)
{
    Config brief = usual;
    static const Step steps[] = {
        {0, .state = "new", .wait = "1s"},
        {S, .state = "passed", .wait = "0s"},
        {S, .state = "known", .wait = "0s"},
        {3 * M, .state = "new", .wait = "1s"},
    };
    brief.delay = S;
    brief.window = brief.lifetime = 2 * M;
    g_autoptr(Harness) harness = greylist_new(&brief);

    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++)
        step_run(harness, &steps[i]);
}

static void
test_spoilt(void)
{
    static const char *const values[] = {
        "",
        " ",
        "x",
        "0",
        "1",
        "1 ",
        " 1",
        "1 x",
        "-1 1800000000000",
        "1 -1800000000000",
        "1 99999999999999999999",
        "1 9000000000000000000",
        "1 1800000000000 ",
        "1  1800000000000",
        "0x1 1800000000000",
        "0 1799800000000", /* before the window */
    };
    static const Step first = {0, .state = "new", .wait = "5m"};
    static const Step retry = {M, .state = "early", .wait = "4m"};

    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autoptr(Harness) harness = greylist_new(&twice);

        step_run(harness, &first);
        harness_store_spoil(harness, values[i]);
        step_run(harness, &first);
        step_run(harness, &retry);
    }
}

static void
test_entries(void)
{
    g_autoptr(Harness) harness = greylist_new(&twice);
    g_autofree char *octets = g_strnfill(900, 'x');
    g_autofree char *sender = g_strconcat(octets, "@example.org", NULL);
    const Step steps[] = {
        {0, NULL, sender, NULL, "new", "5m"},
        {M, NULL, sender, NULL, "early", "4m"},
        {4 * M, NULL, sender, NULL, "passed", "0s"},
        {0, NULL, "b@example.org", NULL, "new", "5m"},
        {5 * M, NULL, "b@example.org", NULL, "passed", "0s"},
    };
    static const Step more = {0, NULL, NULL, NULL, "known", "0s"};

    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++)
        step_run(harness, &steps[i]);
    g_assert_cmpuint(harness_store_entries(harness), ==, 3);
    for (int i = 0; i < 20; i++) {
        g_autofree char *other = g_strdup_printf("%d@example.org", i);

        harness_set(harness, "mail.from", other);
        step_run(harness, &more);
    }
    g_assert_cmpuint(harness_store_entries(harness), ==, 3);
}

static void
test_operations(void)
{
    static const struct {
        Step step;
        unsigned reads, writes;
    } rows[] = {
        {{0, NULL, NULL, "1@example.com", "new", "5m"}, 2, 1},
        {{0, NULL, NULL, "2@example.com", "new", "5m", .same = TRUE}, 1, 1},
        {{M, NULL, NULL, "1@example.com", "early", "4m"}, 2, 0},
        {{4 * M, NULL, NULL, "1@example.com", "passed", "0s"}, 2, 2},
        {{0, NULL, NULL, "2@example.com", "passed", "0s", .same = TRUE}, 1, 1},
        {{H, NULL, NULL, "2@example.com", "known", "0s"}, 2, 0},
        {{M, NULL, NULL, "2@example.com", "known", "0s"}, 0, 0},
        {{D, NULL, NULL, "2@example.com", "known", "0s"}, 2, 1},
        {{0, NULL, NULL, "3@example.com", "new", "5m"}, 2, 1},
        {{5 * M, NULL, NULL, "3@example.com", "passed", "0s"}, 2, 2},
        {{0, NULL, NULL, "9@example.com", "known", "0s", .same = TRUE}, 0, 0},
        {{0, NULL, NULL, "4@example.com", "known", "0s"}, 0, 0},
        {{4 * M, NULL, NULL, "4@example.com", "known", "0s"}, 0, 0},
        {{M, NULL, NULL, "4@example.com", "known", "0s"}, 1, 0},
        {{M, NULL, NULL, "4@example.com", "known", "0s"}, 0, 0},
        {{0, NULL, NULL, "5@example.com", "known", "0s", .same = TRUE}, 0, 0},
        {{D, NULL, NULL, "4@example.com", "known", "0s"}, 1, 1},
        {{0, NULL, NULL, "5@example.com", "known", "0s", .same = TRUE}, 0, 0},
    };
    g_autoptr(Harness) harness = greylist_new(&twice);

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("row %zu", i);
        step_run(harness, &rows[i].step);
        g_assert_cmpuint(harness_store_reads(harness), ==, rows[i].reads);
        g_assert_cmpuint(harness_store_writes(harness), ==, rows[i].writes);
    }
}

static void
test_unknown_client(void)
{
    g_autoptr(Harness) harness = greylist_new(&twice);
    static const Step unknown = {0, .state = "-", .wait = "-"};
    static const Step domain = {0, .state = "new", .wait = "5m",
                                .domain = "example.org"};

    harness_set(harness, "client.ip", NULL);
    step_run(harness, &unknown);
    g_assert_cmpuint(harness_store_entries(harness), ==, 0);
    step_run(harness, &domain);
    harness_set(harness, "client.ip", "198.51.100.9");
    harness_set(harness, "mail.from", NULL);
    step_run(harness, &unknown);
}

/* Only a pass vouches for the domain. */
static void
test_spf_results(void)
{
    static const char *const results[] = {"fail", "softfail",  "neutral",
                                          "none", "temperror", "permerror"};
    g_autoptr(Harness) harness = greylist_new(&usual);

    harness_run(harness, FILTERD_RCPT);
    harness_set(harness, "spf.domain", "example.org");
    harness_reset(harness);
    for (gsize i = 0; i < G_N_ELEMENTS(results); i++) {
        harness_set(harness, "spf.result", results[i]);
        harness_reset(harness);
        harness_run(harness, FILTERD_RCPT);
        g_assert_cmpstr(harness_fact(harness, "state"), ==, "early");
    }
    harness_set(harness, "spf.result", "pass");
    harness_reset(harness);
    harness_run(harness, FILTERD_RCPT);
    g_assert_cmpstr(harness_fact(harness, "state"), ==, "new");
}

/* ---- the message -------------------------------------------------------- */

/* A transaction: its recipients are asked first if there is a recipient state
 * to expect, then the message. NULL: not asked. */
typedef struct Mail {
    int64_t after;
    const char *client, *sender, *author, *signers;
    const char *signs, *recipient_state, *state, *key;
    const char *domain; /* SPF pass */
} Mail;

static void
mail_run(Harness *harness, const Mail *mail)
{
    const char *at = strchr(mail->sender, '@');

    harness_advance(harness, mail->after);
    harness_reset(harness);
    harness_set(harness, "client.ip", mail->client);
    harness_set(harness, "mail.from", mail->sender);
    harness_set(harness, "mail.domain", at != NULL ? at + 1 : NULL);
    harness_set(harness, "header.from.domain", mail->author);
    harness_set(harness, "dkim.domains", mail->signers);
    harness_set(harness, "spf.result", mail->domain ? "pass" : NULL);
    harness_set(harness, "spf.domain", mail->domain);
    harness_run(harness, FILTERD_MAIL);
    g_assert_cmpstr(harness_fact(harness, "signs"), ==, mail->signs);
    if (mail->recipient_state != NULL) {
        harness_run(harness, FILTERD_RCPT);
        g_assert_cmpstr(harness_fact(harness, "state"), ==,
                        mail->recipient_state);
    }
    if (mail->state == NULL)
        return;
    harness_message(harness, "From: x\n\nx\n", 0);
    g_assert_cmpstr(harness_fact(harness, "message-state"), ==, mail->state);
    g_assert_cmpstr(harness_fact(harness, "message-key"), ==, mail->key);
}

#define ORG "a@example.org", "news.example.org"
#define A "198.51.100.9"
#define B "203.0.113.7"

static const Mail signed_pool[] = {
    {0, A, ORG, "example.org", "no", "new", NULL, NULL},
    {5 * M, A, ORG, "example.org", "no", "passed", "passed", "domain"},
    {0, B, ORG, "mail.example.org", "yes", "new", "known", "domain"},
    {35 * D, "192.0.2.1", ORG, "example.org", "yes", NULL, "known", "domain"},
    {35 * D, B, ORG, "example.org", "yes", "new", "known", "domain"},
    {36 * D, B, ORG, "example.org", "no", "new", NULL, NULL},
    {0},
};

static const Mail spoofed_pool[] = {
    {0, A, ORG, "example.org", "no", "new", NULL, NULL},
    {5 * M, A, ORG, "example.org", "no", "passed", "passed", "domain"},
    {0, B, ORG, NULL, "yes", "new", "new", "network"},
    {M, B, ORG, "", "yes", "early", "early", "network"},
    {0, B, ORG, "example.com,spam.example", "yes", "early", "early", "network"},
    {0},
};

/* The bulk mailer signs for its reverse-path, the customer not at all. */
static const Mail mailer[] = {
    {0, A, "b-1@mailer.example.com", "shop.example", "example.com", "no", "new",
     NULL, NULL},
    {5 * M, A, "b-2@mailer.example.com", "shop.example", "example.com", "no",
     "passed", "passed", "domain"},
    {0, B, "b-3@mailer.example.com", "shop.example", "example.com", "yes",
     "new", "known", "domain"},
    {0},
};

/* Who signs for another vouches for that other only. */
static const Mail foreign[] = {
    {0, A, "x@example.org", "example.com", "example.com", "no", "new", NULL,
     NULL},
    {5 * M, A, "x@example.org", "example.com", "example.com", "no", "passed",
     "passed", "domain"},
    {0, B, "x@example.org", "example.com", "example.com", "no", "new", "known",
     "domain"},
    {0},
};

static const Mail message_only[] = {
    {0, A, ORG, NULL, "no", NULL, "new", "network"},
    {M, A, ORG, NULL, "no", NULL, "early", "network"},
    {0, B, ORG, NULL, "no", NULL, "new", "domain", "example.org"},
    {M, B, ORG, "example.org", "no", NULL, "early", "domain"},
    {4 * M, A, ORG, "example.org", "no", NULL, "passed", "domain"},
    {0, B, ORG, NULL, "yes", NULL, "known", "domain", "example.org"},
    {0, B, "", NULL, NULL, "no", NULL, "new", "network"},
    {0},
};

static const struct {
    const char *name;
    const Mail *mails;
} mailings[] = {
    {"a-pool-that-signs-is-known-by-its-domain", signed_pool},
    {"who-only-says-that-domain-waits-as-anybody", spoofed_pool},
    {"a-signature-of-the-reverse-path-counts-too", mailer},
    {"a-signature-for-another-is-no-promise", foreign},
    {"the-message-alone-climbs-the-whole-ladder", message_only},
};

static void
test_mailing(gconstpointer data)
{
    const gsize *index = data;
    g_autoptr(Harness) harness = greylist_new(&usual);

    for (const Mail *mail = mailings[*index].mails; mail->client; mail++) {
        g_test_message("mail %zd", mail - mailings[*index].mails);
        mail_run(harness, mail);
    }
}

/* Whom a rule at rcpt refused is not among those that the message has; where
 * a promise let all of them through, the strictest counts. */
static void
test_recipients(void)
{
    static const struct {
        const char *sender, *expected;
    } rows[] = {{"a@example.net", "known"}, {"a@example.org", "new"}};
    static const Mail before[] = {
        {0, A, ORG, "example.org", "no", NULL, "new", "domain"},
        {5 * M, A, ORG, "example.org", "no", NULL, "passed", "domain"},
        {0},
    };
    g_autoptr(Harness) harness = greylist_new(&usual);

    for (const Mail *mail = before; mail->client != NULL; mail++)
        mail_run(harness, mail);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        const Step steps[] = {
            {0, NULL, rows[i].sender, "1@example.com", "new", "5m"},
            {5 * M, NULL, rows[i].sender, "1@example.com", "passed", "0s"},
        };

        for (gsize k = 0; k < G_N_ELEMENTS(steps); k++)
            step_run(harness, &steps[k]);
        harness_reset(harness);
        harness_set(harness, "mail.domain", strchr(rows[i].sender, '@') + 1);
        harness_set(harness, "dkim.domains", NULL);
        harness_run(harness, FILTERD_MAIL);
        harness_run(harness, FILTERD_RCPT);
        harness_set(harness, "rcpt.to", "2@example.com");
        harness_run(harness, FILTERD_RCPT);
        harness_message(harness, "From: x\n\nx\n", 0);
        g_assert_cmpstr(harness_fact(harness, "message-state"), ==,
                        rows[i].expected);
    }
}

/* ---- details ------------------------------------------------------------ */

static void
test_details(void)
{
    static const struct {
        int64_t after;
        const char *sender, *state, *white, *count, *age;
    } rows[] = {
        {0, "1@example.org", "new", "no", "0", "0s"},
        {M, "1@example.org", "early", "no", "0", "1m"},
        {4 * M, "1@example.org", "passed", "no", "1", "5m"},
        {H, "1@example.org", "known", "no", "1", "-"},
        {0, "2@example.org", "new", "no", "1", "0s"},
        {5 * M, "2@example.org", "passed", "no", "2", "5m"},
        {0, "3@example.org", "known", "yes", "2", "-"},
    };
    g_autoptr(Harness) harness = greylist_new(&twice);

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        harness_advance(harness, rows[i].after);
        harness_reset(harness);
        harness_set(harness, "mail.from", rows[i].sender);
        harness_run(harness, FILTERD_RCPT);
        g_assert_cmpstr(harness_fact(harness, "state"), ==, rows[i].state);
        g_assert_cmpstr(harness_fact(harness, "white"), ==, rows[i].white);
        g_assert_cmpstr(harness_fact(harness, "count"), ==, rows[i].count);
        g_assert_cmpstr(harness_fact(harness, "age"), ==, rows[i].age);
    }
}

static void
test_senders(void)
{
    static const struct {
        const char *address;
        SenderForm form;
        const char *sender;
    } rows[] = {
        {"Alice@Example.ORG", SENDER_NORMALIZED, "alice@example.org"},
        {"Alice7@Example.ORG", SENDER_EXACT, "alice7@example.org"},
        {"Alice7@Example.ORG", SENDER_DOMAIN, "@example.org"},
        {"", SENDER_NORMALIZED, ""},
        {"", SENDER_DOMAIN, ""},
        {"postmaster", SENDER_NORMALIZED, "postmaster"},
        {"list-bounces-2026=bob=example.com@l7.example.org", SENDER_NORMALIZED,
         "list-bounces-#=bob=example.com@l7.example.org"},
        {"0102018f-3c-uuid-000000@ses.example.com", SENDER_NORMALIZED,
         "#-#-uuid-#@ses.example.com"},
        {"prvs=1734ab88cd=bob@example.org", SENDER_NORMALIZED,
         "prvs=#=bob@example.org"},
        {"SRS0=AbCd=XY=example.net=bob@example.org", SENDER_NORMALIZED,
         "srs=example.net=bob@example.org"},
        {"srs0+qq/+=zz=example.net=bob@example.org", SENDER_NORMALIZED,
         "srs=example.net=bob@example.org"},
        {"SRS1=kk=example.com==AbCd=XY=example.net=bob@example.org",
         SENDER_NORMALIZED, "srs=example.net=bob@example.org"},
        {"srs0=ab@example.org", SENDER_NORMALIZED, "#=ab@example.org"},
        {"srs0@example.org", SENDER_NORMALIZED, "#@example.org"},
        {"srs1=a=b@example.org", SENDER_NORMALIZED, "#=a=b@example.org"},
        {"\"a@b 1\"@example.org", SENDER_NORMALIZED, "\"a@b #\"@example.org"},
        {"\303\2741\001%s@example.org", SENDER_NORMALIZED,
         "#\001%s@example.org"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *sender = key_sender(rows[i].address, rows[i].form);

        g_assert_cmpstr(sender, ==, rows[i].sender);
    }
}

/* No two kinds of key meet, whatever a client says. */
static void
test_keys(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    Key keys[8];

    key_client(keys[0], RUNG_DOMAIN, "example.org");
    key_client(keys[1], RUNG_NAME, "example.org");
    key_white(keys[2], RUNG_DOMAIN, "example.org");
    key_signer(keys[3], "example.org");
    key_triplet(keys[4], keys[0], "a@example.org", "b@example.com");
    key_triplet(keys[5], keys[1], "a@example.org", "b@example.com");
    key_triplet(keys[6], keys[0], "a@example.org", NULL);
    key_triplet(keys[7], keys[0], "a@example.org", "");
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_assert_cmpuint(strlen(keys[i]), ==, KEY_SIZE - 1);
        g_assert_true(g_hash_table_add(seen, keys[i]));
    }
}

/* ---- options ------------------------------------------------------------ */

static void
test_short_delay(void)
{
    static const Config config = {.delay = 1500,
                                  .window = 1 * M,
                                  .lifetime = 1 * H,
                                  .network_v4 = 24,
                                  .network_v6 = 64};
    static const Step steps[] = {
        {0, .state = "new", .wait = "1s500ms"},
        {600, .state = "early", .wait = "1s"},
        {900, .state = "passed", .wait = "0s"},
        {0},
    };

    steps_run(&config, steps);
}

static void
test_start(void)
{
    static const struct {
        int64_t delay, window, lifetime;
        gboolean good;
    } rows[] = {
        {5 * M, 2 * D, 36 * D, TRUE},
        {5 * M, 2 * D, 2 * D, TRUE},
        {5 * M, 5 * M, 36 * D, FALSE},
        {5 * M, 36 * D, 2 * D, FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        const Config config = {.delay = rows[i].delay,
                               .window = rows[i].window,
                               .lifetime = rows[i].lifetime};
        g_autofree char *error = harness_start_error(&filterd_plugin, &config);

        g_assert_true((error == NULL) == rows[i].good);
    }
}

int
main(int argc, char **argv)
{
    static gsize indices[MAX(G_N_ELEMENTS(scripts), G_N_ELEMENTS(mailings))];

    g_test_init(&argc, &argv, NULL);
    g_assert_cmpuint(filterd_plugin.config_size, ==, sizeof(Config));
    for (gsize i = 0; i < G_N_ELEMENTS(scripts); i++) {
        g_autofree char *path =
            g_strconcat("/greylist/", scripts[i].name, NULL);

        indices[i] = i;
        g_test_add_data_func(path, &indices[i], test_script);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(mailings); i++) {
        g_autofree char *path =
            g_strconcat("/greylist/", mailings[i].name, NULL);

        g_test_add_data_func(path, &indices[i], test_mailing);
    }
    g_test_add_func("/greylist/a-promise-holds-for-every-recipient",
                    test_recipients);
    g_test_add_func("/greylist/details-are-facts", test_details);
    g_test_add_func("/greylist/what-changes-with-each-message-does-not-count",
                    test_senders);
    g_test_add_func("/greylist/kinds-of-keys-do-not-meet", test_keys);
    g_test_add_func("/greylist/without-a-store-nothing-is-known",
                    test_store_fails);
    g_test_add_func("/greylist/who-is-known-stays-so-without-a-store",
                    test_memory);
    g_test_add_func("/greylist/what-is-remembered-ends-with-the-entry",
                    test_memory_of_short_lives);
    g_test_add_func("/greylist/a-spoilt-entry-is-none", test_spoilt);
    g_test_add_func("/greylist/the-store-is-asked-and-told-no-more-than-once",
                    test_operations);
    g_test_add_func("/greylist/a-known-client-adds-no-entries", test_entries);
    g_test_add_func("/greylist/an-unknown-client-is-unknown",
                    test_unknown_client);
    g_test_add_func("/greylist/only-an-spf-pass-vouches", test_spf_results);
    g_test_add_func("/greylist/the-wait-is-never-over-the-delay",
                    test_short_delay);
    g_test_add_func("/greylist/delay-window-lifetime-are-in-order", test_start);
    return g_test_run();
}
