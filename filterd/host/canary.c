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
#define FEATHER \
    "\x96\xbb\xe0\x86\xab\xd0\xf5\x9b\xc0\xe5\x8b\xb0\xd5\xfa\xa1\xc6"
static const char canary[] = FEATHER FEATHER FEATHER FEATHER;
G_STATIC_ASSERT(sizeof(canary) == CANARY_SIZE + 1);

void *
canary_new(gsize size)
{
    guint8 *state = g_malloc0(size + CANARY_SIZE);
    memcpy(state + size, canary, CANARY_SIZE);
    return state;
}

static gboolean
lives_from(const guint8 *end, gsize first)
{
    return memcmp(end + first, canary + first, CANARY_SIZE - first) == 0;
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
