/* plugin.h: what the tables of a script point to.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

bool plugin_act(FilterdCall *call, const FilterdValue *arguments,
                GError **error);
