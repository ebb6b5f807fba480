/* probe.h: the options of the probe.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

typedef struct ProbeZone {
    const char *name;
    int64_t weight;
} ProbeZone;

typedef struct ProbeConfig {
    int level;
    FilterdArray zones; /* ProbeZone */
    int64_t patience;
} ProbeConfig;
