/* tls-certificate.c: certificates and their keys, in PEM. (RFC 7468, 5280)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/tls-certificate.h"

#include "filterd/base/clock.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

/* Of one file. */
#define CERTIFICATES_LIMIT 1000

struct TlsCertificate {
    X509 *leaf;
    STACK_OF(X509) * above;
    EVP_PKEY *key;
};

G_DEFINE_QUARK(tls - error, tls_error)

void
tls_set_error(GError **error, TlsError code, const char *what)
{
    unsigned long first = ERR_get_error();
    const char *reason = first != 0 ? ERR_reason_error_string(first) : NULL;
    if (reason == NULL)
        g_set_error_literal(error, TLS_ERROR, (gint)code, what);
    else
        g_set_error(error, TLS_ERROR, (gint)code, "%s: %s", what, reason);
    ERR_clear_error();
}

static BIO *
open_file(const FilterdFile *file)
{
    ERR_clear_error();
    return BIO_new_mem_buf(file->bytes, (int)MIN(file->length, G_MAXINT));
}

/* Nobody is there to type one. */
static int
no_password(char *to G_GNUC_UNUSED, int size G_GNUC_UNUSED,
            int writing G_GNUC_UNUSED, void *data G_GNUC_UNUSED)
{
    return -1;
}

/* Whether reading stopped because nothing more is there. */
static gboolean
at_end(void)
{
    unsigned long last = ERR_peek_last_error();
    gboolean end = ERR_GET_LIB(last) == ERR_LIB_PEM
                   && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
    if (end)
        ERR_clear_error();
    return end;
}

/* All certificates of a file, at least one. */
static STACK_OF(X509) * read_chain(const FilterdFile *file, GError **error)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    BIO *bio = open_file(file);
    X509 *one;
    while (sk_X509_num(chain) < CERTIFICATES_LIMIT
           && (one = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL)
        sk_X509_push(chain, one);
    BIO_free(bio);
    if (at_end() && sk_X509_num(chain) > 0)
        return chain;
    sk_X509_pop_free(chain, X509_free);
    tls_set_error(error, TLS_ERROR_CERTIFICATE,
                  "it has no certificate in PEM that can be read");
    return NULL;
}

static EVP_PKEY *
read_key(const FilterdFile *file, GError **error)
{
    BIO *bio = open_file(file);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    BIO_free(bio);
    if (key == NULL)
        tls_set_error(error, TLS_ERROR_KEY,
                      "it has no private key in PEM that can be read");
    ERR_clear_error();
    return key;
}

TlsCertificate *
tls_certificate_new(const FilterdFile *chain, const FilterdFile *key,
                    GError **error)
{
    g_autoptr(TlsCertificate) certificate = g_new0(TlsCertificate, 1);
    certificate->above = read_chain(chain, error);
    if (certificate->above == NULL)
        return NULL;
    certificate->leaf = sk_X509_shift(certificate->above);
    certificate->key = read_key(key, error);
    if (certificate->key == NULL)
        return NULL;
    if (X509_check_private_key(certificate->leaf, certificate->key) == 1)
        return g_steal_pointer(&certificate);
    tls_set_error(error, TLS_ERROR_KEY, "it is not the certificate's key");
    return NULL;
}

void
tls_certificate_free(TlsCertificate *certificate)
{
    X509_free(certificate->leaf);
    sk_X509_pop_free(certificate->above, X509_free);
    EVP_PKEY_free(certificate->key);
    g_free(certificate);
}

/* ---- looking at them ---------------------------------------------------- */

static char *
format_date(const char *prefix, const ASN1_TIME *date)
{
    struct tm parts = {0};
    char text[32];
    ASN1_TIME_to_tm(date, &parts);
    strftime(text, sizeof text, "%Y-%m-%d", &parts);
    return g_strconcat(prefix, text, NULL);
}

char *
tls_certificate_complaint(const TlsCertificate *certificate)
{
    const ASN1_TIME *from = X509_get0_notBefore(certificate->leaf);
    const ASN1_TIME *until = X509_get0_notAfter(certificate->leaf);
    time_t now = (time_t)(clock_real() / 1000);
    if (X509_cmp_time(until, &now) < 0)
        return format_date("it expired on ", until);
    if (X509_cmp_time(from, &now) > 0)
        return format_date("it is not valid before ", from);
    return NULL;
}

gboolean
tls_certificate_names(const TlsCertificate *certificate, const char *host)
{
    return X509_check_host(certificate->leaf, host, strlen(host),
                           X509_CHECK_FLAG_NEVER_CHECK_SUBJECT
                               | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                           NULL)
           == 1;
}

/* ---- using them --------------------------------------------------------- */

gboolean
tls_certificate_show(const TlsCertificate *certificate, SSL_CTX *to)
{
    return SSL_CTX_use_cert_and_key(to, certificate->leaf, certificate->key,
                                    certificate->above, 1)
           == 1;
}

gboolean
tls_certificate_show_once(const TlsCertificate *certificate, SSL *to)
{
    return SSL_use_cert_and_key(to, certificate->leaf, certificate->key,
                                certificate->above, 1)
           == 1;
}

gboolean
tls_authority_trust(X509_STORE *store, const FilterdFile *file, GError **error)
{
    STACK_OF(X509) *chain = read_chain(file, error);
    if (chain == NULL)
        return FALSE;
    for (int i = 0; i < sk_X509_num(chain); i++)
        X509_STORE_add_cert(store, sk_X509_value(chain, i));
    sk_X509_pop_free(chain, X509_free);
    ERR_clear_error();
    return TRUE;
}

gboolean
tls_authority_check(const FilterdFile *file, GError **error)
{
    STACK_OF(X509) *chain = read_chain(file, error);
    sk_X509_pop_free(chain, X509_free);
    return chain != NULL;
}
