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
#include "filterd/service/dns.h"
#include "filterd/service/offload.h"

typedef struct Command {
    const PolicyConfig *config;
    void (*func)(Engine *engine, void *data);
    void *data;
    GError *error;
} Command;

/* A plugin that does not start may leave fibers of those before it to be
 * waited for: that is done in a fiber. */
static void
run_in_fiber(void *data)
{
    Command *command = data;
    const EngineOptions options = {.private_store = TRUE, .brief = TRUE};
    Engine *engine = engine_new(command->config, &options, &command->error);
    if (engine != NULL) {
        command->func(engine, command->data);
        engine_free(engine);
    }
    loop_stop();
}

gboolean
tool_run(const ToolRun *run, void (*func)(Engine *engine, void *data),
         void *data, GError **error)
{
    Command command = {.config = run->config, .func = func, .data = data};
    log_setup(LOG_TEXT, FILTERD_LOG_WARNING);
    metrics_init(1);
    metrics_use_row(0);
    loop_init();
    offload_init(1);
    if (configuration_start_dns(run->dns, run->silent, &command.error)) {
        fiber_detach(fiber_start("command", run_in_fiber, &command));
        loop_run();
        dns_clear();
    }
    offload_clear();
    fiber_pool_clear();
    loop_clear();
    if (command.error == NULL)
        return TRUE;
    g_propagate_error(error, command.error);
    return FALSE;
}
