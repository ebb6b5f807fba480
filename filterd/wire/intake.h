/* intake.h: from the octets of a message to a session: canonical, within its
 * limits, field by field.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/session/session.h"
#include "filterd/wire/data-parser.h"

typedef struct Intake Intake;

/* Borrows the session, whose transaction must have come to DATA. `flags` are of
 * DataFlags; line ends are the settings'. */
Intake *intake_new(Session *session, const PolicySettings *settings,
                   gsize size_limit, unsigned flags);
void intake_free(Intake *intake);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Intake, intake_free)

/* As data_parser_feed(). */
gsize intake_feed(Intake *intake, const char *bytes, gsize length,
                  gboolean *ended);

/* Where no dot ends it (DATA_CHUNKED). */
void intake_end(Intake *intake);

/* Why a message is refused whatever the policy says. */
typedef struct IntakeRefusal {
    const char *rule;
    int code;
    const char *enhanced;
    const char *text;
} IntakeRefusal;

/* After its end; NULL: it is sound. */
const IntakeRefusal *intake_refusal(const Intake *intake);
/* Of one that is declared to be larger than is taken. */
const IntakeRefusal *intake_too_large(void);
