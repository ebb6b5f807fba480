/* explain.h: why a rule's condition is what it is, for people and tools.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/judge.h"

/* A fact that was looked at, with what it was then. */
typedef struct PolicySeen {
    const PolicyFact *fact;
    FilterdValue value; /* a copy */
} PolicySeen;

/* A sub-expression that the truth rests on. */
typedef struct PolicyReason {
    unsigned depth; /* below the let, or 0 */
    char *text;     /* as it is written, more or less */
    PolicyTruth truth;
    GPtrArray *seen; /* PolicySeen; of a let empty: its own come behind it */
} PolicyReason;

/* One rule that was judged. */
typedef struct PolicyJudgement {
    const PolicyRule *rule;
    PolicyTruth truth;
    PolicyMode mode;
    GPtrArray *reasons; /* PolicyReason; empty: it has no condition, or has
                         * expired */
} PolicyJudgement;

/* Asks the client again, for facts only that judging the rule asked it for. */
PolicyJudgement *policy_explain(const PolicyRule *rule, PolicyTruth truth,
                                PolicyMode mode, const PolicyClient *client);
/* For a GDestroyNotify. */
void policy_judgement_free(void *judgement);

/* "no", "yes", "unknown". */
extern const char *const policy_truth_words[];
