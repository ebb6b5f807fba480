/* config.h: the options of `use arc { }`.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

typedef struct Config {
    FilterdArray trusted; /* of const char *: domains of sealers */
    int64_t instances;
    int64_t minimum_key_bits; /* of RSA */
    int64_t clock_drift;      /* milliseconds */
} Config;
