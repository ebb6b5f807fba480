/* ancient.c: a plugin from before the first revision that is supported.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <filterd/plugin.h>

static const FilterdFact facts[] = {
    {"sum", FILTERD_INT, FILTERD_CONNECT, "A sum."},
    {NULL},
};

FILTERD_PLUGIN(.name = "ancient", .version = "1", .summary = "too old",
               .facts = facts);
