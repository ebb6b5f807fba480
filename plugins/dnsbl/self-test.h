/* self-test.h: whether a list still is one (RFC 5782 5).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/dnsbl/list.h"

#define SELF_TEST_PAUSE INT64_C(3600000)

/* A list of addresses must have 127.0.0.2 and must not have 127.0.0.1; where it
 * has ::ffff:127.0.0.1 it is not to be asked about IPv6. A list of domains must
 * have its test entry and must not have `invalid`. Else it is suspended, with a
 * warning and in the metric, until it does. No answer changes nothing. Waits;
 * asks every list of the set at once. false: cancelled. */
bool self_test(FilterdCall *call, ListSet *set);
/* Waits for the first one, if it is under way, but not for long: a list that
 * has died should not judge those who come first. false: cancelled. */
bool self_test_wait(FilterdCall *call, const ListSet *set);
