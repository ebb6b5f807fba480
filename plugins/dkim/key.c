/* key.c: key records (RFC 6376 3.6.1, RFC 8301, RFC 8463).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dkim/key.h"

#include <string.h>

#define RSA_EXPONENT_LIMIT 8 /* octets */
#define ED25519_LENGTH 32

#define DER_INTEGER 0x02
#define DER_BIT_STRING 0x03
#define DER_SEQUENCE 0x30

/* AlgorithmIdentifier of rsaEncryption, with its NULL. (RFC 3279 2.3.1) */
static const guint8 rsa_identifier[] = {
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
    0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
};

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

typedef struct Der {
    const guint8 *bytes;
    size_t length;
} Der;

/* Lengths in their shortest form, below 64 KiB. */
static bool
der_length(Der *in, size_t *length)
{
    if (in->length < 1)
        return false;
    size_t octets = in->bytes[0] < 0x80 ? 0 : in->bytes[0] - 0x80u;
    if (octets > 2 || in->length < 1 + octets
        || (in->bytes[0] >= 0x80 && octets == 0))
        return false;
    *length = octets == 0 ? in->bytes[0] : 0;
    for (size_t i = 1; i <= octets; i++)
        *length = *length << 8 | in->bytes[i];
    if ((octets == 1 && *length < 0x80) || (octets == 2 && *length < 0x100))
        return false;
    in->bytes += 1 + octets;
    in->length -= 1 + octets;
    return true;
}

/* Takes a value of that tag off the front. */
static bool
der_take(Der *in, guint8 tag, Der *value)
{
    size_t length;
    if (in->length < 1 || in->bytes[0] != tag)
        return false;
    Der rest = {in->bytes + 1, in->length - 1};
    if (!der_length(&rest, &length) || length > rest.length)
        return false;
    *value = (Der){rest.bytes, length};
    *in = (Der){rest.bytes + length, rest.length - length};
    return true;
}

/* A positive INTEGER without its leading zero octet. */
static bool
der_take_number(Der *in, Der *number)
{
    if (!der_take(in, DER_INTEGER, number) || number->length == 0
        || number->bytes[0] >= 0x80)
        return false;
    if (number->bytes[0] == 0) {
        number->bytes++;
        number->length--;
    }
    return number->length > 0 && number->bytes[0] != 0;
}

/* SubjectPublicKeyInfo of an RSA key: its RSAPublicKey. */
static bool
take_wrapping(Der *in)
{
    Der outer, bits;
    if (!der_take(in, DER_SEQUENCE, &outer) || in->length != 0
        || outer.length < sizeof(rsa_identifier)
        || memcmp(outer.bytes, rsa_identifier, sizeof(rsa_identifier)) != 0)
        return false;
    outer.bytes += sizeof(rsa_identifier);
    outer.length -= sizeof(rsa_identifier);
    if (!der_take(&outer, DER_BIT_STRING, &bits) || outer.length != 0
        || bits.length < 1 || bits.bytes[0] != 0)
        return false;
    *in = (Der){bits.bytes + 1, bits.length - 1};
    return true;
}

static gint64
bit_length(Der number)
{
    gint64 bits = (gint64)(number.length - 1) * 8;
    for (guint8 first = number.bytes[0]; first != 0; first >>= 1)
        bits++;
    return bits;
}

/* An exponent that is 1, even or huge makes forging easy or checking dear. */
static bool
is_sane_exponent(Der exponent)
{
    return exponent.length <= RSA_EXPONENT_LIMIT
           && (exponent.bytes[exponent.length - 1] & 1) != 0
           && !(exponent.length == 1 && exponent.bytes[0] == 1);
}

static void
check_rsa(Signature *signature, Der key, gint64 minimum)
{
    Der pair, modulus, exponent;
    if (!take_wrapping(&key) || !der_take(&key, DER_SEQUENCE, &pair)
        || !der_take_number(&pair, &modulus)
        || !der_take_number(&pair, &exponent) || pair.length != 0)
        signature_settle(signature, RESULT_PERMERROR,
                         "the key record holds no RSA key");
    else if (bit_length(modulus) < minimum)
        signature_settle(signature, RESULT_POLICY, "the RSA key is too short");
    else if (!is_sane_exponent(exponent))
        signature_settle(signature, RESULT_POLICY,
                         "the RSA key has an unsafe exponent");
}

static void
check_ed25519(Signature *signature, Der key, gint64 minimum)
{
    (void)minimum;
    if (key.length != ED25519_LENGTH) {
        signature_settle(signature, RESULT_PERMERROR,
                         "the key record holds no Ed25519 key");
        return;
    }
    guint8 point[ED25519_LENGTH];
    memcpy(point, key.bytes, sizeof(point));
    point[ED25519_LENGTH - 1] &= 0x7f;
    for (size_t i = 0; i < G_N_ELEMENTS(small_order); i++)
        if (memcmp(point, small_order[i], sizeof(point)) == 0)
            signature_settle(signature, RESULT_POLICY,
                             "the Ed25519 key is of small order");
}

static const struct {
    const char *type; /* k= */
    void (*check)(Signature *signature, Der key, gint64 minimum);
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
    if (value.length == 0) {
        signature_settle(signature, RESULT_PERMERROR, "the key is revoked");
        return;
    }
    Der key;
    g_autofree guint8 *decoded = span_decode(value, &key.length);
    if (decoded == NULL) {
        signature_settle(signature, RESULT_PERMERROR, "the key is no base64");
        return;
    }
    key.bytes = decoded;
    kinds[signature->algorithm].check(signature, key, minimum);

    g_autofree char *text = span_squeeze(value);
    g_autofree char *clean =
        g_strdup_printf("k=%s; p=%s", kinds[signature->algorithm].type, text);
    if (strlen(clean) > KEY_CLEAN_LIMIT)
        signature_settle(signature, RESULT_POLICY, "the key is too long");
    else
        signature->key = g_steal_pointer(&clean);
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
