/* test-ratelimit.c: what fits into a bucket that leaks, and whose it is.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <filterd/harness.h>

#include <string.h>

#define S INT64_C(1000)
#define M (60 * S)
#define H (60 * M)
#define D (24 * H)

typedef struct Rate {
    int64_t count, period;
} Rate;

typedef struct Config {
    FilterdArray keys;
    int64_t network_v4, network_v6;
    FilterdArray rates;
    int64_t burst;
} Config;

enum { IP, MAIL_FROM = 3, USER = 5, RCPT = 6 };

#define CONFIG(capacity, amount, time, ...)                      \
    {                                                            \
        .keys = {(int[]){__VA_ARGS__},                           \
                 sizeof((int[]){__VA_ARGS__}) / sizeof(int)},    \
        .network_v4 = 24, .network_v6 = 64, .burst = (capacity), \
        .rates = {(Rate[]){{(amount), (time)}}, 1},              \
    }

static const Config hourly = CONFIG(3, 60, H, IP);
static const Config plain = CONFIG(0, 2, M, IP);
static const Config pair = CONFIG(1, 1, H, USER, RCPT);
static const Config octets = CONFIG(1000, 1000, H, IP);

static Harness *
limit_new(const Config *config)
{
    Harness *harness = harness_new(&filterd_plugin, config);

    harness_set(harness, "client.ip", "198.51.100.9");
    harness_set(harness, "auth.user", "alice");
    harness_set(harness, "rcpt.to", "bob@example.com");
    return harness;
}

static const struct Kind {
    const char *word;
    FilterdStage stage;
} kinds[] = {
    {"connections", FILTERD_CONNECT},
    {"messages", FILTERD_MAIL},
    {"recipients", FILTERD_RCPT},
    {"octets", FILTERD_MESSAGE},
};

/* "EXCEEDED LEVEL WAIT" of the next one. Caller frees. */
static char *
next_of(Harness *harness, const struct Kind *kind)
{
    static const char *const facts[] = {"exceeded", "level", "wait"};
    GString *out = g_string_new(NULL);

    harness_run(harness, kind->stage);
    for (gsize i = 0; i < G_N_ELEMENTS(facts); i++) {
        g_autofree char *name = g_strdup_printf("%s-%s", kind->word, facts[i]);

        g_string_append_printf(out, "%s%s", i > 0 ? " " : "",
                               harness_fact(harness, name));
    }
    harness_reset(harness);
    return g_string_free(out, FALSE);
}

static void
assert_next(Harness *harness, const char *expected)
{
    g_autofree char *text = next_of(harness, &kinds[2]);

    g_assert_cmpstr(text, ==, expected);
}

/* ---- time --------------------------------------------------------------- */

static const struct Step {
    int64_t after;
    const char *expected;
} steps[] = {
    {0, "no 1 0s"},        {0, "no 2 0s"},       {0, "no 3 1m"},
    {0, "yes 3 1m"},       {59 * S, "yes 3 1s"}, {1 * S, "no 3 1m"},
    {30 * S, "yes 3 30s"}, {30 * S, "no 3 1m"},  {90 * S, "no 3 30s"},
    {D, "no 1 0s"},        {0, "no 2 0s"},
};

static void
test_time(void)
{
    g_autoptr(Harness) harness = limit_new(&hourly);

    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_test_message("step %zu", i);
        harness_advance(harness, steps[i].after);
        assert_next(harness, steps[i].expected);
    }
}

/* Who goes on trying gets the rate, no less. */
static void
test_hammering(void)
{
    g_autoptr(Harness) harness = limit_new(&hourly);
    unsigned passed = 0;

    for (int i = 0; i < 3600; i++) {
        g_autofree char *text = next_of(harness, &kinds[2]);

        passed += text[0] == 'n';
        harness_advance(harness, S);
    }
    g_assert_cmpuint(passed, ==, 3 + 59);
}

