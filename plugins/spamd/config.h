/* config.h: the options, and what is told of a message beside its text.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

typedef enum Protocol {
    SPAMD,
    RSPAMD,
} Protocol;

typedef struct Config {
    const char *server, *user;
    int protocol; /* a Protocol */
    int64_t timeout, max_size;
} Config;

/* NULL: unknown. */
typedef struct Envelope {
    const char *ip, *name, *helo, *from, *to, *user;
    int64_t size; /* octets of the message */
    int64_t now;
} Envelope;
