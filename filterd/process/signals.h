/* signals.h: the signals that the master answers, as a descriptor.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

/* Blocks them from here on; the descriptor does not block. -1: errno. */
int signals_open(void);
/* The next one; 0: there is none. */
int signals_take(int fd);
