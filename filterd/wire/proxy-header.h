/* proxy-header.h: writes the PROXY header that tells a backend who the client
 * is, versions 1 and 2.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/wire/smtp-client.h"

/* `kind` is one of the two PROXY identities. `identity` NULL: the connection is
 * our own, UNKNOWN or LOCAL; a client whose address is not known is never told
 * so, for it would count as us. */
GString *proxy_header_format(PolicyIdentity kind, const SmtpIdentity *identity);
