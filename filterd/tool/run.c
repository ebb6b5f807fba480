/* run.c: an engine for the length of one command.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/run.h"

#include "filterd/base/fiber.h"
#include "filterd/base/log.h"
#include "filterd/base/loop.h"
#include "filterd/base/metrics.h"
#include "filterd/service/offload.h"

typedef struct Run {
    Engine *engine;
    void (*func)(Engine *engine, void *data);
    void *data;
} Run;

static void
run_in_fiber(void *data)
{
    const Run *run = data;
    run->func(run->engine, run->data);
    engine_free(run->engine);
    loop_stop();
}

static gboolean
run_engine(const PolicyConfig *config, Run *run, GError **error)
{
    const EngineOptions options = {.private_store = TRUE};
    run->engine = engine_new(config, &options, error);
    if (run->engine == NULL)
        return FALSE;
    fiber_detach(fiber_start("command", run_in_fiber, run));
    loop_run();
    return TRUE;
}

gboolean
tool_run(const PolicyConfig *config, const DnsConfig *dns,
         void (*func)(Engine *engine, void *data), void *data, GError **error)
{
    Run run = {.func = func, .data = data};
    log_setup(LOG_TEXT, FILTERD_LOG_WARNING);
    metrics_init(1);
    metrics_use_row(0);
    loop_init();
    offload_init(1);
    gboolean ok = dns_init(dns, error);
    if (ok) {
        ok = run_engine(config, &run, error);
        dns_clear();
    }
    offload_clear();
    fiber_pool_clear();
    loop_clear();
    return ok;
}
