/* key.c: key records (RFC 6376 3.6.1, RFC 8301, RFC 8463).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dkim/key.h"

#include <string.h>

#include "plugins/dkim/rsa.h"

#define ED25519_LENGTH 32

/* y of the points of small order, whose signatures anybody can make; with
 * what is not reduced, the sign bit cleared. (RFC 8032 5.1) */
static const guint8 small_order[][ED25519_LENGTH] = {
    {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00},
    {0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
     0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
     0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
     0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
     0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
};

/* Each returns the key in base64, or settles. */
static char *
check_rsa(Signature *signature, Der der, gint64 minimum)
{
    RsaKey key;
    if (!rsa_read(&key, der))
        signature_settle(signature, RESULT_PERMERROR,
                         "the key record holds no RSA key");
    else if (rsa_bits(&key) < minimum)
        signature_settle(signature, RESULT_POLICY, "the RSA key is too short");
    else if (!rsa_has_sane_exponent(&key))
        signature_settle(signature, RESULT_POLICY,
                         "the RSA key has an unsafe exponent");
    else
        return rsa_format(&key);
    return NULL;
}

static bool
is_small_order(Der der)
{
    guint8 point[ED25519_LENGTH];
    memcpy(point, der.bytes, sizeof(point));
    point[ED25519_LENGTH - 1] &= 0x7f;
    for (size_t i = 0; i < G_N_ELEMENTS(small_order); i++)
        if (memcmp(point, small_order[i], sizeof(point)) == 0)
            return true;
    return false;
}

static char *
check_ed25519(Signature *signature, Der der, gint64 minimum)
{
    (void)minimum;
    if (der.length != ED25519_LENGTH)
        signature_settle(signature, RESULT_PERMERROR,
                         "the key record holds no Ed25519 key");
    else if (is_small_order(der))
        signature_settle(signature, RESULT_POLICY,
                         "the Ed25519 key is of small order");
    else
        return g_base64_encode(der.bytes, der.length);
    return NULL;
}

static const struct {
    const char *type; /* k= */
    char *(*check)(Signature *signature, Der der, gint64 minimum);
} kinds[] = {
    [ALGORITHM_RSA_SHA256] = {"rsa", check_rsa},
    [ALGORITHM_ED25519_SHA256] = {"ed25519", check_ed25519},
};

static const char *
check_version(const Tags *tags)
{
    const Span *version = tags_find(tags, "v");
    if (version == NULL)
        return NULL;
    return span_is(tags->items[0].name, "v") && span_is(*version, "DKIM1")
               ? NULL
               : "the key record is of an unknown version";
}

static const char *
check_type(const Signature *signature, const Tags *tags)
{
    const Span *type = tags_find(tags, "k");
    const char *wanted = kinds[signature->algorithm].type;
    bool same =
        type != NULL ? span_is(*type, wanted) : strcmp(wanted, "rsa") == 0;
    return same ? NULL : "the key record is of another type than a=";
}

/* What the record allows: h=, s= and t=s. */
static const char *
check_use(const Signature *signature, const Tags *tags)
{
    const Span *hashes = tags_find(tags, "h");
    if (hashes != NULL && !span_lists(*hashes, "sha256"))
        return "the key record does not allow SHA-256";
    const Span *services = tags_find(tags, "s");
    if (services != NULL && !span_lists(*services, "*")
        && !span_lists(*services, "email"))
        return "the key is not for mail";
    const Span *flags = tags_find(tags, "t");
    if (flags != NULL && span_lists(*flags, "s") && signature->identity != NULL
        && strcmp(signature->identity, signature->domain) != 0)
        return "the key does not allow i= below d=";
    return NULL;
}

static const char *
check_record(const Signature *signature, const Tags *tags)
{
    const char *problem = check_version(tags);
    if (problem == NULL)
        problem = check_type(signature, tags);
    if (problem == NULL)
        problem = check_use(signature, tags);
    return problem;
}

/* A record that says nothing but type and key, all else having been judged. */
static void
take_key(Signature *signature, Span value, gint64 minimum)
{
    Der der;
    if (value.length == 0) {
        signature_settle(signature, RESULT_PERMERROR, "the key is revoked");
        return;
    }
    g_autofree guint8 *decoded = span_decode(value, &der.length);
    if (decoded == NULL) {
        signature_settle(signature, RESULT_PERMERROR, "the key is no base64");
        return;
    }
    der.bytes = decoded;
    g_autofree char *text =
        kinds[signature->algorithm].check(signature, der, minimum);
    if (text == NULL)
        return;
    signature->key =
        g_strconcat("k=", kinds[signature->algorithm].type, "; p=", text, NULL);
    if (strlen(signature->key) > KEY_CLEAN_LIMIT)
        signature_settle(signature, RESULT_POLICY, "the key is too long");
}

void
key_read(Signature *signature, Span record, gint64 minimum)
{
    Tags tags;
    if (record.length > KEY_RECORD_LIMIT || tags_parse(&tags, record) != NULL) {
        signature_settle(signature, RESULT_PERMERROR,
                         "the key record is malformed");
        return;
    }
    const char *problem = check_record(signature, &tags);
    const Span *flags = tags_find(&tags, "t");
    const Span *key = tags_find(&tags, "p");
    if (problem != NULL)
        signature_settle(signature, RESULT_PERMERROR, problem);
    else if (key == NULL)
        signature_settle(signature, RESULT_PERMERROR,
                         "the key record has no p=");
    else
        take_key(signature, *key, minimum);
    signature->testing = flags != NULL && span_lists(*flags, "y");
}
