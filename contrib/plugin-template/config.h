/* config.h: what the options of `use @NAME@ { }` are written into.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <stdbool.h>

typedef struct Config {
    bool address;
} Config;
