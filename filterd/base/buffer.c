/* buffer.c: octets that come in at one end and go out at the other, in memory
 * that is there only while they are.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/buffer.h"

#include "filterd/base/sanitizer.h"

#include <glib.h>
#include <string.h>

/* A connection gives its memory back at each wait, and wants it again behind
 * it, for which malloc() sweeps up every time. */
static char *pool[BUFFER_POOL];
static unsigned pooled;

/* What has been in it is nobody else's, whether it was a secret or not. */
static void
put_away(const Buffer *buffer)
{
    if (buffer->size != BUFFER_FIRST || pooled == BUFFER_POOL) {
        g_free(buffer->bytes);
        return;
    }
    explicit_bzero(buffer->bytes, MAX(buffer->used, buffer->end));
    sanitizer_hide(buffer->bytes, buffer->size);
    pool[pooled++] = buffer->bytes;
}

static char *
take_first(void)
{
    if (pooled == 0)
        return g_malloc(BUFFER_FIRST);
    char *bytes = pool[--pooled];
    sanitizer_show(bytes, BUFFER_FIRST);
    return bytes;
}

static void
grow(Buffer *buffer)
{
    buffer->size = MAX(MAX(buffer->size * 2, buffer->grown), BUFFER_FIRST);
    buffer->bytes = buffer->size == BUFFER_FIRST
                        ? take_first()
                        : g_realloc(buffer->bytes, buffer->size);
}

size_t
buffer_room(Buffer *buffer)
{
    size_t length = buffer->end - buffer->start;

    if (buffer->end == buffer->size && buffer->size < BUFFER_LIMIT)
        grow(buffer);
    if (length == 0 || buffer->end == buffer->size) {
        buffer->used = MAX(buffer->used, buffer->end);
        memmove(buffer->bytes, buffer->bytes + buffer->start, length);
        buffer->start = 0;
        buffer->end = length;
    }
    return buffer->size - buffer->end;
}

void
buffer_release(Buffer *buffer)
{
    if (buffer->start == buffer->end)
        buffer_clear(buffer);
}

void
buffer_clear(Buffer *buffer)
{
    put_away(buffer);
    *buffer = (Buffer){.grown = MAX(buffer->size, buffer->grown)};
}

void
buffer_wipe(Buffer *buffer)
{
    if (buffer->bytes == NULL)
        return;
    explicit_bzero(buffer->bytes, buffer->start);
    explicit_bzero(buffer->bytes + buffer->end, buffer->size - buffer->end);
}

unsigned
buffer_pool_size(void)
{
    return pooled;
}
