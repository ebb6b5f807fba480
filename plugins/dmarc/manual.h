/* manual.h: what filterd-dmarc(7) says beside the tables.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

static const char description[] =
    "DMARC (RFC 9989): whether SPF or DKIM vouch for the domain in the "
    "From field. Needs the plugins `spf` and `dkim` to find a pass: while one "
    "of them is not known, the result is a pass or temperror, never fail; "
    "`filterctl check` warns where one is not loaded.\n\n"
    "RFC 9989 7.4 forbids to reject for p=reject alone; a rule that would "
    "gets a warning.\n\n"
    "For aggregate reports each message is one write to the store, and no "
    "question to the DNS. Counted is who was delivered or refused for "
    "good and has a record with rua=. What was deferred will come again; "
    "what `dmarc` was not asked about, as it was accepted before, is in "
    "none. The store has to be a `store sqlite`. After eight days it is "
    "forgotten. Of a flood a worker keeps 100000 rows a day; what is left "
    "out is counted.\n\n"
    "In a report a refusal is the policy's if the rule asks for a fact of "
    "`dmarc`, or is what the policy asks for; one for other reasons is "
    "another filter's, and the policy was `none`. Failure reports (RFC "
    "9991) are not made: they would hand on what others wrote.";

static const char example[] =
    "use spf\n"
    "use dkim\n"
    "use dmarc { reports on report-contact \"dmarc@example.com\" }\n"
    "at message {\n"
    "    quarantine dmarc if dmarc.disposition = quarantine\n"
    "                     or dmarc.disposition = reject\n"
    "}\n";
