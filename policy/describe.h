/* describe.h: asks a plugin for the tables of one instance.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/compile.h"

/* Gives `use` tables of its own; `config` is that of `use`. FALSE with a
 * complaint. */
gboolean describe_use(Compile *compile, PolicyUse *use, void *config);
