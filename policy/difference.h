/* difference.h: what two compiled files do not have in common, in words.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/config.h"

/* Octets of an option's value that is shown; a longer one has "changed". */
#define DIFFERENCE_VALUE_LIMIT 60

/* A phrase for each: "score bad at rcpt: 3 -> 4", "list trusted +3 -1",
 * "set log text -> json". Texts of plugins' options are not shown, which may be
 * secrets. Elements are char *; empty: nothing differs. */
GPtrArray *policy_difference(const PolicyConfig *old, const PolicyConfig *new);

/* ---- private ------------------------------------------------------------ */

void difference_rules(GPtrArray *phrases, const PolicyConfig *old,
                      const PolicyConfig *new);
void difference_declarations(GPtrArray *phrases, const PolicyConfig *old,
                             const PolicyConfig *new);
void difference_add(GPtrArray *phrases, const char *format, ...)
    G_GNUC_PRINTF(2, 3);
