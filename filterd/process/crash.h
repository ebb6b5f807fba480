/* crash.h: notes, in a process that dies, which plugin it was in.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/process/board.h"

/* From now on `doing` has the plugin that this process is in, and its hook; so
 * it is there whatever ends the process. A deadly signal, and an exit() in a
 * hook, first send ISOLATED_CRASH and the same to that socket, unless it is -1.
 */
void crash_watch(BoardDoing *doing, int fd);

/* What a command shows whoever looks at its end. */
typedef struct CrashSpeech {
    BoardDoing doing;
    BoardDoing last; /* what that was when it was last of a plugin's */
    unsigned turns;  /* how often it changed */
    gboolean said;   /* who crashed, or called exit() */
} CrashSpeech;

/* The same for a command, which says it on standard error under that name. */
void crash_say(const char *command, CrashSpeech *speech);
