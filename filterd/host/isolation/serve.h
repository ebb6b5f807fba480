/* serve.h: the process of a plugin: hooks run as a worker says, one process for
 * one instance and one worker.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

typedef struct ServeStart {
    const FilterdPlugin *plugin;
    int fd; /* to the worker, taken */
    /* Once the plugin has started: what it may from now on. */
    gboolean (*seal)(GError **error);
} ServeStart;

/* Runs the loop until the worker is gone and the plugin has stopped.
 * loop_init() and offload_init() come before. */
void serve_run(const ServeStart *start);
