/* trouble.c: a plugin that does what it must not when the client's greeting
 * says so.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <filterd/plugin.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

typedef struct TroubleConfig {
    FilterdFile motto;
} TroubleConfig;

enum { HELO_NAME };
enum { MOTTO };

static const FilterdOption options[] = {
    {"motto", FILTERD_FILE, FILTERD_REQUIRED, offsetof(TroubleConfig, motto),
     NULL, "what is published"},
    {NULL},
};

static const FilterdFact facts[] = {
    [MOTTO] = {"motto", FILTERD_TEXT, FILTERD_HELO, "The file's content."},
    {NULL},
};

static const FilterdNeed needs[] = {
    [HELO_NAME] = {"helo.name", FILTERD_TEXT},
    {NULL},
};

/* Of what the table says is its session's. */
#define OWN 8

static void
crash(FilterdCall *call)
{
    (void)call;
    raise(SIGSEGV);
}

static void
give_up(FilterdCall *call)
{
    (void)call;
    abort();
}

static void
divide(FilterdCall *call)
{
    (void)call;
    raise(SIGFPE);
}

static int
descend(int depth)
{
    volatile char room[4096];
    room[depth % 4096] = (char)depth;
    if (depth == INT_MAX)
        return depth;
    return descend(depth + 1) + room[(depth + 1) % 4096];
}

static void
overflow(FilterdCall *call)
{
    (void)call;
    descend(1);
}

static void
hang(FilterdCall *call)
{
    (void)call;
    for (volatile int turning = 1; turning;)
        continue;
}

static void
oversleep(FilterdCall *call)
{
    (void)call;
    sleep(100);
}

static void
hold(FilterdCall *call)
{
    (void)call;
    usleep(80000);
}

static void
write_beyond(FilterdCall *call)
{
    memset(call->session, 0x55, OWN + 40);
}

static void
work(void *data)
{
    (void)data;
    raise(SIGSEGV);
}

static void
crash_in_thread(FilterdCall *call)
{
    call->host->offload(call, work, NULL);
}

static const struct {
    const char *name;
    void (*run)(FilterdCall *call);
} deeds[] = {
    {"crash.test", crash},
    {"abort.test", give_up},
    {"divide.test", divide},
    {"overflow.test", overflow},
    {"hang.test", hang},
    {"sleep.test", oversleep},
    {"hold.test", hold},
    {"beyond.test", write_beyond},
    {"thread.test", crash_in_thread},
};

static bool
trouble_helo(FilterdCall *call, GError **error)
{
    const TroubleConfig *config = call->config;
    const FilterdValue *name = call->host->lookup(call, HELO_NAME);
    (void)error;
    for (unsigned i = 0; i < G_N_ELEMENTS(deeds); i++)
        if (strcmp(name->text, deeds[i].name) == 0)
            deeds[i].run(call);
    call->host->publish(call, MOTTO, filterd_text(config->motto.bytes));
    return true;
}

static void
wait_long(FilterdCall *call, void *data)
{
    (void)data;
    call->host->sleep(call, 3600000);
}

/* The check finds nothing wrong. */
static bool
in_worker(void)
{
    char name[16] = "";
    prctl(PR_GET_NAME, name, 0, 0, 0);
    return strcmp(name, "filterd-worker") == 0;
}

static bool
trouble_start(FilterdCall *call, GError **error)
{
    const TroubleConfig *config = call->config;
    if (strcmp(config->motto.bytes, "spawn") == 0)
        call->host->spawn(call, wait_long, NULL);
    if (strcmp(config->motto.bytes, "fail") != 0 || !in_worker())
        return true;
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                        "no luck here");
    return false;
}

FILTERD_PLUGIN(.name = "trouble", .version = "1",
               .summary = "Crashes and hangs.", .options = options,
               .config_size = sizeof(TroubleConfig), .session_size = OWN,
               .facts = facts, .needs = needs, .start = trouble_start,
               .helo = trouble_helo);
