/* evaluate.h: the value and the truth of a tree.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/tree.h"

typedef struct Evaluation {
    const PolicyClient *client;
    gboolean shadow;
} Evaluation;

PolicyTruth evaluate_truth(const Evaluation *evaluation, const Node *node);
/* Never NULL; lives as long as the fact it comes from. */
const FilterdValue *evaluate_value(const Evaluation *evaluation,
                                   const Node *node);
/* Whether it does where the left side is less than the right (`order` is
 * negative), equal or more. */
gboolean comparison_holds(Comparison comparison, int order);
