/* support.c: a loop and fibers for tests of what waits.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/service/support.h"

#include "filterd/base/loop.h"

#include <glib/gstdio.h>

void
support_run(FiberRun run, void *data)
{
    support_run_many(run, &data, 1);
}

void
support_run_many(FiberRun run, void *const *data, unsigned count)
{
    g_autofree Fiber **fibers = g_new(Fiber *, count);
    for (unsigned i = 0; i < count; i++)
        fibers[i] = fiber_start("test", run, data[i]);
    for (unsigned i = 0; i < count; i++) {
        while (!fiber_ended(fibers[i]))
            loop_turn(TRUE);
        fiber_join(fibers[i]);
    }
}

char *
support_directory_new(void)
{
    g_autoptr(GError) error = NULL;
    char *directory = g_dir_make_tmp("filterd-test-XXXXXX", &error);
    g_assert_no_error(error);
    return directory;
}

void
support_directory_free(char *directory)
{
    GDir *entries = g_dir_open(directory, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(entries)) != NULL) {
        g_autofree char *path = g_build_filename(directory, name, NULL);
        g_unlink(path);
    }
    g_dir_close(entries);
    g_rmdir(directory);
    g_free(directory);
}
