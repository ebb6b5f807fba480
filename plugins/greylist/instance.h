/* instance.h: what an instance of greylisting has in a worker.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <libpsl.h>

#include "plugins/greylist/memory.h"

typedef struct Instance {
    psl_ctx_t *psl;
    Memory *memory;
} Instance;