static void
test_default_burst(void)
{
    g_autoptr(Harness) harness = limit_new(&plain);

    assert_next(harness, "no 1 0s");
    assert_next(harness, "no 2 30s");
    assert_next(harness, "yes 2 30s");
}

static void
test_entries_end(void)
{
    g_autoptr(Harness) harness = limit_new(&hourly);

    for (int i = 0; i < 5; i++)
        assert_next(harness, i < 2    ? i == 0 ? "no 1 0s" : "no 2 0s"
                             : i == 2 ? "no 3 1m"
                                      : "yes 3 1m");
    g_assert_cmpuint(harness_store_entries(harness), ==, 1);
    harness_advance(harness, 3 * M + S);
    g_assert_cmpuint(harness_store_reads(harness), ==, 5);
    g_assert_cmpuint(harness_store_writes(harness), ==, 3);
    assert_next(harness, "no 1 0s");
}

static void
test_clock_back(void)
{
    g_autoptr(Harness) harness = limit_new(&hourly);

    assert_next(harness, "no 1 0s");
    assert_next(harness, "no 2 0s");
    assert_next(harness, "no 3 1m");
    harness_advance(harness, -D);
    assert_next(harness, "no 1 0s");
    harness_advance(harness, -M);
    assert_next(harness, "no 3 1m");
    assert_next(harness, "yes 3 1m");
}

/* ---- keys --------------------------------------------------------------- */

static void
test_networks(void)
{
    g_autoptr(Harness) harness = limit_new(&hourly);
    static const struct {
        const char *ip, *expected;
    } rows[] = {
        {"198.51.100.9", "no 1 0s"},   {"198.51.100.200", "no 2 0s"},
        {"198.51.101.9", "no 1 0s"},   {"2001:db8::1", "no 1 0s"},
        {"2001:db8::ffff", "no 2 0s"}, {"2001:db8:0:1::1", "no 1 0s"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        harness_set(harness, "client.ip", rows[i].ip);
        assert_next(harness, rows[i].expected);
    }
}

static void
test_parts(void)
{
    g_autoptr(Harness) harness = limit_new(&pair);

    assert_next(harness, "no 1 1h");
    assert_next(harness, "yes 1 1h");
    harness_set(harness, "rcpt.to", "BOB@example.com");
    assert_next(harness, "yes 1 1h");
    harness_set(harness, "rcpt.to", "carol@example.com");
    assert_next(harness, "no 1 1h");
    harness_set(harness, "auth.user", "ali");
    harness_set(harness, "rcpt.to", "cebob@example.com");
    assert_next(harness, "no 1 1h");
}

static void
test_unknown(void)
{
    g_autoptr(Harness) harness = limit_new(&pair);

    harness_set(harness, "auth.user", NULL);
    for (int i = 0; i < 3; i++)
        assert_next(harness, "- - -");
    g_assert_cmpuint(harness_store_entries(harness), ==, 0);
}

/* What is asked for is what is counted. */
static void
test_kinds(void)
{
    g_autoptr(Harness) harness = limit_new(&hourly);

    harness_set(harness, "message.size", "2");
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *text = next_of(harness, &kinds[i]);

        g_assert_cmpstr(text, ==, i < 3 ? "no 1 0s" : "no 2 0s");
        g_assert_cmpuint(harness_store_entries(harness), ==, i + 1);
    }
}

