/* judge.h: from a request of Postfix to the action that answers it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/wire/delegation/desk.h"

/* What is counted. */
typedef enum DelegationKind {
    DELEGATION_DUNNO,
    DELEGATION_REJECT,
    DELEGATION_TEMPFAIL,
    DELEGATION_DISCARD,
    DELEGATION_HOLD,
    DELEGATION_PREPEND,
    DELEGATION_WARN,
} DelegationKind;

/* The client is to wait `delay` milliseconds for it. */
typedef struct DelegationAnswer {
    DelegationKind kind;
    int64_t delay;
} DelegationAnswer;

/* Appends the action of access(5). All stages up to the one that is asked about
 * are judged, in order, each once. May wait; FALSE: cancelled. */
gboolean delegation_judge(DelegationDesk *desk, const FilterdIp *origin,
                          const DelegationRequest *request, GString *action,
                          DelegationAnswer *answer);
