/* trouble.c: a plugin that crashes or hangs when the client's greeting says so.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <filterd/plugin.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

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

static void
hang(void)
{
    for (volatile int turning = 1; turning;)
        continue;
}

static bool
trouble_helo(FilterdCall *call, GError **error)
{
    const TroubleConfig *config = call->config;
    const FilterdValue *name = call->host->lookup(call, HELO_NAME);
    (void)error;
    if (strcmp(name->text, "crash.test") == 0)
        raise(SIGSEGV);
    if (strcmp(name->text, "hang.test") == 0)
        hang();
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
               .config_size = sizeof(TroubleConfig), .facts = facts,
               .needs = needs, .start = trouble_start, .helo = trouble_helo);
