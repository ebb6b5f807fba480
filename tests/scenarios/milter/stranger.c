/* stranger.c: a plugin that puts another body in place of a message's.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <filterd/plugin.h>

static bool
replace(FilterdCall *call, const FilterdValue *arguments, GError **error)
{
    (void)error;
    g_autoptr(GString) body = g_string_new(NULL);
    for (int64_t i = 0; i < arguments[1].integer; i++)
        g_string_append_printf(body, "%s\n", arguments[0].text);
    FilterdEdit edit = {FILTERD_REPLACE_BODY, NULL, body->str};
    call->host->edit(call, &edit);
    return true;
}

static const FilterdType line_and_count[] = {FILTERD_TEXT, FILTERD_INT,
                                             FILTERD_UNKNOWN};

static const FilterdAction actions[] = {
    {"body", "That line, that often.", line_and_count, replace},
    {0},
};

FILTERD_PLUGIN(.name = "stranger", .version = "1",
               .summary = "Replaces bodies.", .actions = actions,
               .edits = 1 << FILTERD_REPLACE_BODY);
