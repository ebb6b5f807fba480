/* received.h: the Received-SPF header field (RFC 7208 section 9.1).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/spf/check.h"

/* The field's value, folded, of a check that has run. Caller frees. */
char *spf_received_format(const SpfCheck *check, const char *result);
