/* outcome.c: what came of a reload, for those who asked for it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/outcome.h"

#include "filterd/base/json.h"

#include <string.h>

static void
append_text(GString *out, const char *name, const char *text)
{
    g_string_append_printf(out, ",\"%s\":", name);
    json_append(out, text, strlen(text));
}

char *
outcome_format(const Outcome *outcome)
{
    GString *out = g_string_new(NULL);
    g_string_append_printf(out, "{\"result\":\"%s\",\"generation\":%u",
                           outcome->ok ? "ok" : "refused", outcome->generation);
    if (outcome->ok)
        append_text(out, "changes", outcome->changes);
    append_text(out, "report", outcome->report);
    g_string_append_c(out, '}');
    return g_string_free(out, FALSE);
}
