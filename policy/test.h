/* test.h: the policy's own tests, run: rules alone, without plugins or DNS.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A test is one recipient's way through all stages; one with several recipients
 * is as many tests. A fact that is not given is
 * unknown, but for what follows from one that is: the parts of mail.from,
 * rcpt.to and header.from.address, and the score.
 */
#pragma once

#include "policy/explain.h"

/* What a test expects and did not find. */
typedef struct PolicyUnmet {
    const PolicyPlace *place;
    char *expected; /* "reject relay at rcpt" */
    char *found;
} PolicyUnmet;

typedef struct PolicyTest {
    const char *name;
    const PolicyPlace *place;
    GPtrArray *judgements; /* PolicyJudgement, in order */
    /* What became of it: the rule, or NULL, which accepts; the last stage that
     * was reached; its reply, "550 5.7.1 …", or NULL. */
    const PolicyRule *rule;
    FilterdStage stage;
    char *reply;
    int64_t score;
    GPtrArray *unmet; /* PolicyUnmet; empty: it passed */
} PolicyTest;

unsigned policy_test_count(const PolicyConfig *config);
const char *policy_test_name(const PolicyConfig *config, unsigned index);
PolicyTest *policy_test_run(const PolicyConfig *config, unsigned index);
void policy_test_free(PolicyTest *test);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PolicyTest, policy_test_free)
