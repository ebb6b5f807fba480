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

/* What a table of rows of one size begins with. */
typedef struct SharedTable {
    pthread_mutex_t lock;
    size_t size;   /* of all of it */
    size_t stride; /* from one row to the next */
} SharedTable;

/* `head` octets, a SharedTable first, then so many rows of `row` octets. */
void *shared_table_new(const char *what, size_t head, size_t rows, size_t row);
/* NULL is fine. */
void shared_table_free(SharedTable *table);

/* A process may die with the lock: the next one gets it all the same. So every
 * change made under it has to make sense by itself. */
void shared_table_lock(SharedTable *table);
void shared_table_unlock(SharedTable *table);
