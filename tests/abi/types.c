/* types.c: a function whose argument leads to all that plugins share with
 * filterd, for abidiff.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <filterd/plugin.h>

G_MODULE_EXPORT void filterd_types(const FilterdPlugin *plugin);

void
filterd_types(const FilterdPlugin *plugin)
{
    (void)plugin;
}
