/* redis-part.h: a real Redis server for a test, on a socket of its own.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef struct RedisPart RedisPart;

/* In that directory, with more words for its command line (NULL-terminated; may
 * be NULL). NULL: it is not installed. */
RedisPart *redis_part_new(const char *directory, const char *const *words);
/* Ends it. */
void redis_part_free(RedisPart *part);

/* "unix:…" */
const char *redis_part_address(const RedisPart *part);
/* Every entry is so many milliseconds older; what has ended is gone. */
void redis_part_age(RedisPart *part, int64_t milliseconds);
/* Milliseconds that an entry has left; -1: it never ends, -2: there is none. */
int64_t redis_part_left(RedisPart *part, const char *key);
/* What it says to a command, as text. Caller frees. */
char *redis_part_say(RedisPart *part, const char *format, ...)
    G_GNUC_PRINTF(2, 3);
