/* check.c: filterctl check: whether a configuration file is right.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/statement.h"
#include "filterd/tool/run.h"
#include "filterd/tool/tool.h"

#include <stdio.h>

static void
nothing(Engine *engine, void *data)
{
    (void)engine;
    (void)data;
}

static void
complain(const Bundle *bundle, const char *path, const GError *error)
{
    PolicyReport report;
    policy_report_init(&report);
    if (statement_refuse_start(bundle, &report, error)) {
        g_autofree char *text = policy_report_format(&report);
        fputs(text, stderr);
    } else {
        fprintf(stderr, "%s: error: %s\n", path, error->message);
    }
    policy_report_clear(&report);
}

/* Plugins look at their options when they start. */
static gboolean
plugins_start(const PolicyConfig *config, const Bundle *bundle,
              const char *path)
{
    g_autoptr(GError) error = NULL;
    const ToolRun run = {config, &config->dns, TRUE};
    if (tool_run(&run, nothing, NULL, &error))
        return TRUE;
    complain(bundle, path, error);
    return FALSE;
}

int
tool_check(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: filterctl check FILE\n", stderr);
        return TOOL_UNUSABLE;
    }
    g_autoptr(Bundle) bundle = bundle_new();
    g_autoptr(PolicyConfig) config = tool_compile(bundle, argv[1], TRUE);
    if (config == NULL || !plugins_start(config, bundle, argv[1]))
        return TOOL_WRONG;
    printf("%s is right\n", argv[1]);
    return TOOL_OK;
}
