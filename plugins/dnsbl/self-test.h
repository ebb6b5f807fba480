/* self-test.h: whether a list still is one (RFC 5782 5).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/dnsbl/dnsbl.h"

/* For spawn: now and every hour each list must have 127.0.0.2 and must not have
 * 127.0.0.1; else it is suspended, with a warning, until it does. No answer
 * changes nothing. */
void self_test_run(FilterdCall *call, void *data);
