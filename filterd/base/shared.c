/* shared.c: memory that the processes share, and the lock of a table in it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/shared.h"

#include <errno.h>
#include <glib.h>
#include <sys/mman.h>

void *
shared_map(const char *what, size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        g_error("no memory for %s: %s", what, g_strerror(errno));
    return memory;
}

void
shared_unmap(void *memory, size_t size)
{
    munmap(memory, size);
}

static void
init_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

void *
shared_table_new(const char *what, size_t head, size_t rows, size_t row)
{
    size_t stride = (row + 7) / 8 * 8;
    size_t size = head + rows * stride;
    SharedTable *table = shared_map(what, size);
    table->size = size;
    table->stride = stride;
    init_lock(&table->lock);
    return table;
}

void
shared_table_free(SharedTable *table)
{
    if (table != NULL)
        shared_unmap(table, table->size);
}

void
shared_table_lock(SharedTable *table)
{
    if (pthread_mutex_lock(&table->lock) == EOWNERDEAD)
        pthread_mutex_consistent(&table->lock);
}

void
shared_table_unlock(SharedTable *table)
{
    pthread_mutex_unlock(&table->lock);
}
