/* newer.c: a plugin from after today's plugin.h: its table has one more.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#define filterd_plugin of_today
#include <filterd/plugin.h>
#undef filterd_plugin

typedef struct Newer {
    FilterdPlugin today;
    const char *more;
} Newer;

G_MODULE_EXPORT extern const Newer filterd_plugin;

const Newer filterd_plugin = {.today = {.abi = FILTERD_ABI,
                                        .size = sizeof(Newer),
                                        .name = "newer",
                                        .version = "1",
                                        .summary = "too new"}};
