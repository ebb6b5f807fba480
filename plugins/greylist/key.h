/* key.h: under which names the store knows a sender (RFC 6647 2.2).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Hashes, so that neither length nor octets of what a client says matter.
 */
#pragma once

#include <filterd/plugin.h>

#define KEY_SIZE 25 /* a letter, a colon, 128 bits in base64, NUL */

typedef char Key[KEY_SIZE];

/* Which rung of the ladder a client stands on. */
typedef enum Rung {
    RUNG_DOMAIN,
    RUNG_NAME,
    RUNG_NETWORK,
    RUNGS,
} Rung;

typedef enum SenderForm {
    SENDER_NORMALIZED,
    SENDER_EXACT,
    SENDER_DOMAIN,
} SenderForm;

/* Octets of the network's number, as hex; caller frees. `v4`, `v6`: how many
 * bits of an address count. */
char *key_network(const FilterdIp *ip, int64_t v4, int64_t v6);
void key_client(Key key, Rung rung, const char *name);
/* The count of what passed. */
void key_white(Key key, Rung rung, const char *name);
/* The same, of whoever has that client's key. */
void key_white_of(Key key, const Key client);
/* Whether that domain signs its mail. */
void key_signer(Key key, const char *domain);
/* `recipient` may be NULL: whoever it is. */
void key_triplet(Key key, const Key client, const char *sender,
                 const char *recipient);

/* What stays the same of a reverse-path from message to message: lower case; in
 * the local part # for each word with a digit in it (VERP, BATV), SRS without
 * its hash and day. Caller frees. */
char *key_sender(const char *address, SenderForm form);
