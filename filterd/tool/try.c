/* try.c: filterctl try: judges one message offline, through the real engine.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/try.h"

#include "filterd/tool/run.h"
#include "filterd/tool/tool.h"

#include <stdio.h>

typedef struct Try {
    TryRequest request;
    TryResult result;
    gboolean written;
} Try;

static void
converse(Engine *engine, void *data)
{
    Try *try = data;
    try->written = try_converse(engine, &try->request, &try->result);
}

static gboolean
run_engine(Try *try, const ToolRun *run)
{
    g_autoptr(GError) error = NULL;
    if (tool_run(run, converse, try, &error))
        return TRUE;
    fprintf(stderr, "filterctl try: %s\n", error->message);
    return FALSE;
}

/* With all the DNS there is in one file. */
static gboolean
run_with_zone(Try *try, const PolicyConfig *config)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *bytes = NULL;
    gsize length;
    if (!g_file_get_contents(try->request.zone, &bytes, &length, &error)) {
        fprintf(stderr, "filterctl try: --zone: %s\n", error->message);
        return FALSE;
    }
    const FilterdFile zone = {try->request.zone, bytes, length};
    const PolicyDns dns = {
        .zone = {&zone, 1},
        .timeout = config->dns.timeout,
        .budget = config->dns.budget,
    };
    const ToolRun run = {config, &dns, TRUE};
    return run_engine(try, &run);
}

static gboolean
run_with_resolver(Try *try, const PolicyConfig *config)
{
    const char *const resolver[] = {try->request.resolver};
    const PolicyDns dns = {
        .resolver = {resolver, G_N_ELEMENTS(resolver)},
        .timeout = config->dns.timeout,
        .budget = config->dns.budget,
    };
    const ToolRun run = {config, &dns, FALSE};
    return run_engine(try, &run);
}

static gboolean
run_as_configured(Try *try, const PolicyConfig *config)
{
    const ToolRun run = {config, &config->dns, FALSE};
    return run_engine(try, &run);
}

static gboolean
run(Try *try, const PolicyConfig *config)
{
    if (try->request.zone != NULL)
        return run_with_zone(try, config);
    if (try->request.resolver != NULL)
        return run_with_resolver(try, config);
    return run_as_configured(try, config);
}

static void
show(const Try *try)
{
    if (try->request.json) {
        g_autofree char *json = try_result_json(&try->result);
        fputs(json, stdout);
        return;
    }
    g_autoptr(GString) out = g_string_new(NULL);
    View view = {out, try->request.colour};
    try_view(&view, &try->result);
    fputs(out->str, stdout);
}

/* What it has of the configuration goes before that does. */
static int
judge(Try *try)
{
    g_autoptr(Bundle) bundle = bundle_new();
    g_autoptr(PolicyConfig) config =
        tool_compile(bundle, try->request.config, FALSE);
    if (config == NULL || !run(try, config))
        return TOOL_UNUSABLE;
    show(try);
    return try->written ? TOOL_OK : TOOL_UNUSABLE;
}

int
tool_try(int argc, char **argv)
{
    Try try = {0};
    try_result_init(&try.result);
    int status = try_request_read(&try.request, argc, argv) ? judge(&try)
                                                            : TOOL_UNUSABLE;
    try_result_clear(&try.result);
    try_request_clear(&try.request);
    return status;
}
