/* describe.h: asks a plugin for the tables of one instance.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "policy/compile.h"

/* Gives `use` tables of its own; `config` is that of `use`. FALSE with a
 * complaint. */
gboolean describe_use(Compile *compile, PolicyUse *use, void *config);

/* Where there is no file, but what it gave. */
typedef struct DescribeAlone {
    const char *instance;
    void *config;
    const FilterdFact *asked; /* as PolicyUse.asked */
} DescribeAlone;

/* The same there: the plugin's own tables where it has no others. They stay for
 * good. NULL with an error. */
const FilterdPlugin *describe_alone(const FilterdPlugin *plugin,
                                    const DescribeAlone *alone, GError **error);
