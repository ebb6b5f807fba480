/* crash.h: notes, in a worker that dies, which plugin it was in.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/process/board.h"

/* From now on a deadly signal first writes row->doing. */
void crash_watch(BoardRow *row);
