/* verify.c: whether a key has signed a digest. (RFC 8017 8.2.2, RFC 8463 3)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dkim/verify.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_MD_CTX, EVP_MD_CTX_free)

typedef struct Bytes {
    guint8 *bytes;
    size_t length;
} Bytes;

static void
bytes_clear(Bytes *bytes)
{
    g_free(bytes->bytes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bytes, bytes_clear)

static EVP_PKEY *
read_rsa(const Bytes *der)
{
    const guint8 *at = der->bytes;
    return d2i_PUBKEY(NULL, &at, (long)der->length);
}

static bool
check_rsa(EVP_PKEY *key, const Bytes *made, const guint8 *digest)
{
    g_autoptr(EVP_PKEY_CTX) context = EVP_PKEY_CTX_new(key, NULL);
    return context != NULL && EVP_PKEY_verify_init(context) == 1
           && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1
           && EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1
           && EVP_PKEY_verify(context, made->bytes, made->length, digest,
                              DIGEST_LENGTH)
                  == 1;
}

static EVP_PKEY *
read_ed25519(const Bytes *raw)
{
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw->bytes,
                                       raw->length);
}

/* PureEdDSA of the hash: the hash is the message. */
static bool
check_ed25519(EVP_PKEY *key, const Bytes *made, const guint8 *digest)
{
    g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();
    return context != NULL
           && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1
           && EVP_DigestVerify(context, made->bytes, made->length, digest,
                               DIGEST_LENGTH)
                  == 1;
}

static const struct {
    EVP_PKEY *(*read)(const Bytes *text);
    bool (*check)(EVP_PKEY *key, const Bytes *made, const guint8 *digest);
} kinds[] = {
    [ALGORITHM_RSA_SHA256] = {read_rsa, check_rsa},
    [ALGORITHM_ED25519_SHA256] = {read_ed25519, check_ed25519},
};

/* `key` of a signature is "k=TYPE; p=BASE64", made by us. */
bool
verify_digest(const Signature *signature, const guint8 *digest)
{
    const char *encoded = strstr(signature->key, "p=") + strlen("p=");
    g_auto(Bytes) text = {NULL, 0}, made = {NULL, 0};
    text.bytes = g_base64_decode(encoded, &text.length);
    made.bytes = g_base64_decode(signature->bytes, &made.length);
    g_autoptr(EVP_PKEY) key = kinds[signature->algorithm].read(&text);
    bool match =
        key != NULL && kinds[signature->algorithm].check(key, &made, digest);
    ERR_clear_error();
    return match;
}
