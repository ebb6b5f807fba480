/* service.h: carries out what the process of a plugin asks of the host.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/host/isolation/link.h"

/* CALL and CAST of a hook, in its fiber, under its call. May wait. FALSE: the
 * process said what it cannot mean. */
gboolean service_frame(Channel *channel, FilterdCall *call, const Frame *frame);
/* What nobody's channel carries; never waits. */
gboolean service_aside(HostInstance *instance, const Frame *frame);
