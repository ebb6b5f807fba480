/* smtp-mechanism.h: the SASL mechanisms that can be relayed, and whom a
 * client's first response names (RFC 4616, RFC 2195, RFC 5802, RFC 7628).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * None that binds to our connection (EXTERNAL, -PLUS), adds a layer to it, or
 * tells nobody's name.
 */
#pragma once

#include <glib.h>

#define SMTP_MECHANISMS 7
/* Octets of a name. */
#define SMTP_USER_LIMIT 255

/* In the order in which EHLO names them. A set of them has a bit for each. */
extern const char *const smtp_mechanism_names[SMTP_MECHANISMS];

/* -1: there is no such. */
int smtp_mechanism_find(const char *name, gsize length);
/* Whether the client speaks first: only then AUTH has an initial response. */
gboolean smtp_mechanism_begins(unsigned mechanism);
/* Of the client's first response, decoded. NULL: it is not legal, or the name
 * is not: clean UTF-8 without control characters. Caller frees. */
char *smtp_mechanism_user(unsigned mechanism, const char *response,
                          gsize length);
