/* store-sqlite.h: the table of keys and values, in one file; blocking.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * For one thread at a time. A file that is not ours or is damaged is an error,
 * and left as it is.
 */
#pragma once

#include "filterd/service/store-request.h"

typedef struct StoreSqlite StoreSqlite;

/* Opens nothing yet. Of more than `entries` in a space those that end first are
 * removed, soon. */
StoreSqlite *store_sqlite_new(const char *path, int64_t entries);
void store_sqlite_free(StoreSqlite *sqlite);

/* Opens what is closed; closes after a failure. FALSE: the error says which
 * file and why. */
gboolean store_sqlite_run(StoreSqlite *sqlite, StoreRequest *request,
                          GError **error);
/* How often it has opened the file. */
unsigned store_sqlite_opened(const StoreSqlite *sqlite);

/* Reads the same file by a connection of its own, for another thread. It waits
 * for nothing: neither for a lock nor, since the file lies on tmpfs, for a
 * disk. */
typedef struct StoreReader StoreReader;

/* NULL: the file is not there yet, is on a disk, or cannot be opened now. */
StoreReader *store_reader_new(const StoreSqlite *sqlite);
void store_reader_free(StoreReader *reader);
/* FALSE: not now. */
gboolean store_reader_get(StoreReader *reader, StoreRequest *request);
