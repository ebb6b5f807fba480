/* call.h: the state behind a FilterdCall, and the table of host functions.
 * Private to the host.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/base/fiber.h"
#include "filterd/host/visit.h"

/* One result for Authentication-Results. */
typedef struct HostResult {
    char *method;
    char *text; /* of mail_authres_result() */
} HostResult;

/* An instance in a visit; or, with `visit` NULL, by itself (start, spawn). */
typedef struct HostCall {
    FilterdCall call; /* first: hooks get a pointer to it */
    HostInstance *instance;
    Visit *visit;
    DnsBudget *budget;
    FilterdStage running; /* whose hook runs */
    FilterdValue *values; /* where publish() writes: HostRun */
    GPtrArray *scratch;   /* until the hook returns; NULL: none yet */
    GPtrArray *streams;   /* FilterdStream that are open; NULL: none yet */
    GPtrArray *turns;     /* of turn.c, until the hook returns; NULL: none */
    FiberDoing doing;     /* for the watchdog */
    void *elsewhere;      /* of who runs its hooks there */
    const char *blamed;   /* an option of its table, or NULL */
    size_t blamed_index;
} HostCall;

/* What a hook that runs elsewhere fails with where that place is gone. */
#define HOST_LOST_ERROR host_lost_error_quark()
GQuark host_lost_error_quark(void);

extern const FilterdHost host_table;

void host_call_init(HostCall *call, HostInstance *instance, Visit *visit);
/* What was handed out to the hook is gone. */
void host_call_end_hook(HostCall *call);
void host_call_clear(HostCall *call);
/* FALSE: the plugin wrote beyond a state of its own; a log line. If it is the
 * instance's, that is spoiled. */
gboolean host_call_check(HostCall *call);

/* `what` failed with that error: a log line. Clears the error. */
void host_call_failed(HostCall *call, const char *what, GError **error);

/* ---- implemented by the visit ------------------------------------------- */

const char *visit_session_id(const Visit *visit);
const VisitClient *visit_client(const Visit *visit);
/* At hand. */
MailMessage *visit_message(const Visit *visit);
/* What a hook of that stage asks the DNS from. */
DnsBudget *visit_stage_budget(Visit *visit, FilterdStage stage);

/* ---- implemented by the guest ------------------------------------------- */

/* Takes the result, which belongs to the hook that is running. */
void guest_add_result(HostCall *call, HostResult *result);
