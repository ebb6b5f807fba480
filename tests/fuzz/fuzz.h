/* fuzz.h: the one function of every target.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Returns 0; what must not be is asserted. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);
