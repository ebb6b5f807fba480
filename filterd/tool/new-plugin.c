/* new-plugin.c: filterctl new-plugin: a plugin of one's own to begin with,
 * copied from the template.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/place.h"
#include "filterd/host/loader.h"
#include "filterd/session/engine.h"
#include "filterd/tool/tool.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#define NAME_LIMIT 32 /* octets */
#define PLACEHOLDER "@NAME@"

/* Files of the template; NAME.c of plugin.c. */
static const char *const files[] = {
    "README.md",   "config.h", "filterd.conf", "meson.build",
    "message.eml", "plugin.c", "test.c",       "zone",
};

/* What meson calls targets of its own. */
static const char *const mesons[] = {
    "all",       "benchmark", "clean", "coverage",    "dist",
    "distcheck", "install",   "phony", "reconfigure", "scan-build",
    "test",      "uninstall", NULL,
};

static gboolean
refuse(GError **error, const char *what, const char *why)
{
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s %s", what, why);
    return FALSE;
}

/* ---- the name ----------------------------------------------------------- */

static gboolean
is_well_formed(const char *name)
{
    return g_ascii_islower(*name) && strlen(name) <= NAME_LIMIT
           && !g_str_has_suffix(name, "-") && strstr(name, "--") == NULL
           && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")
                  == strlen(name);
}

/* "client" of client.ip, and what `filterctl explain` calls all of them. */
static gboolean
is_of_the_core(const char *name)
{
    gsize length = strlen(name);
    for (const FilterdFact *row = engine_core_facts; row->name != NULL; row++)
        if (strncmp(row->name, name, length) == 0
            && (row->name[length] == '.' || row->name[length] == '\0'))
            return TRUE;
    return strcmp(name, "core") == 0;
}

static gboolean
check_name(const char *name, GError **error)
{
    g_autoptr(GPtrArray) known = loader_names();
    g_autofree char *quoted = g_strdup_printf("`%s`", name);
    if (!is_well_formed(name))
        return refuse(error, quoted,
                      "is no name of a plugin: lower case letters, digits "
                      "and single hyphens between them, a letter first, at "
                      "most 32");
    if (g_strv_contains(mesons, name) || g_str_has_prefix(name, "meson-"))
        return refuse(error, quoted, "is a word of meson's");
    if (is_of_the_core(name))
        return refuse(error, quoted, "begins facts of filterd itself");
    if (g_strv_contains((const char *const *)known->pdata, name))
        return refuse(error, quoted, "is the name of a plugin already");
    return TRUE;
}

/* ---- the files ---------------------------------------------------------- */

static gboolean
make_directory(const char *path, GError **error)
{
    if (g_mkdir(path, 0777) == 0)
        return TRUE;
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "%s: %s%s",
                path, g_strerror(errno),
                errno == EEXIST ? "; nothing is overwritten" : "");
    return FALSE;
}

static char *
file_name(const char *file, const char *name)
{
    return strcmp(file, "plugin.c") == 0 ? g_strconcat(name, ".c", NULL)
                                         : g_strdup(file);
}

static gboolean
copy_file(const char *from, const char *to, const char *name, GError **error)
{
    g_autofree char *bytes = NULL;
    if (!g_file_get_contents(from, &bytes, NULL, error))
        return FALSE;
    g_autoptr(GString) text = g_string_new(bytes);
    g_string_replace(text, PLACEHOLDER, name, 0);
    return g_file_set_contents_full(to, text->str, (gssize)text->len,
                                    G_FILE_SET_CONTENTS_NONE, 0666, error);
}

static gboolean
copy_template(const char *name, const char *directory, GError **error)
{
    g_autofree char *template =
        place_find("plugin-template", TEMPLATE_FOLDER, TEMPLATE_DIRECTORY);
    if (!g_file_test(template, G_FILE_TEST_IS_DIR))
        return refuse(error, template, "is not there: it comes with filterd");
    if (!make_directory(directory, error))
        return FALSE;
    for (unsigned i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *from = g_build_filename(template, files[i], NULL);
        g_autofree char *as = file_name(files[i], name);
        g_autofree char *to = g_build_filename(directory, as, NULL);
        if (!copy_file(from, to, name, error))
            return FALSE;
    }
    return TRUE;
}

/* As a shell takes it. */
static char *
plain(const char *path)
{
    return strpbrk(path, " '\"\\$`!*?[](){}<>|&;~#\t\n") != NULL
               ? g_shell_quote(path)
               : g_strdup(path);
}

static gboolean
package_is_found(void)
{
    const char *command[] = {"pkg-config", "--exists", "filterd", NULL};
    int status = -1;
    return g_spawn_sync(NULL, (char **)command, NULL, G_SPAWN_SEARCH_PATH, NULL,
                        NULL, NULL, NULL, &status, NULL)
           && g_spawn_check_wait_status(status, NULL);
}

/* Where this filterd's package is, if it is installed and pkg-config would not
 * look there: a command that changes this; else nothing. A build tree has no
 * package. */
static char *
package_command(void)
{
    g_autofree char *folder =
        place_find("no-package", PACKAGE_FOLDER, PACKAGE_DIRECTORY);
    g_autofree char *file = g_build_filename(folder, "filterd.pc", NULL);
    if (!g_file_test(file, G_FILE_TEST_EXISTS) || package_is_found())
        return g_strdup("");
    g_autofree char *there = plain(folder);
    return g_strdup_printf("    export PKG_CONFIG_PATH=%s\n", there);
}

static void
tell(const char *name, const char *directory)
{
    g_autofree char *there = plain(directory);
    g_autofree char *package = package_command();
    printf("The plugin `%s` is in %s; its README.md is a guide of ten "
           "minutes.\n\n"
           "    cd %s\n%s"
           "    meson setup build\n"
           "    meson compile -C build\n"
           "    meson test -C build\n",
           name, directory, there, package);
}

int
tool_new_plugin(int argc, char **argv)
{
    if (argc < 2 || argc > 3 || argv[1][0] == '-') {
        fputs("usage: filterctl new-plugin NAME [DIRECTORY]\n", stderr);
        return TOOL_UNUSABLE;
    }
    const char *directory = argc > 2 ? argv[2] : argv[1];
    g_autoptr(GError) error = NULL;
    if (check_name(argv[1], &error)
        && copy_template(argv[1], directory, &error)) {
        tell(argv[1], directory);
        return TOOL_OK;
    }
    fprintf(stderr, "filterctl new-plugin: %s\n", error->message);
    return TOOL_WRONG;
}
