/* manual.h: what filterd-lookup(7) says beside the tables.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

static const char description[] =
    "A mail server is asked whether a recipient exists, as if mail came for "
    "it: MAIL FROM:<>, RCPT TO, QUIT. For a backend that takes every recipient "
    "at first and bounces later, or for a server behind it that knows better; "
    "where the backend itself refuses unknown recipients, its reply to RCPT is "
    "the client's anyway.\n\n"
    "Answers are remembered in the store: `positive-lifetime` and "
    "`negative-lifetime`. What is put off (4xx) or refused for another reason "
    "than the mailbox (a policy, 5.7.1; a full mailbox) says nothing: the "
    "result is unknown, is not remembered, and `lookup.problem` says why. So "
    "it is while the server is dead or talks nonsense; after such a failure "
    "nobody asks it for ten seconds.\n\n"
    "Of one worker at most `connections` ask at a time; the others wait, "
    "`timeout` at most. Who asks about the same recipient waits for that one "
    "answer.\n\n"
    "With `probe on` each domain is tried with a recipient that cannot exist; "
    "one that takes it takes all, and its recipients are `catch-all` instead "
    "of `exists`.\n\n"
    "Only recipients are looked up. To ask a stranger's server about a sender "
    "is abuse: it hits those whose addresses are forged.\n\n"
    "Asking writes to the store: never ahead of time, never for a `would` rule "
    "alone. Ask behind the rules that cost nothing, relay rules first: else "
    "strangers have servers asked about what is not ours.";

static const char example[] =
    "use lookup { server 192.0.2.25:25 }\n"
    "list ours of domain { example.com }\n"
    "at rcpt {\n"
    "    reject relay   if rcpt.domain not in ours\n"
    "    reject unknown if lookup.result = missing\n"
    "           reply 550 5.1.1 \"there is no {rcpt.to} here\"\n"
    "}\n";
