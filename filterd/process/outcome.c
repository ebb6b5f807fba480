/* outcome.c: what came of a reload, for those who asked for it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/outcome.h"

#include "filterd/base/json.h"

char *
outcome_format(const Outcome *outcome)
{
    GString *out = g_string_new("{");
    json_member_text(out, "result", outcome->ok ? "ok" : "refused");
    json_member_integer(out, "generation", outcome->generation);
    if (outcome->ok)
        json_member_text(out, "changes", outcome->changes);
    json_member_text(out, "report", outcome->report);
    g_string_append_c(out, '}');
    return g_string_free(out, FALSE);
}
