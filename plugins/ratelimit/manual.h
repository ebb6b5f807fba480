/* manual.h: what filterd-ratelimit(7) says beside the tables.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

static const char description[] =
    "A bucket that leaks for each value of `key`: what comes is poured in, "
    "`rate` runs out, `burst` fits. What does not fit is exceeded and is not "
    "poured in: who goes on trying gets the rate, no less.\n\n"
    "What is counted is what a rule asks for: connections at connect, messages "
    "at mail, recipients at rcpt (each once), octets of the message at "
    "message. "
    "Each of the four has buckets of its own. Several limits are several "
    "instances:\n\n"
    "  use ratelimit as slowly { key client.ip rate 60 per 1h burst 20 }\n"
    "  use ratelimit as user   { key auth.user rate 500 per 1d }\n"
    "  at rcpt {\n"
    "      tempfail slowly if slowly.recipients-exceeded\n"
    "      tempfail user   if user.recipients-exceeded\n"
    "  }\n\n"
    "Where a part of the key is unknown (no `auth.user`, no `mail.domain` of "
    "the null reverse-path), and while the store fails, all facts are unknown "
    "and no rule refuses anybody. A key with `rcpt.to` or `rcpt.domain` is "
    "unknown before rcpt.\n\n"
    "Asking counts: never ahead of time, never for a `would` rule alone, and "
    "not where an earlier rule decided. To watch a limit first, let the rule "
    "add to the score, or a header:\n\n"
    "  at rcpt { score 0 watched if user.recipients-exceeded }\n\n"
    "Workers count together, and gateways that share a store: each count is "
    "one "
    "operation of the store, after one read. Where several find a bucket empty "
    "at the same moment it counts once; so a limit lets through at most one "
    "more "
    "for each other worker, each time that the bucket has run empty. Gateways "
    "need clocks that agree: a second of difference is a second of the rate. "
    "An "
    "entry is gone when its bucket has been empty for some time at the latest; "
    "`max-entries` of the store bounds them all.";

static const char example[] =
    "use ratelimit { key auth.user rate 200 per 1h burst 50 }\n"
    "at rcpt {\n"
    "    tempfail too-many if ratelimit.recipients-exceeded\n"
    "             reply 451 4.7.1 \"try again in "
    "{ratelimit.recipients-wait}\"\n"
    "}\n";
