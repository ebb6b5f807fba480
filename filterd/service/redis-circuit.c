/* redis-circuit.c: refuses while a server is dead, and lets one find out.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/redis-circuit.h"

#include "filterd/base/clock.h"

/* Milliseconds, doubled from one failure to the next. */
#define PAUSE_FIRST 100
#define PAUSE_MOST 5000

void
redis_circuit_clear(RedisCircuit *circuit)
{
    g_clear_pointer(&circuit->problem, g_free);
}

gboolean
redis_circuit_ready(const RedisCircuit *circuit)
{
    return !circuit->open || clock_monotonic() >= circuit->until;
}

gboolean
redis_circuit_enter(RedisCircuit *circuit, int64_t patience)
{
    if (!redis_circuit_ready(circuit))
        return FALSE;
    if (circuit->open) {
        circuit->probed = TRUE;
        circuit->until = clock_after(MAX(circuit->pause, patience));
    }
    return TRUE;
}

/* Connections that fail together are one failure. */
void
redis_circuit_fail(RedisCircuit *circuit, const char *problem)
{
    g_free(circuit->problem);
    circuit->problem = g_strdup(problem);
    if (circuit->open && !circuit->probed)
        return;
    circuit->pause = CLAMP(circuit->pause * 2, PAUSE_FIRST, PAUSE_MOST);
    circuit->until = clock_after(circuit->pause);
    circuit->open = TRUE;
    circuit->probed = FALSE;
}

void
redis_circuit_work(RedisCircuit *circuit)
{
    redis_circuit_clear(circuit);
    *circuit = (RedisCircuit){0};
}
