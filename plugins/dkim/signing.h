/* signing.h: the plugin's actions, and the message as it goes out to them.
 * (RFC 6376 5)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/dkim/signer.h"

/* Of an instance. */
typedef struct Signing {
    Keyring *keyring;
    SignedNames *names;
} Signing;

/* Of a message. Zero bytes are an empty one. */
typedef struct Outgoing {
    GPtrArray *keys; /* SigningKey, that are to sign it */
    Signer *signer;
} Outgoing;

/* What the plugin's own table needs. */
typedef struct SigningCall {
    const Signing *signing;
    Outgoing *outgoing;
    unsigned author; /* which need is header.from.domain */
} SigningCall;

bool signing_start(Signing *signing, FilterdCall *call, GError **error);
void signing_stop(Signing *signing);
void outgoing_clear(Outgoing *outgoing);

/* Whether the rule can be followed: `arguments` as far as they are known. */
bool signing_check(SigningCall at, const FilterdAction *action,
                   const FilterdValue *arguments, GError **error);
/* sign(): with all keys of the author's domain. */
bool signing_by_author(FilterdCall *call, SigningCall at, GError **error);
/* sign(domain, selector). */
bool signing_by_name(FilterdCall *call, SigningCall at,
                     const FilterdValue *arguments, GError **error);
/* The sign_ hooks. */
void signing_field(FilterdCall *call, SigningCall at,
                   const FilterdField *field);
void signing_body(FilterdCall *call, SigningCall at, const char *bytes,
                  size_t length);
bool signing_end(FilterdCall *call, SigningCall at, GError **error);
