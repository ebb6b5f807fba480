/* entity.h: character references of HTML.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>
#include <stddef.h>

/* `text` is what stands between `&` and `;`. Octets written to `out`, of UTF-8;
 * 0: it is none that concerns a link. */
size_t entity_decode(const char *text, size_t length, char out[6]);
