/* manual.h: what filterd-greylist(7) says beside the tables.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

static const char description[] =
    "Greylisting (RFC 6647): whoever comes for the first time is to come "
    "again.\n\n"
    "A client is known by the first of these that there is: the "
    "organizational domain that SPF says it may use; the organizational "
    "domain of its name, if that leads back to its address; its network. "
    "So the next try may come from another machine of the same pool. A "
    "client, a reverse-path and a recipient make a try. The reverse-path "
    "alone is no evidence, since anybody can say it.\n\n"
    "Asking writes to the store: never ahead of time, never for a `would` "
    "rule alone. While the store fails all facts are unknown, so that no "
    "rule defers anybody. A pass of the policy costs a read or two, and a "
    "write where something is new; a worker remembers who is known for five "
    "minutes, which costs nothing and outlives a store that is away. "
    "Forgetting goes by `max-entries` of the store.\n\n"
    "Known is who passed before, not whom our users wrote to: their mail "
    "need not come through this gateway. Who is never to wait is a list "
    "and a condition:\n\n"
    "  list patient of ip     { 198.51.100.0/24 }\n"
    "  list urgent  of address { alarm@example.com }\n"
    "  at rcpt {\n"
    "      tempfail greylist if client.ip not in patient\n"
    "               and rcpt.to not in urgent\n"
    "               and (greylist.state = new or greylist.state = early)\n"
    "  }\n\n"
    "DKIM is known only once the message is here. "
    "`greylist.message-state` then takes a domain that signed for the "
    "client's: one of the author's organization, else one of the "
    "reverse-path's. It tells no recipients apart. A message without such "
    "a signature is judged as its recipients were, if a rule asked for "
    "that, else by itself.\n\n"
    "A pool that signs, but has neither SPF nor names, would never get "
    "that far; `greylist.signs` lets it, once mail of that organization "
    "has passed with a signature. To say its reverse-path gains the "
    "sending of the message and nothing else, as long as both rules are "
    "there:\n\n"
    "  at rcpt {\n"
    "      tempfail greylist if not greylist.signs\n"
    "               and (greylist.state = new or greylist.state = early)\n"
    "  }\n"
    "  at message {\n"
    "      tempfail greylist if greylist.message-state = new\n"
    "               or greylist.message-state = early\n"
    "  }";

static const char example[] =
    "use greylist { delay 5m }\n"
    "at rcpt {\n"
    "    tempfail greylist if greylist.state = new or greylist.state = early\n"
    "             reply 451 4.7.1 \"please try again in {greylist.wait}\"\n"
    "}\n";
