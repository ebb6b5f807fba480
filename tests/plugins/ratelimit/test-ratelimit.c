/* test-ratelimit.c: what fits into a bucket that leaks, and whose it is.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/ratelimit/config.h"

#include <filterd/harness.h>
#include <string.h>

#define S INT64_C(1000)
#define M (60 * S)
#define H (60 * M)
#define D (24 * H)

static const FilterdFact others[] = {
    {"client.ip", FILTERD_IP, FILTERD_CONNECT},
    {"helo.name", FILTERD_TEXT, FILTERD_HELO},
    {"auth.user", FILTERD_TEXT, FILTERD_MAIL},
    {"asn.number", FILTERD_INT, FILTERD_MAIL},
    {"rcpt.to", FILTERD_ADDRESS, FILTERD_RCPT},
    {"header.from.domain", FILTERD_DOMAIN, FILTERD_DATA},
    {"message.size", FILTERD_INT, FILTERD_MESSAGE},
    {"dkim.domains", FILTERD_LIST, FILTERD_MESSAGE, .items = FILTERD_DOMAIN},
    {"uribl.domains", FILTERD_LIST, FILTERD_MESSAGE, .items = FILTERD_DOMAIN},
    {NULL},
};

#define KEYS(...)                                                  \
    {                                                              \
        (const char *const[]){__VA_ARGS__},                        \
            sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *) \
    }
#define COUNTS(...)                                                            \
    {                                                                          \
        (const int[]){__VA_ARGS__}, sizeof((int[]){__VA_ARGS__}) / sizeof(int) \
    }

#define CONFIG(capacity, amount, time, ...)                                   \
    {                                                                         \
        .keys = KEYS(__VA_ARGS__), .counts = COUNTS(KINDS), .network_v4 = 24, \
        .network_v6 = 64, .burst = (capacity),                                \
        .rates = {(Rate[]){{(amount), (time)}}, 1},                           \
    }

static const Config hourly = CONFIG(3, 60, H, "client.ip");
static const Config plain = CONFIG(0, 2, M, "client.ip");
static const Config pair = CONFIG(1, 1, H, "auth.user", "rcpt.to");
static const Config octets = CONFIG(1000, 1000, H, "client.ip");
static GPtrArray *kept;
static const Config signers = CONFIG(2, 2, H, "dkim.domains");

static Harness *
limit_new(const Config *config)
{
    static const char *const values[][2] = {{"client.ip", "198.51.100.9"},
                                            {"auth.user", "alice"},
                                            {"rcpt.to", "bob@example.com"}};
    Harness *harness = harness_new(&filterd_plugin, config);
    const char *const *names = config->keys.items;

    for (gsize i = 0; i < config->keys.length; i++)
        for (gsize j = 0; j < G_N_ELEMENTS(values); j++)
            if (strcmp(names[i], values[j][0]) == 0)
                harness_set(harness, names[i], values[j][1]);
    return harness;
}

static const struct Asked {
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
next_of(Harness *harness, const struct Asked *kind)
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

/* ---- facts of others ---------------------------------------------------- */

/* Each has its own bucket, and the fullest tells. */
static void
test_lists(void)
{
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, &signers);
    const struct Asked asked = {"messages", FILTERD_MESSAGE};
    static const struct {
        const char *domains, *expected;
        unsigned entries;
    } rows[] = {
        {"a.example,b.example", "no 1 0s", 2},
        {"b.example,B.example", "no 2 30m", 2},
        {"a.example,b.example", "yes 2 30m", 2},
        {"a.example", "yes 2 30m", 2},
        {"c.example", "no 1 0s", 3},
        {"", "- - -", 3},
        {NULL, "- - -", 3},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = NULL;

        g_test_message("row %zu", i);
        harness_set(harness, "dkim.domains", rows[i].domains);
        text = next_of(harness, &asked);
        g_assert_cmpstr(text, ==, rows[i].expected);
        g_assert_cmpuint(harness_store_entries(harness), ==, rows[i].entries);
    }
}

/* However many there are, so many count. */
static void
test_long_list(void)
{
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, &signers);
    g_autoptr(GString) domains = g_string_new("a0.example");

    for (int i = 1; i < 100; i++)
        g_string_append_printf(domains, ",a%d.example", i);
    harness_set(harness, "dkim.domains", domains->str);
    harness_run(harness, FILTERD_MESSAGE);
    g_assert_cmpuint(harness_store_entries(harness), ==, 32);
}

static void
test_numbers(void)
{
    const Config config = CONFIG(1, 1, H, "asn.number");
    g_autoptr(Harness) harness = harness_new(&filterd_plugin, &config);

    harness_set(harness, "asn.number", "64496");
    assert_next(harness, "no 1 1h");
    assert_next(harness, "yes 1 1h");
    harness_set(harness, "asn.number", "64497");
    assert_next(harness, "no 1 1h");
}

/* What of it the key leaves: "FACT STAGE" of each that tells. */
static const struct {
    Config config;
    const char *facts;
} tables[] = {
    {CONFIG(1, 1, H, "client.ip"),
     "connections-exceeded 0 messages-exceeded 2 recipients-exceeded 3 "
     "octets-exceeded 5 "},
    {CONFIG(1, 1, H, "client.ip", "helo.name"),
     "connections-exceeded 1 messages-exceeded 2 recipients-exceeded 3 "
     "octets-exceeded 5 "},
    {CONFIG(1, 1, H, "auth.user"),
     "messages-exceeded 2 recipients-exceeded 3 octets-exceeded 5 "},
    {CONFIG(1, 1, H, "auth.user", "rcpt.to"),
     "recipients-exceeded 3 octets-exceeded 5 "},
    {CONFIG(1, 1, H, "header.from.domain"),
     "messages-exceeded 5 octets-exceeded 5 "},
    {CONFIG(1, 1, H, "dkim.domains", "client.ip"),
     "messages-exceeded 5 octets-exceeded 5 "},
    {{.keys = KEYS("client.ip"),
      .counts = COUNTS(RECIPIENTS, MESSAGES),
      .rates = {(Rate[]){{1, H}}, 1}},
     "messages-exceeded 2 recipients-exceeded 3 "},
};

