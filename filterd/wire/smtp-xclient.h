/* smtp-xclient.h: the XCLIENT command, as Postfix reads it
 * (postfix.org/XCLIENT_README.html).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/wire/smtp-client.h"

/* "NAME=value" in xtext, as XCLIENT and XFORWARD have it; what is not known is
 * [UNAVAILABLE]. */
void smtp_attribute_append(GString *out, const char *name,
                           const SmtpIdentity *identity);
/* Sets every attribute of `offered` ("NAME ADDR …"): one that nothing is known
 * of becomes [UNAVAILABLE], so that nothing of an earlier client stays. NULL:
 * ADDR is not offered. Caller frees. */
char *smtp_xclient_format(const char *offered, const SmtpIdentity *identity);
