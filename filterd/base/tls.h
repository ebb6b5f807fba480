/* tls.h: TLS below a stream, by OpenSSL. (RFC 8446, RFC 5246)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A context is what connections of one kind share; it outlives them. TLS 1.2 is
 * the least that is spoken.
 */
#pragma once

#include "filterd/base/tls-certificate.h"

typedef struct TlsContext TlsContext;

typedef struct TlsServer {
    /* Of the listener: sessions are taken up again there only. */
    const char *name;
    /* Pairs. The first is for whoever asks for none of their names. */
    const FilterdFile *chains, *keys;
    size_t length;
    /* For a client's certificate; whatever comes is accepted, and those that
     * lead to `authority` (path NULL: to none) are verified. */
    gboolean ask;
    FilterdFile authority;
} TlsServer;

typedef struct TlsClient {
    /* A name or an address; NULL only where nothing is verified. */
    const char *host;
    gboolean verify;
    FilterdFile authority; /* path NULL: those of the system */
} TlsClient;

TlsContext *tls_server_new(const TlsServer *server, GError **error);
TlsContext *tls_client_new(const TlsClient *client, GError **error);
void tls_context_free(TlsContext *context);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlsContext, tls_context_free)

/* What was agreed on; of the peer's certificate, NULL where it sent none. */
typedef struct TlsPeer {
    const char *version; /* "TLSv1.3" */
    const char *cipher;  /* "TLS_AES_256_GCM_SHA384" */
    char *fingerprint;   /* its SHA-256, in lower-case hex */
    char *subject;       /* as RFC 2253 has it */
    gboolean verified;
} TlsPeer;

/* ---- for stream.c: nothing here waits ----------------------------------- */

typedef enum Transport {
    TRANSPORT_DONE,
    TRANSPORT_AGAIN, /* something else has come, and there may be more */
    TRANSPORT_WANTS_READ,
    TRANSPORT_WANTS_WRITE,
    TRANSPORT_EOF,
    TRANSPORT_FAILED, /* errno says why */
} Transport;

typedef struct TlsLink TlsLink;

/* Borrows the descriptor, which does not block, and the context. `head` is what
 * has been read of it already. */
TlsLink *tls_link_new(const TlsContext *context, int fd, const void *head,
                      size_t length);
/* Takes leave of the peer (close_notify) as far as the kernel has room. */
void tls_link_free(TlsLink *link);

/* Again and again until it is done or has failed. */
Transport tls_link_handshake(TlsLink *link, GError **error);
/* EOF only where the peer took leave; a connection that just ends has failed
 * with ECONNRESET, and can still be written. */
Transport tls_link_read(TlsLink *link, void *bytes, size_t size,
                        size_t *length);
Transport tls_link_write(TlsLink *link, const void *bytes, size_t size,
                         size_t *length);
/* What a read would say; takes nothing. */
Transport tls_link_look(TlsLink *link);

const TlsPeer *tls_link_peer(const TlsLink *link);
