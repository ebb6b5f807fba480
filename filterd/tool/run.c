/* run.c: an engine for the length of one command.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/run.h"

#include "filterd/base/fiber.h"
#include "filterd/base/log.h"
#include "filterd/base/loop.h"
#include "filterd/base/metrics.h"
#include "filterd/process/configuration.h"
#include "filterd/process/privileges.h"
#include "filterd/service/dns.h"
#include "filterd/service/offload.h"
#include "filterd/tool/witness.h"

typedef struct Task {
    void (*func)(void *data);
    void *data;
} Task;

typedef struct Command {
    const PolicyConfig *config;
    void (*func)(Engine *engine, void *data);
    void *data;
    GError *error;
} Command;

gboolean
tool_become_user(const PolicyConfig *config, GError **error)
{
    Privileges privileges = {0};
    const char *word;
    gboolean ok = privileges_find(&config->settings, &privileges, &word, error)
                  && (!privileges.drop || privileges_drop(&privileges, error));
    witness_follow();
    return ok;
}

static void
run_task(void *data)
{
    Task *task = data;
    task->func(task->data);
    loop_stop();
}

gboolean
tool_run_fiber(const PolicyDns *dns, gboolean silent, void (*func)(void *data),
               void *data, GError **error)
{
    Task task = {func, data};
    log_setup(LOG_TEXT, FILTERD_LOG_WARNING);
    metrics_init(1);
    metrics_use_row(0);
    loop_init();
    offload_init(1);
    gboolean ok = configuration_start_dns(dns, silent, error);
    if (ok) {
        fiber_detach(fiber_start("command", run_task, &task));
        loop_run();
        dns_clear();
    }
    offload_clear();
    fiber_pool_clear();
    loop_clear();
    return ok;
}

/* A plugin that does not start may leave fibers of those before it to be
 * waited for: that is done in a fiber. */
static void
run_with_engine(void *data)
{
    Command *command = data;
    const EngineOptions options = {.private_store = TRUE, .brief = TRUE};
    Engine *engine = engine_new(command->config, &options, &command->error);
    if (engine != NULL) {
        command->func(engine, command->data);
        engine_free(engine);
    }
}

gboolean
tool_run(const ToolRun *run, void (*func)(Engine *engine, void *data),
         void *data, GError **error)
{
    Command command = {.config = run->config, .func = func, .data = data};
    if (!tool_run_fiber(run->dns, run->silent, run_with_engine, &command,
                        error))
        return FALSE;
    if (command.error == NULL)
        return TRUE;
    g_propagate_error(error, command.error);
    return FALSE;
}
