/* backend-pool.h: a worker's backends: who of them gets mail, and what all of
 * them offer.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/session/engine.h"
#include "filterd/wire/smtp-client.h"

typedef struct BackendPool BackendPool;

/* Borrows the configuration. `workers` share each backend's max-connections.
 */
BackendPool *backend_pool_new(const PolicyConfig *config, const char *helo,
                              unsigned workers);
/* No connection may be out. In a fiber. */
void backend_pool_free(BackendPool *pool);

/* A connection, idle or new, on which `identity` has been told. Waits. Those of
 * the lowest priority go first, by turns according to their weights; who is
 * down is passed over. Where all are one of those who ask tries, now and then,
 * and others get an error at once. `fresh`: not one that was idle. */
SmtpClient *backend_pool_take(BackendPool *pool, const SmtpIdentity *identity,
                              gboolean fresh, GError **error);
/* Whether it could serve another client than it did. */
gboolean backend_pool_shares(BackendPool *pool, const SmtpClient *client);
/* Between two transactions: for the next client, where that is safe. */
void backend_pool_give(BackendPool *pool, SmtpClient *client);
/* In an unknown state: closed. */
void backend_pool_drop(BackendPool *pool, SmtpClient *client);
/* It did not do as it should; before it is dropped. */
void backend_pool_fault(BackendPool *pool, const SmtpClient *client);

/* What all backends offer. Who is up and was not asked yet, or not since it
 * came back, is asked now, at most once a second, for a bounded time; `known`
 * is FALSE while none has ever answered. */
const SmtpExtensions *backend_pool_extensions(BackendPool *pool);
/* The same as far as it is known; does not wait. */
const SmtpExtensions *backend_pool_known(BackendPool *pool);
