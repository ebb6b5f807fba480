/* describe.c: asks a plugin for the tables of one instance.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/describe.h"

#include "policy/literal.h"

typedef struct Describing {
    FilterdDescribe public; /* first: the plugin gets a pointer to it */
    Compile *compile;
    const PolicyUse *use;
    const PolicyPlace *place; /* of what the error is about */
} Describing;

static void *
allocate(FilterdDescribe *describe, size_t size)
{
    Describing *describing = (Describing *)describe;

    return arena_alloc(&describing->compile->rules->arena, MAX(size, 1));
}

static bool
parse(FilterdDescribe *describe, FilterdType type, const char *text,
      FilterdValue *value, GError **error)
{
    Describing *describing = (Describing *)describe;
    const char *example = literal_example(type);

    g_return_val_if_fail(type > FILTERD_UNKNOWN && type < FILTERD_LIST, false);
    if (literal_parse(describing->compile, type, text, value))
        return true;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "`%s` is not %s%s%s",
                text, literal_phrase(type), example != NULL ? "\n" : "",
                example != NULL ? example : "");
    return false;
}

static void
blame(FilterdDescribe *describe, const char *option, size_t index)
{
    Describing *describing = (Describing *)describe;
    const PolicyPlace *place = NULL;

    if (describing->use != NULL)
        place = policy_option_place(describing->use, option, index);
    if (place != NULL)
        describing->place = place;
}

static void
complain(const Describing *describing, const GError *error)
{
    g_auto(GStrv) parts =
        g_strsplit(error != NULL ? error->message : "it cannot be", "\n", 2);

    compile_error(describing->compile, describing->place, parts[1], "`%s`: %s",
                  describing->use->name, parts[0]);
}

static FilterdDescribe
public_part(const char *instance, void *config)
{
    return (FilterdDescribe){.size = sizeof(FilterdDescribe),
                             .instance = instance,
                             .config = config,
                             .allocate = allocate,
                             .parse = parse,
                             .blame = blame};
}

gboolean
describe_use(Compile *compile, PolicyUse *use, void *config)
{
    Describing describing = {
        .public = public_part(use->name, config),
        .compile = compile,
        .use = use,
        .place = &use->place,
    };
    g_autoptr(GError) error = NULL;
    FilterdPlugin *table = allocate(&describing.public, sizeof *table);

    *table = *use->plugin;
    if (!use->plugin->describe(&describing.public, table, &error)
        || (compile->loader->check != NULL
            && !compile->loader->check(table, &error))) {
        complain(&describing, error);
        return FALSE;
    }
    use->plugin = table;
    return TRUE;
}

/* Of a compiler there is only what keeps texts. */
const FilterdPlugin *
describe_alone(const FilterdPlugin *plugin, const char *instance, void *config,
               GError **error)
{
    static PolicyConfig keeper;
    static PolicyRules rules;
    static Compile compile = {.config = &keeper, .rules = &rules};
    Describing describing = {.public = public_part(instance, config),
                             .compile = &compile};

    if (plugin->describe == NULL)
        return plugin;
    if (keeper.texts == NULL) {
        keeper.texts = g_string_chunk_new(1024);
        arena_init(&rules.arena);
    }
    FilterdPlugin *table = allocate(&describing.public, sizeof *table);
    *table = *plugin;
    return plugin->describe(&describing.public, table, error) ? table : NULL;
}
