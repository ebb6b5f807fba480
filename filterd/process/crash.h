/* crash.h: notes, in a process that dies, which plugin it was in.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/process/board.h"

/* From now on a deadly signal, and an exit() in a hook, first write `doing`,
 * and to that socket, unless it is -1, ISOLATED_CRASH and the same. */
void crash_watch(BoardDoing *doing, int fd);
/* The same for a command, which says it on standard error under that name. */
void crash_say(const char *command);
