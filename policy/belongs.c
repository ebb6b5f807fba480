/* belongs.c: where an option belongs that stands in the wrong block.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/options.h"
#include "policy/setting-tables.h"

#include <string.h>

static const struct {
    const char *owner;
    const FilterdOption *table;
} blocks[] = {
    {"`set`", setting_set},         {"`listen`", setting_listen},
    {"`backend`", setting_backend}, {"`dns`", setting_dns},
    {"`store`", setting_store},     {"`store redis`", setting_redis},
    {"`use`", setting_use},
};

/* In a table, or in a group of it. */
static void
search(GPtrArray *owners, const char *owner, const FilterdOption *table,
       const char *word)
{
    for (; table != NULL && table->name != NULL; table++) {
        if (table->flags & FILTERD_POSITION)
            continue;
        if (strcmp(table->name, word) == 0)
            g_ptr_array_add(owners, g_strdup(owner));
        if (table->type != FILTERD_GROUP)
            continue;
        g_autofree char *group =
            g_strdup_printf("`%s` in %s", table->name, owner);
        search(owners, group, table->group, word);
    }
}

/* Of plugins that are not used, too. */
static void
search_plugins(Compile *compile, GPtrArray *owners, const char *word)
{
    const PolicyLoader *loader = compile->loader;

    if (loader->plugins == NULL || loader->plugin == NULL)
        return;
    g_autoptr(GPtrArray) names = loader->plugins(loader->data);
    for (guint i = 0; g_ptr_array_index(names, i) != NULL; i++) {
        const char *name = g_ptr_array_index(names, i);
        const FilterdPlugin *plugin = loader->plugin(loader->data, name, NULL);
        g_autofree char *owner = g_strdup_printf("`use %s`", name);

        if (plugin != NULL)
            search(owners, owner, plugin->options, word);
    }
}

char *
options_owners(Compile *compile, const char *word)
{
    g_autoptr(GPtrArray) owners = g_ptr_array_new_with_free_func(g_free);

    for (gsize i = 0; i < G_N_ELEMENTS(blocks); i++)
        search(owners, blocks[i].owner, blocks[i].table, word);
    search_plugins(compile, owners, word);
    if (owners->len == 0)
        return NULL;
    g_ptr_array_add(owners, NULL);
    g_autofree char *joined = compile_join((const char *const *)owners->pdata);
    return joined != NULL
               ? g_strdup_printf("`%s` is an option of %s", word, joined)
               : NULL;
}
