/* culprits.h: which plugins have ended how many processes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

/* So many within so long (milliseconds), and what would help is said. */
#define CULPRIT_LOSSES 3
#define CULPRIT_WINDOW 3600000

/* A worker ended in a hook of that instance. */
void culprits_note(const char *plugin);
