/* run.h: an engine for the length of one command.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/service/dns.h"
#include "filterd/session/engine.h"

/* Makes the process's loop, DNS and an engine with a private store, calls
 * func(engine, data) in a fiber, and takes all of it down again. */
gboolean tool_run(const PolicyConfig *config, const DnsConfig *dns,
                  void (*func)(Engine *engine, void *data), void *data,
                  GError **error);
