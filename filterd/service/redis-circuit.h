/* redis-circuit.h: whether a server is worth asking.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * After a failure everybody is refused at once, and one at a time is let
 * through to find out, after pauses that grow.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef struct RedisCircuit {
    gboolean open;
    gboolean probed; /* somebody was let through since the last failure */
    int64_t pause, until;
    char *problem; /* NULL: none */
} RedisCircuit;

void redis_circuit_clear(RedisCircuit *circuit);

/* Whether redis_circuit_enter() would say yes. */
gboolean redis_circuit_ready(const RedisCircuit *circuit);
/* Whether one may ask; who is let through to find out has `patience`
 * milliseconds before the next one is. */
gboolean redis_circuit_enter(RedisCircuit *circuit, int64_t patience);
void redis_circuit_fail(RedisCircuit *circuit, const char *problem);
void redis_circuit_work(RedisCircuit *circuit);
