/* difference-rule.h: in what two rules, or lets, differ, in words.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/tree.h"

/* Octets of a part of a rule that is shown. */
#define DIFFERENCE_PART_LIMIT 100

/* All but its name, verdict and stage, to be compared and not to be read.
 * Caller frees, as below. */
char *difference_rule_text(const Rule *rule);
/* The same for people, shortened; "": it has nothing else. */
char *difference_rule_body(const Rule *rule);
/* "if a -> b, reply 550 "x" -> 550 "y""; NULL: nothing differs. */
char *difference_of_rules(const Rule *old, const Rule *new);
char *difference_of_lets(const Node *old, const Node *new);
