/* smtp-parameters.h: what may stand behind a path of MAIL and RCPT
 * (RFC 5321 4.1.2, RFC 1870, RFC 6152, RFC 6531).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/mail/reply.h"
#include "filterd/wire/smtp-client.h"

typedef struct SmtpParameters {
    gsize size; /* declared, 0 if not */
    gboolean eightbit, utf8;
    unsigned seen; /* rows, as bits: none may come twice */
} SmtpParameters;

/* `text` is what stands behind ">". Only what `offered` has is taken. FALSE:
 * `reply` says what is wrong. */
gboolean smtp_mail_parameters(const char *text, const SmtpExtensions *offered,
                              SmtpParameters *parameters, MailReply *reply);
gboolean smtp_rcpt_parameters(const char *text, MailReply *reply);
