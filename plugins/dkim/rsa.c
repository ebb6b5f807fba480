/* rsa.c: RSA public keys in DER, strictly. (RFC 8017 A.1.1, RFC 5280 4.1)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dkim/rsa.h"

#include <string.h>

#define EXPONENT_LIMIT 8 /* octets */

#define DER_INTEGER 0x02
#define DER_BIT_STRING 0x03
#define DER_SEQUENCE 0x30

/* AlgorithmIdentifier of rsaEncryption, with its NULL. (RFC 3279 2.3.1) */
static const guint8 rsa_identifier[] = {
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
    0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
};

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

/* What is in a SubjectPublicKeyInfo; anything else stays as it is. */
static Der
unwrap(Der der)
{
    Der rest = der, outer, bits;
    if (!der_take(&rest, DER_SEQUENCE, &outer) || rest.length != 0
        || outer.length < sizeof(rsa_identifier)
        || memcmp(outer.bytes, rsa_identifier, sizeof(rsa_identifier)) != 0)
        return der;
    outer.bytes += sizeof(rsa_identifier);
    outer.length -= sizeof(rsa_identifier);
    if (!der_take(&outer, DER_BIT_STRING, &bits) || outer.length != 0
        || bits.length < 1 || bits.bytes[0] != 0)
        return der;
    return (Der){bits.bytes + 1, bits.length - 1};
}

bool
rsa_read(RsaKey *key, Der der)
{
    Der pair;
    der = key->pair = unwrap(der);
    return der_take(&der, DER_SEQUENCE, &pair) && der.length == 0
           && der_take_number(&pair, &key->modulus)
           && der_take_number(&pair, &key->exponent) && pair.length == 0;
}

gint64
rsa_bits(const RsaKey *key)
{
    gint64 bits = (gint64)(key->modulus.length - 1) * 8;
    for (guint8 first = key->modulus.bytes[0]; first != 0; first >>= 1)
        bits++;
    return bits;
}

bool
rsa_has_sane_exponent(const RsaKey *key)
{
    const Der *exponent = &key->exponent;
    return exponent->length <= EXPONENT_LIMIT
           && (exponent->bytes[exponent->length - 1] & 1) != 0
           && !(exponent->length == 1 && exponent->bytes[0] == 1);
}

static void
put_head(GByteArray *out, guint8 tag, size_t length)
{
    guint8 head[4] = {tag};
    guint size = 1;
    if (length >= 0x100) {
        head[size++] = 0x82;
        head[size++] = (guint8)(length >> 8);
    } else if (length >= 0x80) {
        head[size++] = 0x81;
    }
    head[size++] = (guint8)length;
    g_byte_array_append(out, head, size);
}

char *
rsa_format(const RsaKey *key)
{
    static const guint8 no_unused_bits = 0;
    g_autoptr(GByteArray) bits = g_byte_array_new();
    g_autoptr(GByteArray) out = g_byte_array_new();
    put_head(bits, DER_BIT_STRING, 1 + key->pair.length);
    g_byte_array_append(bits, &no_unused_bits, 1);
    g_byte_array_append(bits, key->pair.bytes, (guint)key->pair.length);

    put_head(out, DER_SEQUENCE, sizeof(rsa_identifier) + bits->len);
    g_byte_array_append(out, rsa_identifier, sizeof(rsa_identifier));
    g_byte_array_append(out, bits->data, bits->len);
    return g_base64_encode(out->data, out->len);
}
