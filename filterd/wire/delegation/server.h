/* server.h: a connection on which Postfix asks its policy service.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/wire/smtp-server.h"

/* Between two requests; Postfix closes after 300 s. And until a request that
 * has begun is whole. Milliseconds. */
#define DELEGATION_IDLE_TIME 1200000
#define DELEGATION_REQUEST_TIME 30000

/* Serves it to its end, in a fiber. Takes the descriptor. */
void delegation_server_run(SmtpConnection *connection);
