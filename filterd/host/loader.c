/* loader.c: finds a plugin's shared object, opens it, looks at its tables.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/loader.h"

#include "filterd/base/fiber.h"
#include "filterd/base/place.h"

#include "filterd/host/probe.h"
#include "filterd/host/table.h"

#include <dlfcn.h>
#include <gmodule.h>
#include <link.h>
#include <string.h>

/* Of the table in its first form: what came later stands behind it. */
#define FIRST_SIZE offsetof(FilterdPlugin, metrics)
/* Without `edits` anything could be requested. */
#define EDITS_SIZE (offsetof(FilterdPlugin, edits) + sizeof(unsigned))

static char *directory;

const char *
loader_directory(void)
{
    if (directory == NULL)
        directory = place_find("plugins", PLUGIN_FOLDER, PLUGIN_DIRECTORY);
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

gboolean
loader_check(const FilterdPlugin *plugin, GError **error)
{
    if (plugin->abi != FILTERD_ABI || plugin->size < FIRST_SIZE
        || plugin->size > sizeof *plugin) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "it was built for plugin ABI %u, its table of %u octets; "
                    "this filterd has ABI %u, of %" G_GSIZE_FORMAT
                    " to %" G_GSIZE_FORMAT " octets; build it again",
                    plugin->abi, plugin->size, FILTERD_ABI, FIRST_SIZE,
                    sizeof *plugin);
        return FALSE;
    }
    return table_check(plugin, error);
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

/* Whether what the file exports is as large as it says, by the word of the
 * linker. */
static gboolean
is_whole(const void *symbol, GError **error)
{
    struct {
        uint32_t abi, size;
    } first = {0};
    const ElfW(Sym) *entry = NULL;
    Dl_info unused;
    gboolean known =
        dladdr1(symbol, &unused, (void **)&entry, RTLD_DL_SYMENT) != 0
        && entry != NULL;
    if (probe_read(symbol, &first, sizeof first)
        && (!known || entry->st_size >= first.size))
        return TRUE;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                "its “filterd_plugin” is no table: it says that it has %u "
                "octets, and is smaller",
                first.size);
    return FALSE;
}

/* The table of a file that stays: the same one each time that it is opened. */
static const FilterdPlugin *
keep(const FilterdPlugin *symbol, const FilterdPlugin *plugin)
{
    static GHashTable *kept;
    if (symbol == plugin)
        return plugin;
    if (kept == NULL)
        kept = g_hash_table_new(NULL, NULL);
    const FilterdPlugin *before = g_hash_table_lookup(kept, symbol);
    if (before == NULL) {
        g_hash_table_insert(kept, (gpointer)symbol, (gpointer)plugin);
        return plugin;
    }
    g_free((gpointer)plugin);
    return before;
}

/* Its constructors run. */
static GModule *
open_module(const char *path)
{
    g_autofree char *name = g_path_get_basename(path);
    const FiberDoing doing = {name, "loading", NULL};
    const FiberDoing *before = fiber_set_doing(&doing);
    GModule *module = g_module_open(path, G_MODULE_BIND_LOCAL);
    fiber_set_doing(before);
    return module;
}

static const FilterdPlugin *
open_file(const char *path, GError **error)
{
    GModule *module = open_module(path);
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
    const FilterdPlugin *plugin =
        is_whole(symbol, error) ? loader_widen(symbol) : NULL;
    if (plugin == NULL || !loader_check(plugin, error)) {
        if (plugin != symbol)
            g_free((gpointer)plugin);
        g_module_close(module);
        return NULL;
    }
    g_module_make_resident(module);
    return keep(symbol, plugin);
}

const FilterdPlugin *
loader_open_file(const char *path, GError **error)
{
    g_autofree char *whole = g_canonicalize_filename(path, NULL);
    if (!g_file_test(whole, G_FILE_TEST_EXISTS)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "there is no file %s", path);
        return NULL;
    }
    const FilterdPlugin *plugin = open_file(whole, error);
    if (plugin == NULL)
        g_prefix_error(error, "%s: ", path);
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
