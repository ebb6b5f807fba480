/* host.h: the host of a link: a domain in A-labels, or an address.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/uribl/url.h"

/* What stands between // and the path: USER@HOST:PORT, with %XX, capitals,
 * U-labels, 0x7f.1 and such. false: no host that a list could have. */
bool host_parse(const char *authority, size_t length, UrlHost *host);
