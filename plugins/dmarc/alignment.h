/* alignment.h: whether what SPF and DKIM vouch for belongs to the author (RFC
 * 9989 4.4, 4.10.2, 5.3.4).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/dmarc/discovery.h"

#define DMARC_IDENTIFIER_LIMIT 25 /* DKIM domains that are looked at */

typedef enum DmarcAlignment {
    DMARC_UNALIGNED,
    DMARC_UNDECIDED, /* something failed that could have aligned */
    DMARC_RELAXED,
    DMARC_STRICT,
} DmarcAlignment;

/* Facts of the SPF and DKIM plugins; unknown where there is none. */
typedef struct DmarcEvidence {
    const FilterdValue *spf_result;   /* word */
    const FilterdValue *spf_domain;   /* domain of MAIL FROM, or of HELO */
    const FilterdValue *dkim_result;  /* word, the best */
    const FilterdValue *dkim_domains; /* of the signatures that passed */
    const FilterdValue *dkim_results; /* result:domain:selector:algorithm */
} DmarcEvidence;

typedef struct DmarcAuthor {
    FilterdCall *call;
    const psl_ctx_t *psl; /* NULL: tree walk */
    const char *domain;
    const DmarcDiscovery *discovery;
    bool cancelled; /* set by the functions below: give up */
} DmarcAuthor;

/* Neither SPF nor DKIM said anything at all. */
bool dmarc_evidence_missing(const DmarcEvidence *evidence);

/* The alignment that passes, UNDECIDED if a temporary failure may hide one.
 * They wait. */
DmarcAlignment dmarc_align_spf(DmarcAuthor *author,
                               const DmarcEvidence *evidence);
DmarcAlignment dmarc_align_dkim(DmarcAuthor *author,
                                const DmarcEvidence *evidence);
