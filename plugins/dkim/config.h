/* config.h: the options of `use dkim { }`.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

enum { PARTIAL_REFUSE, PARTIAL_ALLOW };
enum { NO_KEY_UNSIGNED, NO_KEY_TEMPFAIL };

/* Bits of `canonicalization`, an index in its words. */
enum { CANON_BODY_RELAXED = 1, CANON_HEADER_RELAXED = 2 };

extern const char *const canonicalization_words[];

typedef struct KeyOption {
    const char *domain;
    const char *selector;
    FilterdFile file;
    const char *identity; /* i=, or NULL */
} KeyOption;

typedef struct Config {
    int64_t signatures;       /* how many are looked at */
    int64_t minimum_key_bits; /* of RSA */
    int partial_body;
    int64_t clock_drift; /* milliseconds */

    FilterdArray keys;         /* of KeyOption */
    FilterdArray sign_headers; /* of texts */
    FilterdArray oversign;     /* of texts */
    int canonicalization;
    int64_t signature_lifetime; /* milliseconds; 0: none */
    int no_key;
} Config;
