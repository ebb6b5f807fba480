/* fuzz-answer.h: what holds for whatever a server says.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/spamd/answer.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <string.h>

static inline void
check_symbol(const char *symbol)
{
    g_assert_cmpuint(strlen(symbol), >, 0);
    g_assert_cmpuint(strlen(symbol), <=, ANSWER_SYMBOL);
    for (; *symbol != '\0'; symbol++)
        g_assert_true(g_ascii_isgraph(*symbol) && *symbol != ',');
}

/* Octet by octet it is complete once, and stays so. */
static inline void
check_answer(const Answer *answer, const char *bytes, size_t length)
{
    answer_is_complete(bytes, length);
    if (answer->problem != NULL) {
        g_assert_null(answer->symbols);
        g_assert_true(g_utf8_validate(answer->problem, -1, NULL));
        return;
    }
    g_assert_true(isfinite(answer->score));
    g_assert_cmpuint(answer->symbols->len, <=, ANSWER_SYMBOLS);
    for (guint i = 0; i < answer->symbols->len; i++)
        check_symbol(answer->symbols->pdata[i]);
    g_assert_cmpint(answer->action, <=, ACTIONS);
}
