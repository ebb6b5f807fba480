/* options.c: what stands behind a command of filterctl.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/tool.h"

#include <stdio.h>

gboolean
tool_options(const GOptionEntry *entries, const char *operand,
             const char *usage, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new(operand);
    g_option_context_add_main_entries(context, entries, NULL);
    if (g_option_context_parse(context, &argc, &argv, &error)
        && argc == (operand != NULL ? 2 : 1))
        return TRUE;
    fprintf(stderr, "%s%susage: filterctl %s\n",
            error != NULL ? error->message : "", error != NULL ? "\n" : "",
            usage);
    return FALSE;
}
