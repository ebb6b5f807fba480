/* group.h: what tells recipients of one transaction apart.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/compile.h"

/* Gathers the terms of policy_group() from the rules at message. */
void group_prepare(PolicyRules *rules);
