/* keyring.h: the private keys that messages are signed with. (RFC 6376 3.3,
 * RFC 8301, RFC 8463)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/dkim/config.h"

#define SIGNING_BITS_LEAST 1024 /* RFC 8301 3.2: MUST */
#define SIGNING_BITS_GOOD 2048  /* SHOULD */
#define SIGNING_BITS_MOST 4096  /* what every verifier has to take */

/* Texts are the configuration's. */
typedef struct SigningKey SigningKey;

typedef struct Keyring Keyring;

/* From the `key` options; of the one that cannot be used `broken` is the
 * index. */
Keyring *keyring_new(const Config *config, size_t *broken, GError **error);
void keyring_free(Keyring *keyring);

/* Adds the keys of that domain to `found`; `domain` or `selector` NULL: of all.
 * How many there are. */
unsigned keyring_find(const Keyring *keyring, const char *domain,
                      const char *selector, GPtrArray *found);
/* The first of them, for people; caller frees. */
char *keyring_describe(const Keyring *keyring);
/* The next after `key` (NULL: the first) that RFC 8301 calls too short; NULL:
 * no other. */
const SigningKey *keyring_next_short(const Keyring *keyring,
                                     const SigningKey *key);

const KeyOption *signing_key_option(const SigningKey *key);
const char *signing_key_algorithm(const SigningKey *key); /* a= */
/* Signs a SHA-256 hash; in base64. NULL: the library cannot. Caller frees. */
char *signing_key_sign(const SigningKey *key, const guint8 *hash,
                       size_t length);
