/* setting-tables.h: the options of `set`, `listen`, `backend`, `dns` and
 * `store`.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

extern const FilterdOption setting_set[];
extern const FilterdOption setting_listen[];
extern const FilterdOption setting_backend[];
extern const FilterdOption setting_dns[];
extern const FilterdOption setting_store[]; /* in a file */
extern const FilterdOption setting_redis[];
/* Of each plugin, besides its own. */
extern const FilterdOption setting_use[];
