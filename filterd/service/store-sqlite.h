/* store-sqlite.h: the table of keys and values, in one file; blocking.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * For one thread at a time. A file that is not ours or is damaged is an error,
 * and left as it is.
 */
#pragma once

#include <filterd/plugin.h>

#define STORE_ERROR (store_error_quark())
GQuark store_error_quark(void);

typedef enum StoreError {
    STORE_ERROR_FAILED, /* until the file or the disk is put right */
} StoreError;

typedef enum StoreKind {
    STORE_GET,
    STORE_PUT,
    STORE_ADD,
    STORE_EXPIRE,
} StoreKind;

typedef struct StoreRequest {
    StoreKind kind;
    const char *space, *key;
    const char *value; /* PUT */
    gsize length;
    int64_t lifetime; /* PUT, ADD */
    int64_t number;   /* ADD: to be added, then the sum; EXPIRE: at most, then
                       * how many */
    int64_t now;      /* since 1970 */
    GBytes *found;    /* GET: new */
    FilterdStoreStatus status;
} StoreRequest;

typedef struct StoreSqlite StoreSqlite;

/* Opens nothing yet. Of more than `entries` in a space those that end first are
 * removed, soon. */
StoreSqlite *store_sqlite_new(const char *path, int64_t entries);
void store_sqlite_free(StoreSqlite *sqlite);

/* Opens what is closed; closes after a failure. FALSE: the error says which
 * file and why. */
gboolean store_sqlite_run(StoreSqlite *sqlite, StoreRequest *request,
                          GError **error);
