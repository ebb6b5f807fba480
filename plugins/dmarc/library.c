/* library.c: the verdict of libopendmarc on a clean record.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dmarc/library.h"

#include <glib.h>
#include <opendmarc/dmarc.h>
#include <string.h>

/* Nobody's: no check of the library looks at it. */
static unsigned char no_address[] = "192.0.2.1";

static const struct {
    int status;
    DmarcOpinion opinion;
} opinions[] = {
    {DMARC_POLICY_PASS, DMARC_SAYS_PASS},
    {DMARC_POLICY_NONE, DMARC_SAYS_NONE},
    {DMARC_POLICY_QUARANTINE, DMARC_SAYS_QUARANTINE},
    {DMARC_POLICY_REJECT, DMARC_SAYS_REJECT},
};

#define CANONICAL_RECORD(word) \
    "v=DMARC1; p=" word "; sp=" word "; adkim=s; aspf=s; pct=100"

static const char *const canonical_records[] = {
    [DMARC_NONE] = CANONICAL_RECORD("none"),
    [DMARC_QUARANTINE] = CANONICAL_RECORD("quarantine"),
    [DMARC_REJECT] = CANONICAL_RECORD("reject"),
};

static bool
tell(DMARC_POLICY_T *context, const DmarcQuestion *question)
{
    const char *record = canonical_records[question->policy];
    unsigned char *domain = (unsigned char *)question->domain;
    unsigned char none[] = "none";
    int spf = question->spf ? DMARC_POLICY_SPF_OUTCOME_PASS
                            : DMARC_POLICY_SPF_OUTCOME_FAIL;
    int dkim = question->dkim ? DMARC_POLICY_DKIM_OUTCOME_PASS
                              : DMARC_POLICY_DKIM_OUTCOME_FAIL;

    return opendmarc_policy_store_dmarc(context, (unsigned char *)record,
                                        domain, NULL)
               == DMARC_PARSE_OKAY
           && opendmarc_policy_store_spf(context, domain, spf,
                                         DMARC_POLICY_SPF_ORIGIN_MAILFROM, NULL)
                  == DMARC_PARSE_OKAY
           && opendmarc_policy_store_dkim(context, domain, none, dkim, NULL)
                  == DMARC_PARSE_OKAY;
}

static DmarcOpinion
opinion_of(int status)
{
    for (size_t i = 0; i < G_N_ELEMENTS(opinions); i++) {
        if (opinions[i].status == status)
            return opinions[i].opinion;
    }
    return DMARC_NO_OPINION;
}

/* A name of one label becomes empty inside the library, which then reads in
 * front of its buffer: it is not asked about those. */
DmarcOpinion
dmarc_library_judge(const DmarcQuestion *question)
{
    DmarcOpinion opinion = DMARC_NO_OPINION;

    if (strchr(question->domain, '.') == NULL
        || question->policy > DMARC_REJECT)
        return opinion;
    DMARC_POLICY_T *context = opendmarc_policy_connect_init(no_address, 0);
    if (context == NULL)
        return opinion;
    if (tell(context, question))
        opinion = opinion_of(opendmarc_get_policy_to_enforce(context));
    opendmarc_policy_connect_shutdown(context);
    return opinion;
}
