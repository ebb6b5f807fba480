/* warn-value.h: values in conditions that are probably not meant.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/compile.h"

/* Of a file without errors: networks with host bits, `*` in what is compared.
 */
void warn_values(Compile *compile);
