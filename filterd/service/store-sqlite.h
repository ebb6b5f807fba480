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
