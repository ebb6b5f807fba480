/* reporting.h: what aggregate reports will say of a message (RFC 9990 3.1.1),
 * counted in the store for `filterctl report`.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A key is a row of a report, its value the number of messages:
 *
 *   report 2026-11-22 example.com p=none adkim=r … ip=192.0.2.1 … d=none
 *
 * Words up to ip= are the policy, those behind it the row. Every octet of a
 * value that is not a letter, a digit or one of -._:@!* is %XX; / and , part
 * the parts of a value. What is too long for a key is
 *
 *   report 2026-11-22 example.com #HASH
 *
 * with the words as the value of "detail 2026-11-22 example.com #HASH".
 */
#pragma once

#include "plugins/dmarc/judgement.h"

#define DMARC_REPORT_KEEP 8        /* days */
#define DMARC_REPORT_URIS 10       /* addresses kept of a rua= */
#define DMARC_REPORT_SIGNATURES 10 /* of one row, the best */
#define DMARC_REPORT_ROWS 100000   /* new rows of one worker and day */

typedef struct DmarcReason {
    const char *rule;
    int type; /* index in dmarc_reason_words */
} DmarcReason;

enum {
    DMARC_LOCAL_POLICY,
    DMARC_MAILING_LIST,
    DMARC_OTHER,
    DMARC_TRUSTED_FORWARDER,
};

/* Of RFC 9990 3.1.6; those for rules. */
extern const char *const dmarc_reason_words[];

enum { DMARC_RFC9989, DMARC_RFC7489 };

typedef struct DmarcConfig {
    int mode;
    bool reports;
    const char *contact, *organization, *sender;
    FilterdArray reasons; /* DmarcReason */
} DmarcConfig;

/* The rows that a worker has added to a day. */
typedef struct DmarcDay {
    int64_t day;
    unsigned rows;
} DmarcDay;

/* What is known at the end of the message; zero bytes: nothing to report. */
typedef struct DmarcAccount {
    char *domain, *words; /* of the record; all but what was done */
    DmarcResult result;
    DmarcPolicy published, lessened;
    const char *lessened_by; /* "TYPE/WORDS" of a reason; NULL */
} DmarcAccount;

/* Fills in what a judgement says, if its record asks for reports. */
void dmarc_account_take(DmarcAccount *account, const DmarcJudgement *judgement);
void dmarc_account_clear(DmarcAccount *account);

/* Counts the message, whose fate is known. Waits. FALSE: the day has had its
 * rows, the message is left out. */
bool dmarc_account_count(DmarcAccount *account, FilterdCall *call,
                         const FilterdOutcome *outcome,
                         const FilterdArray *reasons, DmarcDay *day);
