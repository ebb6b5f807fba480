/* loader.c: finds a plugin's shared object, opens it, looks at its tables.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/loader.h"

#include <gmodule.h>
#include <string.h>

/* Of the table in its first form: what came later stands behind it. */
#define FIRST_SIZE offsetof(FilterdPlugin, metrics)
/* Without `edits` anything could be requested. */
#define EDITS_SIZE (offsetof(FilterdPlugin, edits) + sizeof(unsigned))

static char *directory;

/* BUILD/filterd/filterd lies beside BUILD/plugins. */
static char *
find_directory(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    if (self != NULL) {
        g_autofree char *folder = g_path_get_dirname(self);
        g_autofree char *top = g_path_get_dirname(folder);
        g_autofree char *mark = g_build_filename(top, "build.ninja", NULL);
        if (g_file_test(mark, G_FILE_TEST_EXISTS))
            return g_build_filename(top, "plugins", NULL);
    }
    return g_strdup(PLUGIN_DIRECTORY);
}

const char *
loader_directory(void)
{
    if (directory == NULL)
        directory = find_directory();
    return directory;
}

void
loader_set_directory(const char *path)
{
    g_free(directory);
    directory = g_strdup(path);
}

static gboolean
name_valid(const char *name)
{
    return *name != '\0'
           && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")
                  == strlen(name);
}

/* Installed: DIRECTORY/spf.so; in a build tree: DIRECTORY/spf/spf.so. */
static char *
find_file(const char *name)
{
    g_autofree char *file = g_strconcat(name, ".so", NULL);
    g_autofree char *flat = g_build_filename(loader_directory(), file, NULL);
    if (g_file_test(flat, G_FILE_TEST_EXISTS))
        return g_steal_pointer(&flat);
    g_autofree char *deep =
        g_build_filename(loader_directory(), name, file, NULL);
    if (g_file_test(deep, G_FILE_TEST_EXISTS))
        return g_steal_pointer(&deep);
    return NULL;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *
loader_names(void)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) folder = g_dir_open(loader_directory(), 0, NULL);
    const char *entry;

    while (folder != NULL && (entry = g_dir_read_name(folder)) != NULL) {
        g_autofree char *name =
            g_strndup(entry, g_str_has_suffix(entry, ".so") ? strlen(entry) - 3
                                                            : strlen(entry));
        g_autofree char *path = name_valid(name) ? find_file(name) : NULL;
        if (path != NULL)
            g_ptr_array_add(names, g_steal_pointer(&name));
    }
    g_ptr_array_sort(names, compare_names);
    g_ptr_array_add(names, NULL);
    return names;
}

char *
loader_installed_path(const char *name)
{
    return g_strdup_printf("%s/%s.so", PLUGIN_DIRECTORY, name);
}

static gboolean
fail(GError **error, const FilterdPlugin *plugin, const char *what,
     const char *name)
{
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                "plugin “%s” is broken: %s “%s”", plugin->name, what, name);
    return FALSE;
}

static gboolean
check_facts(const FilterdPlugin *plugin, GError **error)
{
    for (const FilterdFact *f = plugin->facts; f != NULL && f->name; f++) {
        if (f->type == FILTERD_UNKNOWN || f->type >= FILTERD_FILE)
            return fail(error, plugin, "no such type for fact", f->name);
        if (f->type == FILTERD_WORD && f->words == NULL)
            return fail(error, plugin, "no words for fact", f->name);
        if (f->since > FILTERD_MESSAGE)
            return fail(error, plugin, "no such stage for fact", f->name);
    }
    return TRUE;
}

static gboolean
check_options(const FilterdPlugin *plugin, GError **error)
{
    for (const FilterdOption *o = plugin->options; o != NULL && o->name; o++) {
        if (o->offset >= plugin->config_size)
            return fail(error, plugin, "offset outside the config of option",
                        o->name);
        if (o->type == FILTERD_WORD && o->words == NULL)
            return fail(error, plugin, "no words for option", o->name);
        if (o->type == FILTERD_GROUP
            && (o->group == NULL || (o->flags & FILTERD_MANY) == 0))
            return fail(error, plugin, "no group for option", o->name);
    }
    return TRUE;
}

static gboolean
check_actions(const FilterdPlugin *plugin, GError **error)
{
    for (const FilterdAction *a = plugin->actions; a != NULL && a->name; a++)
        if (a->run == NULL || a->arguments == NULL
            || ((a->flags & FILTERD_SIGNS) != 0 && plugin->sign_end == NULL))
            return fail(error, plugin, "nothing behind action", a->name);
    return TRUE;
}

static gboolean
check_metrics(const FilterdPlugin *plugin, GError **error)
{
    for (const FilterdMetric *m = plugin->metrics; m != NULL && m->name; m++)
        if (*m->name == '\0'
            || strspn(m->name, "abcdefghijklmnopqrstuvwxyz0123456789_")
                   != strlen(m->name)
            || m->doc == NULL)
            return fail(error, plugin, "no name or doc for metric", m->name);
    return TRUE;
}

gboolean
loader_check(const FilterdPlugin *plugin, GError **error)
{
    if (plugin->abi != FILTERD_ABI || plugin->size < FIRST_SIZE
        || plugin->size > sizeof *plugin) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "it was built for plugin ABI %u, this filterd has %u; "
                    "build it again",
                    plugin->abi, FILTERD_ABI);
        return FALSE;
    }
    if (plugin->name == NULL || plugin->version == NULL) {
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                            "its table has no name or version");
        return FALSE;
    }
    return check_facts(plugin, error) && check_options(plugin, error)
           && check_actions(plugin, error) && check_metrics(plugin, error);
}

const FilterdPlugin *
loader_widen(const FilterdPlugin *plugin)
{
    if (plugin->abi != FILTERD_ABI || plugin->size < FIRST_SIZE
        || plugin->size >= sizeof *plugin)
        return plugin;
    FilterdPlugin *wide = g_new0(FilterdPlugin, 1);
    memcpy(wide, plugin, plugin->size);
    if (plugin->size < EDITS_SIZE)
        wide->edits = ~0U;
    return wide;
}

static const FilterdPlugin *
open_file(const char *path, GError **error)
{
    GModule *module = g_module_open(path, G_MODULE_BIND_LOCAL);
    gpointer symbol = NULL;
    if (module == NULL) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "cannot be loaded: %s", g_module_error());
        return NULL;
    }
    if (!g_module_symbol(module, "filterd_plugin", &symbol)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "is no filterd plugin: it exports no “filterd_plugin”");
        g_module_close(module);
        return NULL;
    }
    const FilterdPlugin *plugin = loader_widen(symbol);
    if (!loader_check(plugin, error)) {
        g_module_close(module);
        return NULL;
    }
    g_module_make_resident(module);
    return plugin;
}

const FilterdPlugin *
loader_open(const char *name, GError **error)
{
    if (!name_valid(name)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                    "“%s” is no name of a plugin", name);
        return NULL;
    }
    g_autofree char *path = find_file(name);
    if (path == NULL) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                    "there is no plugin “%s” in %s", name, loader_directory());
        return NULL;
    }
    const FilterdPlugin *plugin = open_file(path, error);
    if (plugin == NULL)
        g_prefix_error(error, "%s: ", path);
    else if (strcmp(plugin->name, name) != 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "%s calls itself “%s”", path, plugin->name);
        return NULL;
    }
    return plugin;
}
