/* config.h: the options of greylisting.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

typedef struct Config {
    int64_t delay, window, lifetime;
    int64_t white_after, white_lifetime;
    int64_t network_v4, network_v6; /* bits */
    FilterdArray keys;              /* int, a Rung */
    int sender;                     /* a SenderForm */
} Config;
