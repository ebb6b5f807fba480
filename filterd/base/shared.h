/* shared.h: memory that the processes share, and the lock of a table in it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <pthread.h>
#include <stddef.h>

/* Zeroed, before the fork of those who share it; pages that are never touched
 * cost nothing. Ends the process where there is none; `what` it is for. */
void *shared_map(const char *what, size_t size);
void shared_unmap(void *memory, size_t size);

/* A process may die with the lock: the next one gets it all the same. So every
 * change made under it has to make sense by itself. */
void shared_lock_init(pthread_mutex_t *lock);
void shared_lock(pthread_mutex_t *lock);
void shared_unlock(pthread_mutex_t *lock);
