/* turn.h: hooks of an instance that wait for each other, in this worker.
 * Private to the host.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/host/call.h"

bool host_enter(FilterdCall *call, const char *name, unsigned limit,
                int64_t patience);
void host_leave(FilterdCall *call, const char *name);

/* Leaves what the call has entered and not left. */
void host_turns_end(HostCall *call);
