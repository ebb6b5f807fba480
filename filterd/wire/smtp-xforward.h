/* smtp-xforward.h: the XFORWARD command, as Postfix reads it
 * (postfix.org/XFORWARD_README.html).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/wire/smtp-client.h"

/* A line with its CRLF, but for one attribute that is longer alone. */
#define XFORWARD_LINE_LIMIT 512

/* The commands that tell everything of `offered` ("NAME ADDR …"), what is not
 * known as [UNAVAILABLE]; NULL: ADDR is not offered. g_strfreev(). */
char **smtp_xforward_format(const char *offered, const SmtpIdentity *identity);
