/* test-state.h: a test that runs. Private to test.c and test-expect.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/test.h"
#include "policy/tree.h"

/* A rule that fired, with what it said then. */
typedef struct TestFired {
    const PolicyRule *rule;
    PolicyMode mode;
    MailReply reply;      /* code 0: it has none */
    GPtrArray *arguments; /* texts */
} TestFired;

/* Of a PolicyUnmet, for a GDestroyNotify. */
void test_unmet_free(void *data);
/* Adds to `unmet` what the test expects and the rules that fired do not show.
 */
void test_expect(const Test *test, const GPtrArray *fired, PolicyTest *result);
