/* replay.c: feeds each file of a directory to a libFuzzer target.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/fuzz/fuzz.h"

#include <glib.h>

static void
replay(const char *path)
{
    g_autofree char *bytes = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(path, &bytes, &length, NULL));
    /* Of that size, without a NUL behind it. */
    g_autofree uint8_t *exact = g_memdup2(bytes, length);
    LLVMFuzzerTestOneInput(exact, length);
}

int
main(int argc, char **argv)
{
    g_assert_cmpint(argc, ==, 2);
    g_autoptr(GDir) directory = g_dir_open(argv[1], 0, NULL);
    g_assert_nonnull(directory);
    const char *name;
    unsigned files = 0;
    for (; (name = g_dir_read_name(directory)) != NULL; files++) {
        g_autofree char *path = g_build_filename(argv[1], name, NULL);
        replay(path);
    }
    g_assert_cmpuint(files, >, 0);
    return 0;
}
