/* describe.c: asks a plugin for the tables of one instance.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/describe.h"

#include "filterd/base/fiber.h"
#include "policy/check.h"
#include "policy/literal.h"

#include <string.h>

typedef struct Describing {
    FilterdDescribe public; /* first: the plugin gets a pointer to it */
    Compile *compile;
    const PolicyUse *use;
    const PolicyPlace *place; /* of what the error is about */
    GArray *asked;            /* FilterdFact, of others; NULL: it is alone */
    const FilterdFact *known; /* then */
    const char *missing;      /* what it asked for last that nobody has */
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

/* ---- facts of others ---------------------------------------------------- */

/* Under the name that was asked for. */
static const FilterdFact *
take_note(const Describing *describing, const PolicyFact *fact,
          const char *name)
{
    FilterdFact row = *fact->row;

    row.name = compile_keep(describing->compile, name, -1);
    g_array_append_val(describing->asked, row);
    return fact->row;
}

static const FilterdFact *
fact(FilterdDescribe *describe, const char *name)
{
    Describing *describing = (Describing *)describe;
    const FilterdFact *row = describing->known;

    if (describing->asked != NULL) {
        const PolicyFact *found =
            check_find_need(describing->compile->config, name);
        if (found != NULL)
            return take_note(describing, found, name);
        describing->missing = name;
    }
    while (row != NULL && row->name != NULL && strcmp(row->name, name) != 0)
        row++;
    return row != NULL && row->name != NULL ? row : NULL;
}

/* Of an instance that is there, its nearest. */
static const char *
guess_missing(const Describing *describing)
{
    const Compile *compile = describing->compile;
    const GPtrArray *facts = compile->config->facts;
    const char *missing = describing->missing;
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    if (missing == NULL
        || !check_has_instance(compile, missing, strcspn(missing, ".")))
        return NULL;
    for (guint i = 0; i < facts->len; i++) {
        const PolicyFact *fact = g_ptr_array_index(facts, i);
        g_ptr_array_add(names, (gpointer)fact->name);
    }
    g_ptr_array_add(names, NULL);
    return compile_guess(missing, (const char *const *)names->pdata);
}

/* Whose instance was complained of already. */
static gboolean
is_lost(const Describing *describing)
{
    const char *missing = describing->missing;
    g_autofree char *instance =
        missing != NULL ? g_strndup(missing, strcspn(missing, ".")) : NULL;

    return instance != NULL
           && g_hash_table_contains(describing->compile->lost, instance);
}

/* ---- the tables --------------------------------------------------------- */

static void
complain(const Describing *describing, const GError *error)
{
    g_auto(GStrv) parts =
        g_strsplit(error != NULL ? error->message : "it cannot be", "\n", 2);
    const char *near = guess_missing(describing);
    const Complaint complaint = {.near = near,
                                 .hint = near == NULL ? parts[1] : NULL};

    if (!is_lost(describing))
        compile_complain(describing->compile, describing->place, &complaint,
                         "`%s`: %s", describing->use->name, parts[0]);
}

static FilterdDescribe
public_part(const char *instance, void *config)
{
    return (FilterdDescribe){.size = sizeof(FilterdDescribe),
                             .instance = instance,
                             .config = config,
                             .allocate = allocate,
                             .parse = parse,
                             .blame = blame,
                             .fact = fact};
}

/* Whoever crashes in it is named. */
static gboolean
ask(Describing *describing, const FilterdPlugin *plugin, FilterdPlugin *table,
    GError **error)
{
    const FiberDoing doing = {describing->public.instance, "describe", NULL};
    const FiberDoing *before = fiber_set_doing(&doing);
    gboolean ok = plugin->describe(&describing->public, table, error);

    fiber_set_doing(before);
    return ok;
}

gboolean
describe_use(Compile *compile, PolicyUse *use, void *config)
{
    g_autoptr(GArray) asked = g_array_new(TRUE, FALSE, sizeof(FilterdFact));
    Describing describing = {
        .public = public_part(use->name, config),
        .compile = compile,
        .use = use,
        .place = &use->place,
        .asked = asked,
    };
    g_autoptr(GError) error = NULL;
    FilterdPlugin *table = allocate(&describing.public, sizeof *table);

    *table = *use->plugin;
    if (!ask(&describing, use->plugin, table, &error)
        || (compile->loader->check != NULL
            && !compile->loader->check(table, &error))) {
        complain(&describing, error);
        return FALSE;
    }
    use->plugin = table;
    if (asked->len > 0)
        use->asked =
            (gpointer)arena_copy(&compile->rules->arena, asked->data,
                                 (asked->len + 1) * sizeof(FilterdFact));
    return TRUE;
}

/* Of a compiler there is only what keeps texts. */
const FilterdPlugin *
describe_alone(const FilterdPlugin *plugin, const DescribeAlone *alone,
               GError **error)
{
    static PolicyConfig keeper;
    static PolicyRules rules;
    static Compile compile = {.config = &keeper, .rules = &rules};
    Describing describing = {.public =
                                 public_part(alone->instance, alone->config),
                             .compile = &compile,
                             .known = alone->asked};

    if (plugin->describe == NULL)
        return plugin;
    if (keeper.texts == NULL) {
        keeper.texts = g_string_chunk_new(1024);
        arena_init(&rules.arena);
    }
    FilterdPlugin *table = allocate(&describing.public, sizeof *table);
    *table = *plugin;
    return ask(&describing, plugin, table, error) ? table : NULL;
}
