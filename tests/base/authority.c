/* authority.c: certificates of a test's own.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/base/authority.h"

#include "filterd/base/clock.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define DAY 86400

typedef struct Root {
    X509 *certificate;
    EVP_PKEY *key;
    FilterdFile file;
} Root;

static Root roots[2];

static FilterdFile
take_text(BIO *memory, const char *path)
{
    char *bytes;
    long length = BIO_get_mem_data(memory, &bytes);
    FilterdFile file = {path, g_strndup(bytes, (gsize)length), (size_t)length};
    BIO_free(memory);
    return file;
}

static FilterdFile
certificate_file(X509 *certificate)
{
    BIO *memory = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(memory, certificate);
    return take_text(memory, "chain.pem");
}

static FilterdFile
key_file(EVP_PKEY *key)
{
    BIO *memory = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL);
    return take_text(memory, "key.pem");
}

static void
extend(X509 *certificate, int kind, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, kind, value);
    g_assert_nonnull(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

static X509 *
certificate_new(const char *name, EVP_PKEY *key, int since, int days)
{
    static long serial;
    X509 *certificate = X509_new();
    time_t now = (time_t)(clock_real() / 1000);
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_time_adj_ex(X509_getm_notBefore(certificate), -since, 0, &now);
    X509_time_adj_ex(X509_getm_notAfter(certificate), days - since, 0, &now);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN",
                               MBSTRING_UTF8, (const guchar *)name, -1, -1, 0);
    X509_set_pubkey(certificate, key);
    return certificate;
}

static const Root *
root(unsigned index)
{
    Root *one = &roots[index];
    if (one->certificate != NULL)
        return one;
    one->key = EVP_EC_gen("P-256");
    one->certificate = certificate_new("root", one->key, 1, 2);
    X509_set_issuer_name(one->certificate,
                         X509_get_subject_name(one->certificate));
    extend(one->certificate, NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(one->certificate, one->key, EVP_sha256());
    one->file = certificate_file(one->certificate);
    return one;
}

static char *
format_hosts(const char *hosts)
{
    g_auto(GStrv) words = g_strsplit(hosts, " ", 0);
    GString *text = g_string_new(NULL);
    for (unsigned i = 0; words[i] != NULL; i++)
        g_string_append_printf(text, "%s%s:%s", i > 0 ? "," : "",
                               g_ascii_isdigit(*words[i]) ? "IP" : "DNS",
                               words[i]);
    return g_string_free(text, FALSE);
}

Issued
authority_issue(const char *hosts, int since, int days)
{
    const Root *issuer = root(0);
    g_autofree char *names = format_hosts(hosts);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = certificate_new("leaf", key, since, days);
    X509_set_issuer_name(certificate,
                         X509_get_subject_name(issuer->certificate));
    extend(certificate, NID_subject_alt_name, names);
    X509_sign(certificate, issuer->key, EVP_sha256());
    Issued issued = {certificate_file(certificate), key_file(key)};
    X509_free(certificate);
    EVP_PKEY_free(key);
    return issued;
}

void
issued_clear(Issued *issued)
{
    g_free((char *)issued->chain.bytes);
    g_free((char *)issued->key.bytes);
}

const FilterdFile *
authority_root(void)
{
    return &root(0)->file;
}

const FilterdFile *
authority_stranger(void)
{
    return &root(1)->file;
}

void
authority_clear(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(roots); i++) {
        X509_free(roots[i].certificate);
        EVP_PKEY_free(roots[i].key);
        g_free((char *)roots[i].file.bytes);
        roots[i] = (Root){0};
    }
}
