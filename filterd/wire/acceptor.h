/* acceptor.h: takes connections off a listening socket, a fiber for each.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/wire/smtp-server.h"

typedef struct Acceptor Acceptor;

/* The sessions of a listener with all workers are counted as those of a network
 * that there is not. */
FilterdIp acceptor_key(const PolicyListen *listen);

/* How many descriptors of a worker sessions may have; the others are for those
 * that are in. */
int acceptor_room(void);

/* Borrows the service and the socket, which must not block. */
Acceptor *acceptor_new(SmtpService *service, int fd);
/* No session may be left. */
void acceptor_free(Acceptor *acceptor);

/* Takes no more connections; those that wait between two transactions are
 * closed with 421, others after their transaction. */
void acceptor_drain(Acceptor *acceptor);
/* Its time is over: who waits for a command hears 421. */
void acceptor_expire(Acceptor *acceptor);
/* Every session ends where it stands. */
void acceptor_cancel(Acceptor *acceptor);
unsigned acceptor_sessions(const Acceptor *acceptor);
