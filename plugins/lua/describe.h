/* describe.h: the tables of an instance, as its script declares them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/lua/config.h"

/* FilterdPlugin.describe; takes the hooks out that the script has not. */
bool describe_script(FilterdDescribe *describe, FilterdPlugin *table,
                     GError **error);
