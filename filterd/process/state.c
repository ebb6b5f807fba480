/* state.c: the state directory, and the file behind `store memory`.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/state.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define TMPFS "/dev/shm"

static gboolean
fail(GError **error, const char *what, const char *path)
{
    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                "%s %s: %s", what, path, g_strerror(errno));
    return FALSE;
}

/* No link is followed: who owns it now may have put one there. */
static gboolean
give_to(const char *path, const Privileges *privileges, GError **error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail(error, "cannot open the state directory", path);
    gboolean ok = fchown(fd, privileges->uid, privileges->gid) == 0
                  || fail(error, "cannot give away", path);
    close(fd);
    return ok;
}

gboolean
state_prepare(const Configuration *configuration, GError **error)
{
    const char *path = configuration->skeleton->settings.state_directory;
    if (path == NULL)
        return TRUE;
    if (g_mkdir_with_parents(path, 0750) != 0)
        return fail(error, "cannot make the state directory", path);
    return !configuration->privileges.drop
           || give_to(path, &configuration->privileges, error);
}

char *
state_memory_new(const Privileges *privileges, GError **error)
{
    const char *top = access(TMPFS, W_OK) == 0 ? TMPFS : g_get_tmp_dir();
    g_autofree char *directory =
        g_strdup_printf("%s/filterd-%d-XXXXXX", top, (int)getpid());
    if (g_mkdtemp(directory) == NULL) {
        fail(error, "cannot make", directory);
        return NULL;
    }
    if (privileges->drop
        && chown(directory, privileges->uid, privileges->gid) != 0) {
        fail(error, "cannot give away", directory);
        rmdir(directory);
        return NULL;
    }
    return g_build_filename(directory, "store.db", NULL);
}

void
state_memory_free(char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    if (path == NULL)
        return;
    for (unsigned i = 0; i < G_N_ELEMENTS(endings); i++) {
        g_autofree char *file = g_strconcat(path, endings[i], NULL);
        unlink(file);
    }
    g_autofree char *directory = g_path_get_dirname(path);
    rmdir(directory);
    g_free(path);
}
