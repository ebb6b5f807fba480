/* rates.h: what was counted so far, for those who look at what changes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/process/status.h"

/* A line of JSON, without its end. Caller frees. */
char *rates_format(const StatusSource *source);
