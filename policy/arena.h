/* arena.h: memory that is given back all at once.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

typedef struct Arena {
    GPtrArray *blocks;
    char *free;
    gsize left;
} Arena;

void arena_init(Arena *arena);
void arena_clear(Arena *arena);

/* Zeroed, aligned for any type. */
void *arena_alloc(Arena *arena, gsize size);
/* With a NUL behind it that does not count. */
char *arena_copy(Arena *arena, const void *bytes, gsize length);
