/* explore.c: each fault at each place where a plugin waits.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/harness/internal.h"

#include <string.h>

/* A plugin that was told that its session ends may say good-bye. */
#define LATE_LIMIT 64
/* Waits of one run. */
#define WAIT_LIMIT 100000

static const struct {
    const char *name;
    unsigned points; /* bits of 1 << HarnessPoint */
} faults[] = {
    [HARNESS_CANCELLED] = {"cancelled", (1 << HARNESS_POINTS) - 1},
    [HARNESS_UNKNOWN] = {"unknown", 1 << HARNESS_AT_LOOKUP},
    [HARNESS_TIMEOUT] = {"timeout", 1 << HARNESS_AT_DNS | 1 << HARNESS_AT_STREAM
                                        | 1 << HARNESS_AT_TURN},
    [HARNESS_SERVFAIL] = {"servfail", 1 << HARNESS_AT_DNS},
    [HARNESS_BOGUS] = {"bogus", 1 << HARNESS_AT_DNS},
    [HARNESS_SPENT] = {"spent", 1 << HARNESS_AT_DNS},
    [HARNESS_STORE_ONCE] = {"failed once", 1 << HARNESS_AT_STORE},
    [HARNESS_STORE_DEAD] = {"dead", 1 << HARNESS_AT_STORE},
    [HARNESS_REFUSED] = {"refused", 1 << HARNESS_AT_OFFLOAD},
    [HARNESS_LOST] = {"lost", 1 << HARNESS_AT_STREAM},
    [HARNESS_CLOSED] = {"closed", 1 << HARNESS_AT_STREAM},
    [HARNESS_GARBAGE] = {"garbage", 1 << HARNESS_AT_STREAM},
};

/* Set by the leak sanitizer, where there is one. */
__attribute__((weak)) int __lsan_do_recoverable_leak_check(void);

/* ---- the places --------------------------------------------------------- */

static HarnessFault
late_pass(HarnessCall *self, const char *what)
{
    if (++self->late > LATE_LIMIT)
        g_error("goes on waiting after it was cancelled: %s", what);
    return HARNESS_CANCELLED;
}

/* What is to go wrong at the wait that comes now, of those that count. */
static HarnessFault
fault_take(Harness *harness, HarnessPoint point, const char *what)
{
    unsigned wait = harness->waited->len;

    if (!harness->counting)
        return HARNESS_NO_FAULT;
    if (wait > WAIT_LIMIT)
        g_error("waits without end: %s", what);
    g_ptr_array_add(harness->waited, g_strdup(what));
    g_array_append_val(harness->points, point);
    if (wait != harness->fault_wait || harness->fault == HARNESS_NO_FAULT)
        return HARNESS_NO_FAULT;
    if ((faults[harness->fault].points & 1U << point) == 0)
        g_error("\"%s\" cannot be %s", what, faults[harness->fault].name);
    return harness->fault;
}

HarnessFault
harness_pass(HarnessCall *self, HarnessPoint point, const char *format, ...)
{
    g_autofree char *what = NULL;
    va_list arguments;

    va_start(arguments, format);
    what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (self->cancelled || self->harness->stopping)
        return late_pass(self, what);

    HarnessFault fault = fault_take(self->harness, point, what);

    self->cancelled = fault == HARNESS_CANCELLED;
    return fault;
}

void
harness_inject(Harness *harness, unsigned wait, HarnessFault fault)
{
    g_ptr_array_set_size(harness->waited, 0);
    g_array_set_size(harness->points, 0);
    harness->counting = TRUE;
    harness->fault_wait = wait;
    harness->fault = fault;
}

/* ---- what came of it ---------------------------------------------------- */

typedef struct Exploration {
    const FilterdPlugin *plugin;
    const void *config;
    const HarnessScene *scene;
    char **facts; /* of the first run, as their rows */
    char *authres;
    char *edits;
    char **waited;
    GArray *points;
    unsigned runs;
} Exploration;

static void
compare(const Exploration *exploration, const HarnessTrial *trial,
        const char *what, const char *whole, const char *now)
{
    const HarnessScene *scene = exploration->scene;

    if (scene->allows == NULL || !scene->allows(trial, what, whole, now))
        g_test_fail_printf("%s: \"%s\", which would have been \"%s\"", what,
                           now, whole);
}

static void
compare_facts(const Exploration *exploration, Harness *harness,
              const HarnessTrial *trial)
{
    const FilterdFact *rows = harness->plugin->facts;

    for (gsize i = 0; exploration->facts[i] != NULL; i++) {
        const char *whole = exploration->facts[i];
        const char *now = harness_fact(harness, rows[i].name);

        if (strcmp(now, whole) != 0 && strcmp(now, "-") != 0
            && strcmp(now, "temperror") != 0)
            compare(exploration, trial, rows[i].name, whole, now);
    }
}

