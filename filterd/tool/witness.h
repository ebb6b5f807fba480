/* witness.h: a command in a process of its own, whose end is looked at.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A plugin that calls exit() or _exit() ends the process it is in, with a
 * status that says nothing of what was asked; here it is named instead.
 */
#pragma once

/* Its exit status, waited for; TOOL_UNUSABLE where it ended before run()
 * returned, which is said on standard error. Ends with the signal that ended
 * it. */
int witness_run(int (*run)(int argc, char **argv), int argc, char **argv);

/* The command's process ends with its witness; to be called again when it has
 * changed its user. */
void witness_follow(void);
