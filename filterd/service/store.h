/* store.h: what outlives a worker: keys and values with a lifetime.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * SQLite, in a file (`store sqlite`) or on tmpfs (`store memory`), shared by
 * all workers: every statement runs in a thread, but what is read from tmpfs.
 * Or Redis (`store redis`), shared by several machines. Functions wait, in a
 * fiber. While the store is dead each function returns FILTERD_STORE_FAILED,
 * soon, and it is tried again after a pause.
 */
#pragma once

#include "filterd/service/store-redis.h"

typedef struct Store Store;

#define STORE_KEY_LIMIT 512
#define STORE_VALUE_LIMIT 65536

#define STORE_ENTRIES 1000000 /* unless the configuration says otherwise */

/* Opened after the fork, at the first use. NULL path: private, empty, gone
 * with the process (for `try`). `entries`: how many a space keeps; those that
 * end first go first. */
Store *store_new_sqlite(const char *path, int64_t entries);
/* Borrows the configuration; connects at the first use. */
Store *store_new_redis(const StoreRedisConfig *config);
/* In a fiber, if it is Redis. */
void store_free(Store *store);

/* Space is a name that keeps the keys of one user apart. `value` is a new
 * GBytes, with a NUL behind it that does not count. */
FilterdStoreStatus store_get(Store *store, const char *space, const char *key,
                             GBytes **value);
FilterdStoreStatus store_put(Store *store, const char *space, const char *key,
                             const char *value, gsize length, int64_t lifetime);
/* Atomic over all workers and machines. The integer is kept as decimal text. */
FilterdStoreStatus store_add(Store *store, const char *space, const char *key,
                             int64_t delta, int64_t lifetime, int64_t *sum);
/* Calls func(key, value, data) with each entry whose key goes on behind
 * `prefix`, which is not empty, in the order of keys, until it returns FALSE;
 * what is changed meanwhile may be seen or not. func may wait, and ask the
 * store. Of Redis it is FAILED: its keys lie about. */
FilterdStoreStatus store_each(
    Store *store, const char *space, const char *prefix,
    gboolean (*func)(const char *key, GBytes *value, void *data), void *data);
/* Removes what is past its lifetime, a bounded number at a time; TRUE: there
 * may be more. */
gboolean store_expire(Store *store);
/* Why it last failed, for the log; NULL when it works. */
const char *store_problem(const Store *store);
