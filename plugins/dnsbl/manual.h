/* manual.h: what filterd-dnsbl(7) says beside the tables.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

static const char description[] =
    "Lists (RFC 5782) that are asked about the client's address and about "
    "domains.\n\n"
    "127.0.0.1, 127.255.255.0/24 and whatever is outside of 127.0.0.0/8 "
    "are failures of a list, never listings. A score is unknown where "
    "every list failed, 0 where there is nothing to ask about: private, "
    "loopback and other special addresses, address literals, single "
    "labels.\n\n"
    "What a list with a weight less than 0 says of the client stands in "
    "Authentication-Results as `dnswl` (RFC 8904): `pass` where it has the "
    "client, else `none`, `temperror` or `permerror`; with the list as "
    "dns.zone, its answers as policy.ip, and dns.sec=yes where DNSSEC proves "
    "them. Nobody is asked for that alone, so it is there where a rule "
    "asked.\n\n"
    "All lists are asked at once: a silent one costs the `timeout` of "
    "`dns` once, and is unknown by itself.";

static const char example[] =
    "use dnsbl {\n"
    "    zone        bl.example.net    127.0.0.2-11 weight 5\n"
    "    zone        wl.example.net                 weight -5\n"
    "    domain-zone rhs.example.net   127.0.1.0/24 weight 3 on mail from\n"
    "}\n"
    "at rcpt {\n"
    "    reject listed if dnsbl.score >= 5\n"
    "           reply 554 5.7.1 \"{client.ip} is listed: {dnsbl.reason}\"\n"
    "}\n";
