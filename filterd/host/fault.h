/* fault.h: errors of the host that tell which place of the configuration they
 * are about.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/report.h"

/* Of an instance. What stands behind a LF in `text` is the hint. The place's
 * file is borrowed. */
void fault_set(GError **error, const char *instance, const PolicyPlace *place,
               const char *text);
/* NULL: the error has none. `hint` may become NULL; it is the error's. */
const PolicyPlace *fault_place(const GError *error, const char **hint);
