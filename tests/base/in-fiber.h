/* in-fiber.h: runs a test's body as a fiber, on a loop of its own.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/base/fiber.h"
#include "filterd/base/loop.h"

#include <unistd.h>

/* Seconds until a test that hangs is ended. */
#define TEST_PATIENCE 60

typedef struct Body {
    FiberRun run;
    void *data;
} Body;

static inline void
run_body(void *data)
{
    Body *body = data;

    body->run(body->data);
    loop_stop();
}

static inline void
run_in_fiber(FiberRun run, void *data)
{
    Body body = {run, data};

    alarm(TEST_PATIENCE);
    loop_init();
    fiber_detach(fiber_start("test", run_body, &body));
    loop_run();
    g_assert_cmpuint(fiber_count(), ==, 0);
    fiber_pool_clear();
    loop_clear();
}
