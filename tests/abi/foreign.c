/* foreign.c: a plugin of another ABI altogether.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <filterd/plugin.h>

G_MODULE_EXPORT const FilterdPlugin filterd_plugin = {
    .abi = FILTERD_ABI + 1, .size = sizeof(FilterdPlugin), .name = "foreign"};
