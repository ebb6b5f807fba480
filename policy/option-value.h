/* option-value.h: one value of an option, written as its C type.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/compile.h"

/* Octets of the C type. */
gsize option_value_size(const FilterdOption *row);
/* Takes the token at hand; FALSE with a complaint. `slot` has room for the C
 * type. */
gboolean option_value_parse(Compile *compile, const FilterdOption *row,
                            void *slot);
