/* key.h: under which names the store knows a sender (RFC 6647 2.2).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

/* What a try is told apart by. */
typedef struct KeyAttempt {
    const FilterdIp *client; /* NULL: unknown */
    const char *domain;      /* that SPF says the client may use, or NULL */
    const char *sender;      /* reverse-path */
    const char *recipient;
} KeyAttempt;

/* Hashes, so that neither length nor octets of what a client says matter;
 * callers free. The client is its domain, else its network (/24, /64), since
 * the next try may come from another machine of the same pool. NULL: there is
 * nothing to know it by. */
char *key_client(const KeyAttempt *attempt);
char *key_triplet(const KeyAttempt *attempt);
