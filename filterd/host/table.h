/* table.h: looks at a plugin's tables without believing a word of them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

/* Rows of one table, words of one row, arguments of an action. */
#define TABLE_ROWS_LIMIT 256
/* Octets of a name, and of any other text. */
#define TABLE_NAME_LIMIT 64
#define TABLE_TEXT_LIMIT 65536
/* Octets of a config struct, of a state. */
#define TABLE_STATE_LIMIT (1024 * 1024)

/* Whether its tables end, can be read and fit together. `plugin` itself can be
 * read. */
gboolean table_check(const FilterdPlugin *plugin, GError **error);

/* The hook that alone publishes facts of that stage; NULL: it has none. */
FilterdHook *table_hook(const FilterdPlugin *plugin, FilterdStage stage);
