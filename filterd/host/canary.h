/* canary.h: a plugin's state, and octets behind it that tell whether the plugin
 * kept within the size that its table says.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

/* Octets behind each state. */
#define CANARY_SIZE 64

/* Zeroed. */
void *canary_new(gsize size);
/* Whether nobody wrote behind it. */
gboolean canary_lives(const void *state, gsize size);
/* One whose canary is dead to its last octets is kept for good: what lies
 * behind it may be spoiled, too. */
void canary_free(void *state, gsize size);