static void
test_octets(void)
{
    g_autoptr(Harness) harness = limit_new(&octets);
    static const struct {
        const char *size, *expected;
    } rows[] = {
        {"600", "no 600 0s"},    {"600", "yes 600 12m"}, {"400", "no 1000 4s"},
        {"5000", "yes 1000 1h"}, {NULL, "- - -"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = NULL;

        harness_set(harness, "message.size", rows[i].size);
        text = next_of(harness, &kinds[3]);
        g_assert_cmpstr(text, ==, rows[i].expected);
    }
    harness_advance(harness, H);
    harness_set(harness, "message.size", "5000");

    g_autofree char *large = next_of(harness, &kinds[3]);

    g_assert_cmpstr(large, ==, "no 1000 4s");
}

/* ---- the store ---------------------------------------------------------- */

static void
test_dead(void)
{
    g_autoptr(Harness) harness = limit_new(&hourly);

    harness_store_fails(harness, true);
    for (int i = 0; i < 5; i++)
        assert_next(harness, "- - -");
    harness_store_fails(harness, false);
    assert_next(harness, "no 1 0s");
}

static void
test_spoilt(void)
{
    g_autoptr(Harness) harness = limit_new(&hourly);
    static const char *const texts[] = {
        "", "nonsense", "-1", "9223372036854775807", "99999999999999999999",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        assert_next(harness, "no 1 0s");
        harness_store_spoil(harness, texts[i]);
    }
    assert_next(harness, "no 1 0s");
}

/* Another gateway pours between the read and the write: nothing is lost, and
 * what no longer fits is taken back. */
static const FilterdHost *real;
static int64_t rival; /* what it pours in; FORGETS: the entry has ended */

#define FORGETS (-1)

static FilterdStoreStatus
add_behind(FilterdCall *call, const char *key, int64_t delta, int64_t lifetime,
           int64_t *sum)
{
    int64_t first = rival;

    rival = 0;
    if (first == FORGETS)
        real->store_put(call, key, "0", 1, lifetime);
    else if (first != 0)
        real->store_add(call, key, first, lifetime, NULL);
    return real->store_add(call, key, delta, lifetime, sum);
}

static bool
rival_hook(FilterdCall *call, GError **error)
{
    FilterdHost host = *call->host;
    bool ok;

    real = call->host;
    host.store_add = add_behind;
    call->host = &host;
    ok = filterd_plugin.rcpt(call, error);
    call->host = real;
    return ok;
}

static void
test_rivals(void)
{
    FilterdPlugin plugin = filterd_plugin;
    const int64_t one = M * 1000000;

    plugin.rcpt = rival_hook;

    g_autoptr(Harness) harness = harness_new(&plugin, &hourly);

    harness_set(harness, "client.ip", "198.51.100.9");
    assert_next(harness, "no 1 0s");
    rival = one;
    assert_next(harness, "no 3 1m");
    harness_advance(harness, M);
    rival = one;
    assert_next(harness, "yes 3 1m");
    assert_next(harness, "yes 3 1m");
    harness_advance(harness, M);
    assert_next(harness, "no 3 1m");
    harness_advance(harness, M);
    rival = FORGETS;
    assert_next(harness, "no 1 0s");
    assert_next(harness, "no 2 0s");
}

/* ---- the model ---------------------------------------------------------- */

/* A list of what was let in, and a level that runs out in steps of a
 * millisecond's share; all whole numbers. */
typedef struct Model {
    int64_t filled; /* amount times period */
    int64_t last;
} Model;

static bool
model_next(Model *model, const Rate *rate, int64_t burst, int64_t now)
{
    model->filled =
        MAX(model->filled - (now - model->last) * rate->count, INT64_C(0));
    model->last = now;
    if (model->filled + rate->period > burst * rate->period)
        return false;
    model->filled += rate->period;
    return true;
}

static void
play_random(GRand *random)
{
    static const Rate rates[] = {{1, S}, {60, H}, {5, M}, {1000, D}, {100, S}};
    const Rate rate = rates[g_rand_int_range(random, 0, G_N_ELEMENTS(rates))];
    const int64_t burst = g_rand_int_range(random, 1, 20);
    const Config config = {.keys = {(int[]){IP}, 1},
                           .network_v4 = 32,
                           .network_v6 = 64,
                           .burst = burst,
                           .rates = {&rate, 1}};
    g_autoptr(Harness) harness = limit_new(&config);
    Model model = {0};
    int64_t now = 0;

    for (int i = 0; i < 300; i++) {
        int64_t pause = g_rand_boolean(random)
                            ? 0
                            : g_rand_int_range(
                                random, 0, (int)(3 * rate.period / rate.count));
        g_autofree char *text = NULL;

        harness_advance(harness, pause);
        now += pause;
        text = next_of(harness, &kinds[2]);
        g_assert_cmpint(text[0] == 'n', ==,
                        model_next(&model, &rate, burst, now));
    }
}

static void
test_model(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(7);

    for (int i = 0; i < 60; i++)
        play_random(random);
}

/* ---- options ------------------------------------------------------------ */

static void
test_start(void)
{
    const Config two = {.keys = {(int[]){IP}, 1},
                        .rates = {(Rate[]){{1, H}, {1, D}}, 2}};
    const Config slow = {.keys = {(int[]){IP}, 1},
                         .burst = 10000,
                         .rates = {(Rate[]){{1, H}}, 1}};
    const Config fast = {.keys = {(int[]){IP}, 1},
                         .rates = {(Rate[]){{2000000000, S}}, 1}};
    const struct {
        const Config *config;
        const char *start;
    } rows[] = {{&two, "rate 1: an instance has one rate"},
                {&slow, "rate 0: what `burst` holds"},
                {&fast, "rate 0: what `burst` holds"}};

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text =
            harness_start_error(&filterd_plugin, rows[i].config);

        g_assert_nonnull(text);
        g_assert_true(g_str_has_prefix(text, rows[i].start));
    }
}

