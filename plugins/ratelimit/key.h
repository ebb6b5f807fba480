/* key.h: whose buckets it is about.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/ratelimit/config.h"

/* Values of a list that count; who has more has the first of them. */
#define KEY_LIMIT 32

/* Keys of the store, each once: one, or one for each value where a part of the
 * key is a list. Whatever a client says, they are short words. None: a part is
 * unknown, or a list without values. May wait; free with the array. */
GPtrArray *key_make(FilterdCall *call, Kind kind);
