/* trouble.c: a plugin that crashes or hangs when the client's greeting says so.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <filterd/plugin.h>
#include <signal.h>
#include <string.h>

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

FILTERD_PLUGIN(.name = "trouble", .version = "1",
               .summary = "Crashes and hangs.", .options = options,
               .config_size = sizeof(TroubleConfig), .facts = facts,
               .needs = needs, .helo = trouble_helo);
