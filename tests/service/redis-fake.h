/* redis-fake.h: a Redis server in a thread that says what a test wants, however
 * wrong.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <glib.h>

typedef enum RedisFakeAfter {
    REDIS_FAKE_GOES_ON,
    REDIS_FAKE_CLOSES, /* after the answer */
    REDIS_FAKE_FLOODS, /* octets without end */
} RedisFakeAfter;

/* Texts are NULL for silence. */
typedef struct RedisFakeScript {
    const char *password, *database, *ping; /* to AUTH, SELECT, PING */
    const char *answer; /* to anything else, each time it is sent */
    const char *asking; /* to ASKING */
    RedisFakeAfter after;
} RedisFakeScript;

typedef struct RedisFake RedisFake;

/* On a free port of 127.0.0.1. The script is read at each command. */
RedisFake *redis_fake_new(RedisFakeScript *script);
void redis_fake_free(RedisFake *fake);
/* "127.0.0.1:PORT" */
const char *redis_fake_address(const RedisFake *fake);
unsigned redis_fake_port(const RedisFake *fake);
/* Connections that are open. */
unsigned redis_fake_open(const RedisFake *fake);
/* So far: connections, commands that are none of AUTH, SELECT, PING, ASKING,
 * octets sent. */
unsigned redis_fake_connections(const RedisFake *fake);
unsigned redis_fake_commands(const RedisFake *fake);
guint64 redis_fake_sent(const RedisFake *fake);
