/* needs.h: what a policy needs of a mail server: nothing else is negotiated.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/session/engine.h"

/* Bits of libmilter: SMFIF_ what may be changed, SMFIP_ which steps are left
 * out or are not replied to, and what is asked for besides. */
typedef struct MilterNeeds {
    unsigned long actions, steps;
} MilterNeeds;

MilterNeeds milter_needs(const Engine *engine);
/* FALSE: the mail server cannot do it all. */
gboolean milter_needs_met(const MilterNeeds *needs, unsigned long actions,
                          unsigned long steps);
