/* backend-watch.h: looks at a backend that is down, and asks what it offers.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/wire/backend-link.h"

/* How often it looks whether there is something to do, milliseconds; as often
 * as health-interval, but no oftener than that. */
#define BACKEND_WATCH_PAUSE 1000
#define BACKEND_WATCH_LEAST 100

typedef struct BackendWatch BackendWatch;

/* A fiber of its own. Borrows; `curious` is woken when it has asked. */
BackendWatch *backend_watch_new(BackendLink *link, FiberQueue *curious);
/* In a fiber. */
void backend_watch_free(BackendWatch *watch);

/* Asks it now what it offers, unless it is known to be down. */
void backend_watch_ask(BackendWatch *watch);
gboolean backend_watch_asks(const BackendWatch *watch);
