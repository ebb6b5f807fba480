/* backend-pool.c: tests of who of several backends gets mail.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/backend-pool.h"

#include "filterd/base/log.h"
#include "filterd/base/loop.h"
#include "filterd/session/engine.h"
#include "filterd/wire/backend-health.h"
#include "tests/wire/backend.h"

#include <string.h>
#include <unistd.h>

#define BACKENDS 3
/* Seconds until a test that hangs is ended. */
#define PATIENCE 60

/* Backends are a, b and c. A script is of words:
 *
 *   abba-       who is taken, one after the other; -: nobody
 *   hold:a      one is taken, and kept until the end
 *   queue:2     so many wait at once until they get none
 *   share:60=40,20,0  of so many that are taken, so many are each's, give or
 *               take one
 *   stop:a      it is no more there; start:a: it is again
 *   spoil:a     from now on it does as its `server` says
 *   +1000       milliseconds pass
 *   log:a-is-up lines of the log are this, with blanks as hyphens, in order;
 *               they are forgotten then
 *   offers:8BITMIME   all of them do; lacks:…
 *   met:a=2     so many connections it has had */
typedef struct PoolCase {
    const char *name;
    const char *options[BACKENDS]; /* NULL: it is not there */
    const char *script;
    const char *replies[BACKEND_STEPS]; /* of all, once they are spoilt */
    gboolean proxied;
} PoolCase;

typedef struct Scene {
    const PoolCase *play;
    Backend backends[BACKENDS];
    PolicyConfig *config;
    BackendPool *pool;
    SmtpClient *held;
    GPtrArray *queue; /* Fiber */
} Scene;

static GString *logged;

static void
log_sink(FilterdLogLevel level G_GNUC_UNUSED, const char *line)
{
    g_string_append_printf(logged, "%s\n", line);
}

/* ---- the stage ---------------------------------------------------------- */

static PolicyConfig *
compile(const Scene *scene)
{
    const PolicyLoader loader = {.core_facts = engine_core_facts,
                                 .core_actions = engine_core_actions};
    PolicyReport report;
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < BACKENDS; i++) {
        g_autofree char *where = endpoint_format(&scene->backends[i].endpoint);
        if (scene->play->options[i] != NULL)
            g_string_append_printf(text, "backend smtp %s { %s }\n", where,
                                   scene->play->options[i]);
    }
    policy_report_init(&report);
    PolicyConfig *config =
        policy_compile_text("test.conf", text->str, &loader, &report);
    g_autofree char *notes = policy_report_format(&report);
    if (config == NULL)
        g_error("%s", notes);
    policy_report_clear(&report);
    return config;
}

/* What is ready happens. */
static void
settle(void)
{
    for (unsigned i = 0; i < 20; i++) {
        g_usleep(200);
        fiber_yield();
    }
}

static char
letter_of(const Scene *scene, const SmtpClient *client)
{
    for (unsigned i = 0; client != NULL && i < BACKENDS; i++)
        if (smtp_client_backend(client)->endpoint.port
            == scene->backends[i].endpoint.port)
            return (char)('a' + i);
    return '-';
}

static const SmtpIdentity nobody = {.helo = "c.test"};

static SmtpClient *
take(Scene *scene)
{
    g_autoptr(GError) error = NULL;
    SmtpClient *client = backend_pool_take(scene->pool, &nobody, FALSE, &error);
    g_assert_true((client == NULL) == (error != NULL));
    return client;
}

static char
take_one(Scene *scene)
{
    SmtpClient *client = take(scene);
    char letter = letter_of(scene, client);
    if (client != NULL)
        backend_pool_give(scene->pool, client);
    return letter;
}

/* ---- words -------------------------------------------------------------- */

static void
take_in_turn(Scene *scene, const char *letters)
{
    g_autoptr(GString) taken = g_string_new(NULL);
    for (const char *p = letters; *p != '\0'; p++)
        g_string_append_c(taken, take_one(scene));
    g_assert_cmpstr(taken->str, ==, letters);
}

static void
hold(Scene *scene, const char *letter)
{
    scene->held = take(scene);
    g_assert_cmpint(letter_of(scene, scene->held), ==, *letter);
}

static void
wait_in_vain(void *data)
{
    g_assert_null(take(data));
}

static void
queue(Scene *scene, const char *number)
{
    scene->queue = g_ptr_array_new();
    for (int i = 0; i < atoi(number); i++)
        g_ptr_array_add(scene->queue,
                        fiber_start("queue", wait_in_vain, scene));
    settle();
}

static void
join_queue(Scene *scene)
{
    for (unsigned i = 0; scene->queue != NULL && i < scene->queue->len; i++)
        fiber_join(g_ptr_array_index(scene->queue, i));
    g_clear_pointer(&scene->queue, g_ptr_array_unref);
}

static void
share(Scene *scene, const char *text)
{
    unsigned taken[BACKENDS] = {0};
    g_auto(GStrv) parts = g_strsplit_set(text, "=,", 0);
    for (int i = 0; i < atoi(parts[0]); i++) {
        char letter = take_one(scene);
        g_assert_cmpint(letter, !=, '-');
        taken[letter - 'a']++;
    }
    for (unsigned i = 0; i < BACKENDS; i++)
        g_assert_cmpint(abs((int)taken[i] - atoi(parts[i + 1])), <=, 1);
}

