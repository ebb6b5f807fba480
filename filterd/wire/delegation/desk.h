/* desk.h: the SMTP clients that Postfix asks about, each with its
 * session, over all connections of a listener.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A client is known by its address and port, or, where there is no port, by the
 * transaction's `instance`. It stays for a while after the last request.
 */
#pragma once

#include "filterd/base/fiber.h"
#include "filterd/session/session.h"
#include "filterd/wire/delegation/request.h"

/* Clients that nobody asks about at the moment: for so long, milliseconds, and
 * so many of a worker's listener; then they are forgotten, the longest unasked
 * first. */
#define DELEGATION_MEMORY_TIME 100000
#define DELEGATION_MEMORY_LIMIT 4000

/* Octets of what rules would do, after which no more is noted. */
#define DELEGATION_WOULD_LIMIT 400

/* What was said about it, so that it is judged once. */
typedef struct DelegationClient {
    char *key;
    Session *session;
    gboolean busy;      /* it is being judged */
    FiberQueue waiters; /* for that to end */
    GList link;         /* where it is not busy */
    int64_t asked;      /* when; monotonic */

    gboolean connected, secured, mailed, dated, ended; /* those were judged */
    char *helo, *instance, *sender;
    char *refusals[FILTERD_STAGES]; /* actions; NULL: it was let through */
    GHashTable *recipients; /* of the transaction; to an action, or "" */
    int held;               /* where HOLD was last said; -1 */
    GString *would;         /* what rules would do, untold: "reject a, …" */
} DelegationClient;

typedef struct DelegationDesk DelegationDesk;

DelegationDesk *delegation_desk_new(Engine *engine);
/* Nobody may be busy. In a fiber: plugins hear how it ended. */
void delegation_desk_free(DelegationDesk *desk);
Engine *delegation_desk_engine(const DelegationDesk *desk);

/* Whom the request is about, with a session; the caller's alone until
 * delegation_desk_leave(). `origin` (who asks) keeps apart what two of them
 * call the same. Waits; NULL: cancelled. */
DelegationClient *delegation_desk_enter(DelegationDesk *desk,
                                        const FilterdIp *origin,
                                        const DelegationRequest *request);
void delegation_desk_leave(DelegationDesk *desk, DelegationClient *client);
