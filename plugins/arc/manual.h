/* manual.h: what filterd-arc(7) says beside the tables.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

static const char description[] =
    "The Authenticated Received Chain (RFC 8617): whether those who "
    "handled the message have sealed what they found, in an unbroken "
    "chain. Nothing is sealed, and the default policy does not ask.\n\n"
    "The newest seal has to be of one of `trusted`, then those below it "
    "as far as they are: the oldest of that run is the witness, and "
    "`arc.dmarc`, `arc.spf` and `arc.dkim` are what it found when the "
    "message came to it. Without a witness they are unknown: a stranger's "
    "chain is sound as easily as anybody's.\n\n"
    "As in RFC 8617 5.2.1 a failed lookup is a failure, too, and a chain "
    "that fails is as good as none. No key is asked for unless each of "
    "sets 1 to n has its three fields once, with the cv= that belongs "
    "there. l= that leaves a part of the body unsigned, h= that covers a "
    "field of ARC, a From field that is not signed, rsa-sha1 and U-labels "
    "do not pass.\n\n"
    "Who has a sealed message can send it again to anybody: a pass tells "
    "nothing about who the client is.";

static const char example[] =
    "use arc { trusted lists.example.net }\n"
    "list lists of domain { lists.example.net }\n"
    "at message {\n"
    "    accept forwarded if arc.result = pass and arc.sealer in lists\n"
    "                        and arc.dmarc = pass\n"
    "}\n";