static void
stop(Scene *scene, const char *letter)
{
    backend_stop(&scene->backends[*letter - 'a']);
}

static void
start(Scene *scene, const char *letter)
{
    backend_start_again(&scene->backends[*letter - 'a']);
}

static void
spoil(Scene *scene, const char *letter)
{
    Backend *backend = &scene->backends[*letter - 'a'];
    backend_kick(backend);
    memcpy(backend->replies, scene->play->replies, sizeof backend->replies);
}

static void
pass_time(Scene *scene G_GNUC_UNUSED, const char *text)
{
    settle();
    clock_advance(g_ascii_strtoll(text, NULL, 10));
    settle();
}

/* Addresses become letters. */
static void
check_log(Scene *scene, const char *text)
{
    for (unsigned i = 0; i < BACKENDS; i++) {
        char letter[] = {(char)('a' + i), '\0'};
        g_autofree char *where = endpoint_format(&scene->backends[i].endpoint);
        g_string_replace(logged, where, letter, 0);
    }
    g_strdelimit(logged->str, " ", '-');
    g_auto(GStrv) lines = g_strsplit(text, ",", 0);
    const char *from = logged->str;
    unsigned found = 0, length = 0;
    for (const char *p = logged->str; *p != '\0'; p++)
        length += *p == '\n' ? 1 : 0;
    for (; lines[found] != NULL && *lines[found] != '\0'; found++) {
        from = strstr(from, lines[found]);
        if (from == NULL)
            g_error("no %s in: %s", lines[found], logged->str);
        from++;
    }
    if (found != length)
        g_error("more than %s: %s", text, logged->str);
    g_string_truncate(logged, 0);
}

static gboolean
is_offered(Scene *scene, const char *name)
{
    const SmtpExtensions *offered = backend_pool_extensions(scene->pool);
    for (unsigned i = 0; smtp_extension_names[i] != NULL; i++)
        if (strcmp(smtp_extension_names[i], name) == 0)
            return (offered->passed & 1u << i) != 0;
    return FALSE;
}

static void
offers(Scene *scene, const char *name)
{
    g_assert_true(is_offered(scene, name));
}

static void
lacks(Scene *scene, const char *name)
{
    g_assert_false(is_offered(scene, name));
}

static void
met(Scene *scene, const char *text)
{
    g_assert_cmpint(scene->backends[*text - 'a'].connections, ==,
                    atoi(text + 2));
}

