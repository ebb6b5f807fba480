/* compile.c: a configuration file for a command, straight from the disk.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/loader.h"
#include "filterd/session/engine.h"
#include "filterd/tool/tool.h"

#include <stdio.h>

static GBytes *
read_file(void *data, const char *path, GError **error)
{
    (void)data;
    char *bytes;
    gsize length;
    if (!g_file_get_contents(path, &bytes, &length, error))
        return NULL;
    return g_bytes_new_take(bytes, length);
}

static const FilterdPlugin *
load_plugin(void *data, const char *name, GError **error)
{
    (void)data;
    return loader_open(name, error);
}

PolicyConfig *
tool_compile(const char *path)
{
    const PolicyLoader loader = {
        .read = read_file,
        .plugin = load_plugin,
        .core_facts = engine_core_facts,
        .core_actions = engine_core_actions,
    };
    PolicyReport report;
    policy_report_init(&report);
    PolicyConfig *config = policy_compile(path, &loader, &report);
    g_autofree char *text = policy_report_format(&report);
    fputs(text, stderr);
    policy_report_clear(&report);
    return config;
}
