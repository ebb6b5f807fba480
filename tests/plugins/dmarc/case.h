/* case.h: a message, a zone and what DMARC must say.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/dmarc/reporting.h"
#include <filterd/harness.h>

enum { RFC9989 = DMARC_RFC9989, RFC7489 = DMARC_RFC7489 };

/* spf: "RESULT DOMAIN". dkim: "RESULT:DOMAIN" with commas. broken: a name that
 * gets `status`. expected: result, policy, disposition, domain, organization
 * and alignment. */
typedef struct Case {
    const char *name;
    const char *zone;
    const char *from;
    const char *spf, *dkim;
    const char *expected;
    const char *broken;
    FilterdDnsStatus status;
    int mode;
    const DmarcConfig *config; /* NULL: of that mode, without reports */
} Case;

#define TXT(domain, record) "_dmarc." domain " 300 TXT \"" record "\"\n"

#define CHILD "child.example.com 60 A 192.0.2.1\n"
#define WHOLE " example.com example.com "
#define EXAMPLE TXT("example.com", "v=DMARC1; p=reject; aspf=r")
#define NP TXT("example.com", "v=DMARC1; p=none; sp=quarantine; np=reject")

/* The harness after its eom. */
Harness *evaluate(const Case *test);
/* Adds /dmarc/GROUP/NAME for each, up to one without a name. */
void add_cases(const char *group, const Case *cases);