static void
do_word(Scene *scene, const char *word)
{
    static const struct {
        const char *name;
        void (*carry_out)(Scene *scene, const char *text);
    } rows[] = {
        {"hold:", hold},     {"share:", share},   {"stop:", stop},
        {"start:", start},   {"spoil:", spoil},   {"+", pass_time},
        {"log:", check_log}, {"offers:", offers}, {"lacks:", lacks},
        {"met:", met},       {"queue:", queue},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (g_str_has_prefix(word, rows[i].name)) {
            rows[i].carry_out(scene, word + strlen(rows[i].name));
            return;
        }
    take_in_turn(scene, word);
}

static void
run(void *data)
{
    Scene *scene = data;
    g_auto(GStrv) words = g_strsplit(scene->play->script, " ", 0);
    for (unsigned i = 0; i < BACKENDS; i++) {
        scene->backends[i].proxied = scene->play->proxied;
        backend_start(&scene->backends[i]);
    }
    scene->config = compile(scene);
    scene->pool = backend_pool_new(scene->config, "mx.test", 1);
    for (unsigned i = 0; words[i] != NULL; i++)
        do_word(scene, words[i]);
    join_queue(scene);
    if (scene->held != NULL)
        backend_pool_drop(scene->pool, scene->held);
    backend_pool_free(scene->pool);
    for (unsigned i = 0; i < BACKENDS; i++)
        backend_clear(&scene->backends[i]);
    loop_stop();
}

static void
test_script(gconstpointer data)
{
    Scene scene = {.play = data};
    alarm(PATIENCE);
    logged = g_string_new(NULL);
    log_set_sink(log_sink);
    loop_init();
    clock_stop(0);
    fiber_detach(fiber_start("test", run, &scene));
    loop_run();
    g_assert_cmpuint(fiber_count(), ==, 0);
    clock_start();
    fiber_pool_clear();
    loop_clear();
    policy_config_free(scene.config);
    log_set_sink(NULL);
    g_string_free(logged, TRUE);
}

/* ---- cases -------------------------------------------------------------- */

#define REFUSED "connection-refused"

static const PoolCase cases[] = {
    {"one-is-always-taken", {""}, "aaa"},
    {"equals-take-turns", {"", "", ""}, "abcabc"},
    {"by-weight-and-evenly-spread",
     {"weight 5", "weight 1", "weight 1"},
     "aabacaa aabacaa"},
    {"by-weight-over-many",
     {"weight 7", "weight 2", "weight 1"},
     "share:100=70,20,10"},
    {"lowest-priority-first",
     {"priority 5", "priority 1", "priority 5"},
     "bbb stop:b aca"},
    {"without-weight-only-when-no-other-is-up",
     {"weight 0", "weight 1", "weight 1"},
     "bcb stop:b ccc stop:c aaa start:b +1201 bbb"},
    {"without-weight-before-the-next-priority",
     {"priority 1", "weight 0", ""},
     "ccc stop:c bbb stop:b aaa"},
    {"one-that-is-full-is-passed-over",
     {"max-connections 1", "priority 9"},
     "hold:a bbb"},
    {"the-down-one-is-passed-over-and-told-of-once",
     {"", ""},
     "ab stop:a bbbb log:a-is-down"},
    {"and-comes-back-by-itself",
     {"", ""},
     "ab stop:a bbb +500 bb start:a bb +701 log:a-is-down,a-is-up-again "
     "baba"},
    {"its-pause-grows",
     {"", ""},
     "stop:a bb +1201 +1201 start:a met:a=0 +1201 met:a=1 "
     "log:a-is-down,a-is-up-again"},
    {"a-relapse-begins-with-the-longer-pause",
     {"", ""},
     "stop:a bb start:a +1201 log:a-is-down,a-is-up-again met:a=1 "
     "stop:a bb start:a +1201 met:a=1 +1201 met:a=2"},
    {"alone-and-silent-it-is-tried-once-in-a-pause",
     {"health-interval 0 command-timeout 20s"},
     "spoil:a - met:a=1 --- met:a=1 +1201 --- met:a=2 +1201 -- met:a=2 "
     "+1201 - met:a=3 log:a-is-down",
     .replies[BACKEND_CONNECT] = BACKEND_HANGS},
    {"alone-and-refusing-at-once-it-is-tried-by-the-next",
     {""},
     "stop:a -- start:a a log:a-is-down,a-is-up-again"},
    {"without-checks-mail-finds-it-again",
     {"health-interval 0", "health-interval 0"},
     "ab stop:a bb +1201 start:a met:a=1 a met:a=2 b"},
    {"without-checks-it-is-none-but-its-own-mail-that-does",
     {"", "health-interval 0 priority 9"},
     "stop:a b stop:b - start:a +1201 aa start:b +9999 aa stop:a b"},
    {"checks-say-quit",
     {"", ""},
     "stop:a b +1 start:a +1201 met:a=1 log:a-is-down,a-is-up-again"},
    {"no-check-of-what-is-up", {""}, "a +60000 +60000 met:a=1"},
    {"a-refusing-greeting-is-down",
     {"", ""},
     "ab spoil:a bbbb met:a=2 log:a-is-down:-backend-a:-it-greets-with-a-"
     "refusal",
     .replies[BACKEND_CONNECT] = "554 5.7.1 no\r\n"},
    {"421-at-once-is-down",
     {"", ""},
     "ab spoil:a bb log:it-closes-(421)",
     .replies[BACKEND_CONNECT] = "421 4.3.2 bye\r\n"},
    {"no-tls-where-it-has-to-be-is-down",
     {"tls required", ""},
     "bb log:it-does-not-offer-STARTTLS"},
    {"a-client-that-it-refuses-does-not-take-it-from-others",
     {"identity proxy-v1", ""},
     "ab spoil:a bb met:a=2 log:",
     .replies[BACKEND_CONNECT] = "554 5.7.1 not that one\r\n",
     .proxied = TRUE},
    {"but-it-is-looked-at-then",
     {"identity proxy-v1", ""},
     "ab spoil:a b +1001 met:a=3 log:a-is-down bb",
     .replies[BACKEND_CONNECT] = "554 5.7.1 not that one\r\n",
     .proxied = TRUE},
    {"those-who-wait-for-one-do-not-besiege-another",
     {"max-connections 1", "identity proxy-v1 priority 9 health-interval 0"},
     "hold:a spoil:b queue:3 met:b=3 +10001",
     .replies[BACKEND_CONNECT] = "554 5.7.1 not that one\r\n",
     .proxied = TRUE},
    {"slow-start-grows-with-time",
     {"slow-start 100s", ""},
     "ab stop:a b start:a +1201 share:40=0,40,0 +25000 share:50=10,40,0 "
     "+25000 share:60=20,40,0 +50000 share:60=30,30,0"},
    {"slow-start-is-not-for-the-first",
     {"slow-start 100s", ""},
     "share:60=30,30,0"},
    {
        "what-all-offer",
        {"", ""},
        "offers:8BITMIME lacks:DSN",
    },
    {"what-it-offers-anew-when-it-is-back",
     {"health-interval 1s"},
     "offers:8BITMIME a stop:a - spoil:a start:a +1201 lacks:8BITMIME "
     "offers:DSN",
     .replies[BACKEND_EHLO] = "250-b\r\n250 DSN\r\n"},
};

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path =
            g_strconcat("/wire/backend-pool/", cases[i].name, NULL);
        g_test_add_data_func(path, &cases[i], test_script);
    }
    return g_test_run();
}
