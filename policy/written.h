/* written.h: a sub-expression as it is written, more or less.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/tree.h"

/* A relation, a fact or a let, with any `not` before it. */
void written_append(GString *out, const Node *node);
