/* probe.c: reads memory that somebody else says is there.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The kernel copies: where there is no memory it says so, and nobody dies.
 */
#include "filterd/host/probe.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* No page is smaller. */
#define PAGE 4096

gboolean
probe_read(const void *from, void *to, gsize length)
{
    const struct iovec there = {(void *)from, length}, here = {to, length};
    ssize_t copied = process_vm_readv(getpid(), &here, 1, &there, 1, 0);
    if (copied < 0 && (errno == ENOSYS || errno == EPERM)) {
        memcpy(to, from, length);
        return TRUE;
    }
    return copied == (ssize_t)length;
}

gboolean
probe_text(const char *text, gsize limit)
{
    char part[PAGE];
    while (limit > 0) {
        gsize length = MIN(PAGE - (guintptr)text % PAGE, limit);
        if (text == NULL || !probe_read(text, part, length))
            return FALSE;
        if (memchr(part, '\0', length) != NULL)
            return TRUE;
        text += length;
        limit -= length;
    }
    return FALSE;
}
