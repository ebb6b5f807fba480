/* tls-certificate.h: certificates and their keys, in PEM.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>
#include <glib.h>
#include <openssl/types.h>

#define TLS_ERROR tls_error_quark()
GQuark tls_error_quark(void);

typedef enum TlsError {
    TLS_ERROR_CERTIFICATE, /* the file with the chain is to blame */
    TLS_ERROR_KEY,         /* the file with the key */
    TLS_ERROR_SETUP,
    TLS_ERROR_HANDSHAKE,
} TlsError;

/* A chain, the leaf first, and the leaf's key. */
typedef struct TlsCertificate TlsCertificate;

/* One file may be both. A key behind a password is an error. */
TlsCertificate *tls_certificate_new(const FilterdFile *chain,
                                    const FilterdFile *key, GError **error);
void tls_certificate_free(TlsCertificate *certificate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlsCertificate, tls_certificate_free)

/* What clients will not like about it now: "it expired on …"; NULL: nothing.
 * Caller frees. */
char *tls_certificate_complaint(const TlsCertificate *certificate);
/* Whether it is for that host, by its subjectAltName (RFC 6125 6.4). */
gboolean tls_certificate_names(const TlsCertificate *certificate,
                               const char *host);

/* Whether the file holds certificates that can be trusted in. */
gboolean tls_authority_check(const FilterdFile *file, GError **error);

/* ---- for tls.c ---------------------------------------------------------- */

gboolean tls_certificate_show(const TlsCertificate *certificate, SSL_CTX *to);
gboolean tls_certificate_show_once(const TlsCertificate *certificate, SSL *to);
gboolean tls_authority_trust(X509_STORE *store, const FilterdFile *file,
                             GError **error);
/* `what`, and why, as OpenSSL has it; its queue of errors is empty then. */
void tls_set_error(GError **error, TlsError code, const char *what);
