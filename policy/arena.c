/* arena.c: memory that is given back all at once.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/arena.h"

#include <string.h>

#define BLOCK 16384
#define ALIGNMENT 16

void
arena_init(Arena *arena)
{
    arena->blocks = g_ptr_array_new_with_free_func(g_free);
    arena->free = NULL;
    arena->left = 0;
}

void
arena_clear(Arena *arena)
{
    g_clear_pointer(&arena->blocks, g_ptr_array_unref);
    arena->free = NULL;
    arena->left = 0;
}

static char *
take_block(Arena *arena, gsize size)
{
    char *block = g_malloc0(size);

    g_ptr_array_add(arena->blocks, block);
    return block;
}

void *
arena_alloc(Arena *arena, gsize size)
{
    gsize need = (MAX(size, 1) + ALIGNMENT - 1) & ~(gsize)(ALIGNMENT - 1);

    if (need > BLOCK / 4)
        return take_block(arena, need);
    if (need > arena->left) {
        arena->free = take_block(arena, BLOCK);
        arena->left = BLOCK;
    }
    char *memory = arena->free;
    arena->free += need;
    arena->left -= need;
    return memory;
}

char *
arena_copy(Arena *arena, const void *bytes, gsize length)
{
    char *copy = arena_alloc(arena, length + 1);

    if (length > 0)
        memcpy(copy, bytes, length);
    return copy;
}
