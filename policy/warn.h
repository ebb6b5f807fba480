/* warn.h: what is legal and probably not meant.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/compile.h"

void warn_all(Compile *compile);
