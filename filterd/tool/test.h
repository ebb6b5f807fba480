/* test.h: what filterctl test shows of the tests that it ran. Private to the
 * command.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/tool/view.h"
#include "policy/test.h"

/* Of PolicyTest. A line each and a sum; of those that failed, more. */
void test_result_text(View *view, const GPtrArray *tests);
/* The object that the manual page describes, and a new line. */
void test_result_json(GString *out, const GPtrArray *tests);
unsigned test_result_failed(const GPtrArray *tests);
