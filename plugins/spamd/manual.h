/* manual.h: what filterd-spamd(7) says beside the tables.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

static const char description[] =
    "Each message goes, once it is complete, to SpamAssassin's spamd "
    "(`protocol "
    "spamd`) or to rspamd (`protocol rspamd`, its normal worker), from the one "
    "copy that filterd has.\n\n"
    "They are told who sends it: rspamd the client's address and name, its "
    "greeting, the reverse-path, a recipient and the user who authenticated; "
    "SpamAssassin by a Return-Path and a Received on top of what it is sent, "
    "as "
    "a mail server in front of it would have written them.\n\n"
    "What could not be judged (a dead or slow server, one that talks nonsense, "
    "a "
    "message over `max-size`) leaves all facts unknown but `spamd.problem`, "
    "which says why; no rule about them fires. The log tells when the server "
    "stops answering and when it answers again.\n\n"
    "Facts have no decimals. `spamd.score` is rounded down, so that "
    "`spamd.score >= 5` and `spamd.score < 5` are right for 4.9 and for 5.0; "
    "`spamd.points` has the decimals, for people.";

static const char example[] =
    "use spamd { server 127.0.0.1:783 }\n"
    "use spamd as rspamd { protocol rspamd server 127.0.0.1:11333 }\n"
    "at message {\n"
    "    reject spam if spamd.score >= 10 and rspamd.action = reject\n"
    "           reply 554 5.7.1 \"spam: {spamd.points} points\"\n"
    "    rewrite add-header(\"X-Spam-Flag\", \"YES\") if spamd.spam\n"
    "    tempfail unscanned if not known spamd.score\n"
    "             and not known rspamd.score\n"
    "}\n";