static void *
keep(FilterdDescribe *describe, size_t size)
{
    void *memory = g_malloc0(size);

    (void)describe;
    g_ptr_array_add(kept, memory);
    return memory;
}

static const FilterdFact *
find_fact(FilterdDescribe *describe, const char *name)
{
    (void)describe;
    for (const FilterdFact *row = others; row->name != NULL; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

static void
blame_none(FilterdDescribe *describe, const char *option, size_t index)
{
    (void)describe;
    (void)option;
    (void)index;
}

static void
test_tables(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
        Config config = tables[i].config;
        FilterdPlugin table = filterd_plugin;
        FilterdDescribe describe = {.size = sizeof describe,
                                    .config = &config,
                                    .allocate = keep,
                                    .blame = blame_none,
                                    .fact = find_fact};
        g_autoptr(GString) text = g_string_new(NULL);

        kept = g_ptr_array_new_with_free_func(g_free);
        g_assert_true(table.describe(&describe, &table, NULL));
        for (const FilterdFact *row = table.facts; row->name != NULL; row++)
            if (g_str_has_suffix(row->name, "-exceeded"))
                g_string_append_printf(text, "%s %d ", row->name, row->since);
        g_assert_cmpstr(text->str, ==, tables[i].facts);
        g_ptr_array_unref(kept);
    }
}

static void
test_refused(void)
{
    const struct {
        Config config;
        const char *error;
    } rows[] = {
        {CONFIG(1, 1, H, "client.ip", "dkim.domans"),
         "key 1: nobody has the fact `dkim.domans`\nif a plugin has, its `use` "
         "stands above this one"},
        {CONFIG(1, 1, H, "client.ip", "client.ip"),
         "key 1: `client.ip` is in the key already"},
        {CONFIG(1, 1, H, "dkim.domains", "uribl.domains"),
         "key 1: `dkim.domains` and `uribl.domains` are lists, and a key has "
         "one at most"},
        {{.keys = KEYS("auth.user"), .counts = COUNTS(MESSAGES, CONNECTIONS)},
         "count 1: `connections` cannot be counted by `auth.user`, which is "
         "not known before `mail`"},
        {{.keys = KEYS("client.ip", "dkim.domains"),
          .counts = COUNTS(RECIPIENTS)},
         "count 0: `recipients` cannot be counted by `dkim.domains`, which is "
         "not known before `message`"},
        {{.keys = KEYS("rcpt.to"), .counts = COUNTS(MESSAGES)},
         "count 0: `messages` cannot be counted by recipient"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text =
            harness_start_error(&filterd_plugin, &rows[i].config);

        g_assert_cmpstr(text, ==, rows[i].error);
    }
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
    const Config config = {.keys = KEYS("client.ip"),
                           .counts = COUNTS(KINDS),
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
    const Config two = {.keys = KEYS("client.ip"),
                        .rates = {(Rate[]){{1, H}, {1, D}}, 2}};
    const Config slow = {.keys = KEYS("client.ip"),
                         .burst = 10000,
                         .rates = {(Rate[]){{1, H}}, 1}};
    const Config fast = {.keys = KEYS("client.ip"),
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

/* ---- faults where a key is a list ---- */

static void
prepare_list(Harness *harness, void *data)
{
    (void)data;
    harness_set(harness, "dkim.domains", "a.example,b.example");
    harness_set(harness, "message.size", "1");
}

static void
play_list(Harness *harness, void *data)
{
    (void)data;
    harness_run(harness, FILTERD_MESSAGE);
}

static void
test_list_faults(void)
{
    const HarnessScene scene = {.prepare = prepare_list, .play = play_list};

    g_assert_cmpuint(harness_explore(&filterd_plugin, &signers, &scene), >, 10);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    harness_set_facts(others);
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
    g_test_add_func("/ratelimit/each-of-a-list-has-its-bucket", test_lists);
    g_test_add_func("/ratelimit/of-a-long-list-the-first-count",
                    test_long_list);
    g_test_add_func("/ratelimit/a-key-may-be-a-number", test_numbers);
    g_test_add_func("/ratelimit/what-is-counted-waits-for-the-key",
                    test_tables);
    g_test_add_func("/ratelimit/a-key-that-cannot-be-is-refused", test_refused);
    g_test_add_func("/ratelimit/each-kind-has-its-bucket", test_kinds);
    g_test_add_func("/ratelimit/octets-are-counted", test_octets);
    g_test_add_func("/ratelimit/a-dead-store-is-unknown", test_dead);
    g_test_add_func("/ratelimit/a-spoilt-entry-is-none", test_spoilt);
    g_test_add_func("/ratelimit/what-rivals-pour-is-not-lost", test_rivals);
    g_test_add_func("/ratelimit/it-is-what-a-simple-model-says", test_model);
    g_test_add_func("/ratelimit/a-rate-can-be-measured", test_start);
    g_test_add_func("/ratelimit/each-fault-at-each-wait", test_faults);
    g_test_add_func("/ratelimit/each-fault-where-the-key-is-a-list",
                    test_list_faults);
    return g_test_run();
}
