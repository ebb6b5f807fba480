/* offload.h: blocking work in a few threads while the fiber waits.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

typedef void (*OffloadFunc)(void *data);

/* Threads start with the first job. */
void offload_init(unsigned threads);
void offload_clear(void);

/* Waits until func(data) has run. FALSE: cancelled before it began; once
 * begun it is waited out. Jobs of one `lane` (any address; NULL: none) run one
 * after the other, in order. */
gboolean offload_run(const void *lane, OffloadFunc func, void *data);
