/* stub.h: what stands in a worker for a plugin that runs in a process of its
 * own: the same tables, and hooks that go there.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/host/isolation/link.h"

/* Octets of a body that go there at once. */
#define STUB_PIECE 32768

/* Borrows the link. */
FilterdPlugin *stub_new(Link *link);
void stub_free(FilterdPlugin *stub);
