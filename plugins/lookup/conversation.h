/* conversation.h: asks a mail server about a recipient, without sending mail.
 * (RFC 5321, RFC 2033)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/lookup/reply.h"
#include <filterd/plugin.h>

typedef struct Config {
    const char *server, *hello;
    int protocol; /* 0: SMTP, 1: LMTP */
    int64_t timeout, positive, negative, connections;
    bool probe;
} Config;

typedef struct Finding {
    Standing standing;
    GString *reply; /* to RCPT; "" where it did not get so far */
    bool picky;     /* it refused a recipient that cannot exist */
} Finding;

/* Waits. False: the server is dead, slow, talks nonsense or refuses to talk. */
bool conversation_hold(FilterdCall *call, const char *address, bool probe,
                       Finding *finding, GError **error);
