/* test-greylist.c: who is new, too early, back in time, or known.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/harness/harness.h"

#include <string.h>

#define S INT64_C(1000)
#define M (60 * S)
#define H (60 * M)
#define D (24 * H)

/* As the plugin's own config. */
typedef struct Config {
    int64_t delay, window, lifetime, auto_whitelist;
} Config;

static const Config usual = {5 * M, 2 * D, 36 * D, 0};

/* One try, so long after the one before. */
typedef struct Step {
    int64_t after;
    const char *client, *sender, *recipient; /* NULL: as before */
    const char *state, *wait;
    const char *domain; /* SPF pass */
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
    if (step->client != NULL)
        harness_set(harness, "client.ip", step->client);
    if (step->sender != NULL)
        harness_set(harness, "mail.from", step->sender);
    if (step->recipient != NULL)
        harness_set(harness, "rcpt.to", step->recipient);
    harness_set(harness, "spf.result", step->domain ? "pass" : NULL);
    harness_set(harness, "spf.domain", step->domain);
    harness_run(harness, FILTERD_RCPT);
    g_assert_cmpstr(harness_fact(harness, "state"), ==, step->state);
    g_assert_cmpstr(harness_fact(harness, "wait"), ==, step->wait);
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

static const Step nobody[] = {
    {0, .state = "new", .wait = "5m"},
    {0},
};

/* ---- automatic white list ----------------------------------------------- */

static const Config twice = {5 * M, 2 * D, 36 * D, 2};

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
    {"a-network-is-one-client", &usual, networks},
    {"sender-and-recipient-count-without-case", &usual, triplets},
    {"a-domain-that-passes-spf-is-one-client", &usual, domains},
    {"a-first-try-is-new", &usual, nobody},
    {"after-so-many-passes-the-network-is-known", &twice, whitelist},
    {"after-so-many-passes-the-domain-is-known", &twice, whitelist_by_domain},
    {"a-clock-set-back-keeps-the-white-list", &twice, whitelist_clock_back},
    {"without-the-option-no-client-is-known", &usual, no_whitelist},
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
    for (gsize i = 0; i < G_N_ELEMENTS(results); i++) {
        harness_set(harness, "spf.result", results[i]);
        harness_run(harness, FILTERD_RCPT);
        g_assert_cmpstr(harness_fact(harness, "state"), ==, "early");
    }
    harness_set(harness, "spf.result", "pass");
    harness_run(harness, FILTERD_RCPT);
    g_assert_cmpstr(harness_fact(harness, "state"), ==, "new");
}

static void
test_short_delay(void)
{
    static const Config config = {1500, 1 * M, 1 * H, 0};
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
        Config config;
        gboolean good;
    } rows[] = {
        {{5 * M, 2 * D, 36 * D, 5}, TRUE},
        {{5 * M, 2 * D, 2 * D, 0}, TRUE},
        {{5 * M, 5 * M, 36 * D, 5}, FALSE},
        {{5 * M, 36 * D, 2 * D, 5}, FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *error =
            harness_start_error(&filterd_plugin, &rows[i].config);

        g_assert_true((error == NULL) == rows[i].good);
    }
}

int
main(int argc, char **argv)
{
    static gsize indices[G_N_ELEMENTS(scripts)];

    g_test_init(&argc, &argv, NULL);
    g_assert_cmpuint(filterd_plugin.config_size, ==, sizeof(Config));
    for (gsize i = 0; i < G_N_ELEMENTS(scripts); i++) {
        g_autofree char *path =
            g_strconcat("/greylist/", scripts[i].name, NULL);

        indices[i] = i;
        g_test_add_data_func(path, &indices[i], test_script);
    }
    g_test_add_func("/greylist/without-a-store-nothing-is-known",
                    test_store_fails);
    g_test_add_func("/greylist/a-spoilt-entry-is-none", test_spoilt);
    g_test_add_func("/greylist/a-known-client-adds-no-entries", test_entries);
    g_test_add_func("/greylist/an-unknown-client-is-unknown",
                    test_unknown_client);
    g_test_add_func("/greylist/only-an-spf-pass-vouches", test_spf_results);
    g_test_add_func("/greylist/the-wait-is-never-over-the-delay",
                    test_short_delay);
    g_test_add_func("/greylist/delay-window-lifetime-are-in-order", test_start);
    return g_test_run();
}
