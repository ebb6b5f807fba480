/* endpoint.c: parses, formats and listens where an endpoint says.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/endpoint.h"

#include "filterd/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The kernel caps it at net.core.somaxconn. */
#define BACKLOG 4096

G_DEFINE_QUARK(endpoint - error, endpoint_error)

static gboolean
refuse_syntax(const char *text, const char *why, GError **error)
{
    g_set_error(error, ENDPOINT_ERROR, ENDPOINT_ERROR_SYNTAX, "\"%s\": %s",
                text, why);
    return FALSE;
}

static gboolean
parse_path(const char *text, Endpoint *endpoint, GError **error)
{
    const char *path = text + strlen("unix:");

    if (*path != '/')
        return refuse_syntax(text, "the path must begin with /", error);
    if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return refuse_syntax(text, "the path is too long for a socket", error);
    *endpoint = (Endpoint){.path = g_strdup(path)};
    return TRUE;
}

/* Without the brackets. NULL where they do not match, or are missing round an
 * IPv6 address that a ':' follows. */
static char *
copy_host(const char *text, size_t length, char separator)
{
    if (length >= 2 && text[0] == '[' && text[length - 1] == ']'
        && memchr(text, ':', length) != NULL)
        return g_strndup(text + 1, length - 2);
    if (separator == ':' && memchr(text, ':', length) != NULL)
        return NULL;
    return g_strndup(text, length);
}

gboolean
endpoint_parse(const char *text, char separator, Endpoint *endpoint,
               GError **error)
{
    const char *mark = strrchr(text, separator);
    g_autofree char *host = NULL;
    FilterdIp ip;
    int64_t port;

    if (g_str_has_prefix(text, "unix:"))
        return parse_path(text, endpoint, error);
    if (mark == NULL)
        return refuse_syntax(text, "it needs an address and a port", error);
    host = copy_host(text, (size_t)(mark - text), separator);
    if (host == NULL || !ip_parse(host, &ip))
        return refuse_syntax(
            text, "not an address (IPv6 ones stand in brackets)", error);
    if (!text_parse_int(mark + 1, 0, UINT16_MAX, &port))
        return refuse_syntax(text, "not a port", error);
    *endpoint = (Endpoint){.ip = ip, .port = (uint16_t)port};
    return TRUE;
}

void
endpoint_clear(Endpoint *endpoint)
{
    g_free(endpoint->path);
    *endpoint = (Endpoint){0};
}

char *
endpoint_format(const Endpoint *endpoint)
{
    char text[IP_TEXT_SIZE];

    if (endpoint->path != NULL)
        return g_strconcat("unix:", endpoint->path, NULL);
    ip_format(&endpoint->ip, text);
    return g_strdup_printf(ip_is_v4(&endpoint->ip) ? "%s:%u" : "[%s]:%u", text,
                           endpoint->port);
}

static char *
copy_path(const struct sockaddr *address, socklen_t size)
{
    const char *path = ((const struct sockaddr_un *)address)->sun_path;
    size_t offset = offsetof(struct sockaddr_un, sun_path);

    return size > offset ? g_strndup(path, size - offset) : g_strdup("");
}

gboolean
endpoint_from_sockaddr(const struct sockaddr *address, socklen_t size,
                       Endpoint *endpoint)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

    if (address->sa_family == AF_INET && size >= sizeof(*v4))
        *endpoint = (Endpoint){.ip = ip_from_v4(v4->sin_addr),
                               .port = ntohs(v4->sin_port)};
    else if (address->sa_family == AF_INET6 && size >= sizeof(*v6))
        *endpoint = (Endpoint){.ip = ip_from_v6(&v6->sin6_addr),
                               .port = ntohs(v6->sin6_port)};
    else if (address->sa_family == AF_UNIX)
        *endpoint = (Endpoint){
            .ip = ip_from_v4((struct in_addr){htonl(INADDR_LOOPBACK)}),
            .path = copy_path(address, size)};
    else
        return FALSE;
    return TRUE;
}

socklen_t
endpoint_to_sockaddr(const Endpoint *endpoint, struct sockaddr_storage *address)
{
    struct sockaddr_un *local = (struct sockaddr_un *)address;
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

    *address = (struct sockaddr_storage){0};
    if (endpoint->path != NULL) {
        local->sun_family = AF_UNIX;
        g_strlcpy(local->sun_path, endpoint->path, sizeof(local->sun_path));
        return sizeof(*local);
    }
    if (ip_is_v4(&endpoint->ip)) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(endpoint->port);
        memcpy(&v4->sin_addr, endpoint->ip.bytes + 12, sizeof(v4->sin_addr));
        return sizeof(*v4);
    }
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(endpoint->port);
    memcpy(&v6->sin6_addr, endpoint->ip.bytes, sizeof(v6->sin6_addr));
    return sizeof(*v6);
}

