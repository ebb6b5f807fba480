/* siphash.h: SipHash-2-4, a hash whose collisions nobody finds without its key.
 * (Aumasson and Bernstein 2012)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Two words of 64 bits, little-endian as everything in it. */
typedef struct SiphashKey {
    uint64_t words[2];
} SiphashKey;

uint64_t siphash(const SiphashKey *key, const void *bytes, size_t length);
