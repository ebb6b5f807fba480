/* sandbox.h: what the process of a plugin may still ask of the kernel.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

/* From now on, in all threads: memory, time, its own descriptors, its own
 * threads. Anything else fails with EPERM. */
gboolean sandbox_enter(GError **error);
