/* smtp-xclient.h: the XCLIENT command, as Postfix reads it
 * (postfix.org/XCLIENT_README.html).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/wire/smtp-client.h"

/* Sets every attribute of `offered` ("NAME ADDR …"): one that nothing is known
 * of becomes [UNAVAILABLE], so that nothing of an earlier client stays. NULL:
 * ADDR is not offered. Caller frees. */
char *smtp_xclient_format(const char *offered, const SmtpIdentity *identity);
