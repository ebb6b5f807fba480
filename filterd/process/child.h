/* child.h: what every process below the master begins with.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/process/privileges.h"

typedef struct ChildStart {
    const char *name; /* as ps shows it, up to 15 octets */
    const Privileges *privileges;
    const int *keep; /* descriptors, besides 0, 1 and 2 */
    unsigned kept;
    /* What it does; its exit status. `control` is its end of a socketpair. */
    int (*run)(int control, void *data);
    void *data;
} ChildStart;

/* A process of its own that ends with the master, whatever happens. `control`
 * is our end, which does not block. -1 with an error. */
pid_t child_start(const ChildStart *start, int *control, GError **error);
