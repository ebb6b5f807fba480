/* manual.h: what filterd-clamav(7) says beside the tables.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

static const char description[] =
    "Each message goes to clamd (INSTREAM), over a unix socket or TCP, while "
    "it comes. filterd has one copy of it, and clamd need not be on this "
    "machine.\n\n"
    "The client is not kept waiting while its message comes: if clamd is not "
    "there, is slow, or goes away, or if the client is slower than clamd has "
    "patience for, the message is sent once more when it is complete. So a "
    "clamd that is restarted costs nothing.\n\n"
    "What could not be scanned has no `clamav.result`: it is unknown, no rule "
    "about it fires, and `clamav.problem` says why. A policy that wants every "
    "message scanned says so, as in the example. The log tells when clamd "
    "stops answering and when it answers again.\n\n"
    "`max-size` must not be more than StreamMaxLength of clamd.conf; a message "
    "that clamd finds too long for it is `too-large` too.\n\n"
    "clamd.conf wants `LocalSocket` with a mode that lets the user of filterd "
    "in, or `TCPSocket` and `TCPAddr`. What passes over TCP is in clear.";

static const char example[] =
    "use clamav { server \"unix:/run/clamav/clamd.ctl\" timeout 1m }\n"
    "at message {\n"
    "    reject virus if clamav.result = infected\n"
    "           reply 554 5.7.1 \"infected: {clamav.virus}\"\n"
    "    tempfail unscanned if not known clamav.result\n"
    "             reply 451 4.7.1 \"not scanned, please try again\"\n"
    "}\n";
