/* rules.h: how often each rule of the policy has fired.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/judge.h"

typedef struct RuleCounts RuleCounts;

/* Of this process; the counters are there, at 0, from now on. */
RuleCounts *rules_counts_new(const PolicyConfig *config);
void rules_counts_free(RuleCounts *counts);

void rules_count(const RuleCounts *counts, const PolicyRule *rule,
                 PolicyMode mode);
