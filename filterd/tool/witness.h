/* witness.h: a command in a process of its own, whose end is looked at.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A plugin that calls exit() or _exit() ends the process it is in, with a
 * status that says nothing of what was asked, and one that hangs never ends it;
 * here it is named instead.
 */
#pragma once

typedef struct WitnessTask {
    int (*run)(int argc, char **argv);
    /* Seconds, also those in which a debugger holds it. */
    unsigned whole; /* that it may take; 0: any */
    unsigned hook;  /* that a plugin may hold it without a turn */
} WitnessTask;

/* Its exit status, waited for; TOOL_UNUSABLE where it ended before run()
 * returned, or had to be ended for its time, which is said on standard error.
 * Ends with the signal that ended it. */
int witness_run(const WitnessTask *task, int argc, char **argv);

/* The command's process ends with its witness; to be called again when it has
 * changed its user. */
void witness_follow(void);
