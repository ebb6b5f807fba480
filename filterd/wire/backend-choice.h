/* backend-choice.h: which of several backends is asked next.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/wire/backend-link.h"

/* BackendLinks in the order of their priority, those without weight behind
 * others of the same. */
void backend_choice_sort(GPtrArray *links);

/* Of those that are up and have room, one of the lowest priority, by turns
 * according to weight; one without weight where no other of its priority is
 * up. `tried` (BackendLink) is left out. NULL: there is none. */
BackendLink *backend_choice_next(const GPtrArray *links,
                                 const GPtrArray *tried);
/* One that is down, and may be tried by mail now: where none is up, or where
 * nothing else looks at it. The caller has claimed it, then. NULL. */
BackendLink *backend_choice_claim(const GPtrArray *links,
                                  const GPtrArray *tried);

/* One that is up has no room. */
gboolean backend_choice_any_full(const GPtrArray *links);