static void
prepare(Harness *harness, void *data)
{
    (void)data;
    harness_set(harness, "client.ip", "198.51.100.9");
}

static void
play(Harness *harness, void *data)
{
    (void)data;
    harness_run(harness, FILTERD_RCPT);
    harness_reset(harness);
    harness_run(harness, FILTERD_RCPT);
}

/* One that was not counted is as if it had not come. */
static bool
allow(const HarnessTrial *trial, const char *what, const char *whole,
      const char *now)
{
    (void)whole;
    (void)trial;
    return strcmp(what, "recipients-level") == 0 && strcmp(now, "1") == 0;
}

static void
test_faults(void)
{
    const HarnessScene scene = {
        .prepare = prepare, .play = play, .allows = allow};

    g_assert_cmpuint(harness_explore(&filterd_plugin, &hourly, &scene), >, 10);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ratelimit/a-bucket-leaks", test_time);
    g_test_add_func("/ratelimit/who-goes-on-trying-gets-the-rate",
                    test_hammering);
    g_test_add_func("/ratelimit/burst-is-the-rate-unless-told",
                    test_default_burst);
    g_test_add_func("/ratelimit/an-empty-bucket-is-no-entry", test_entries_end);
    g_test_add_func("/ratelimit/a-clock-set-back-empties", test_clock_back);
    g_test_add_func("/ratelimit/a-network-is-one-key", test_networks);
    g_test_add_func("/ratelimit/a-key-may-have-parts", test_parts);
    g_test_add_func("/ratelimit/an-unknown-part-is-no-key", test_unknown);
    g_test_add_func("/ratelimit/each-kind-has-its-bucket", test_kinds);
    g_test_add_func("/ratelimit/octets-are-counted", test_octets);
    g_test_add_func("/ratelimit/a-dead-store-is-unknown", test_dead);
    g_test_add_func("/ratelimit/a-spoilt-entry-is-none", test_spoilt);
    g_test_add_func("/ratelimit/what-rivals-pour-is-not-lost", test_rivals);
    g_test_add_func("/ratelimit/it-is-what-a-simple-model-says", test_model);
    g_test_add_func("/ratelimit/a-rate-can-be-measured", test_start);
    g_test_add_func("/ratelimit/each-fault-at-each-wait", test_faults);
    return g_test_run();
}
