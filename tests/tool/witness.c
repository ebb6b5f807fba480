/* witness.c: commands that a plugin does not come back to.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/witness.h"

#include "filterd/base/fiber.h"
#include "filterd/tool/tool.h"

#include <glib.h>
#include <stdlib.h>
#include <unistd.h>

static const FiberDoing starting = {"slow", "start", NULL};

/* ---- commands ----------------------------------------------------------- */

static int
hang(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    fiber_set_doing(&starting);
    while (pause() < 0)
        continue;
    return TOOL_OK;
}

/* As one whose plugin waits for what never comes. */
static int
wait_after_turn(int argc, char **argv)
{
    fiber_set_doing(&starting);
    fiber_set_doing(NULL);
    (void)argc;
    (void)argv;
    while (pause() < 0)
        continue;
    return TOOL_OK;
}

/* Not one turn of it is long, and between them it waits. */
static int
take_turns(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    for (unsigned i = 0; i < 11; i++) {
        const FiberDoing *before = fiber_set_doing(&starting);
        usleep(200000);
        fiber_set_doing(before);
    }
    return TOOL_WRONG;
}

static int
wait_for_others(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    usleep(2200000);
    return TOOL_WRONG;
}

/* ---- what comes of them ------------------------------------------------- */

static const struct Case {
    const char *path;
    WitnessTask task;
    int status;
    const char *said;
} cases[] = {
    {"/tool/witness/hook-that-hangs-is-named",
     {hang, 0, 1},
     TOOL_UNUSABLE,
     "filterctl: plugin `slow` did not return from its `start` for 1 s\n"},
    {"/tool/witness/command-that-hangs-in-a-hook-names-it",
     {hang, 1, 60},
     TOOL_UNUSABLE,
     "filterctl: it took more than 1 s, in `start` of plugin `slow`\n"},
    {"/tool/witness/command-that-waits-names-what-ran-last",
     {wait_after_turn, 1, 60},
     TOOL_UNUSABLE,
     "filterctl: it took more than 1 s; what ran last was `start` of plugin "
     "`slow`\n"},
    {"/tool/witness/hooks-that-come-back-may-take-long-together",
     {take_turns, 0, 1},
     TOOL_WRONG,
     ""},
    {"/tool/witness/what-is-no-plugins-may-take-long",
     {wait_for_others, 0, 1},
     TOOL_WRONG,
     ""},
};

static void
test_case(gconstpointer data)
{
    const struct Case *one = data;
    if (g_test_subprocess())
        exit(witness_run(&one->task, 0, NULL) == one->status ? 0 : 1);
    g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr(one->said);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        g_test_add_data_func(cases[i].path, &cases[i], test_case);
    return g_test_run();
}
