/* proxy-protocol.h: the PROXY header of a load balancer, versions 1 and 2.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/base/endpoint.h"
#include "filterd/base/stream.h"
#include "filterd/wire/proxy-tlv.h"

/* A version 1 line, its CRLF included. */
#define PROXY_V1_LIMIT 107
/* What version 2 may carry behind its 16 octets: addresses and TLVs. */
#define PROXY_V2_LIMIT 4096

/* Zero bytes are an empty one. */
typedef struct ProxyHeader {
    Endpoint source, destination;
    ProxyTls tls; /* of version 2 */
} ProxyHeader;

typedef enum ProxyStatus {
    PROXY_OK,      /* the header is set; its `tls` is to be cleared */
    PROXY_LOCAL,   /* a health check or UNKNOWN: the connection's own hold */
    PROXY_MORE,    /* not all of it is there */
    PROXY_INVALID, /* no PROXY header, or a broken one */
} ProxyStatus;

/* `taken` is set for OK and LOCAL. Without I/O. */
ProxyStatus proxy_parse(const char *bytes, size_t length, ProxyHeader *header,
                        size_t *taken);

/* Waits for the header, up to the stream's deadline; what stands behind it
 * stays in the stream. PROXY_MORE: the peer closed or was too slow. */
ProxyStatus proxy_read(Stream *stream, ProxyHeader *header);
