/* compile.c: a configuration file for a command, as the daemon compiles it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/available.h"
#include "filterd/process/certificates.h"
#include "filterd/process/configuration.h"
#include "filterd/tool/tool.h"

#include <stdio.h>

static void
show_report(PolicyReport *report)
{
    policy_report_sort(report);
    g_autofree char *text = policy_report_format(report);
    fputs(text, stderr);
    policy_report_clear(report);
}

PolicyConfig *
tool_compile_report(Bundle *bundle, const char *path, gboolean available,
                    PolicyReport *report)
{
    g_autoptr(PolicyConfig) config =
        configuration_compile(bundle, path, TRUE, report);
    if (config != NULL && available) {
        available_reports(config, bundle, report);
        available_quarantine(config, bundle, path, report);
    }
    gboolean ok = config != NULL
                  && (!available
                      || (available_check(config, bundle, path, report)
                          && available_sources(config, bundle, FALSE, report)
                          && certificates_check(config, bundle, report)));
    return ok ? g_steal_pointer(&config) : NULL;
}

PolicyConfig *
tool_compile(Bundle *bundle, const char *path, gboolean available)
{
    PolicyReport report;
    policy_report_init(&report);
    g_autoptr(PolicyConfig) config =
        tool_compile_report(bundle, path, available, &report);
    show_report(&report);
    return g_steal_pointer(&config);
}
