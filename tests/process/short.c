/* short.c: a plugin whose table is smaller than it says.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <filterd/plugin.h>

typedef struct Short {
    uint32_t abi, size;
} Short;

extern const Short short_table __asm__("filterd_plugin");

G_MODULE_EXPORT const Short short_table = {FILTERD_ABI, sizeof(FilterdPlugin)};
