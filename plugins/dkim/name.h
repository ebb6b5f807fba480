/* name.h: the domain names that a signature holds, in A-labels. (RFC 8616 5,
 * RFC 5891)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/dkim/tags.h"

/* Lower case, U-labels as A-labels (UTS 46, non-transitional); NULL where that
 * gives no name, or other dots than the full stop are in it. Caller frees. */
char *name_normalize(Span name);
bool span_is_ascii(Span span);
