/* liar.c: a plugin one of whose rows is none.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <filterd/plugin.h>

static const FilterdFact facts[] = {
    {"typeless", (FilterdType)99, FILTERD_HELO, "What is it?"},
    {NULL},
};

FILTERD_PLUGIN(.name = "liar", .version = "1", .summary = "Lies.",
               .facts = facts);
