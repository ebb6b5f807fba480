/* master.h: the process that binds, supervises and reloads, and sees no mail.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

/* Generations that drain at a time; a reload waits for its turn. */
#define MASTER_DRAINING 2

/* Runs until it is told to end; the exit status. */
int master_run(const char *path);
