/* desks.h: what a worker serves at each of its sockets, whatever is spoken
 * there.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/session/engine.h"
#include "filterd/wire/backend-pool.h"

typedef struct Desks Desks;

/* What they all share, and the sockets in the order of the `listen` statements.
 * `index`: of this worker among those of its generation. All is borrowed, but
 * the sockets, which do not block. */
typedef struct DesksStart {
    Engine *engine;
    BackendPool *pool;
    const int *fds;
    unsigned index;
} DesksStart;

/* Serves from now on. In a fiber, as the others. */
Desks *desks_new(const DesksStart *start, GError **error);
/* No session may be left. */
void desks_free(Desks *desks);

/* No new sessions; our copies of the sockets are closed, lest an address that
 * the next generation has left stay open. Once is enough. */
void desks_drain(Desks *desks);
/* Their time is over: who can be told hears 421. */
void desks_expire(Desks *desks);
/* Every session ends where it stands. */
void desks_cancel(Desks *desks);
unsigned desks_sessions(const Desks *desks);
