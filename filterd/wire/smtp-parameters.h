/* smtp-parameters.h: what may stand behind a path of MAIL and RCPT
 * (RFC 5321 4.1.2, RFC 1870, RFC 2852, RFC 3461, RFC 4954 5, RFC 6152,
 * RFC 6531, RFC 6710, RFC 8689).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/mail/reply.h"
#include "filterd/wire/smtp-client.h"

typedef struct SmtpParameters {
    gsize size; /* declared, 0 if not */
    gboolean utf8;
    unsigned needs;         /* SmtpExtension of those that are passed on */
    gboolean authenticated; /* the client, before MAIL is read */
    char *text; /* for the backend: " BODY=8BITMIME RET=HDRS", or "" */
} SmtpParameters;

void smtp_parameters_clear(SmtpParameters *parameters);

/* `text` is what stands behind ">". Only what `offered` has is taken. FALSE:
 * `reply` says what is wrong. `parameters` is to be cleared in any case. What
 * AUTH= says is believed of those who are `authenticated` only (RFC 4954 5). */
gboolean smtp_mail_parameters(const char *text, const SmtpExtensions *offered,
                              SmtpParameters *parameters, MailReply *reply);
/* `utf8` of `parameters` is as MAIL had it. */
gboolean smtp_rcpt_parameters(const char *text, const SmtpExtensions *offered,
                              SmtpParameters *parameters, MailReply *reply);
