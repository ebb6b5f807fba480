/* place.c: where the files are that come with the programs.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/place.h"

static gboolean
is_there(const char *path)
{
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

char *
place_find(const char *built, const char *below, const char *installed)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    if (self == NULL)
        return g_strdup(installed);
    g_autofree char *folder = g_path_get_dirname(self);
    g_autofree char *top = g_path_get_dirname(folder);
    g_autofree char *mark = g_build_filename(top, "build.ninja", NULL);
    if (is_there(mark))
        return g_build_filename(top, built, NULL);
    g_autofree char *beside = g_build_filename(top, below, NULL);
    return is_there(beside) ? g_steal_pointer(&beside) : g_strdup(installed);
}