static gboolean
set_transparent(int fd, gboolean v4)
{
    const int on = 1;

    return v4 ? setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof(on)) == 0
              : setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof(on))
                    == 0;
}

/* The port is chosen when the peer is known: there are as many of them for
 * each peer. */
gboolean
endpoint_bind_source(int fd, const FilterdIp *ip, gboolean foreign)
{
    const Endpoint source = {.ip = *ip};
    struct sockaddr_storage address;
    socklen_t size = endpoint_to_sockaddr(&source, &address);
    const int on = 1;

    if (foreign && !set_transparent(fd, ip_is_v4(ip)))
        return FALSE;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    return bind(fd, (struct sockaddr *)&address, size) == 0;
}

gboolean
endpoint_may_be_foreign(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    gboolean may = fd >= 0 && set_transparent(fd, TRUE);

    if (fd >= 0)
        close(fd);
    return may;
}

/* A socket where nobody listens any more. Connecting to any other file is
 * refused, too. */
static gboolean
is_stale(const char *path, const struct sockaddr *address, socklen_t size)
{
    struct stat status;
    gboolean refused;
    int fd;

    if (lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return FALSE;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    refused = connect(fd, address, size) != 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

/* No link is followed, and nothing but a socket is changed: who owns the
 * directory may have put something else there. */
static gboolean
set_access(const char *path, const EndpointAccess *access)
{
    char handle[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
    struct stat status;
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    gboolean ok = fd >= 0 && fstat(fd, &status) == 0;

    if (ok && !S_ISSOCK(status.st_mode)) {
        errno = ENOTSOCK;
        ok = FALSE;
    }
    g_snprintf(handle, sizeof(handle), "/proc/self/fd/%d", fd);
    ok = ok && fchownat(fd, "", access->uid, access->gid, AT_EMPTY_PATH) == 0
         && (access->mode == 0 || chmod(handle, access->mode) == 0);
    if (fd >= 0)
        close(fd);
    return ok;
}

gboolean
endpoint_set_access(const Endpoint *endpoint, const EndpointAccess *access,
                    GError **error)
{
    if (set_access(endpoint->path, access))
        return TRUE;
    g_set_error(error, ENDPOINT_ERROR, ENDPOINT_ERROR_SYSTEM,
                "cannot give away %s: %s", endpoint->path, g_strerror(errno));
    return FALSE;
}

static gboolean
set_new_access(const Endpoint *endpoint, const EndpointAccess *access)
{
    EndpointAccess own = access != NULL ? *access : ENDPOINT_ACCESS_NONE;

    if (own.mode == 0)
        own.mode = ENDPOINT_MODE;
    return endpoint->path == NULL || set_access(endpoint->path, &own);
}

static gboolean
bind_and_listen(int fd, const Endpoint *endpoint, const EndpointAccess *access)
{
    struct sockaddr_storage storage;
    const struct sockaddr *address = (const struct sockaddr *)&storage;
    socklen_t size = endpoint_to_sockaddr(endpoint, &storage);
    const int on = 1;

    if (endpoint->path != NULL && is_stale(endpoint->path, address, size))
        unlink(endpoint->path);
    if (address->sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (endpoint->path == NULL)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    /* Nobody can connect between bind() and listen(): the mode is in time. */
    return bind(fd, address, size) == 0 && set_new_access(endpoint, access)
           && listen(fd, BACKLOG) == 0;
}

int
endpoint_listen(const Endpoint *endpoint, const EndpointAccess *access,
                GError **error)
{
    struct sockaddr_storage address;
    g_autofree char *text = NULL;
    int fd, number;

    endpoint_to_sockaddr(endpoint, &address);
    fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                0);
    if (fd >= 0 && bind_and_listen(fd, endpoint, access))
        return fd;
    number = errno;
    if (fd >= 0)
        close(fd);
    text = endpoint_format(endpoint);
    g_set_error(error, ENDPOINT_ERROR, ENDPOINT_ERROR_SYSTEM,
                "cannot listen on %s: %s", text, g_strerror(number));
    return -1;
}
