/* domain.h: host names and mail domains (RFC 5321 2.3.5, RFC 5890).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

#define MAIL_DOMAIN_LIMIT 253

/* Letters, digits, hyphens (and underscores, which live in the wild) in labels
 * of 1 to 63 that hyphens neither begin nor end; no final dot. */
gboolean mail_domain_valid(const char *text);
/* Lower case, U-labels as A-labels (UTS 46, non-transitional), final dot
 * dropped; what the mapping changes beyond case is refused, other dots than the
 * full stop with it. `length` -1: up to the NUL; NULL where that gives no valid
 * domain. Caller frees. */
char *mail_domain_normalize(const char *text, gssize length);
/* "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321 4.1.3). */
gboolean mail_domain_literal_valid(const char *text, gsize length);
