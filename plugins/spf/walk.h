/* walk.h: the order of terms, qualifiers, include and redirect, by libspf2 (RFC
 * 7208 sections 4.6.2, 5.2, 6.1).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/spf/check.h"

/* Settles result, mechanism, decisive and exp. May wait. */
void spf_walk_run(SpfCheck *check);
