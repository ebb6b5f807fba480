/* sender.h: gives mail to a backend, as any client would.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/mail/message.h"
#include "filterd/mail/reply.h"
#include "policy/config.h"

typedef struct Sender Sender;

/* A client of the first of the configuration's backends that answers; with
 * `local` also of those that deliver only there (LMTP). Borrows both. */
Sender *sender_new(const PolicyConfig *config, const char *hostname,
                   gboolean local);
void sender_free(Sender *sender);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sender, sender_free)

/* `address` is a wire text without <>; parameters begin with a blank and may be
 * NULL. */
typedef struct SenderRecipient {
    const char *address, *parameters;
    /* Why the backend does not take the message for it, or that it does (2xx);
     * code 0: it said nothing about it. The caller clears it. */
    MailReply reply;
} SenderRecipient;

typedef struct SenderLetter {
    const char *reverse_path, *parameters;
    MailMessage *message;
    SenderRecipient *recipients;
    unsigned length;
} SenderLetter;

/* Waits. FALSE: what went wrong is not a matter of recipients; those that were
 * answered before it stand. */
gboolean sender_send(Sender *sender, const SenderLetter *letter,
                     GError **error);
