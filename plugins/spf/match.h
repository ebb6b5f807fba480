/* match.h: whether a mechanism matches the client (RFC 7208 section 5).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/spf/check.h"

/* Without the DNS: all, ip4, ip6; false for the others. */
bool spf_match_address(const SpfCheck *check, const SpfTerm *term);

/* By the DNS: a, mx, ptr, exists, for the current <domain>. May wait. Errors
 * and exceeded limits force the check's result. */
bool spf_match_dns(SpfCheck *check, const SpfTerm *term, const char *domain);

/* What %{p} stands for: a validated name of the client, or "unknown". May
 * wait. Lives as long as the check. */
const char *spf_match_client_name(SpfCheck *check, const char *domain);
