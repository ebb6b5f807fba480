/* record.h: what a DMARC Policy Record says (RFC 9989 4.7, 4.8).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define DMARC_RECORD_LIMIT 65535 /* octets of a record; longer is none */
#define DMARC_URI_LIMIT 100      /* addresses looked at in rua= */
#define DMARC_URI_LENGTH 512     /* octets of one that gets reports */

/* The first three are indices in dmarc_policy_words. */
typedef enum DmarcPolicy {
    DMARC_NONE,
    DMARC_QUARANTINE,
    DMARC_REJECT,
    DMARC_ABSENT,
    DMARC_INVALID,
} DmarcPolicy;

extern const char *const dmarc_policy_words[];

typedef enum DmarcPsd {
    DMARC_PSD_UNDECIDED,
    DMARC_PSD_NO,
    DMARC_PSD_YES,
} DmarcPsd;

/* All int, so that one table of tags fills it. */
typedef struct DmarcRecord {
    int p, sp, np;   /* DmarcPolicy */
    int adkim, aspf; /* strict alignment is asked for */
    int testing;     /* t=y */
    int psd;         /* DmarcPsd */
    int reports;     /* rua= holds a valid address */
    int percent;     /* pct=, of RFC 7489 */
} DmarcRecord;

/* One TXT record, its strings joined. FALSE: it does not start with the
 * version and is nobody's DMARC record; `record` untouched. Unknown tags are
 * skipped; a broken or contradicted tag counts as absent, but p=, sp= and np=
 * as DMARC_INVALID. */
bool dmarc_record_parse(const char *bytes, size_t length, DmarcRecord *record);

/* The first `limit` addresses of its rua= that are valid, with commas between
 * them. NULL: there is none. Caller frees. */
char *dmarc_record_report_uris(const char *bytes, size_t length,
                               unsigned limit);

/* RFC 9989 4.10.1: false where DMARC does not apply because of a policy tag
 * that is broken; true after having made it a record of p=none where somebody
 * is to hear of it by rua=. */
bool dmarc_record_settle(DmarcRecord *record);

/* RFC 7489 6.3: forgets the tags that it does not know; p= is required. */
void dmarc_record_restrict(DmarcRecord *record);
