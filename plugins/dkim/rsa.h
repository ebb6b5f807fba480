/* rsa.h: RSA public keys in DER, strictly. (RFC 8017 A.1.1, RFC 5280 4.1)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct Der {
    const guint8 *bytes;
    size_t length;
} Der;

typedef struct RsaKey {
    Der pair;              /* the RSAPublicKey itself */
    Der modulus, exponent; /* without leading zeros, never empty */
} RsaKey;

/* SubjectPublicKeyInfo, which everybody publishes, or the bare RSAPublicKey,
 * which RFC 6376 speaks of. Points into `der`. */
bool rsa_read(RsaKey *key, Der der);
gint64 rsa_bits(const RsaKey *key);
/* Neither 1 nor even, which makes forging easy, nor huge, which makes checking
 * dear. */
bool rsa_has_sane_exponent(const RsaKey *key);
/* As SubjectPublicKeyInfo, made anew; in base64. Caller frees. */
char *rsa_format(const RsaKey *key);
