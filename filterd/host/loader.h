/* loader.h: finds a plugin's shared object, opens it, looks at its tables.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

/* As place_find(): of the build tree, of the place that all was moved to, or
 * the installed one. A borrowed text. */
const char *loader_directory(void);
/* Another directory, for tests. */
void loader_set_directory(const char *directory);

/* Of which plugins there is a file: texts, sorted, then NULL. */
GPtrArray *loader_names(void);

/* Where the plugin is once it is installed. Caller frees. */
char *loader_installed_path(const char *name);

/* The tables of plugin `name`, resident until the process ends. The error says
 * what was looked for, or which ABI the file has, or which table is wrong. */
const FilterdPlugin *loader_open(const char *name, GError **error);

/* The same of a file, whatever it is called. */
const FilterdPlugin *loader_open_file(const char *path, GError **error);

/* A table of an older revision of the ABI with what has come since, empty: a
 * copy, kept until the process ends. Any other as it is. */
const FilterdPlugin *loader_widen(const FilterdPlugin *plugin);

/* The same for tables already in memory: checks them. */
gboolean loader_check(const FilterdPlugin *plugin, GError **error);
