/* master.h: the process that binds, supervises and reloads, and sees no mail.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

/* Runs until it is told to end; the exit status. */
int master_run(const char *path);
