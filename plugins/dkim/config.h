/* config.h: the options of `use dkim { }`.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <stdint.h>

enum { PARTIAL_REFUSE, PARTIAL_ALLOW };

typedef struct Config {
    int64_t signatures;       /* how many are looked at */
    int64_t minimum_key_bits; /* of RSA */
    int partial_body;
    int64_t clock_drift; /* milliseconds */
} Config;
