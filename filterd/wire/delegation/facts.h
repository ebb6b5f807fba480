/* facts.h: what a request of Postfix says, as the session has it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/session/session.h"
#include "filterd/wire/delegation/request.h"

/* What TLS the client spoke. The fingerprint counts where it is SHA-256; of the
 * subject Postfix tells the common name, of certificates that it trusts. */
void delegation_tell_tls(Session *session, const DelegationRequest *request);
/* Who authenticated, if somebody did. */
void delegation_tell_user(Session *session, const DelegationRequest *request);
/* Octets; 0: it is not said. */
gsize delegation_size(const DelegationRequest *request);
