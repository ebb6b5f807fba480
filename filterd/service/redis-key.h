/* redis-key.h: the name of an entry on a Redis server, and its slot in a
 * cluster.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

#define REDIS_SLOTS 16384
/* Octets of a key as it is said; from here on it is its SHA-256. */
#define REDIS_KEY_LIMIT 256

/* "filterd:greylist:client%3A…": two pairs of space and key never give one
 * name. Printable, and without braces: those who choose keys do not choose
 * slots. Caller frees. */
char *redis_key_format(const char *prefix, const char *space, const char *key);
/* By the part in {} where there is one, as Redis Cluster has it. */
unsigned redis_key_slot(const char *key, gsize length);
