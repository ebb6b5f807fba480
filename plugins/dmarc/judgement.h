/* judgement.h: what DMARC says of one message.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/dmarc/alignment.h"

/* Indices in the plugin's needs. */
enum {
    DMARC_NEED_FROM_DOMAIN,
    DMARC_NEED_FROM_PROBLEM,
    DMARC_NEED_SPF_RESULT,
    DMARC_NEED_SPF_DOMAIN,
    DMARC_NEED_DKIM_RESULT,
    DMARC_NEED_DKIM_DOMAINS,
    DMARC_NEED_DKIM_RESULTS,
    DMARC_NEED_CLIENT,
    DMARC_NEED_MAIL_DOMAIN,
};

typedef enum DmarcResult {
    DMARC_RESULT_NONE,
    DMARC_RESULT_PASS,
    DMARC_RESULT_FAIL,
    DMARC_RESULT_TEMPERROR,
    DMARC_RESULT_PERMERROR,
} DmarcResult;

typedef struct DmarcJudgement {
    FilterdCall *call;
    const psl_ctx_t *psl;
    const char *author; /* its domain, NULL: nobody's */
    DmarcDiscovery discovery;
    bool applies;           /* its record is fit to be applied */
    DmarcEvidence evidence; /* looked up once there is a record */
    DmarcAlignment spf, dkim;
    DmarcResult result;
    const char *tag;      /* that the policy is from */
    DmarcPolicy policy;   /* that the record has for the author */
    DmarcPolicy lessened; /* the same after t= or pct= */
    bool cancelled;
    char *problem;
} DmarcJudgement;

/* Of a judgement with its call and psl set and all else zero. Waits. The caller
 * frees `problem`. */
void dmarc_judge(DmarcJudgement *judgement);
