/* store-request.h: what is asked of a store, whichever it is.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

#define STORE_ERROR (store_error_quark())
GQuark store_error_quark(void);

typedef enum StoreError {
    STORE_ERROR_FAILED, /* until the file, the disk or the server works */
} StoreError;

typedef enum StoreKind {
    STORE_GET,
    STORE_PUT,
    STORE_ADD,
    STORE_EXPIRE,
    STORE_LIST,
} StoreKind;

typedef struct StoreEntry {
    char *key;
    GBytes *value;
} StoreEntry;

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
    const char *end;  /* LIST: keys behind `key` and before this, at most
                       * `number` of them */
    GPtrArray *list;  /* LIST: StoreEntry are added, in order */
    FilterdStoreStatus status;
} StoreRequest;
