/* keyring.c: the private keys that messages are signed with. (RFC 6376 3.3,
 * RFC 8301, RFC 8463)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dkim/keyring.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

#include "plugins/dkim/signature.h"

#define SIGNATURE_LIMIT (SIGNING_BITS_MOST / 8)
#define DESCRIBED 8

struct SigningKey {
    const KeyOption *option;
    Algorithm algorithm;
    EVP_PKEY *key;
};

struct Keyring {
    GPtrArray *keys; /* SigningKey, in the order of the options */
};

/* ---- reading ------------------------------------------------------------ */

static void
signing_key_free(void *data)
{
    SigningKey *key = data;
    EVP_PKEY_free(key->key);
    g_free(key);
}

/* Nobody is there to be asked for a passphrase. */
static int
no_passphrase(char *buffer, int size, int writing, void *data)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)data;
    return -1;
}

static EVP_PKEY *
read_pem(const FilterdFile *file)
{
    BIO *bio = BIO_new_mem_buf(file->bytes, (int)file->length);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    ERR_clear_error();
    return key;
}

static const char *
judge_rsa(const EVP_PKEY *key)
{
    if (EVP_PKEY_get_bits(key) < SIGNING_BITS_LEAST)
        return "is an RSA key of less than 1024 bits";
    if (EVP_PKEY_get_bits(key) > SIGNING_BITS_MOST)
        return "is an RSA key of more than 4096 bits, which not every verifier "
               "takes";
    return NULL;
}

static const struct {
    int type;
    Algorithm algorithm;
    const char *(*judge)(const EVP_PKEY *key); /* NULL: any will do */
} kinds[] = {
    {EVP_PKEY_RSA, ALGORITHM_RSA_SHA256, judge_rsa},
    {EVP_PKEY_ED25519, ALGORITHM_ED25519_SHA256, NULL},
};

static const char *
judge(SigningKey *key)
{
    if (key->key == NULL)
        return "is no private key in PEM without a passphrase";
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (EVP_PKEY_get_base_id(key->key) == kinds[i].type) {
            key->algorithm = kinds[i].algorithm;
            return kinds[i].judge != NULL ? kinds[i].judge(key->key) : NULL;
        }
    return "is neither an RSA key nor an Ed25519 key";
}

/* i= without white space, quotes and what would have to be encoded. */
static bool
is_identity(const char *identity, const char *domain)
{
    const char *at = strrchr(identity, '@');
    if (at == NULL || !span_is_name((Span){at + 1, strlen(at + 1)}))
        return false;
    for (const char *c = identity; c < at; c++)
        if (!g_ascii_isalnum(*c) && strchr(".-_+", *c) == NULL)
            return false;
    g_autofree char *below = g_strconcat(".", domain, NULL);
    g_autofree char *lower = g_ascii_strdown(at + 1, -1);
    return strcmp(lower, domain) == 0 || g_str_has_suffix(lower, below);
}

static const char *
judge_option(const Keyring *keyring, const KeyOption *option)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    if (!span_is_name((Span){option->selector, strlen(option->selector)}))
        return "has no such selector as can be in the DNS";
    if (option->identity != NULL
        && !is_identity(option->identity, option->domain))
        return "has an identity that is no address in its domain or below it";
    if (keyring_find(keyring, option->domain, option->selector, found) > 0)
        return "is there twice";
    return NULL;
}

static bool
fail(const KeyOption *option, const char *problem, GError **error)
{
    g_set_error(error, g_quark_from_static_string("dkim"), 0,
                "key %s %s \"%s\" %s", option->domain, option->selector,
                option->file.path, problem);
    return false;
}

static bool
add(Keyring *keyring, const KeyOption *option, GError **error)
{
    const char *problem = judge_option(keyring, option);
    if (problem != NULL)
        return fail(option, problem, error);
    SigningKey *key = g_new0(SigningKey, 1);
    g_ptr_array_add(keyring->keys, key);
    key->option = option;
    key->key = read_pem(&option->file);
    problem = judge(key);
    return problem == NULL || fail(option, problem, error);
}

