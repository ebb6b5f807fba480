/* memory.h: entries of known senders that a worker need not read again.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * An entry that is known stays so for its lifetime, whatever other workers and
 * gateways do; only what ends it by hand is heard of late. Bounded; of two keys
 * that fall into one place the later one stays.
 */
#pragma once

#include "plugins/greylist/entry.h"

typedef struct Memory Memory;

Memory *memory_new(void);
void memory_free(Memory *memory);
/* Times in ms, as call->host->now() says. False: it is not remembered. */
bool memory_recall(const Memory *memory, const Key key, int64_t now,
                   Entry *entry);
void memory_keep(Memory *memory, const Key key, const Entry *entry,
                 int64_t since, int64_t until);
void memory_forget(Memory *memory, const Key key);
