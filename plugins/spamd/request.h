/* request.h: what stands in front of a message that is sent to spamd or rspamd.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/spamd/config.h"

/* A head, for SpamAssassin with the fields that a mail server would have put on
 * top. Caller frees. */
char *request_head(const Config *config, const Envelope *envelope);
