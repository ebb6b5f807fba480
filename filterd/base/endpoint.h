/* endpoint.h: where a socket listens or connects: an address and a port, or a
 * path.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/base/ip.h"

#include <sys/socket.h>

#define ENDPOINT_ERROR endpoint_error_quark()
GQuark endpoint_error_quark(void);

typedef enum EndpointError {
    ENDPOINT_ERROR_SYNTAX,
    ENDPOINT_ERROR_SYSTEM,
} EndpointError;

typedef struct Endpoint {
    char *path; /* of a unix socket, else NULL */
    FilterdIp ip;
    uint16_t port;
} Endpoint;

/* "192.0.2.1:25", "[2001:db8::1]:25", "unix:/path"; `separator` is ':' there
 * and '@' in "192.0.2.1@53" of the dns block, where IPv6 needs no brackets.
 * Port 0: the kernel chooses, when it listens. */
gboolean endpoint_parse(const char *text, char separator, Endpoint *endpoint,
                        GError **error);
void endpoint_clear(Endpoint *endpoint);
char *endpoint_format(const Endpoint *endpoint);

gboolean endpoint_from_sockaddr(const struct sockaddr *address, socklen_t size,
                                Endpoint *endpoint);
/* Returns the size. */
socklen_t endpoint_to_sockaddr(const Endpoint *endpoint,
                               struct sockaddr_storage *address);

/* Binds a socket that is to be connected, to any port of that address;
 * `foreign`: which is another machine's (needs CAP_NET_ADMIN). FALSE: errno. */
gboolean endpoint_bind_source(int fd, const FilterdIp *ip, gboolean foreign);
/* Whether this process may bind foreign addresses. */
gboolean endpoint_may_be_foreign(void);

/* Whose a unix socket is, and who may connect to it. */
typedef struct EndpointAccess {
    mode_t mode; /* 0: as it is, of a new one ENDPOINT_MODE */
    uid_t uid;   /* -1: as it is */
    gid_t gid;   /* the same */
} EndpointAccess;

#define ENDPOINT_MODE 0660
#define ENDPOINT_ACCESS_NONE ((EndpointAccess){0, (uid_t)-1, (gid_t)-1})

/* A bound, listening, non-blocking, close-on-exec socket; IPv6 ones are
 * IPv6 only. A stale unix socket is replaced, one that somebody answers is not;
 * `access` (NULL: as it comes) is for these, and in force before anybody can
 * connect. -1 and an error that says which address and why. */
int endpoint_listen(const Endpoint *endpoint, const EndpointAccess *access,
                    GError **error);
/* Of a unix socket that is there. */
gboolean endpoint_set_access(const Endpoint *endpoint,
                             const EndpointAccess *access, GError **error);
