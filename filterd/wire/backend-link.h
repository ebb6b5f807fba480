/* backend-link.h: a worker's connections to one backend, and what it offers.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/base/fiber.h"
#include "filterd/wire/backend-health.h"
#include "filterd/wire/smtp-client.h"

typedef struct BackendLink BackendLink;

/* Borrows all of it. `workers` share max-connections; `room` is woken when
 * there is some. */
BackendLink *backend_link_new(const PolicyBackend *config, const char *helo,
                              unsigned workers, FiberQueue *room);
/* No connection may be out. In a fiber. */
void backend_link_free(BackendLink *link);

const PolicyBackend *backend_link_config(const BackendLink *link);
BackendHealth *backend_link_health(const BackendLink *link);
/* No connection can be had; `fresh`: nor closed to make room for one. */
gboolean backend_link_full(const BackendLink *link);

/* What it said last. */
const SmtpExtensions *backend_link_extensions(const BackendLink *link);
/* How often it has said so. */
unsigned backend_link_heard(const BackendLink *link);
/* Whether it was not asked yet, or not since it came back. */
gboolean backend_link_unheard(const BackendLink *link);

/* A connection, idle or new, on which `identity` has been told. Waits. Whether
 * the backend is up or down afterwards is known to its health; `claimed` is
 * the caller's claim there, which ends. `fresh`: not one that was idle. */
SmtpClient *backend_link_take(BackendLink *link, const SmtpIdentity *identity,
                              gboolean fresh, gboolean claimed, GError **error);
/* A new one that is for nobody. */
SmtpClient *backend_link_ask(BackendLink *link, gboolean claimed,
                             GError **error);
/* Something may be wrong with it that a connection for nobody would tell; once.
 */
gboolean backend_link_take_doubt(BackendLink *link);
void backend_link_doubt(BackendLink *link);

/* Whether it could serve another client than it did. */
gboolean backend_link_shares(const BackendLink *link, const SmtpClient *client);
/* For the next client, where that is safe. */
void backend_link_give(BackendLink *link, SmtpClient *client);
void backend_link_close(BackendLink *link, SmtpClient *client);
/* In an unknown state: closed without a word. */
void backend_link_drop(BackendLink *link, SmtpClient *client);
/* Those that have been idle since then or longer. */
void backend_link_close_older(BackendLink *link, int64_t since);
