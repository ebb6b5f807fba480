/* written.h: parts of a rule as they are written, more or less.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/tree.h"

/* A relation, a fact or a let, with any `not` before it. */
void written_append(GString *out, const Node *node);
/* All of a condition; NULL: nothing. */
void written_append_condition(GString *out, const Node *node);
/* "550 5.7.1 "no" after 5s"; of the default nothing. */
void written_append_reply(GString *out, const Rule *rule);
/* "("X-A", "1")"; without any nothing. */
void written_append_arguments(GString *out, const Rule *rule);