/* "spf=temperror (…)": nothing that anybody would rely on. */
static gboolean
is_modest(const char *result)
{
    const char *word = strchr(result, '=');
    gsize length = word != NULL ? strcspn(word + 1, " ") : 0;

    return (length == strlen("temperror")
            && strncmp(word + 1, "temperror", length) == 0)
           || (length == strlen("none")
               && strncmp(word + 1, "none", length) == 0);
}

static void
compare_lines(const Exploration *exploration, const HarnessTrial *trial,
              const char *what, const char *now)
{
    gboolean results = strcmp(what, "edits") != 0;
    g_auto(GStrv) whole = g_strsplit(
        results ? exploration->authres : exploration->edits, "\n", -1);
    g_auto(GStrv) lines = g_strsplit(now, "\n", -1);

    for (char **line = lines; *line != NULL; line++)
        if (!g_strv_contains((const char *const *)whole, *line)
            && !(results && is_modest(*line)))
            compare(exploration, trial, what, "-", *line);
}

static void
remember(Exploration *exploration, Harness *harness)
{
    const FilterdFact *rows = harness->plugin->facts;
    g_autoptr(GStrvBuilder) facts = g_strv_builder_new();

    for (gsize i = 0; rows != NULL && rows[i].name != NULL; i++)
        g_strv_builder_add(facts, harness_fact(harness, rows[i].name));
    exploration->facts = g_strv_builder_end(facts);
    exploration->authres = g_strdup(harness_authres(harness));
    exploration->edits = g_strdup(harness_edits(harness));
    exploration->waited = g_strsplit(harness_waited(harness), "\n", -1);
    exploration->points = g_array_copy(harness->points);
}

static void
judge(Exploration *exploration, Harness *harness, const HarnessTrial *trial)
{
    const HarnessScene *scene = exploration->scene;

    if (trial->fault == HARNESS_NO_FAULT)
        remember(exploration, harness);
    else if (harness->waited->len <= trial->wait
             || strcmp(harness->waited->pdata[trial->wait], trial->at) != 0)
        g_test_fail_printf("another wait than in the first run: the scene does "
                           "not repeat itself");
    compare_facts(exploration, harness, trial);
    compare_lines(exploration, trial, "Authentication-Results",
                  harness_authres(harness));
    compare_lines(exploration, trial, "edits", harness_edits(harness));
    if (scene->judge != NULL)
        scene->judge(harness, trial, scene->data);
}

/* ---- the runs ----------------------------------------------------------- */

static char *
trial_name(const HarnessTrial *trial)
{
    if (trial->fault == HARNESS_NO_FAULT)
        return g_strdup("without a fault");
    return g_strdup_printf("wait %u, %s: %s", trial->wait, trial->at,
                           faults[trial->fault].name);
}

static void
play(Exploration *exploration, const HarnessTrial *trial)
{
    const HarnessScene *scene = exploration->scene;
    g_autoptr(Harness) harness =
        harness_new(exploration->plugin, exploration->config);

    exploration->runs++;
    if (scene->prepare != NULL)
        scene->prepare(harness, scene->data);
    harness->exploring = trial->fault != HARNESS_NO_FAULT;
    harness_inject(harness, trial->wait, trial->fault);
    scene->play(harness, scene->data);
    judge(exploration, harness, trial);
}

/* FALSE: something was wrong, and is told: one finding at a time. */
static gboolean
run(Exploration *exploration, const HarnessTrial *trial)
{
    g_autofree char *name = trial_name(trial);

    if (g_test_verbose())
        g_test_message("%s", name);
    play(exploration, trial);
    if (g_test_failed())
        g_test_message("it was %s", name);
    return !g_test_failed();
}

static gboolean
run_faults(Exploration *exploration, unsigned wait)
{
    HarnessPoint point = g_array_index(exploration->points, HarnessPoint, wait);

    for (unsigned i = 1; i < G_N_ELEMENTS(faults); i++) {
        const HarnessTrial trial = {(HarnessFault)i, wait,
                                    exploration->waited[wait]};

        if ((faults[i].points & 1U << point) != 0 && !run(exploration, &trial))
            return FALSE;
    }
    return TRUE;
}

unsigned
harness_explore(const FilterdPlugin *plugin, const void *config,
                const HarnessScene *scene)
{
    Exploration exploration = {plugin, config, .scene = scene};
    gboolean ok = run(&exploration, &(HarnessTrial){HARNESS_NO_FAULT});

    for (unsigned i = 0; ok && i < exploration.points->len; i++)
        ok = run_faults(&exploration, i);
    if (ok && exploration.runs < MAX(scene->least, 2))
        g_test_fail_printf("the scene has no more than %u runs",
                           exploration.runs);
    if (ok && __lsan_do_recoverable_leak_check != NULL
        && __lsan_do_recoverable_leak_check() != 0)
        g_test_fail_printf("memory leaks");
    g_strfreev(exploration.facts);
    g_strfreev(exploration.waited);
    g_free(exploration.authres);
    g_free(exploration.edits);
    g_array_unref(exploration.points);
    return exploration.runs;
}
