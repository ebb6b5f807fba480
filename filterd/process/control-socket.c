/* control-socket.c: the unix socket `control` in the state directory.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/control-socket.h"

#include "filterd/base/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/file.h>
#include <sys/un.h>
#include <unistd.h>

#define MODE 0600

struct ControlSocket {
    char *path; /* of the directory */
    Privileges privileges;
    int directory; /* locked */
    int fd;
};

G_DEFINE_QUARK(control - error, control_error)

static gboolean
fail(GError **error, const char *directory, int number)
{
    g_set_error(error, CONTROL_ERROR, CONTROL_ERROR_SYSTEM, "%s/%s: %s",
                directory, CONTROL_NAME, g_strerror(number));
    return FALSE;
}

/* A long path has no room in the address of a socket; the directory's
 * descriptor leads there, too. */
static char *
path_of(const char *path, int directory)
{
    struct sockaddr_un address;
    char *direct = g_build_filename(path, CONTROL_NAME, NULL);
    if (strlen(direct) < sizeof address.sun_path)
        return direct;
    g_free(direct);
    return g_strdup_printf("/proc/self/fd/%d/%s", directory, CONTROL_NAME);
}

static int
open_directory(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* ---- the master --------------------------------------------------------- */

/* Where there are no locks, the socket itself has to do. */
static gboolean
lock_directory(const ControlSocket *control, GError **error)
{
    if (flock(control->directory, LOCK_EX | LOCK_NB) == 0
        || errno != EWOULDBLOCK)
        return TRUE;
    g_set_error(error, CONTROL_ERROR, CONTROL_ERROR_TAKEN,
                "another filterd has the state directory %s; each needs one of "
                "its own, by `set state-directory`",
                control->path);
    return FALSE;
}

static gboolean
listen_there(ControlSocket *control, GError **error)
{
    const EndpointAccess access = {MODE, (uid_t)-1, (gid_t)-1};
    g_autoptr(GError) problem = NULL;
    Endpoint endpoint = {.path = path_of(control->path, control->directory)};
    control->fd = endpoint_listen(&endpoint, &access, &problem);
    endpoint_clear(&endpoint);
    if (control->fd < 0)
        g_set_error(error, CONTROL_ERROR, CONTROL_ERROR_SYSTEM, "%s",
                    problem->message);
    return control->fd >= 0;
}

static gboolean
open_there(ControlSocket *control, GError **error)
{
    control->directory = open_directory(control->path);
    if (control->directory < 0)
        return fail(error, control->path, errno);
    return lock_directory(control, error) && listen_there(control, error);
}

static void
release(ControlSocket *control)
{
    if (control->fd >= 0)
        close(control->fd);
    if (control->directory >= 0)
        close(control->directory);
    g_free(control->path);
    g_free(control);
}

ControlSocket *
control_socket_new(const char *directory, const Privileges *privileges,
                   GError **error)
{
    ControlSocket *control = g_new0(ControlSocket, 1);
    control->path = g_strdup(directory);
    control->privileges = *privileges;
    control->directory = control->fd = -1;
    privileges_borrow(privileges);
    gboolean ok = open_there(control, error);
    privileges_return();
    if (ok)
        return control;
    release(control);
    return NULL;
}

void
control_socket_free(ControlSocket *control)
{
    privileges_borrow(&control->privileges);
    unlinkat(control->directory, CONTROL_NAME, 0);
    privileges_return();
    release(control);
}

const char *
control_socket_directory(const ControlSocket *control)
{
    return control->path;
}

int
control_socket_fd(const ControlSocket *control)
{
    return control->fd;
}

/* ---- who asks ----------------------------------------------------------- */

static gboolean
connect_there(int fd, const char *path)
{
    struct sockaddr_storage address;
    const Endpoint endpoint = {.path = (char *)path};
    socklen_t size = endpoint_to_sockaddr(&endpoint, &address);
    return connect(fd, (const struct sockaddr *)&address, size) == 0;
}

static void
refuse_connection(const char *directory, int number, GError **error)
{
    if (number == ENOENT || number == ECONNREFUSED)
        g_set_error(error, CONTROL_ERROR, CONTROL_ERROR_ABSENT,
                    "no filterd answers at %s/%s", directory, CONTROL_NAME);
    else
        fail(error, directory, number);
}

int
control_socket_connect(const char *directory, GError **error)
{
    int parent = open_directory(directory);
    g_autofree char *path = path_of(directory, parent);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    gboolean ok = parent >= 0 && fd >= 0 && connect_there(fd, path);
    int number = errno;
    if (parent >= 0)
        close(parent);
    if (ok)
        return fd;
    if (fd >= 0)
        close(fd);
    refuse_connection(directory, number, error);
    return -1;
}
