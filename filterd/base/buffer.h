/* buffer.h: octets that come in at one end and go out at the other, in memory
 * that is there only while they are.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <stddef.h>

/* Most that it holds. */
#define BUFFER_LIMIT 65536
/* What it begins with, and doubles; so many of that size are kept for whoever
 * is next. */
#define BUFFER_FIRST 4096
#define BUFFER_POOL 16

/* Content is bytes[start..end), whoever puts in moves `end`, whoever takes out
 * `start`. An empty one may have no memory; `grown` is what it had. Zero bytes
 * are an empty one. */
typedef struct Buffer {
    char *bytes;
    size_t start, end, size, grown;
    size_t used; /* so much has been written to, or up to `end` */
} Buffer;

/* Octets of room behind the content, made where there is none; 0: it is at its
 * limit. A buffer that was filled to its end gets larger. */
size_t buffer_room(Buffer *buffer);
/* Gives the memory of an empty one back. */
void buffer_release(Buffer *buffer);
/* With what is in it. */
void buffer_clear(Buffer *buffer);
/* Overwrites all but the content. */
void buffer_wipe(Buffer *buffer);

/* For tests: how many are kept. */
unsigned buffer_pool_size(void);
