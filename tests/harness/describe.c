/* describe.c: tables that a plugin makes for one instance.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/harness/internal.h"

#include <string.h>

typedef struct HarnessDescribe {
    FilterdDescribe public; /* first: the plugin gets a pointer to it */
    Harness *harness;
} HarnessDescribe;

static void *
keep(FilterdDescribe *describe, void *memory)
{
    Harness *harness = ((HarnessDescribe *)describe)->harness;

    g_ptr_array_add(harness->described, memory);
    return memory;
}

static void *
allocate(FilterdDescribe *describe, size_t size)
{
    return keep(describe, g_malloc0(MAX(size, 1)));
}

static bool
parse(FilterdDescribe *describe, FilterdType type, const char *text,
      FilterdValue *value, GError **error)
{
    if (!harness_value_parse(type, text, value)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "`%s` is nothing of that type", text);
        return false;
    }
    if (value->type >= FILTERD_TEXT && value->type <= FILTERD_ADDRESS)
        keep(describe, (char *)value->text);
    return true;
}

static void
blame(FilterdDescribe *describe, const char *option, size_t index)
{
    harness_blame(((HarnessDescribe *)describe)->harness, option, index);
}

static const FilterdFact *others;

void
harness_set_facts(const FilterdFact *rows)
{
    others = rows;
}

static const FilterdFact *
fact(FilterdDescribe *describe G_GNUC_UNUSED, const char *name)
{
    for (const FilterdFact *row = others; row != NULL && row->name != NULL;
         row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

gboolean
harness_describe(Harness *harness, GError **error)
{
    HarnessDescribe describe = {
        .public = {.size = sizeof(FilterdDescribe),
                   .instance = harness->plugin->name,
                   .config = harness->config,
                   .allocate = allocate,
                   .parse = parse,
                   .blame = blame,
                   .fact = fact},
        .harness = harness,
    };

    return harness->plugin->describe == NULL
           || harness->plugin->describe(&describe.public, harness->plugin,
                                        error);
}
