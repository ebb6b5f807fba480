/* run.h: an engine for the length of one command.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/session/engine.h"

typedef struct ToolRun {
    const PolicyConfig *config;
    const PolicyDns *dns; /* in the place of the configuration's */
    gboolean silent;      /* no name server is asked */
} ToolRun;

/* Root reads the files; the rest is for whom filterd is. */
gboolean tool_become_user(const PolicyConfig *config, GError **error);
/* Makes the process's loop and DNS, and calls func(data) in a fiber. */
gboolean tool_run_fiber(const PolicyDns *dns, gboolean silent,
                        void (*func)(void *data), void *data, GError **error);
/* Makes the process's loop, DNS and an engine with a private store, calls
 * func(engine, data) in a fiber, and takes all of it down again. */
gboolean tool_run(const ToolRun *run, void (*func)(Engine *engine, void *data),
                  void *data, GError **error);
