/* smtp-client-state.h: a connection to a backend, between the files that open
 * it and speak on it. Private to them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/wire/smtp-client.h"

struct SmtpClient {
    const PolicyBackend *backend;
    Stream *stream;
    SmtpExtensions extensions;
    gboolean rested, bound;
    unsigned introducing; /* XFORWARD commands that are not answered yet */
};

/* The backend's name and what is wrong with it, as the error. FALSE. */
gboolean smtp_client_broken(SmtpClient *client, const char *what,
                            GError **error);
/* A command, to go out with whatever is said next, or when its reply is read.
 */
gboolean smtp_client_write(SmtpClient *client, const char *command,
                           GError **error);
/* What was written goes out, and XFORWARD is answered. */
gboolean smtp_client_flush(SmtpClient *client, int64_t timeout, GError **error);
/* One reply, of however many lines; 421 is an error. */
gboolean smtp_client_read(SmtpClient *client, int64_t timeout, MailReply *reply,
                          GError **error);
/* Nothing may have come since the last reply: it would be taken for the answer
 * to what is said now. */
gboolean smtp_client_in_step(SmtpClient *client, GError **error);
