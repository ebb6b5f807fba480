/* check.c: filterctl check: whether a configuration file is right.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/statement.h"
#include "filterd/tool/run.h"
#include "filterd/tool/tool.h"
#include "policy/difference.h"

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

/* FALSE: the other file is not right. */
static gboolean
show_difference(const PolicyConfig *config, const char *path)
{
    g_autoptr(Bundle) bundle = bundle_new();
    g_autoptr(PolicyConfig) old = tool_compile(bundle, path, FALSE);
    if (old == NULL)
        return FALSE;
    g_autoptr(GPtrArray) phrases = policy_difference(old, config);
    for (guint i = 0; i < phrases->len; i++)
        puts(g_ptr_array_index(phrases, i));
    if (phrases->len == 0)
        printf("nothing is different from %s\n", path);
    return TRUE;
}

static int
check(const char *path, const char *against)
{
    g_autoptr(Bundle) bundle = bundle_new();
    g_autoptr(PolicyConfig) config = tool_compile(bundle, path, TRUE);
    if (config == NULL || !plugins_start(config, bundle, path))
        return TOOL_WRONG;
    printf("%s is right\n", path);
    return against == NULL || show_difference(config, against) ? TOOL_OK
                                                               : TOOL_WRONG;
}

int
tool_check(int argc, char **argv)
{
    g_autofree char *against = NULL;
    const GOptionEntry entries[] = {
        {"against", 0, 0, G_OPTION_ARG_FILENAME, &against,
         "Tell what is different from that file", "FILE"},
        {NULL},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("FILE");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc != 2) {
        fprintf(stderr, "%s%susage: filterctl check [--against FILE] FILE\n",
                error != NULL ? error->message : "", error != NULL ? "\n" : "");
        return TOOL_UNUSABLE;
    }
    return check(argv[1], against);
}
