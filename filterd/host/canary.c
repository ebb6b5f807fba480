/* canary.c: a plugin's state, and octets behind it that tell whether the plugin
 * kept within the size that its table says.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/canary.h"

#include <string.h>

/* Of its end: as much as one careless store may write. */
#define TAIL 16

/* No octet of it is one that programs like to write: zero, ASCII, all ones. */
static guint8
feather(gsize i)
{
    return (guint8)(0x80 + (i * 37 + 11) % 0x7f);
}

void *
canary_new(gsize size)
{
    guint8 *state = g_malloc0(size + CANARY_SIZE);
    for (gsize i = 0; i < CANARY_SIZE; i++)
        state[size + i] = feather(i);
    return state;
}

static gboolean
lives_from(const guint8 *canary, gsize first)
{
    for (gsize i = first; i < CANARY_SIZE; i++)
        if (canary[i] != feather(i))
            return FALSE;
    return TRUE;
}

gboolean
canary_lives(const void *state, gsize size)
{
    return lives_from((const guint8 *)state + size, 0);
}

void
canary_free(void *state, gsize size)
{
    if (lives_from((const guint8 *)state + size, CANARY_SIZE - TAIL))
        g_free(state);
}
