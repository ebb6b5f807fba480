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
