/* manual.h: what filterd-uribl(7) says beside the tables.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

static const char description[] =
    "Lists that are asked about the hosts that links in the message lead "
    "to.\n\n"
    "Texts and pages are read, in all parts of a message and in messages "
    "in it, with base64 and quoted-printable undone: links with http, "
    "https and ftp, mailto, and www., in words and in attributes, as a "
    "browser would read them; addresses in any spelling, names of other "
    "scripts in A-labels. Questions are asked while the message comes.\n\n"
    "Not looked at: parts within more than 10 multiparts, a link over "
    "4096 octets, and what is over `domains` and `scan`.";

static const char example[] =
    "use uribl {\n"
    "    zone uribl.example.net 127.0.0.0&14 weight 5 test 2.0.0.127\n"
    "}\n"
    "at message {\n"
    "    reject link if uribl.score >= 5 reply \"{uribl.reason}\"\n"
    "}\n";
