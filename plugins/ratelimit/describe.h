/* describe.h: what an instance can count, as its key allows.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/ratelimit/config.h"

/* Three facts of each kind, in the order of Kind. */
enum { EXCEEDED, LEVEL, WAIT, KIND_FACTS };

/* FilterdPlugin.describe: the facts of the table are those of all kinds. */
bool describe_instance(FilterdDescribe *describe, FilterdPlugin *table,
                       GError **error);
