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

void
shared_lock_init(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

void
shared_lock(pthread_mutex_t *lock)
{
    if (pthread_mutex_lock(lock) == EOWNERDEAD)
        pthread_mutex_consistent(lock);
}

void
shared_unlock(pthread_mutex_t *lock)
{
    pthread_mutex_unlock(lock);
}
