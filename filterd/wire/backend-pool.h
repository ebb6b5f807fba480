/* backend-pool.h: a worker's connections to its backends, and what they offer.
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

/* A connection, idle or new, on which `identity` has been told. Waits. Backends
 * are tried in the order of their priority. `fresh`: not one that was idle. */
SmtpClient *backend_pool_take(BackendPool *pool, const SmtpIdentity *identity,
                              gboolean fresh, GError **error);
/* Whether it could serve another client than it did. */
gboolean backend_pool_shares(BackendPool *pool, const SmtpClient *client);
/* Between two transactions: for the next client, where that is safe. */
void backend_pool_give(BackendPool *pool, SmtpClient *client);
/* In an unknown state: closed. */
void backend_pool_drop(BackendPool *pool, SmtpClient *client);

/* What all backends offer. Where nothing is known yet they are asked, at most
 * once a second, for a bounded time; `known` is FALSE when they do not answer.
 */
const SmtpExtensions *backend_pool_extensions(BackendPool *pool);
/* The same as far as it is known; does not wait. */
const SmtpExtensions *backend_pool_known(const BackendPool *pool);
