/* listeners.c: opens sockets, or has them from the generation before.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/listeners.h"

#include "filterd/base/text.h"
#include "filterd/process/statement.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* systemd passes them from here on. */
#define FIRST_INHERITED 3
#define INHERITED_LIMIT 1024

struct Listeners {
    GPtrArray *names; /* as written */
    GArray *fds;      /* int */
};

static Listeners *
make(void)
{
    Listeners *listeners = g_new(Listeners, 1);
    listeners->names = g_ptr_array_new_with_free_func(g_free);
    listeners->fds = g_array_new(FALSE, FALSE, sizeof(int));
    return listeners;
}

static void
add(Listeners *listeners, char *name, int fd)
{
    g_ptr_array_add(listeners->names, name);
    g_array_append_val(listeners->fds, fd);
}

static char *
own_name(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    Endpoint endpoint;
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0
        || !endpoint_from_sockaddr((struct sockaddr *)&address, size,
                                   &endpoint))
        return g_strdup("");
    char *name = endpoint_format(&endpoint);
    endpoint_clear(&endpoint);
    return name;
}

Listeners *
listeners_inherit(void)
{
    Listeners *listeners = make();
    const char *pid = g_getenv("LISTEN_PID"), *count = g_getenv("LISTEN_FDS");
    int64_t number;
    if (pid != NULL && count != NULL
        && text_parse_int(pid, getpid(), getpid(), &number)
        && text_parse_int(count, 0, INHERITED_LIMIT, &number))
        for (int fd = FIRST_INHERITED; fd < FIRST_INHERITED + number; fd++) {
            fcntl(fd, F_SETFD, FD_CLOEXEC);
            fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
            add(listeners, own_name(fd), fd);
        }
    g_unsetenv("LISTEN_PID");
    g_unsetenv("LISTEN_FDS");
    g_unsetenv("LISTEN_FDNAMES");
    return listeners;
}

static int
find(const Listeners *listeners, const char *name)
{
    for (unsigned i = 0; listeners != NULL && i < listeners->names->len; i++)
        if (strcmp(g_ptr_array_index(listeners->names, i), name) == 0)
            return g_array_index(listeners->fds, int, i);
    return -1;
}

/* What the statement says; what it does not say is left as it is. */
static gboolean
find_access(const PolicyListen *listen, EndpointAccess *access, GError **error)
{
    *access = ENDPOINT_ACCESS_NONE;
    access->mode = listen->permissions;
    const struct passwd *user =
        listen->owner != NULL ? getpwnam(listen->owner) : NULL;
    const struct group *group =
        listen->group != NULL ? getgrnam(listen->group) : NULL;
    if (user != NULL)
        access->uid = user->pw_uid;
    if (group != NULL)
        access->gid = group->gr_gid;
    if (listen->owner != NULL && user == NULL)
        g_set_error(error, ENDPOINT_ERROR, ENDPOINT_ERROR_SYSTEM,
                    "there is no user “%s”", listen->owner);
    else if (listen->group != NULL && group == NULL)
        g_set_error(error, ENDPOINT_ERROR, ENDPOINT_ERROR_SYSTEM,
                    "there is no group “%s”", listen->group);
    else
        return TRUE;
    return FALSE;
}

static gboolean
has_access(const PolicyListen *listen)
{
    return listen->permissions != 0 || listen->owner != NULL
           || listen->group != NULL;
}

static int
open_one(const PolicyListen *listen, const char *name, const Listeners *before,
         GError **error)
{
    EndpointAccess access;
    if (!find_access(listen, &access, error))
        return -1;
    int shared = find(before, name);
    if (shared < 0)
        return endpoint_listen(&listen->endpoint, &access, error);
    if (has_access(listen)
        && !endpoint_set_access(&listen->endpoint, &access, error))
        return -1;
    int fd = fcntl(shared, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        g_set_error_literal(error, ENDPOINT_ERROR, ENDPOINT_ERROR_SYSTEM,
                            g_strerror(errno));
    return fd;
}

Listeners *
listeners_new(const PolicyConfig *config, const Listeners *before,
              const Bundle *bundle, PolicyReport *report)
{
    Listeners *listeners = make();
    unsigned errors = report->errors;
    for (unsigned i = 0; i < config->listens->len; i++) {
        g_autoptr(GError) error = NULL;
        const PolicyListen *listen = g_ptr_array_index(config->listens, i);
        g_autofree char *name = endpoint_format(&listen->endpoint);
        int fd = open_one(listen, name, before, &error);
        if (fd >= 0)
            add(listeners, g_steal_pointer(&name), fd);
        else
            statement_refuse(bundle, report, &listen->place, NULL, "%s",
                             error->message);
    }
    if (report->errors == errors)
        return listeners;
    listeners_free(listeners, before);
    return NULL;
}

void
listeners_free(Listeners *listeners, const Listeners *successor)
{
    if (listeners == NULL)
        return;
    for (unsigned i = 0; i < listeners->fds->len; i++) {
        const char *name = g_ptr_array_index(listeners->names, i);
        close(g_array_index(listeners->fds, int, i));
        if (g_str_has_prefix(name, "unix:") && find(successor, name) < 0)
            unlink(name + strlen("unix:"));
    }
    g_array_unref(listeners->fds);
    g_ptr_array_unref(listeners->names);
    g_free(listeners);
}

const int *
listeners_fds(const Listeners *listeners, unsigned *length)
{
    *length = listeners->fds->len;
    return (const int *)(const void *)listeners->fds->data;
}

char *
listeners_format(const Listeners *listeners)
{
    GString *out = g_string_new(NULL);
    for (unsigned i = 0; i < listeners->fds->len; i++) {
        g_autofree char *name = own_name(g_array_index(listeners->fds, int, i));
        g_string_append_printf(out, "%s%s", i > 0 ? "," : "", name);
    }
    return g_string_free(out, FALSE);
}
