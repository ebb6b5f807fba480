/* state.c: the state directory, and the file behind `store memory`.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/state.h"

#include "filterd/service/quarantine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define TMPFS "/dev/shm"
#define PREFIX "filterd-"
#define STORE "store.db"

static gboolean
fail(GError **error, const char *what, const char *path)
{
    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                "%s %s: %s", what, path, g_strerror(errno));
    return FALSE;
}

/* No link is followed: who owns it now may have put one there. */
static int
open_directory(int parent, const char *path, GError **error)
{
    int fd =
        openat(parent, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        fail(error, "cannot open the directory", path);
    return fd;
}

static gboolean
give_to(int fd, const Privileges *privileges, const char *path, GError **error)
{
    return !privileges->drop
           || fchown(fd, privileges->uid, privileges->gid) == 0
           || fail(error, "cannot give away", path);
}

/* Mail is nobody else's to read. */
static gboolean
prepare_quarantine(int state, const Privileges *privileges, GError **error)
{
    const char *name = QUARANTINE_DIRECTORY;
    if (mkdirat(state, name, 0700) != 0 && errno != EEXIST)
        return fail(error, "cannot make the directory", name);
    int fd = open_directory(state, name, error);
    if (fd < 0)
        return FALSE;
    gboolean ok = give_to(fd, privileges, name, error)
                  && (fchmod(fd, 0700) == 0
                      || fail(error, "cannot close to others", name));
    close(fd);
    return ok;
}

gboolean
state_prepare(const Configuration *configuration, GError **error)
{
    const PolicySettings *settings = &configuration->skeleton->settings;
    const Privileges *privileges = &configuration->privileges;
    const char *path = settings->state_directory;
    if (path == NULL)
        return TRUE;
    if (g_mkdir_with_parents(path, 0750) != 0)
        return fail(error, "cannot make the state directory", path);
    if (!privileges->drop && settings->quarantine == 0)
        return TRUE;
    int fd = open_directory(AT_FDCWD, path, error);
    if (fd < 0)
        return FALSE;
    gboolean ok = give_to(fd, privileges, path, error)
                  && (settings->quarantine == 0
                      || prepare_quarantine(fd, privileges, error));
    close(fd);
    return ok;
}

/* No link is followed: others may write to where it is. */
static void
remove_directory(const char *directory)
{
    static const char *const files[] = {STORE, STORE "-wal", STORE "-shm",
                                        STORE "-journal"};
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    for (unsigned i = 0; i < G_N_ELEMENTS(files); i++)
        unlinkat(fd, files[i], 0);
    close(fd);
    rmdir(directory);
}

/* The process in the name of a directory; 0: it is not one of ours. */
static pid_t
owner_of(const char *name)
{
    int pid = 0, length = 0;
    if (sscanf(name, PREFIX "%d-%n", &pid, &length) != 1 || length == 0)
        return 0;
    return pid;
}

/* What those left who were killed. */
static void
sweep(const char *top)
{
    g_autoptr(GDir) listing = g_dir_open(top, 0, NULL);
    const char *name;
    while (listing != NULL && (name = g_dir_read_name(listing)) != NULL) {
        pid_t owner = owner_of(name);
        if (owner <= 0 || kill(owner, 0) == 0 || errno != ESRCH)
            continue;
        g_autofree char *directory = g_build_filename(top, name, NULL);
        remove_directory(directory);
    }
}

char *
state_memory_new(const Privileges *privileges, GError **error)
{
    const char *top = access(TMPFS, W_OK) == 0 ? TMPFS : g_get_tmp_dir();
    g_autofree char *directory =
        g_strdup_printf("%s/" PREFIX "%d-XXXXXX", top, (int)getpid());
    sweep(top);
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
    return g_build_filename(directory, STORE, NULL);
}

void
state_memory_free(char *path)
{
    if (path == NULL)
        return;
    g_autofree char *directory = g_path_get_dirname(path);
    remove_directory(directory);
    g_free(path);
}
