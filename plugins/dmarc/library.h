/* library.h: libopendmarc behind a fence: it hears only words of ours.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the library makes of a stranger's record, and what it holds to be
 * aligned, is not what RFC 9989 says. So it gets a record that was written
 * anew from ours, and evidence with the author's own domain exactly where our
 * alignment passed.
 */
#pragma once

#include "plugins/dmarc/record.h"

typedef enum DmarcOpinion {
    DMARC_NO_OPINION, /* it would not judge */
    DMARC_SAYS_PASS,
    DMARC_SAYS_NONE, /* fail, and the policy to apply */
    DMARC_SAYS_QUARANTINE,
    DMARC_SAYS_REJECT,
} DmarcOpinion;

typedef struct DmarcQuestion {
    const char *domain; /* the author's, valid */
    DmarcPolicy policy; /* the one that applies to it */
    bool spf, dkim;     /* passed and aligned */
} DmarcQuestion;

DmarcOpinion dmarc_library_judge(const DmarcQuestion *question);