Keyring *
keyring_new(const Config *config, size_t *broken, GError **error)
{
    const KeyOption *options = config->keys.items;
    Keyring *keyring = g_new0(Keyring, 1);
    keyring->keys = g_ptr_array_new_with_free_func(signing_key_free);
    for (size_t i = 0; i < config->keys.length; i++)
        if (!add(keyring, &options[i], error)) {
            keyring_free(keyring);
            *broken = i;
            return NULL;
        }
    return keyring;
}

void
keyring_free(Keyring *keyring)
{
    g_ptr_array_unref(keyring->keys);
    g_free(keyring);
}

/* ---- looking ------------------------------------------------------------ */

unsigned
keyring_find(const Keyring *keyring, const char *domain, const char *selector,
             GPtrArray *found)
{
    unsigned count = 0;
    for (guint i = 0; i < keyring->keys->len; i++) {
        SigningKey *key = keyring->keys->pdata[i];
        if ((domain != NULL
             && g_ascii_strcasecmp(key->option->domain, domain) != 0)
            || (selector != NULL
                && g_ascii_strcasecmp(key->option->selector, selector) != 0))
            continue;
        count++;
        if (!g_ptr_array_find(found, key, NULL))
            g_ptr_array_add(found, key);
    }
    return count;
}

char *
keyring_describe(const Keyring *keyring)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < MIN(keyring->keys->len, DESCRIBED); i++) {
        const SigningKey *key = keyring->keys->pdata[i];
        g_string_append_printf(text, "%s\"%s\", \"%s\"", i > 0 ? " or " : "",
                               key->option->domain, key->option->selector);
    }
    if (keyring->keys->len > DESCRIBED)
        g_string_append(text, " …");
    return g_string_free(text, FALSE);
}

const SigningKey *
keyring_next_short(const Keyring *keyring, const SigningKey *key)
{
    bool behind = key == NULL;
    for (guint i = 0; i < keyring->keys->len; i++) {
        const SigningKey *next = keyring->keys->pdata[i];
        if (behind && next->algorithm == ALGORITHM_RSA_SHA256
            && EVP_PKEY_get_bits(next->key) < SIGNING_BITS_GOOD)
            return next;
        behind = behind || next == key;
    }
    return NULL;
}

const KeyOption *
signing_key_option(const SigningKey *key)
{
    return key->option;
}

const char *
signing_key_algorithm(const SigningKey *key)
{
    return algorithm_words[key->algorithm];
}

/* ---- signing ------------------------------------------------------------ */

/* PKCS #1 1.5 (RFC 8017 8.2). */
static bool
sign_rsa(EVP_PKEY *key, const guint8 *hash, size_t length, guint8 *out,
         size_t *size)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    bool done = context != NULL && EVP_PKEY_sign_init(context) == 1
                && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1
                && EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1
                && EVP_PKEY_sign(context, out, size, hash, length) == 1;
    EVP_PKEY_CTX_free(context);
    return done;
}

/* RFC 8463 3: PureEdDSA over the hash. */
static bool
sign_ed25519(EVP_PKEY *key, const guint8 *hash, size_t length, guint8 *out,
             size_t *size)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1
                && EVP_DigestSign(context, out, size, hash, length) == 1;
    EVP_MD_CTX_free(context);
    return done;
}

char *
signing_key_sign(const SigningKey *key, const guint8 *hash, size_t length)
{
    guint8 out[SIGNATURE_LIMIT];
    size_t size = sizeof(out);
    bool done = key->algorithm == ALGORITHM_RSA_SHA256
                    ? sign_rsa(key->key, hash, length, out, &size)
                    : sign_ed25519(key->key, hash, length, out, &size);
    ERR_clear_error();
    return done ? g_base64_encode(out, size) : NULL;
}
