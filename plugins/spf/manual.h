/* manual.h: what filterd-spf(7) says beside the tables.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

static const char description[] =
    "SPF (RFC 7208), for the reverse-path and for the name in the "
    "greeting. For the null reverse-path the result is that of postmaster "
    "at the name in the greeting.\n\n"
    "A term with %{l} or %{s} matches nothing for a local part beyond "
    "ASCII (RFC 8616).\n\n"
    "Whatever a domain publishes, a check asks the DNS at most 111 questions, "
    "and 12 more for the explanation of a fail, all within the `budget` of "
    "`dns`.\n\n"
    "`temperror` says that the DNS failed, not that anybody did wrong: it "
    "is for `tempfail`. A forwarder that keeps the reverse-path fails at "
    "`-all`, so those that one knows go into a list.";

static const char example[] =
    "use spf\n"
    "list forwarders of ip { 192.0.2.25 }\n"
    "at rcpt {\n"
    "    tempfail spf-broken if spf.result = temperror\n"
    "    reject   spf-fail   if spf.result = fail\n"
    "                           and client.ip not in forwarders\n"
    "             reply 550 5.7.23 \"{spf.problem}\"\n"
    "}\n";
