/* check.h: one evaluation of check_host() (RFC 7208 section 4).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/spf/record.h"

/* Names of an mx or ptr whose addresses are asked for (section 4.6.4). */
#define SPF_NAME_LIMIT 10
/* An explanation, a mechanism and a problem are cut behind so many octets. */
#define SPF_TEXT_LIMIT 255

/* The order of the words of spf.result. */
typedef enum SpfResult {
    SPF_OUTCOME_NONE,
    SPF_OUTCOME_NEUTRAL,
    SPF_OUTCOME_PASS,
    SPF_OUTCOME_FAIL,
    SPF_OUTCOME_SOFTFAIL,
    SPF_OUTCOME_TEMPERROR,
    SPF_OUTCOME_PERMERROR,
} SpfResult;

/* The plugin's options. */
typedef struct SpfConfig {
    int64_t lookup_limit;
    int64_t void_limit;
    bool explanation;
    const char *receiver; /* %{r} */
} SpfConfig;

typedef struct SpfCheck {
    /* Given by the caller, and his. */
    FilterdCall *call;
    const SpfConfig *config;
    FilterdIp client;
    const char *domain;        /* the identity's */
    const char *local;         /* the sender's local part */
    const char *sender_domain; /* the sender's domain */
    const char *helo;
    bool explain; /* ask for exp= after a fail */

    /* The answer; texts are NULL where there is nothing to say, printable
     * ASCII, of at most SPF_TEXT_LIMIT octets. */
    SpfResult result;
    char *mechanism;
    char *explanation;
    char *problem;
    int lookups;    /* terms that asked the DNS */
    bool cancelled; /* the session is ending: there is no result */

    /* While it runs. */
    int voids;
    bool forced;          /* `result` holds already, whatever follows */
    char *decisive;       /* the domain whose record decided, */
    SpfSlice exp;         /* and the name of its explanation */
    bool explaining;      /* limits count no longer */
    GPtrArray *validated; /* names of the client; NULL: not asked for yet */
} SpfCheck;

/* Waits for the DNS. */
void spf_check_run(SpfCheck *check);
void spf_check_clear(SpfCheck *check);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpfCheck, spf_check_clear)

/* Whether it can be asked for: several labels, each of 1 to 63 octets, 253 in
 * all; a final dot does not count (section 4.3). */
bool spf_domain_valid(const char *domain);

/* ---- between the parts of an evaluation --------------------------------- */

/* Settles the result, unless it is settled. */
void spf_check_force(SpfCheck *check, SpfResult result, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/* What people are told; the first one stays. */
void spf_check_explain_problem(SpfCheck *check, const char *format, ...)
    G_GNUC_PRINTF(2, 3);
/* One more term, or %{p}, asks the DNS; false where that is one too many. */
bool spf_check_count_lookup(SpfCheck *check);
/* The record of a domain; PASS: there it is (sections 4.3 to 4.5). */
SpfResult spf_check_fetch(SpfCheck *check, const char *domain,
                          SpfRecord *record);
/* Never NULL. Notes a cancelled session. */
const FilterdDnsAnswer *spf_check_dns(SpfCheck *check, const char *name,
                                      FilterdDnsType type);
/* The client's address, as people write it. */
void spf_check_append_client(GString *out, const SpfCheck *check);
/* Printable ASCII, one line, cut; caller frees. */
char *spf_clean(const char *text, gsize length);

static inline bool
spf_check_is_ip4(const SpfCheck *check)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(check->client.bytes, mapped, sizeof(mapped)) == 0;
}
