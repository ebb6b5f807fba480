/* manual.h: what filterd-dkim(7) says beside the tables.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

static const char description[] =
    "DKIM (RFC 6376, 8301, 8463, 8616): verifies the signatures of what "
    "comes in, and signs what goes out. Domains and selectors that a "
    "signature has in UTF-8 are A-labels in facts, in the log and in "
    "Authentication-Results.\n\n"
    "What goes out is signed by `rewrite dkim.sign()` with every key of "
    "the From domain, as it was received: an RSA and an Ed25519 "
    "signature, say. Keys of the domains above it do not count. With a "
    "domain and a selector, `dkim.sign` signs with that key, whatever "
    "From says. A rewrite at mail holds for messages that a later rule "
    "accepts, too.\n\n"
    "Signatures are made last, over exactly what the backend is given, "
    "when all other rewrites have been done. Received and "
    "Authentication-Results are not among what is signed. Several rules, "
    "and several keys, read the message once. Of a field name that occurs "
    "more than 16 times the lowest 16 are signed.\n\n"
    "A rule whose constant arguments name no key is an error of the file. "
    "Where a message that is to be signed cannot be, because there is no "
    "key by that name or the domain is not known, it is answered 451 "
    "4.3.0 and the log says why: it never goes out unsigned instead.\n\n"
    "A key is made by\n\n"
    "  openssl genrsa -out s2026.pem 2048\n"
    "  openssl rsa -in s2026.pem -pubout -outform DER | base64 -w0\n"
    "  openssl genpkey -algorithm ed25519 -out s2026e.pem\n"
    "  openssl pkey -in s2026e.pem -pubout -outform DER |\n"
    "      tail -c32 | base64\n\n"
    "and published in the DNS, as what the second and the fourth of these "
    "print:\n\n"
    "  s2026._domainkey.example.org.  TXT \"v=DKIM1; k=rsa; p=...\"\n"
    "  s2026e._domainkey.example.org. TXT \"v=DKIM1; k=ed25519; p=...\"";

static const char example[] =
    "use dkim {\n"
    "    key example.org s2026  \"/etc/filterd/s2026.pem\"\n"
    "    key example.org s2026e \"/etc/filterd/s2026e.pem\"\n"
    "}\n"
    "list ours of ip { 192.0.2.0/24 }\n"
    "at mail { rewrite dkim.sign() if client.ip in ours }\n";
