/* cancel.c: a session that ends at any of its waits, whatever its hooks do.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/session/world.h"

#include "filterd/base/fiber.h"

#include <string.h>

#define MESSAGE "From: a@example.org\nSubject: hello\n\nbody\n"

/* Milliseconds of a hook, and in which part of them the end may come. */
#define SLOW 100
#define STEP 25
#define STEPS 200

typedef struct Run {
    World world;
    gboolean through; /* to the end of the dialogue */
} Run;

/* As a wire does: whoever is cancelled returns. */
static gboolean
transact(Run *run)
{
    World *world = &run->world;
    if (world_mail(world, "a@example.org") != SESSION_CONTINUE
        || world_rcpt(world, "b@example.com") != SESSION_CONTINUE
        || world_rcpt(world, "c@example.com") != SESSION_CONTINUE
        || world_message(world, MESSAGE) != SESSION_CONTINUE)
        return FALSE;
    world_deliver(world);
    return TRUE;
}

static void
converse(void *data)
{
    Run *run = data;
    run->world.session = world_session(&run->world);
    run->through = world_hello(&run->world) == SESSION_CONTINUE && transact(run)
                   && world_hello(&run->world) == SESSION_CONTINUE
                   && transact(run);
    session_free(run->world.session);
}

static void
let_run(void)
{
    for (unsigned i = 0; i < 10; i++)
        fiber_yield();
}

/* TRUE: the dialogue was over before. */
static gboolean
end_after(World *world, unsigned steps)
{
    Run run = {.world = *world};
    Fiber *fiber = fiber_start("client", converse, &run);
    let_run();
    for (unsigned i = 0; i < steps; i++) {
        clock_advance(STEP);
        let_run();
    }
    gboolean over = fiber_ended(fiber);
    fiber_cancel(fiber);
    fiber_join(fiber);
    g_assert_cmpint(run.through, ==, over);
    return over;
}

static void
all_waits(World *world)
{
    unsigned fibers = fiber_count();
    gboolean over = FALSE;
    clock_stop(0);
    for (unsigned steps = 0; !over && steps < STEPS; steps++) {
        over = end_after(world, steps);
        let_run();
        g_assert_cmpuint(fiber_count(), ==, fibers);
    }
    g_assert_true(over);
    g_assert_cmpuint(probe.cancelled, >, 10);
    g_assert_cmpuint(world_count(world->log->str, "as it was told"), ==, 0);
    g_assert_cmpuint(world_count(world->log->str, "rejected"), ==, 0);
    clock_start();
}

static void
test_all_waits(void)
{
    probe.slow = SLOW;
    probe.edits = TRUE;
    world_run(
        "use other "
        "at connect { reject no if not probe.connect } "
        "at helo { reject no if not probe.helo }"
        "at mail { score 1 one if probe.connect }"
        "at rcpt { reject no if probe.rcpt = 0 "
        "rewrite add-header(\"X-Mail\", \"{probe.mail}\") }"
        "at message { reject no if other.twice = 0 "
        "reject n if rcpt.domain = \"example.com\" and probe.octets = 0 }",
        all_waits);
}

/* Hooks of the connection and of two messages run side by side with it. */
static void
test_early(void)
{
    probe.slow = SLOW;
    world_run("use other "
              "at rcpt { reject no if not probe.mail }"
              "at message { reject no if probe.octets = 0 "
              "reject n if not probe.connect }",
              all_waits);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/cancel/at-any-wait-of-a-dialogue",
                    test_all_waits);
    g_test_add_func("/session/cancel/at-any-wait-beside-early-work",
                    test_early);
    return g_test_run();
}
